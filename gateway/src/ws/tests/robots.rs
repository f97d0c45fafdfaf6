//! Claims about a robot's session: who gets one, what ends one, and that nobody else notices.

use std::{net::SocketAddr, time::Instant};

use protocol::{
    UnixMicros,
    console_socket::ToConsole,
    limits::{MAX_BINARY_FRAME_BYTES, MAX_TEXT_FRAME_BYTES, ROBOT_SILENT_AFTER_MS},
    robot_socket::{FromRobot, Goodbye, HELLO_WITHIN_MS, ToRobot},
    views::Presence,
};
use sqlx::PgPool;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Console, ROBOT_SOCKET, Robot, connect, hello, knock};
use crate::{
    http::tests::{
        house::{House, JUNIPER, LINDEN, Machine, ROWAN, Who, advert, new_attachment, telemetry},
        until::until,
    },
    live::{NewConsole, Outbox, Sight},
    ws::seats::{ConsoleSeat, RobotSeat},
};

fn is_online(house: &House, machine: Machine) -> bool {
    let view = house.app.live.robot(machine.id()).unwrap();
    matches!(view.presence, Presence::Online { .. })
}

async fn leaves_the_board(house: &House, machine: Machine) {
    until("the robot's absence", async || {
        (!is_online(house, machine)).then_some(())
    })
    .await;
}

