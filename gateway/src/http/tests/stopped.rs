//! Claims about a person's Stop to a robot that is at a job.

use protocol::{
    CommandId, UnixMicros,
    command::{Outcome, Receipt},
    event::{Payload, robot_stream},
    job::{JobEvent, PhaseName, job_stream},
    robot::Pose,
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Asking as _, post},
    house::{House, JUNIPER, Who},
    work::{JOB, Worker, does, job, under_way},
};
use crate::flows::record_robot_event::Taken;

const STOP: CommandId = CommandId(Uuid::from_u128(701));

/// An operator presses Stop, and the robot obeys.
async fn stop(house: &House, juniper: &mut Worker) {
    let path = format!("/api/v1/robots/{}/commands", JUNIPER.id());
    let pressed = post(&path)
        .by(Who::Operator)
        .header("idempotency-key", STOP.to_string())
        .json(&json!({"verb": "stop"}));
    assert_eq!(house.ask(pressed).await.status, 202);
    let receipt = Payload::CommandReceipt(Receipt {
        command: STOP,
        outcome: Outcome::Accepted,
        tick_ms: 40,
        at: UnixMicros(0),
        pose: Pose {
            x_m: 1.0,
            y_m: 1.0,
            heading_rad: 0.0,
        },
        sealed_sha256: None,
        frame: None,
        picture: None,
    });
    let stream = robot_stream(JUNIPER.id());
    let taken = juniper.tries_in(house, stream, receipt).await;
    assert!(matches!(taken, Taken::Held { .. }), "{taken:?}");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_stop_by_hand_pauses_the_job_until_somebody_lets_it_go_on(owner: PgPool) {
    let house = House::new(&owner).await;
    let _attached = house.attach(JUNIPER);
    let mut juniper = under_way(&house).await;

    stop(&house, &mut juniper).await;

    let stopping = job(&house).await;
    assert_eq!(stopping.phase, PhaseName::Stopping);
    let kinds = house.events(&job_stream(JOB)).await;
    assert_eq!(kinds.last().unwrap(), "job.paused");
    let epoch = stopping.epoch;
    juniper
        .says(&house, JobEvent::SafeStateReached { epoch })
        .await;
    assert_eq!(job(&house).await.phase, PhaseName::Paused);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_stop_by_hand_counts_beside_the_requesters_pause(owner: PgPool) {
    let house = House::new(&owner).await;
    let _attached = house.attach(JUNIPER);
    let mut juniper = under_way(&house).await;
    let paused = does(&house, Who::Requester, json!({"kind": "job.paused"})).await;

    stop(&house, &mut juniper).await;

    let held = job(&house).await;
    assert!(!paused.is_held && held.is_held);
    assert_eq!(held.version, paused.version + 1);
}
