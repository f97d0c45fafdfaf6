//! Claims about a robot's own signed events: which are believed, that each is recorded once, and what a receipt moves.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use ledger::log::hash_of_actor_bytes;
use protocol::{
    CommandId, PersonId, UnixMicros,
    command::{CommandRequest, Fate, Outcome, Receipt, RobotRefusal, Verb},
    console_socket::{FromConsole, ToConsole},
    event::{ActorChain, ActorEvent, Payload, robot_stream},
    limits::MAX_SEALED_EVENT_BYTES,
    robot::Pose,
    robot_socket::{FromRobot, ToRobot},
    sealed::{self, Kind},
    views::CommandView,
};
use sqlx::PgPool;
use uuid::Uuid;

use super::client::{Console, Robot};
use crate::{
    flows::{
        record_robot_event::{Taken, record_robot_event},
        time_out_commands::time_out_commands,
    },
    http::tests::{
        answer::{Asking as _, get},
        house::{House, JUNIPER, Machine, ROWAN, Who, telemetry},
    },
};

const COMMAND: CommandId = CommandId(Uuid::from_u128(700));

/// A robot's own chain of events.
struct Journal {
    machine: Machine,
    head: ActorChain,
}

impl Journal {
    const fn new(machine: Machine) -> Self {
        let head = ActorChain {
            number: 0,
            previous: [0; 32],
        };
        Self { machine, head }
    }

    /// The next event, not yet written.
    fn draft(&self, outcome: Outcome) -> ActorEvent {
        ActorEvent {
            stream: robot_stream(self.machine.id()),
            chain: Some(ActorChain {
                number: self.head.number + 1,
                previous: self.head.previous,
            }),
            on_behalf_of: None,
            acting_as: None,
            payload: Payload::CommandReceipt(Receipt {
                command: COMMAND,
                outcome,
                tick_ms: 1,
                at: UnixMicros(1),
                pose: Pose::default(),
                sealed_sha256: None,
                frame: None,
                picture: None,
            }),
        }
    }

    /// Writes the next event.
    fn write(&mut self, outcome: Outcome) -> (u64, Vec<u8>) {
        let sealed = seal(&self.draft(outcome), &self.machine.key());
        self.head = ActorChain {
            number: self.head.number + 1,
            previous: hash_of_actor_bytes(&sealed),
        };
        (self.head.number, sealed)
    }
}

fn seal(event: &ActorEvent, key: &SigningKey) -> Vec<u8> {
    sealed::seal(Kind::Event, event, key).unwrap()
}

async fn hand_in(house: &House, machine: Machine, bytes: &[u8]) -> Taken {
    let robot = house.robot(machine).await;
    record_robot_event(&house.app, &robot, bytes.to_vec())
        .await
        .unwrap()
}

type Unbelievable = (&'static str, Vec<u8>, &'static str);

/// Bytes that Juniper's key did not seal as an event.
fn forgeries(good: &ActorEvent) -> Vec<Unbelievable> {
    let key = JUNIPER.key();
    let mut altered = seal(good, &key);
    *altered.last_mut().unwrap() ^= 1;
    let as_enrolment = sealed::seal(Kind::Enrolment, good, &key).unwrap();
    [
        ("no envelope", b"receipt".to_vec()),
        ("an altered signature", altered),
        ("another robot's key", seal(good, &ROWAN.key())),
        ("another kind", as_enrolment),
    ]
    .map(|(case, bytes)| (case, bytes, "signature_refused"))
    .into()
}