/// The robot still talks with the gateway.
async fn goes_on(house: &House, robot: &mut Robot, machine: Machine, tick_ms: u64) {
    robot.report(telemetry(tick_ms)).await;
    until("the robot's telemetry", async || {
        (house.app.live.seen_tick(machine.id()) == Some(tick_ms)).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn without_a_standing_token_there_is_no_socket(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut tx = house.begin();
    let rowan = house.robot(ROWAN).await;
    identity::store::revoke_robot_token(&mut tx, &rowan, ROWAN.token_id(), None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;

    let unknown = format!("Bearer nt_robot_{}", "A".repeat(43));
    let revoked = format!("Bearer {}", ROWAN.token());
    let a_persons = format!("Bearer {}", Who::Admin.token());
    for bearer in [None, Some(unknown), Some(revoked), Some(a_persons)] {
        let headers: Vec<_> = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()))
            .collect();
        let refused = knock(connect(address).await, ROBOT_SOCKET, &headers).await;
        assert_eq!(
            refused.map(drop),
            Err((401, "robot_token_unknown".to_owned()))
        );
    }
    assert_eq!(house.app.live.connected(), (0, 0));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_socket_on_which_no_hello_comes_is_closed(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let began = Instant::now();

    let mut mute = Robot::dial(address, JUNIPER).await;

    assert_eq!(mute.goodbye().await, Goodbye::BadFrame);
    assert!(began.elapsed().as_millis() >= u128::from(HELLO_WITHIN_MS) - 100);
    assert!(!is_online(&house, JUNIPER));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_agent_of_another_version_is_told_so(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut newer = Robot::dial(house.listen().await, JUNIPER).await;

    let FromRobot::Hello { run, advert, .. } = hello(advert()) else {
        unreachable!()
    };
    let protocol = 2;
    newer
        .say(&FromRobot::Hello {
            protocol,
            run,
            advert,
        })
        .await;

    assert_eq!(newer.goodbye().await, Goodbye::ProtocolUnsupported);
    assert!(!is_online(&house, JUNIPER));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn whoever_does_not_begin_with_a_hello_is_turned_away(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let report = serde_json::to_string(&FromRobot::Telemetry(telemetry(1))).unwrap();

    for first in [
        Message::text("hello"),
        Message::text(report),
        Message::binary(vec![1, 2, 3]),
    ] {
        let mut robot = Robot::dial(address, JUNIPER).await;
        robot.say_raw(first).await;
        assert_eq!(robot.goodbye().await, Goodbye::BadFrame);
    }
    assert!(!is_online(&house, JUNIPER));
}

/// A message that no honest agent sends.
fn bad_frames() -> Vec<(&'static str, Message)> {
    let sound = serde_json::to_string(&FromRobot::Telemetry(telemetry(1))).unwrap();
    let with = |value: &str| sound.replace("\"speed_mps\":0.0", &format!("\"speed_mps\":{value}"));
    let hello = serde_json::to_string(&hello(advert())).unwrap();
    vec![
        ("garbage", Message::text("}{")),
        ("no frame of ours", Message::text(r#"{"type":"reboot"}"#)),
        ("a second hello", Message::text(hello)),
        ("a still that is none", Message::binary(vec![7; 32])),
        (
            "a still that is too large",
            Message::binary(vec![1; MAX_BINARY_FRAME_BYTES + 1]),
        ),
        ("NaN", Message::text(with("NaN"))),
        ("null", Message::text(with("null"))),
        ("beyond all numbers", Message::text(with("1e999"))),
        (
            "too large",
            Message::text(" ".repeat(MAX_TEXT_FRAME_BYTES + 1)),
        ),
        (
            "far too large",
            Message::text(" ".repeat(3 * MAX_TEXT_FRAME_BYTES)),
        ),
    ]
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_frame_that_can_not_be_read_ends_its_session_and_no_other(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut other, _held) = Robot::welcome(address, ROWAN).await;

    for (tick_ms, (case, frame)) in (1..).zip(bad_frames()) {
        let (mut robot, _held) = Robot::welcome(address, JUNIPER).await;
        assert!(is_online(&house, JUNIPER), "{case}");
        robot.say_raw(frame).await;
        assert_eq!(robot.goodbye().await, Goodbye::BadFrame, "{case}");
        leaves_the_board(&house, JUNIPER).await;
        goes_on(&house, &mut other, ROWAN, tick_ms).await;
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_said_about_a_frame_repeats_nothing_of_it(owner: PgPool) {
    const MARKER: &str = "192.0.2.77";
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let long = format!("{MARKER}\\n").repeat(5_000);

    for bad in [
        format!("{{\"type\":\"{MARKER}\"}}"),
        format!("{{\"type\":\"rtc_offer\",\"negotiation\":\"{MARKER}\",\"sdp\":\"\"}}"),
        format!("{{\"type\":\"pong\",\"at\":\"{long}\",\"robot_at\":1}}"),
        format!("{{\"type\":\"hello\",\"protocol\":\"{long}\"}}"),
        format!("\"{MARKER}\" {MARKER}"),
        format!("{{\"{MARKER}"),
    ] {
        let mut mute = Robot::dial(address, JUNIPER).await;
        let (mut robot, _held) = Robot::welcome(address, ROWAN).await;
        for robot in [&mut mute, &mut robot] {
            robot.say_text(&bad).await;
            let (reason, words) = robot.goodbye_and_why().await;
            assert_eq!(reason, Goodbye::BadFrame);
            assert!(!words.contains(MARKER) && words.len() < 128, "{words}");
            assert!(words.contains("can't be read"), "{words}");
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_newer_of_two_sessions_wins_and_the_older_is_told_why(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut older, _held) = Robot::welcome(address, JUNIPER).await;
    older.report(telemetry(1)).await;

    let (mut newer, _held) = Robot::welcome(address, JUNIPER).await;

    assert_eq!(older.goodbye().await, Goodbye::Superseded);
    goes_on(&house, &mut newer, JUNIPER, 2).await;
    assert!(is_online(&house, JUNIPER));
    assert_eq!(house.app.live.connected(), (1, 0));
}

async fn presence_of(console: &mut Console, machine: Machine) -> Presence {
    console
        .until(|frame| match frame {
            ToConsole::Robot(view) if view.robot == machine.id() => Some(view.presence),
            _ => None,
        })
        .await
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_falls_silent_is_offline_in_its_time_and_consoles_hear_it(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut console, _snapshot) = Console::open(address, Who::Requester).await;
    let (mut robot, _held) = Robot::welcome(address, JUNIPER).await;
    let online = presence_of(&mut console, JUNIPER).await;
    robot.report(telemetry(1)).await;
    let spoke = Instant::now();

    let offline = presence_of(&mut console, JUNIPER).await;
    let silence = spoke.elapsed();

    assert!(matches!(online, Presence::Online { .. }));
    assert!(matches!(offline, Presence::Offline { since: Some(_) }));
    assert!(silence.as_millis() >= u128::from(ROBOT_SILENT_AFTER_MS) - 100);
    assert_eq!(robot.goodbye().await, Goodbye::Silent);
    let seen = async || house.robot(JUNIPER).await.seen_at;
    until("the note of when it was seen", seen).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_hangs_up_is_offline_at_once(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut console, _snapshot) = Console::open(address, Who::Operator).await;
    let (robot, _held) = Robot::welcome(address, JUNIPER).await;
    presence_of(&mut console, JUNIPER).await;
    let left = Instant::now();

    drop(robot);

    let offline = presence_of(&mut console, JUNIPER).await;
    assert!(matches!(offline, Presence::Offline { .. }));
    assert!(left.elapsed().as_millis() < u128::from(ROBOT_SILENT_AFTER_MS));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_link_is_measured_and_shown(owner: PgPool) {
    let house = House::new(&owner).await;
    let (mut robot, _held) = Robot::welcome(house.listen().await, JUNIPER).await;

    let at = robot
        .until(|frame| match frame {
            ToRobot::Ping { at } => Some(*at),
            _ => None,
        })
        .await;
    let robot_at = UnixMicros(at.0 - 5_000_000);
    robot.say(&FromRobot::Pong { at, robot_at }).await;

    let link = until("the measured link", async || {
        let link = house.app.live.robot(JUNIPER.id())?.link?;
        link.rtt_ms.is_some().then_some(link)
    })
    .await;
    let rtt_ms = link.rtt_ms.unwrap();
    assert!((0.0..5_000.0).contains(&rtt_ms), "{rtt_ms}");
    let offset_us = link.clock_offset_us;
    assert!((5_000_000..10_000_000).contains(&offset_us), "{offset_us}");
}

async fn refused_offer(robot: &mut Robot, negotiation: u32, sdp: &str) -> String {
    robot
        .say(&FromRobot::RtcOffer {
            negotiation,
            sdp: sdp.to_owned(),
        })
        .await;
    robot
        .until(|frame| match frame {
            ToRobot::RtcRefused {
                negotiation: of,
                code,
                words,
            } => {
                assert_eq!(*of, negotiation);
                assert!(!words.is_empty());
                Some(code.clone())
            }
            _ => None,
        })
        .await
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_malformed_session_description_is_refused_with_a_code_and_the_socket_lives_on(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let (mut robot, _held) = Robot::welcome(house.listen().await, JUNIPER).await;
    let too_large = "v".repeat(protocol::limits::MAX_SDP_BYTES + 1);

    for (negotiation, (sdp, code)) in (1..).zip([
        ("", "sdp_malformed"),
        ("v=0\r\nhello", "sdp_malformed"),
        (too_large.as_str(), "sdp_too_large"),
    ]) {
        assert_eq!(refused_offer(&mut robot, negotiation, sdp).await, code);
    }
    goes_on(&house, &mut robot, JUNIPER, 9).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_gateway_that_goes_down_tells_everybody_to_come_back(owner: PgPool) {
    let house = House::new(&owner).await;
    let address: SocketAddr = house.listen().await;
    let (mut console, _snapshot) = Console::open(address, Who::Operator).await;
    let (mut robot, _held) = Robot::welcome(address, JUNIPER).await;

    house.app.stopping.cancel();

    assert_eq!(robot.goodbye().await, Goodbye::Restarting);
    assert_eq!(console.goodbye().await, Goodbye::Restarting);
    house.app.sessions.close();
    crate::http::tests::until::soon("the end of every session", house.app.sessions.wait()).await;
    assert_eq!(house.app.live.connected(), (0, 0));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_session_that_a_restart_ends_says_so_and_not_that_its_sign_in_ended(owner: PgPool) {
    let house = House::new(&owner).await;
    let address: SocketAddr = house.listen().await;
    let (mut console, _snapshot) = Console::open(address, Who::Operator).await;
    let (mut robot, _held) = Robot::welcome(address, JUNIPER).await;

    house.app.live.end_all(Goodbye::Restarting);

    let going_down = (Goodbye::Restarting, "the gateway is going down".to_owned());
    assert_eq!(robot.goodbye_and_why().await, going_down);
    assert_eq!(console.goodbye_and_why().await, going_down);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_session_that_breaks_leaves_nobody_online(owner: PgPool) {
    let house = House::new(&owner).await;
    let (new, _frames, _ended) = new_attachment(JUNIPER);
    let robot = RobotSeat::take(&house.app, new);
    let (outbox, _drain) = Outbox::new();
    let console = ConsoleSeat::take(
        &house.app,
        NewConsole {
            person: Who::Operator.id(),
            credential: "one".to_owned(),
            sight: Sight {
                organisation: LINDEN,
                sites: None,
            },
            watches: None,
            jobs: None,
            calls: None,
            cases: None,
            outbox,
            ending: tokio::sync::oneshot::channel().0,
            doubt: std::sync::Arc::default(),
        },
    );
    assert_eq!(house.app.live.connected(), (1, 1));

    let broken = tokio::spawn(async move {
        let _seats = (robot, console);
        panic!("a session of this test breaks");
    });

    assert!(broken.await.unwrap_err().is_panic());
    assert_eq!(house.app.live.connected(), (0, 0));
    assert!(!is_online(&house, JUNIPER));
}
