//! Claims about who steers a robot: one person, under an epoch that the robot hears of before any order; taken, asked for,
//! handed over, taken over, lost; and nobody else's orders move anything.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use identity::store;
use protocol::{
    CommandId,
    command::Order,
    control::{ControlEvent, ControlTurn, ControlView},
    event::{Payload, robot_stream},
    limits::CONTROL_LASTS_MS,
    robot_socket::ToRobot,
    views::{Role, RoleGrant},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, asking, get, post},
    house::{Attached, House, JUNIPER, LINDEN, ROWAN, TICK_MS, Who},
    steering::Hand,
    work::{Pen, keyed},
};
use crate::flows::control::{
    end_control::{Loss, end_control},
    lapse_control::lapse_controls,
};

fn path(what: &str) -> String {
    format!("/api/v1/robots/{}/control{what}", JUNIPER.id())
}

async fn act(house: &House, who: Who, event: Value) -> Answer {
    let body = json!({"event": event});
    let request = keyed(post(&path("/events")).by(who)).json(&body);
    house.ask(request).await
}

async fn does(house: &House, who: Who, event: Value) -> ControlView {
    let answer = act(house, who, event.clone()).await;
    assert_eq!(answer.status, 200, "{event}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn claimed() -> Value {
    json!({"kind": "control.claimed"})
}

fn asked() -> Value {
    json!({"kind": "control.requested", "words": "I know this drawer."})
}

fn handed_to(who: Who) -> Value {
    json!({"kind": "control.handed_over", "to": who.id(), "note": "It sticks on the left."})
}

/// Tells Juniper to drive, under this epoch.
async fn drive(house: &House, who: Who, epoch: Option<u64>) -> Answer {
    let mut body = json!({"verb": "navigate_to", "x_m": 1.0, "y_m": 1.0});
    if let Some(epoch) = epoch {
        body["epoch"] = json!(epoch);
    }
    let path = format!("/api/v1/robots/{}/commands", JUNIPER.id());
    house.ask(keyed(post(&path).by(who)).json(&body)).await
}

/// The same under a grant, and it is taken.
async fn drives(house: &House, who: Who, juniper: &Attached, epoch: u64) {
    let hand = Hand::granted(house, who, (JUNIPER, juniper), epoch).await;
    let command = CommandId(Uuid::now_v7());
    let answer = house.ask(hand.to(command, 1.0, 1.0)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

async fn sign_of_life(house: &House, who: Who, epoch: u64) -> Answer {
    let request = asking(axum::http::Method::PUT, &path("/presence")).by(who);
    house.ask(request.json(&json!({"epoch": epoch}))).await
}

async fn known(house: &House) -> ControlView {
    let answer = house.ask(get(&path("")).by(Who::Admin).empty()).await;
    serde_json::from_slice(&answer.body).unwrap()
}

/// Who steers, and under which epoch.
fn steers(view: &ControlView) -> (Option<protocol::PersonId>, u64) {
    (view.holder.as_ref().map(|holder| holder.person), view.epoch)
}

/// What the robot heard, in short: notices with whether somebody steers, and the epochs of orders.
fn heard(robot: &mut Attached) -> Vec<String> {
    let frames = robot.waiting().into_iter();
    frames
        .filter_map(|frame| match frame {
            ToRobot::Control(notice) => {
                let held = notice.held.map_or("over", |span| {
                    assert_eq!(span.seen_tick_ms, TICK_MS);
                    assert!(span.lasts_ms <= CONTROL_LASTS_MS);
                    "held"
                });
                Some(format!("{} {held}", notice.epoch))
            }
            ToRobot::Order(Order::Signed { .. }) => Some("signed order".to_owned()),
            ToRobot::Order(Order::Stop { .. }) => Some("stop".to_owned()),
            _ => None,
        })
        .collect()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn control_passes_from_hand_to_hand_and_the_robot_hears_each_epoch_before_its_orders(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let (mira, other) = (Who::Operator, Who::WingA);

    let taken = does(&house, mira, claimed()).await;
    assert_eq!(steers(&taken), (Some(mira.id()), 1));
    drives(&house, mira, &juniper, 1).await;
    let wanted = does(&house, other, asked()).await;
    assert_eq!(wanted.request.unwrap().person, other.id());
    let passed = does(&house, mira, handed_to(other)).await;
    drives(&house, other, &juniper, 2).await;

    assert_eq!(steers(&passed), (Some(other.id()), 2));
    let last = passed.last.as_ref().unwrap();
    assert_eq!(
        (last.turn, last.words.as_str(), last.name.as_str()),
        (
            ControlTurn::HandedOver,
            "It sticks on the left.",
            "Operator"
        )
    );
    assert_eq!(known(&house).await, passed);
    assert_eq!(
        heard(&mut juniper),
        ["1 held", "signed order", "1 held", "2 held", "signed order"]
    );
    let events = house.events(&robot_stream(JUNIPER.id())).await;
    let from = events.iter().position(|kind| kind == "control.claimed");
    assert_eq!(
        events[from.unwrap()..],
        [
            "control.claimed",
            "control.granted",
            "grant.issued",
            "command.issued",
            "control.requested",
            "control.handed_over",
            "control.granted",
            "grant.issued",
            "command.issued",
        ]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn nobody_moves_a_robot_that_they_do_not_steer_and_anybody_stops_it(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let refused = async |who, epoch| drive(&house, who, epoch).await.problem();
    let code = |code: &str| (409, code.to_owned());

    assert_eq!(
        refused(Who::Operator, Some(1)).await,
        code("not_in_control")
    );
    does(&house, Who::Operator, claimed()).await;
    for (who, epoch, expected) in [
        (Who::WingA, Some(1), "control_held"),
        (Who::Supervisor, Some(1), "control_held"),
        (Who::Operator, None, "stale_epoch"),
        (Who::Operator, Some(0), "stale_epoch"),
        (Who::Operator, Some(2), "stale_epoch"),
        (Who::Operator, Some(u64::MAX), "stale_epoch"),
    ] {
        assert_eq!(
            refused(who, epoch).await,
            code(expected),
            "{who:?} {epoch:?}"
        );
    }
    let released = does(&house, Who::Operator, json!({"kind": "control.released"})).await;
    assert_eq!(steers(&released), (None, 1));
    assert_eq!(
        refused(Who::Operator, Some(1)).await,
        code("not_in_control")
    );
    assert_eq!(house.recorded("command.issued").await, 0);

    let commands = format!("/api/v1/robots/{}/commands", JUNIPER.id());
    let stop = json!({"verb": "stop"});
    let stopped = house.ask(keyed(post(&commands).by(Who::WingA)).json(&stop));
    assert_eq!(stopped.await.status, 202);
    assert_eq!(heard(&mut juniper), ["1 held", "1 over", "stop"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_many_who_take_a_robot_at_once_one_does(owner: PgPool) {
    let house = House::new(&owner).await;

    let tries = (0..6).map(|number| {
        let who = [Who::Operator, Who::WingA, Who::Supervisor][number % 3];
        act(&house, who, claimed())
    });
    let answers = futures_util::future::join_all(tries).await;

    let (took, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(took.len(), 1);
    for answer in others {
        let (status, code) = answer.problem();
        assert_eq!(status, 409);
        let codes = ["control_held", "control_already_yours", "stale"];
        assert!(codes.contains(&code.as_str()), "{code}");
    }
    assert_eq!(house.recorded("control.granted").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn only_a_supervisor_takes_over_says_why_and_the_refusal_names_who_has_it(owner: PgPool) {
    let house = House::new(&owner).await;
    does(&house, Who::Operator, claimed()).await;
    let over = |reason: &str| json!({"kind": "control.taken_over", "epoch": 1, "reason": reason});

    let held = act(&house, Who::Supervisor, claimed()).await;
    assert_eq!(held.problem(), (409, "control_held".to_owned()));
    assert_eq!(held.json()["detail"], "Operator has control; ask for it");
    let by_operator = act(&house, Who::WingA, over("I want it")).await;
    assert_eq!(by_operator.problem(), (409, "role_not_allowed".to_owned()));
    let silent = act(&house, Who::Supervisor, over(" ")).await;
    assert_eq!(silent.problem(), (409, "reason_missing".to_owned()));

    let taken = does(&house, Who::Supervisor, over("The corridor is blocked.")).await;
    assert_eq!(steers(&taken), (Some(Who::Supervisor.id()), 2));
    assert_eq!(taken.last.unwrap().words, "The corridor is blocked.");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_may_not_steer_has_no_word_and_does_not_see_who_does(owner: PgPool) {
    let house = House::new(&owner).await;
    does(&house, Who::Operator, claimed()).await;

    for (who, expected) in [
        (Who::Requester, (403, "role_missing".to_owned())),
        (Who::Owner, (403, "role_missing".to_owned())),
        (Who::Roleless, (403, "role_missing".to_owned())),
        (Who::Stranger, (404, "not_found".to_owned())),
    ] {
        assert_eq!(
            act(&house, who, claimed()).await.problem(),
            expected,
            "{who:?}"
        );
        let read = house.ask(get(&path("")).by(who).empty()).await;
        assert_eq!(read.problem(), expected, "{who:?}");
        let sign = sign_of_life(&house, who, 1).await;
        assert_eq!(sign.problem(), expected, "{who:?}");
    }
    // Who hands out rights must not also move robots, and sees who does.
    let by_admin = act(&house, Who::Admin, claimed()).await;
    assert_eq!(by_admin.problem(), (403, "role_missing".to_owned()));
    let elsewhere = format!("/api/v1/robots/{}/control", ROWAN.id());
    let never = house.ask(get(&elsewhere).by(Who::Admin).empty()).await;
    assert_eq!(never.json()["epoch"], 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_cloud_says_what_only_the_cloud_may_say(owner: PgPool) {
    let house = House::new(&owner).await;
    does(&house, Who::Operator, claimed()).await;
    for event in [
        json!({"kind": "control.granted", "epoch": 9, "person": Who::WingA.id()}),
        json!({"kind": "control.ended", "epoch": 1, "cause": "right_lost"}),
    ] {
        let answer = act(&house, Who::WingA, event).await;
        assert_eq!(answer.problem(), (409, "role_not_allowed".to_owned()));
    }
    assert_eq!(steers(&known(&house).await), (Some(Who::Operator.id()), 1));
}

/// As if nothing had been heard of who steers since long ago.
async fn unheard_of(house: &House) {
    sqlx::query("UPDATE assist.control SET held_until = now() - interval '1 second'")
        .execute(&house.owner)
        .await
        .unwrap();
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_is_not_heard_of_is_out_and_the_robot_hears_it(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    does(&house, Who::Operator, claimed()).await;
    lapse_controls(&house.app).await.unwrap();
    assert_eq!(steers(&known(&house).await), (Some(Who::Operator.id()), 1));

    unheard_of(&house).await;
    // Before anybody has said so.
    let late = drive(&house, Who::Operator, Some(1)).await;
    assert_eq!(late.problem(), (409, "not_in_control".to_owned()));
    let sign = sign_of_life(&house, Who::Operator, 1).await;
    assert_eq!(sign.problem(), (409, "not_in_control".to_owned()));
    lapse_controls(&house.app).await.unwrap();
    lapse_controls(&house.app).await.unwrap();

    let gone = known(&house).await;
    assert_eq!(steers(&gone), (None, 1));
    assert_eq!(gone.last.unwrap().turn, ControlTurn::Absent);
    assert_eq!(house.recorded("control.ended").await, 1);
    assert_eq!(heard(&mut juniper), ["1 held", "1 over"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_was_not_heard_of_is_taken_off_by_the_next_who_takes_the_robot(owner: PgPool) {
    let house = House::new(&owner).await;
    does(&house, Who::Operator, claimed()).await;
    unheard_of(&house).await;

    let taken = does(&house, Who::WingA, claimed()).await;

    assert_eq!(steers(&taken), (Some(Who::WingA.id()), 2));
    let events = house.events(&robot_stream(JUNIPER.id())).await;
    assert_eq!(
        events[events.len() - 3..],
        ["control.ended", "control.claimed", "control.granted"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_sign_of_life_gives_time_to_who_steers_and_to_nobody_else(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    does(&house, Who::Operator, claimed()).await;
    heard(&mut juniper);
    let until = async || -> time::OffsetDateTime {
        sqlx::query_scalar("SELECT held_until FROM assist.control")
            .fetch_one(&house.owner)
            .await
            .unwrap()
    };
    let before = until().await;

    for (who, epoch, code) in [
        (Who::WingA, 1, "control_held"),
        (Who::Operator, 0, "stale_epoch"),
        (Who::Operator, 2, "stale_epoch"),
    ] {
        let answer = sign_of_life(&house, who, epoch).await;
        assert_eq!(answer.problem(), (409, code.to_owned()));
    }
    assert_eq!(until().await, before);
    assert!(heard(&mut juniper).is_empty());

    assert_eq!(sign_of_life(&house, Who::Operator, 1).await.status, 204);
    assert!(until().await > before);
    assert_eq!(heard(&mut juniper), ["1 held"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_loses_the_role_the_sign_in_or_the_token_is_out(owner: PgPool) {
    let house = House::new(&owner).await;
    let mira = Who::Operator;

    does(&house, mira, claimed()).await;
    // They still may.
    end_control(&house.app, mira.id(), Loss::Role)
        .await
        .unwrap();
    assert_eq!(steers(&known(&house).await), (Some(mira.id()), 1));
    end_control(&house.app, mira.id(), Loss::Token)
        .await
        .unwrap();
    let out = known(&house).await;
    assert_eq!(steers(&out), (None, 1));
    assert_eq!(out.last.unwrap().turn, ControlTurn::SignedOut);

    does(&house, mira, claimed()).await;
    let mut tx = house.begin();
    let grant = RoleGrant {
        role: Role::Operator,
        site: None,
    };
    let revoked = store::revoke_role(&mut tx, LINDEN, mira.id(), grant, None).await;
    assert!(revoked.unwrap());
    house.commit(tx).await;
    end_control(&house.app, mira.id(), Loss::Role)
        .await
        .unwrap();
    let out = known(&house).await;
    assert_eq!(steers(&out), (None, 2));
    assert_eq!(out.last.unwrap().turn, ControlTurn::RightLost);
}

/// A page of this person whose key is bound to their sign-in.
struct Page {
    cookie: String,
    pen: Pen,
}

impl Page {
    async fn open(house: &House, who: Who, seed: u8) -> Self {
        let cookie = house.cookie(who).await;
        let pen = Pen::new(SigningKey::from_bytes(&[seed; 32]));
        let body = json!({
            "public_key": pen.public_key(),
            "proof": pen.proof(who, house.app.clock.micros()),
        });
        let bound = post("/api/v1/session/key").on_page(&cookie).json(&body);
        assert_eq!(house.ask(bound).await.status, 201);
        Self { cookie, pen }
    }

    async fn act(&mut self, house: &House, event: ControlEvent) -> Answer {
        let stream = robot_stream(JUNIPER.id());
        let payload = Payload::Control(event);
        let sealed = self.pen.seal(stream, Some(Role::Operator), payload);
        let body = json!({"sealed": BASE64_STANDARD.encode(&sealed)});
        let request = keyed(post(&path("/events")).on_page(&self.cookie)).json(&body);
        let answer = house.ask(request).await;
        if answer.status == 200 {
            self.pen.moved(&sealed);
        }
        answer
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn two_pages_of_one_person_are_two_seats_and_the_later_one_steers(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut first = Page::open(&house, Who::Operator, 71).await;
    let mut second = Page::open(&house, Who::Operator, 72).await;

    let taken = first.act(&house, ControlEvent::Claimed {}).await;
    let key = taken.json()["holder"]["key"].clone();
    let again = second.act(&house, ControlEvent::Claimed {}).await;

    assert_eq!(taken.json()["epoch"], 1);
    assert_eq!(again.json()["epoch"], 2);
    assert!(key.is_string() && again.json()["holder"]["key"] != key);
    let to = Who::WingA.id();
    let note = String::new();
    let from_before = first.act(&house, ControlEvent::HandedOver { to, note });
    assert_eq!(
        from_before.await.problem(),
        (409, "not_in_control".to_owned())
    );
    // To let go is safe from any page of theirs.
    let let_go = first.act(&house, ControlEvent::Released {}).await;
    assert_eq!(let_go.status, 200);
    assert_eq!(steers(&known(&house).await), (None, 2));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_act_that_was_signed_for_another_robot_takes_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let page = Page::open(&house, Who::Operator, 73).await;
    let elsewhere = robot_stream(ROWAN.id());
    let payload = Payload::Control(ControlEvent::Claimed {});
    let sealed = page.pen.seal(elsewhere, Some(Role::Operator), payload);
    let body = json!({"sealed": BASE64_STANDARD.encode(&sealed)});

    let request = keyed(post(&path("/events")).on_page(&page.cookie)).json(&body);
    let answer = house.ask(request).await;

    assert_eq!(answer.problem(), (400, "signature_refused".to_owned()));
    assert_eq!(steers(&known(&house).await), (None, 0));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_same_act_again_gives_the_first_answer_and_takes_once(owner: PgPool) {
    let house = House::new(&owner).await;
    let body = json!({"event": claimed()});
    let key = Uuid::from_u128(77).to_string();
    let request = || {
        let request = post(&path("/events")).by(Who::Operator);
        request.header("idempotency-key", &key).json(&body)
    };

    let first = house.ask(request()).await;
    let again = house.ask(request()).await;

    assert_eq!(first.status, 200);
    assert_eq!(again.json(), first.json());
    assert_eq!(house.recorded("control.granted").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_of_another_site_is_out_of_reach(owner: PgPool) {
    let house = House::new(&owner).await;
    let path = format!("/api/v1/robots/{}/control/events", ROWAN.id());
    let body = json!({"event": claimed()});

    let answer = house
        .ask(keyed(post(&path).by(Who::WingA)).json(&body))
        .await;

    assert_eq!(answer.problem(), (404, "not_found".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn nobody_is_given_a_robot_who_lost_the_right_since_they_asked(owner: PgPool) {
    let house = House::new(&owner).await;
    does(&house, Who::Operator, claimed()).await;
    does(&house, Who::WingA, asked()).await;
    let mut tx = house.begin();
    let grant = RoleGrant {
        role: Role::Operator,
        site: Some(JUNIPER.site),
    };
    let revoked = store::revoke_role(&mut tx, LINDEN, Who::WingA.id(), grant, None).await;
    assert!(revoked.unwrap());
    house.commit(tx).await;

    let given = act(&house, Who::Operator, handed_to(Who::WingA)).await;

    assert_eq!(given.problem(), (409, "nobody_asks".to_owned()));
    assert_eq!(steers(&known(&house).await), (Some(Who::Operator.id()), 1));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_act_that_comes_again_after_its_person_was_gone_leaves_row_and_record_alike(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let page = Page::open(&house, Who::Operator, 74).await;
    let payload = Payload::Control(ControlEvent::Claimed {});
    let sealed = page
        .pen
        .seal(robot_stream(JUNIPER.id()), Some(Role::Operator), payload);
    let body = json!({"sealed": BASE64_STANDARD.encode(&sealed)});
    let send = || keyed(post(&path("/events")).on_page(&page.cookie)).json(&body);
    assert_eq!(house.ask(send()).await.status, 200);
    unheard_of(&house).await;

    // The same bytes under another key of idempotency, before anybody has said that the person is gone.
    let again = house.ask(send()).await;
    lapse_controls(&house.app).await.unwrap();

    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(steers(&known(&house).await), (None, 1));
    assert_eq!(house.recorded("control.ended").await, 1);
}