/// What Juniper's key did seal and must not be taken as its second event.
fn overreaches(good: &ActorEvent) -> Vec<Unbelievable> {
    let chain = good.chain.unwrap();
    let changed = |change: &dyn Fn(&mut ActorEvent)| {
        let mut event = good.clone();
        change(&mut event);
        seal(&event, &JUNIPER.key())
    };
    let renumbered =
        |number, previous| changed(&|event| event.chain = Some(ActorChain { number, previous }));
    let person = PersonId(Uuid::from_u128(1));
    vec![
        (
            "a foreign stream",
            changed(&|event| event.stream = robot_stream(ROWAN.id())),
            "foreign_stream",
        ),
        (
            "on behalf of a person",
            changed(&|event| event.on_behalf_of = Some(person)),
            "on_behalf_refused",
        ),
        (
            "no receipt",
            changed(&|event| {
                event.payload = Payload::SessionOpened {
                    person,
                    passkey: None,
                }
            }),
            "not_a_robots_word",
        ),
        (
            "no number",
            changed(&|event| event.chain = None),
            "unnumbered",
        ),
        ("a gap", renumbered(chain.number + 1, chain.previous), "gap"),
        ("another past", renumbered(chain.number, [9; 32]), "forked"),
        ("a second story", renumbered(1, [0; 32]), "forked"),
    ]
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_not_the_robots_own_next_word_is_refused_with_a_code_and_not_recorded(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut journal = Journal::new(JUNIPER);
    let refusal = Outcome::Refused {
        reason: RobotRefusal::Fault,
    };
    let (_number, first) = journal.write(refusal);
    assert_eq!(
        hand_in(&house, JUNIPER, &first).await,
        Taken::Held { number: 1 }
    );

    let good = journal.draft(Outcome::Accepted);
    for (case, bytes, code) in [forgeries(&good), overreaches(&good)].concat() {
        assert_eq!(
            hand_in(&house, JUNIPER, &bytes).await,
            Taken::Refused { code },
            "{case}"
        );
        assert_eq!(house.recorded("command.receipt").await, 1, "{case}");
    }
    assert_eq!(house.recorded("session.opened").await, 0);

    let (number, second) = journal.write(Outcome::Accepted);
    assert_eq!(
        hand_in(&house, JUNIPER, &second).await,
        Taken::Held { number }
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_event_that_is_sent_twice_is_recorded_once_also_when_both_come_at_once(owner: PgPool) {
    let house = House::new(&owner).await;
    let (_number, sealed) = Journal::new(JUNIPER).write(Outcome::Accepted);

    let both = futures_util::future::join(
        Box::pin(hand_in(&house, JUNIPER, &sealed)),
        Box::pin(hand_in(&house, JUNIPER, &sealed)),
    );
    let both = both.await;
    let later = hand_in(&house, JUNIPER, &sealed).await;

    let held = Taken::Held { number: 1 };
    assert_eq!((both, later), ((held.clone(), held.clone()), held));
    assert_eq!(house.recorded("command.receipt").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_that_was_replaced_is_no_longer_believed_not_even_in_a_session_that_began_before(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let at_start = house.robot(JUNIPER).await;
    let (_number, sealed) = Journal::new(JUNIPER).write(Outcome::Accepted);
    let newer = SigningKey::from_bytes(&[77; 32]).verifying_key().to_bytes();
    let mut tx = house.begin();
    identity::store::bind_robot_key(&mut tx, &at_start, newer, house.now())
        .await
        .unwrap();
    house.commit(tx).await;

    let taken = record_robot_event(&house.app, &at_start, sealed).await;

    let code = "signature_refused";
    assert_eq!(taken.unwrap(), Taken::Refused { code });
}

async fn send(robot: &mut Robot, number: u64, sealed: &[u8]) {
    let sealed = BASE64_STANDARD.encode(sealed);
    robot.say(&FromRobot::Event { number, sealed }).await;
}

async fn held(robot: &mut Robot) -> u64 {
    robot
        .until(|frame| match frame {
            ToRobot::EventsHeld { number } => Some(*number),
            _ => None,
        })
        .await
}

async fn refused(robot: &mut Robot) -> (u64, String) {
    robot
        .until(|frame| match frame {
            ToRobot::EventRefused { number, code } => Some((*number, code.clone())),
            ToRobot::EventsHeld { number } => panic!("{number} is held"),
            _ => None,
        })
        .await
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_learns_which_events_are_held_and_which_refused_and_bad_ones_do_not_end_its_session(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut journal = Journal::new(JUNIPER);
    let (mut robot, at_start) = Robot::welcome(address, JUNIPER).await;
    let (first, second) = (
        journal.write(Outcome::Accepted),
        journal.write(Outcome::Done),
    );

    send(&mut robot, first.0, &first.1).await;
    assert_eq!(held(&mut robot).await, 1);
    let mut forged = second.1.clone();
    *forged.last_mut().unwrap() ^= 1;
    for (sealed, code) in [
        (BASE64_STANDARD.encode(forged), "signature_refused"),
        ("not base64!".to_owned(), "unreadable"),
        (
            BASE64_STANDARD.encode(vec![0; MAX_SEALED_EVENT_BYTES + 1]),
            "unreadable",
        ),
    ] {
        robot.say(&FromRobot::Event { number: 2, sealed }).await;
        assert_eq!(refused(&mut robot).await, (2, code.to_owned()));
    }
    send(&mut robot, 2, &second.1).await;
    assert_eq!(held(&mut robot).await, 2);
    drop(robot);
    let (_robot, at_return) = Robot::welcome(address, JUNIPER).await;

    assert_eq!((at_start, at_return), (0, 2));
    assert_eq!(house.recorded("command.receipt").await, 2);
}

/// Juniper and Rowan as robots, and a console that sees both.
async fn stage(house: &House) -> (Robot, Robot, Console) {
    let address = house.listen().await;
    let mut robots = Vec::new();
    for machine in [JUNIPER, ROWAN] {
        let (mut robot, _held) = Robot::welcome(address, machine).await;
        robot.report(telemetry(1)).await;
        crate::http::tests::until::until("the robot's telemetry", async || {
            house.app.live.seen_tick(machine.id())
        })
        .await;
        robots.push(robot);
    }
    let (console, _snapshot) = Console::open(address, Who::Operator).await;
    let rowan = robots.pop().unwrap();
    (robots.pop().unwrap(), rowan, console)
}

async fn tell(console: &mut Console, machine: Machine) {
    let request = CommandRequest {
        command: COMMAND,
        robot: machine.id(),
        epoch: None,
        verb: Verb::Stop,
        signed: None,
    };
    console.say(&FromConsole::Command(request)).await;
}

async fn ordered(robot: &mut Robot) -> CommandId {
    robot
        .until(|frame| match frame {
            ToRobot::Order(order) => Some(order.command()),
            _ => None,
        })
        .await
}

async fn fate(console: &mut Console) -> CommandView {
    console
        .until(|frame| match frame {
            ToConsole::Command(view) => Some(view.clone()),
            _ => None,
        })
        .await
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_receipt_moves_its_command_and_consoles_hear_each_step(owner: PgPool) {
    let house = House::new(&owner).await;
    let (mut juniper, _rowan, mut console) = stage(&house).await;
    let mut journal = Journal::new(JUNIPER);

    tell(&mut console, JUNIPER).await;
    assert_eq!(fate(&mut console).await.fate, Fate::Sent);
    assert_eq!(ordered(&mut juniper).await, COMMAND);
    for (outcome, expected) in [
        (Outcome::Accepted, Fate::Accepted),
        (Outcome::Done, Fate::Done),
    ] {
        let (number, sealed) = journal.write(outcome);
        send(&mut juniper, number, &sealed).await;
        let view = fate(&mut console).await;
        assert_eq!((view.command, view.fate), (COMMAND, expected));
        assert_eq!(view.issued_by_name, "Operator");
        assert!(view.answered_at.is_some());
    }
    let stream = robot_stream(JUNIPER.id());
    let events = house.events(&stream).await;
    assert_eq!(
        events[events.len() - 3..],
        ["command.issued", "command.receipt", "command.receipt"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_receipt_for_another_robots_command_stays_on_record_and_moves_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let (mut juniper, mut rowan, mut console) = stage(&house).await;
    tell(&mut console, ROWAN).await;
    assert_eq!(ordered(&mut rowan).await, COMMAND);
    assert_eq!(fate(&mut console).await.fate, Fate::Sent);

    let (number, sealed) = Journal::new(JUNIPER).write(Outcome::Accepted);
    send(&mut juniper, number, &sealed).await;
    assert_eq!(held(&mut juniper).await, 1);

    let heard = console.in_step().await;
    let is_command = |frame: &ToConsole| matches!(frame, ToConsole::Command(_));
    assert!(!heard.iter().any(is_command), "{heard:?}");
    let path = format!("/api/v1/commands/{COMMAND}");
    let read = house.ask(get(&path).by(Who::Operator).empty()).await;
    assert_eq!(read.json()["fate"], "sent");
    assert_eq!(house.recorded("command.receipt").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_receipt_that_comes_after_its_time_still_tells_what_became_of_the_command(owner: PgPool) {
    let house = House::new(&owner).await;
    let (mut juniper, _rowan, mut console) = stage(&house).await;
    tell(&mut console, JUNIPER).await;
    ordered(&mut juniper).await;
    // On record, too: a stop is sent before that.
    assert_eq!(fate(&mut console).await.fate, Fate::Sent);
    sqlx::query("UPDATE assist.command SET answer_by = now() - interval '1 second'")
        .execute(&house.owner)
        .await
        .unwrap();
    let due = time_out_commands(&house.app).await.unwrap();
    assert_eq!(due[0].fate, Fate::Unanswered);

    let (number, sealed) = Journal::new(JUNIPER).write(Outcome::Accepted);
    send(&mut juniper, number, &sealed).await;

    let heard = async { while fate(&mut console).await.fate != Fate::Accepted {} };
    heard.await;
}
