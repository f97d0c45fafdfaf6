//! Claims about robots and consoles that take no frame: what ends for everybody ends for them as soon.

use std::time::{Duration, Instant};

use identity::store;
use protocol::robot_socket::{FromRobot, ToRobot};
use sqlx::PgPool;

use super::{
    client::{Console, Robot},
    lagging::change_often,
    narrow::{connect, listen},
    views::{OFFER, open, two_cameras, view},
};
use crate::{
    http::tests::{
        house::{House, JUNIPER, LINDEN, Who},
        until::{soon, until},
    },
    ws::WRITE_WITHIN,
};

/// Far less than what a write may take, and more than a session needs to end on a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The offer of a robot with two cameras, which never connects.
fn publishing() -> String {
    let mut names = ["head", "rear"].into_iter();
    let mut lines = Vec::new();
    for line in OFFER.lines() {
        if line == "a=recvonly" {
            lines.push("a=sendonly".to_owned());
            let name = names.next().unwrap();
            lines.push(format!("a=msid:- {name}"));
            lines.push(format!("a=ssrc:{} cname:robot", 1_000 + lines.len()));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\r\n") + "\r\n"
}

/// A robot with a peer connection that takes no frame any more.
async fn stalled_robot(house: &House) -> Robot {
    let stream = connect(listen(house)).await;
    let (mut robot, _held) = Robot::welcome_on(stream, JUNIPER).await;
    let sdp = publishing();
    let negotiation = 1;
    robot.say(&FromRobot::RtcOffer { negotiation, sdp }).await;
    robot
        .until(|frame| match frame {
            ToRobot::RtcAnswer { .. } => Some(()),
            ToRobot::RtcRefused { code, .. } => panic!("the offer was refused: {code}"),
            _ => None,
        })
        .await;
    let large = ToRobot::RtcAnswer {
        negotiation,
        sdp: "s".repeat(60_000),
    };
    until("a robot that takes nothing", async || {
        let queued = house.app.live.order(JUNIPER.id(), large.clone());
        queued.is_err().then_some(())
    })
    .await;
    robot
}

/// A console with a view that takes no frame any more.
async fn stalled_console(house: &House) -> Console {
    let juniper = house.attach(JUNIPER);
    house.app.live.advert(juniper.attachment, two_cameras());
    let stream = connect(listen(house)).await;
    let (mut console, _snapshot) = Console::open_on(stream, Who::Operator).await;
    let asked = view(1, JUNIPER, &["head", "rear"], OFFER);
    open(&mut console, &asked).await.unwrap();
    change_often(house, &juniper).await;
    console
}

/// What is looked for is so at once.
async fn at_once(what: &str, look: impl Fn() -> bool) {
    let seen = until(what, async || look().then_some(()));
    let seen = tokio::time::timeout(AT_ONCE, seen).await;
    seen.unwrap_or_else(|_late| panic!("not at once: {what}"));
}

async fn consoles_are_over(house: &House) {
    at_once("the end of the console and its view", || {
        house.app.live.connected().1 == 0 && house.app.rtc.counters().viewers == 0
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_takes_no_frame_does_not_outlive_its_token_and_neither_do_its_pictures(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let robot = stalled_robot(&house).await;
    assert_eq!(house.app.rtc.counters().publishers, 1);

    house
        .app
        .live
        .end_robot_with(JUNIPER.id(), JUNIPER.token_id());

    at_once("the end of the robot and its pictures", || {
        house.app.live.connected().0 == 0 && house.app.rtc.counters().publishers == 0
    })
    .await;
    drop(robot);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_that_takes_no_frame_does_not_outlive_its_sign_in_and_neither_do_its_views(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let console = stalled_console(&house).await;
    assert_eq!(house.app.rtc.counters().viewers, 1);

    let token = Who::Operator.token_id().to_string();
    house.app.live.end_consoles_with(&token);

    consoles_are_over(&house).await;
    drop(console);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_that_takes_no_frame_does_not_outlive_the_role_that_was_taken_away(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let console = stalled_console(&house).await;

    let (person, held) = (Who::Operator.id(), Who::Operator.roles()[0]);
    let mut tx = house.begin();
    store::revoke_role(&mut tx, LINDEN, person, held, None)
        .await
        .unwrap();
    house.commit(tx).await;
    house.app.live.doubt_consoles_of(person);

    consoles_are_over(&house).await;
    drop(console);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_gateway_that_goes_down_waits_for_nobody_who_takes_no_frame_or_says_no_hello(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let console = stalled_console(&house).await;
    let robot = stalled_robot(&house).await;
    let mute = (
        Robot::dial(address, JUNIPER).await,
        Console::dial(address, Who::Operator).await,
    );
    let began = Instant::now();

    house.app.stopping.cancel();
    house.app.sessions.close();
    soon("the end of every session", house.app.sessions.wait()).await;

    assert!(began.elapsed() < WRITE_WITHIN / 2, "{:?}", began.elapsed());
    drop((console, robot, mute));
}
