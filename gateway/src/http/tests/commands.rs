//! Claims about telling robots what to do: recorded once, sent once, refused with a code before anything else.

use axum::{body::Body, http::Request};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{
    CommandId,
    command::{Fate, Order, SignedCommand, Verb},
    event::robot_stream,
    robot_socket::ToRobot,
    sealed::{self, Kind},
    views::{CommandView, Page},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, get, post},
    house::{Attached, House, JUNIPER, Machine, ROWAN, Who},
    steering::{Hand, session_key},
    work::keyed,
};
use crate::{
    flows::time_out_commands::time_out_commands,
    live::rate_limit::{COMMANDS, Limit},
};

const KEY: CommandId = CommandId(Uuid::from_u128(501));

fn tell(who: Who, robot: Machine, key: CommandId, verb: &Value) -> Request<Body> {
    post(&format!("/api/v1/robots/{}/commands", robot.id()))
        .by(who)
        .header("idempotency-key", key.to_string())
        .json(verb)
}

fn to(x_m: f64, y_m: f64) -> Value {
    json!({ "verb": "navigate_to", "x_m": x_m, "y_m": y_m, "epoch": 1 })
}

/// Has the operator take control of the robot, under epoch 1, and get a grant for it.
async fn take(house: &House, robot: Machine, attached: &Attached) -> Hand {
    let path = format!("/api/v1/robots/{}/control/events", robot.id());
    let claimed = json!({"event": {"kind": "control.claimed"}});
    let request = keyed(post(&path).by(Who::Operator)).json(&claimed);
    let taken = house.ask(request).await;
    assert_eq!(taken.json()["epoch"], 1, "{}", taken.text());
    Hand::granted(house, Who::Operator, (robot, attached), 1).await
}

