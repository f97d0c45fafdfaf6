//! Claims about robots that send more than anybody wants: it costs them their own frames and nobody anything else.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use protocol::{
    robot::Advert,
    robot_socket::{FromRobot, ToRobot},
    thumbnail::Thumbnail,
};
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{
    client::Robot,
    held::{Held, ROBOTS},
};
use crate::{
    http::tests::{
        house::{House, JUNIPER, ROWAN, advert, telemetry},
        until::until,
    },
    ws::allowance::{Allowance, Kind},
};

#[test]
fn so_many_at_once_and_so_many_a_second_of_each_kind_and_no_kind_takes_from_another() {
    let start = Instant::now();
    for (kind, at_once, a_second) in [
        (Kind::Telemetry, 30, 30),
        (Kind::Scan, 30, 30),
        (Kind::Advert, 10, 2),
        (Kind::Still, 4, 4),
    ] {
        let mut allowance = Allowance::new(start);
        let mut taken = |kind, at| (0..100).filter(|_| allowance.takes(kind, at)).count();

        assert_eq!(taken(kind, start), at_once, "{kind:?}");
        let later = start + Duration::from_secs(1);
        assert_eq!(taken(kind, later), a_second, "{kind:?}");
        let long_after = start + Duration::from_hours(1);
        assert_eq!(taken(kind, long_after), at_once, "{kind:?}");
        let other = if kind == Kind::Advert {
            Kind::Still
        } else {
            Kind::Advert
        };
        assert!(taken(other, start) > 0, "{kind:?}");
    }
}

/// How often something was counted with these labels.
fn counted(handle: &PrometheusHandle, series: &str) -> u64 {
    let shown = handle.render();
    let line = shown.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

/// Larger than any bucket, smaller than what refills while it is read.
const MANY: u64 = 400;

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_floods_loses_frames_and_neither_its_session_nor_anybody_elses(owner: PgPool) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut robot, _held) = Robot::welcome(address, JUNIPER).await;
    let (mut other, _held) = Robot::welcome(address, ROWAN).await;
    let still = Thumbnail {
        camera: 0,
        captured_at: protocol::UnixMicros(5),
        jpeg: &[0xff, 0xd8],
    };

    for number in 1..=MANY {
        robot.report(telemetry(number)).await;
        robot.say_raw(Message::binary(still.to_robot_frame())).await;
    }
    robot.answer_ping().await;
    other.report(telemetry(7)).await;
    until("the other robot's telemetry", async || {
        (house.app.live.seen_tick(ROWAN.id()) == Some(7)).then_some(())
    })
    .await;

    for kind in ["telemetry", "still"] {
        let series = format!("nooterra_frames_dropped_total{{kind=\"{kind}\"}}");
        let dropped = counted(&handle, &series);
        assert!((1..MANY).contains(&dropped), "{dropped} of {kind}");
    }
    // Its own next report is taken again once there is room.
    let mut number = MANY;
    until("the robot's next telemetry", async || {
        number += 1;
        robot.report(telemetry(number)).await;
        house
            .app
            .live
            .seen_tick(JUNIPER.id())
            .filter(|seen| *seen > MANY)
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_last_of_many_adverts_is_shown_in_the_end_and_most_of_the_others_never(owner: PgPool) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let house = House::new(&owner).await;
    let (mut robot, _held) = Robot::welcome(house.listen().await, JUNIPER).await;

    for number in 1..=MANY {
        let edition = Advert {
            software: number.to_string(),
            ..advert()
        };
        robot.say(&FromRobot::Advert(edition)).await;
    }

    let last = async {
        loop {
            // The robot must not fall silent while it waits.
            robot.answer_ping().await;
            let shown = house.app.live.robot(JUNIPER.id()).unwrap().advert.unwrap();
            if shown.software == MANY.to_string() {
                return;
            }
        }
    };
    crate::http::tests::until::soon("the last advert", last).await;
    let series = "nooterra_frames_dropped_total{kind=\"advert\"}";
    let dropped = counted(&handle, series);
    assert!(
        (MANY / 2..MANY).contains(&dropped),
        "{dropped} adverts were dropped"
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn while_the_database_hangs_events_are_dropped_and_telemetry_stays_fresh(owner: PgPool) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let house = House::new(&owner).await;
    let (mut robot, _held) = Robot::welcome(house.listen().await, JUNIPER).await;
    let held = Held::hold(&house).await;

    for number in 1..=100 {
        let sealed = "aGVsbG8=".to_owned();
        robot.say(&FromRobot::Event { number, sealed }).await;
    }
    Held::is_felt_at(&house, ROBOTS).await;
    robot.report(telemetry(5)).await;
    until("the robot's telemetry", async || {
        (house.app.live.seen_tick(JUNIPER.id()) == Some(5)).then_some(())
    })
    .await;
    let series = "nooterra_frames_dropped_total{kind=\"event\"}";
    let dropped = counted(&handle, series);
    assert!((1..100).contains(&dropped), "{dropped} events were dropped");

    held.let_go().await;
    let answers = 100 - dropped;
    for _ in 0..answers {
        robot
            .until(|frame| matches!(frame, ToRobot::EventRefused { .. }).then_some(()))
            .await;
    }
}
