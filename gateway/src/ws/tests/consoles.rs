//! Claims about a console's session: what it is shown, what it may ask, and what ends it.

use std::time::Instant;

use protocol::{
    CommandId, RobotId, UnixMicros,
    command::{CommandRequest, Fate, Order, Verb},
    console_socket::{FromConsole, MAX_THUMBNAIL_ROBOTS, ToConsole},
    limits::{MAX_TEXT_FRAME_BYTES, PROTOCOL_VERSION},
    robot_socket::{Demand, Goodbye, HELLO_WITHIN_MS, ToRobot},
    thumbnail::Thumbnail,
    views::Degradation,
};
use sqlx::PgPool;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::client::Console;
use crate::http::tests::{
    house::{FOREIGN, House, JUNIPER, Machine, ROWAN, Who, telemetry},
    until::until,
};

fn robots(snapshot: &ToConsole) -> Vec<RobotId> {
    match snapshot {
        ToConsole::Snapshot { robots, .. } => robots.iter().map(|view| view.robot).collect(),
        other => panic!("{other:?} is no snapshot"),
    }
}

fn command(robot: Machine, verb: Verb) -> FromConsole {
    FromConsole::Command(CommandRequest {
        command: CommandId(Uuid::now_v7()),
        robot: robot.id(),
        epoch: None,
        verb,
        signed: None,
    })
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_is_first_shown_everything_that_its_person_may_see(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let _juniper = house.attach(JUNIPER);
    house.app.live.degrade(vec![Degradation {
        part: "redis".to_owned(),
        words: "gone".to_owned(),
        since: house.now(),
    }]);
    let (mut first, _snapshot) = Console::open(address, Who::Operator).await;
    first.say(&command(JUNIPER, Verb::Stop)).await;
    let issued = first
        .until(|frame| match frame {
            ToConsole::Command(view) => Some(view.clone()),
            _ => None,
        })
        .await;

    let (_console, snapshot) = Console::open(address, Who::Requester).await;

    let ToConsole::Snapshot {
        robots,
        degraded,
        commands,
        ..
    } = snapshot
    else {
        unreachable!()
    };
    let names: Vec<_> = robots.iter().map(|robot| robot.name.as_str()).collect();
    assert_eq!(names, ["R-014 Juniper", "R-021 Rowan"]);
    assert_eq!(robots[0].telemetry.as_ref().unwrap().tick_ms, 77_000);
    assert_eq!(degraded.len(), 1);
    assert_eq!(commands, [issued]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_sees_the_robots_of_its_own_sites_and_hears_of_no_others(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;

    for (who, seen) in [
        (Who::Operator, vec![JUNIPER.id(), ROWAN.id()]),
        (Who::WingA, vec![JUNIPER.id()]),
        (Who::Stranger, vec![FOREIGN.id()]),
    ] {
        let (mut console, snapshot) = Console::open(address, who).await;
        let attached = [JUNIPER, ROWAN, FOREIGN].map(|machine| house.attach(machine));
        let heard = console.in_step().await;
        let mut heard_of: Vec<_> = heard
            .iter()
            .map(|frame| match frame {
                ToConsole::Robot(view) => view.robot,
                ToConsole::Telemetry { robot, .. } => *robot,
                other => panic!("{other:?} was not expected"),
            })
            .collect();
        heard_of.sort();
        heard_of.dedup();

        assert_eq!(robots(&snapshot), seen, "{who:?}");
        assert_eq!(heard_of, seen, "{who:?}");
        drop(attached);
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_command_over_the_socket_is_recorded_or_refused_with_its_code(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut juniper = house.attach(JUNIPER);
    let _rowan = house.attach_silent(ROWAN);
    let far = Verb::NavigateTo {
        x_m: 1e6,
        y_m: 0.0,
        heading_rad: None,
    };
    let (mut witness, _snapshot) = Console::open(address, Who::Requester).await;
    juniper.waiting();

    for (who, frame, code) in [
        (Who::Operator, command(ROWAN, Verb::Stop), "robot_offline"),
        (Who::Operator, command(JUNIPER, far), "target_out_of_reach"),
        (Who::Operator, command(FOREIGN, Verb::Stop), "not_found"),
        (Who::WingA, command(ROWAN, Verb::Stop), "not_found"),
        (Who::Requester, command(JUNIPER, Verb::Stop), "role_missing"),
        (Who::Admin, command(JUNIPER, Verb::Stop), "role_missing"),
    ] {
        let (mut console, _snapshot) = Console::open(address, who).await;
        console.say(&frame).await;
        let (refused, why) = console
            .until(|frame| match frame {
                ToConsole::CommandRefused { command, code, .. } => Some((*command, code.clone())),
                _ => None,
            })
            .await;
        let FromConsole::Command(request) = &frame else {
            unreachable!()
        };
        assert_eq!((refused, why.as_str()), (request.command, code), "{who:?}");
    }
    assert_eq!(house.recorded("command.issued").await, 0);
    assert!(juniper.waiting().is_empty());

    let (mut console, _snapshot) = Console::open(address, Who::WingA).await;
    console.say(&command(JUNIPER, Verb::Stop)).await;
    for hears in [&mut console, &mut witness] {
        let fate = hears
            .until(|frame| match frame {
                ToConsole::Command(view) => Some(view.fate),
                _ => None,
            })
            .await;
        assert_eq!(fate, Fate::Sent);
    }
    assert!(matches!(juniper.waiting()[..], [ToRobot::Order(_)]));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_frame_that_can_not_be_read_ends_its_session_and_no_other(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut other, _snapshot) = Console::open(address, Who::Operator).await;
    let as_text = |frame: &FromConsole| Message::text(serde_json::to_string(frame).unwrap());
    let robots = vec![JUNIPER.id(); MAX_THUMBNAIL_ROBOTS + 1];

    for (case, frame) in [
        ("garbage", Message::text("}{")),
        (
            "no frame of ours",
            Message::text(r#"{"type":"format_disk"}"#),
        ),
        ("binary", Message::binary(vec![1; 40])),
        (
            "too large",
            Message::text(" ".repeat(MAX_TEXT_FRAME_BYTES + 1)),
        ),
        (
            "a second hello",
            as_text(&FromConsole::Hello {
                protocol: PROTOCOL_VERSION,
            }),
        ),
        (
            "too many stills",
            as_text(&FromConsole::WantThumbnails { robots }),
        ),
    ] {
        let (mut console, _snapshot) = Console::open(address, Who::Operator).await;
        console.say_raw(frame).await;
        assert_eq!(console.goodbye().await, Goodbye::BadFrame, "{case}");
        other.in_step().await;
    }
    until("the end of the broken sessions", async || {
        (house.app.live.connected().1 == 1).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_begins_with_a_hello_of_our_version_and_in_time(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let began = Instant::now();
    let mut mute = Console::dial(address, Who::Operator).await;

    for (first, reason) in [
        (
            FromConsole::Hello {
                protocol: PROTOCOL_VERSION + 1,
            },
            Goodbye::ProtocolUnsupported,
        ),
        (FromConsole::Ping { at: UnixMicros(1) }, Goodbye::BadFrame),
    ] {
        let mut console = Console::dial(address, Who::Operator).await;
        console.say(&first).await;
        assert_eq!(console.goodbye().await, reason);
    }
    assert_eq!(mute.goodbye().await, Goodbye::BadFrame);
    assert!(began.elapsed().as_millis() >= u128::from(HELLO_WITHIN_MS) - 100);
    assert_eq!(house.app.live.connected(), (0, 0));
}

const STILL: Thumbnail<'static> = Thumbnail {
    camera: 0,
    captured_at: UnixMicros(5),
    jpeg: &[0xff, 0xd8, 1, 2],
};

/// Stills among everything that comes until the gateway has dealt with what was said.
async fn stills(console: &mut Console) -> usize {
    let at = UnixMicros(9);
    console.say(&FromConsole::Ping { at }).await;
    let mut stills = 0;
    loop {
        match console.hear_raw().await {
            Message::Binary(frame) => {
                let (robot, still) = Thumbnail::parse_console_frame(&frame).unwrap();
                assert_eq!((robot, still), (JUNIPER.id(), STILL));
                stills += 1;
            }
            Message::Text(text) => {
                let frame: ToConsole = serde_json::from_str(&text).unwrap();
                if matches!(frame, ToConsole::Pong { .. }) {
                    return stills;
                }
            }
            other => panic!("{other:?} was not expected"),
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn stills_go_to_who_wants_them_and_may_watch_and_the_robot_makes_them_for_nobody_else(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut juniper = house.attach(JUNIPER);
    let robots = vec![JUNIPER.id(), FOREIGN.id()];
    let want = FromConsole::WantThumbnails { robots };
    let live = &house.app.live;

    for who in [Who::Requester, Who::Owner] {
        let (mut console, _snapshot) = Console::open(address, who).await;
        console.say(&want).await;
        console.in_step().await;
        live.thumbnail(juniper.attachment, &STILL);
        assert_eq!(stills(&mut console).await, 0, "{who:?}");
    }
    assert!(juniper.waiting().is_empty());

    let (mut console, _snapshot) = Console::open(address, Who::WingA).await;
    live.thumbnail(juniper.attachment, &STILL);
    assert_eq!(stills(&mut console).await, 0);
    console.say(&want).await;
    assert_eq!(
        stills(&mut console).await,
        1,
        "the latest one is shown at once"
    );
    live.thumbnail(juniper.attachment, &STILL);
    assert_eq!(stills(&mut console).await, 1);
    let demand = |thumbnails| {
        ToRobot::Demand(Demand {
            thumbnails,
            ..Demand::default()
        })
    };
    assert_eq!(juniper.waiting(), [demand(true)]);

    drop(console);
    until("the end of the robot's work", async || {
        let told = juniper.waiting();
        (told == [demand(false)]).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_out_of_order_is_said_when_it_happens_and_when_it_is_over(owner: PgPool) {
    let house = House::new(&owner).await;
    let (mut console, _snapshot) = Console::open(house.listen().await, Who::Owner).await;
    let lost = Degradation {
        part: "postgres".to_owned(),
        words: "gone".to_owned(),
        since: house.now(),
    };

    for degraded in [vec![lost], vec![]] {
        house.app.live.degrade(degraded.clone());
        house.app.live.degrade(degraded.clone());
        assert_eq!(
            console.in_step().await,
            [ToConsole::Degraded { degraded }],
            "said once"
        );
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn without_the_database_a_connected_console_still_sees_and_stops_robots_and_is_told_what_fails(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let (mut console, _snapshot) = Console::open(house.listen().await, Who::Operator).await;
    house.app.pool.close().await;

    let mut codes = Vec::new();
    for verb in [Verb::ArmDrive, Verb::Stop] {
        console.say(&command(JUNIPER, verb)).await;
        let refused = console.until(|frame| match frame {
            ToConsole::CommandRefused { code, .. } => Some(code.clone()),
            _ => None,
        });
        codes.push(refused.await);
    }
    let told: Vec<ToRobot> = (juniper.waiting().into_iter())
        .filter(|frame| matches!(frame, ToRobot::Order(_)))
        .collect();
    for tick_ms in 1..=5 {
        let now = house.app.clock.micros();
        house
            .app
            .live
            .telemetry(juniper.attachment, telemetry(tick_ms), now);
    }
    let heard = console.in_step().await;

    assert_eq!(codes, ["unavailable", "stop_unrecorded"]);
    assert!(
        matches!(told[..], [ToRobot::Order(Order::Stop { .. })]),
        "{told:?}"
    );
    assert!(
        matches!(heard[..], [ToConsole::Telemetry { .. }]),
        "{heard:?}"
    );
}