fn view(answer: &Answer) -> CommandView {
    assert_eq!(answer.status, 202, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// The orders that wait for the robot.
fn orders(attached: &mut Attached) -> Vec<Order> {
    let frames = attached.waiting().into_iter();
    frames
        .filter_map(|frame| match frame {
            ToRobot::Order(order) => Some(order),
            _ => None,
        })
        .collect()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_command_is_recorded_and_reaches_the_robot_as_it_was_signed(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let hand = take(&house, JUNIPER, &juniper).await;

    let answer = house.ask(hand.to(KEY, 2.5, -1.0)).await;
    let path = format!("/api/v1/commands/{KEY}");
    let read = house.ask(get(&path).by(Who::Requester).empty()).await;

    let issued = view(&answer);
    assert_eq!(
        (issued.fate, issued.issued_by),
        (Fate::Sent, Who::Operator.id())
    );
    assert_eq!(read.json(), answer.json());
    let orders = orders(&mut juniper);
    let [Order::Signed { command, sealed }] = &orders[..] else {
        panic!("{orders:?}");
    };
    assert_eq!(*command, KEY);
    let key = session_key(Who::Operator).verifying_key();
    let sealed = BASE64_STANDARD.decode(sealed).unwrap();
    let signed: SignedCommand = sealed::open(Kind::Command, &sealed, &key).unwrap();
    assert_eq!((signed.command, signed.verb), (KEY, issued.verb));
    assert_eq!((signed.grant, signed.epoch), (hand.grant, 1));
    let events = house.events(&robot_stream(JUNIPER.id())).await;
    assert_eq!(events.last().unwrap(), "command.issued");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_is_not_there_is_told_nothing_and_nothing_is_recorded(owner: PgPool) {
    let house = House::new(&owner).await;
    let silent = house.attach_silent(ROWAN);
    let gone = house.attach(JUNIPER);
    house.app.live.detach(gone.attachment, house.now());

    for robot in [JUNIPER, ROWAN] {
        let answer = house
            .ask(tell(Who::Operator, robot, KEY, &json!({"verb": "stop"})))
            .await;
        assert_eq!(answer.problem(), (409, "robot_offline".to_owned()));
    }
    assert_eq!(house.recorded("command.issued").await, 0);
    let path = format!("/api/v1/commands/{KEY}");
    let read = house.ask(get(&path).by(Who::Operator).empty()).await;
    assert_eq!(read.problem(), (404, "not_found".to_owned()));
    drop(silent);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_same_command_again_gives_the_first_answer_and_is_sent_once(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let hand = take(&house, JUNIPER, &juniper).await;

    let first = house.ask(hand.to(KEY, 1.0, 1.0)).await;
    let second = house.ask(hand.to(KEY, 1.0, 1.0)).await;
    house.app.live.detach(juniper.attachment, house.now());
    let when_offline = house.ask(hand.to(KEY, 1.0, 1.0)).await;

    assert_eq!(view(&first), view(&second));
    assert_eq!(view(&first), view(&when_offline));
    assert_eq!(house.recorded("command.issued").await, 1);
    assert_eq!(orders(&mut juniper).len(), 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_same_command_many_times_at_once_gives_one_answer_and_is_sent_once(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let hand = take(&house, JUNIPER, &juniper).await;

    let tries = (0..8).map(|_| house.ask(hand.to(KEY, 1.0, 1.0)));
    let answers = futures_util::future::join_all(tries).await;

    let views: Vec<_> = answers.iter().map(view).collect();
    assert!(views.iter().all(|one| *one == views[0]), "{views:?}");
    assert_eq!(house.recorded("command.issued").await, 1);
    assert_eq!(orders(&mut juniper).len(), 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_same_id_for_another_wish_is_refused_and_changes_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let hand = take(&house, JUNIPER, &juniper).await;
    let _rowan = house.attach(ROWAN);
    let first = house.ask(hand.to(KEY, 1.0, 1.0)).await;

    for (case, request) in [
        (
            "another target",
            tell(Who::Operator, JUNIPER, KEY, &to(1.0, 2.0)),
        ),
        (
            "another verb",
            tell(Who::Operator, JUNIPER, KEY, &json!({"verb": "stop"})),
        ),
        (
            "another robot",
            tell(Who::Operator, ROWAN, KEY, &to(1.0, 1.0)),
        ),
        (
            "another person",
            tell(Who::WingA, JUNIPER, KEY, &to(1.0, 1.0)),
        ),
    ] {
        let answer = house.ask(request).await;
        assert_eq!(
            answer.problem(),
            (409, "command_id_reused".to_owned()),
            "{case}"
        );
    }
    assert_eq!(view(&first).fate, Fate::Sent);
    assert_eq!(house.recorded("command.issued").await, 1);
    let [first, stop] = &orders(&mut juniper)[..] else {
        panic!("a target, and the stop that goes out before anything is looked up");
    };
    assert!(matches!(first, Order::Signed { .. }), "{first:?}");
    assert!(matches!(stop, Order::Stop { .. }), "{stop:?}");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_target_that_is_no_number_or_out_of_reach_is_refused(owner: PgPool) {
    let house = House::new(&owner).await;
    let _juniper = house.attach(JUNIPER);
    let raw = |x_m: &str| {
        post(&format!("/api/v1/robots/{}/commands", JUNIPER.id()))
            .by(Who::Operator)
            .header("idempotency-key", KEY.to_string())
            .header("content-type", "application/json")
            .body(Body::from(format!(
                r#"{{"verb":"navigate_to","x_m":{x_m},"y_m":0}}"#
            )))
            .unwrap()
    };

    for x_m in ["NaN", "Infinity", "1e999", "null", "\"1\""] {
        let answer = house.ask(raw(x_m)).await;
        assert_eq!(
            answer.problem(),
            (400, "body_malformed".to_owned()),
            "{x_m}"
        );
    }
    for x_m in ["10000.5", "-1e300"] {
        let answer = house.ask(raw(x_m)).await;
        assert_eq!(
            answer.problem(),
            (409, "target_out_of_reach".to_owned()),
            "{x_m}"
        );
    }
    assert_eq!(house.recorded("command.issued").await, 0);
}

/// Uses a limit up, for one person.
pub(super) async fn use_up(house: &House, limit: Limit, who: &str) {
    for _ in 0..limit.tries {
        let now_s = u64::try_from(house.now().unix_timestamp()).unwrap();
        let (limits, redis) = (&house.app.limits, &house.app.redis);
        limits.try_once(redis, limit, who, now_s).await;
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_runaway_script_is_told_to_wait_but_may_still_stop_and_nobody_else_waits(owner: PgPool) {
    let house = House::new(&owner).await;
    let juniper = house.attach(JUNIPER);
    let _hand = take(&house, JUNIPER, &juniper).await;
    let stop = json!({"verb": "stop"});
    let go = to(1.0, 1.0);

    // The minute may turn while the limit is used up; it does not turn twice.
    let mut refused = None;
    for _ in 0..2 {
        use_up(&house, COMMANDS, &Who::Operator.id().to_string()).await;
        let answer = house.ask(tell(Who::Operator, JUNIPER, KEY, &go)).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let colleague = house
        .ask(tell(Who::WingA, JUNIPER, CommandId(Uuid::now_v7()), &go))
        .await;
    let own_stop = house
        .ask(tell(
            Who::Operator,
            JUNIPER,
            CommandId(Uuid::now_v7()),
            &stop,
        ))
        .await;

    let refused = refused.expect("the limit never held");
    assert_eq!(refused.problem(), (429, "too_many_requests".to_owned()));
    let wait_s: u32 = refused
        .header(axum::http::header::RETRY_AFTER)
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait_s));
    // No limit of another's, only that somebody else steers.
    assert_eq!(colleague.problem(), (409, "control_held".to_owned()));
    assert_eq!(own_stop.status, 202, "nothing keeps anybody from stopping");
}

/// Follows `next` until there is none.
async fn all_pages(house: &House, path: &str, who: Who, limit: u32) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = get(&format!("{path}?limit={limit}{cursor}")).by(who);
        let answer = house.ask(request.empty()).await;
        let page: Page<Value> = serde_json::from_slice(&answer.body).unwrap();
        pages.push(page.items);
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn pages_give_every_row_once_and_in_order(owner: PgPool) {
    let house = House::new(&owner).await;
    let juniper = house.attach(JUNIPER);
    let hand = take(&house, JUNIPER, &juniper).await;
    let mut issued = Vec::new();
    for number in 0..5_u32 {
        let key = CommandId(Uuid::from_u128(600 + u128::from(number)));
        let request = hand.to(key, f64::from(number), 0.0);
        issued.push(view(&house.ask(request).await));
    }
    issued.reverse();

    let path = format!("/api/v1/robots/{}/commands", JUNIPER.id());
    let commands = all_pages(&house, &path, Who::Operator, 2).await;
    let robots = all_pages(&house, "/api/v1/robots", Who::Operator, 1).await;

    let listed: Vec<CommandView> = commands
        .concat()
        .into_iter()
        .map(|row| serde_json::from_value(row).unwrap())
        .collect();
    assert_eq!(commands.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(listed, issued);
    let names: Vec<_> = robots
        .concat()
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(names, ["R-014 Juniper", "R-021 Rowan"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_command_that_nobody_answers_goes_unanswered_once_and_not_before_its_time(owner: PgPool) {
    let house = House::new(&owner).await;
    let _juniper = house.attach(JUNIPER);
    for number in [501, 502] {
        let key = CommandId(Uuid::from_u128(number));
        let stop = json!({ "verb": "stop" });
        view(&house.ask(tell(Who::Operator, JUNIPER, key, &stop)).await);
    }
    let early = time_out_commands(&house.app).await.unwrap();
    sqlx::query(
        "UPDATE assist.command SET answer_by = now() - interval '1 second' WHERE command_id = $1",
    )
    .bind(KEY.0)
    .execute(&house.owner)
    .await
    .unwrap();

    let due = time_out_commands(&house.app).await.unwrap();
    let again = time_out_commands(&house.app).await.unwrap();

    assert_eq!(early, []);
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].command, due[0].fate), (KEY, Fate::Unanswered));
    assert_eq!(due[0].verb, Verb::Stop);
    assert_eq!(due[0].issued_by_name, "Operator");
    assert_eq!(again, []);
    assert_eq!(house.recorded("command.unanswered").await, 1);
}
