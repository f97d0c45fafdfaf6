//! Takes a robot's sealed events in, in order, and tells the robot which ones are held for good.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{limits::MAX_SEALED_EVENT_BYTES, robot_socket::ToRobot};
use tokio::sync::mpsc;

use crate::{
    app::App,
    error::ApiError,
    flows::record_robot_event::{Taken, record_robot_event},
};

/// An event as it came in.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) number: u64,
    pub(super) sealed: String,
}

/// Where events are handed in. The desk works through them one by one: a robot's events have one order.
#[derive(Debug, Clone)]
pub(super) struct EventDesk {
    queue: mpsc::Sender<Sealed>,
}

impl EventDesk {
    /// Opens the desk for one robot. Also returns the highest number held so far.
    pub(super) async fn open(
        app: &App,
        robot: &identity::Robot,
        to_robot: mpsc::Sender<ToRobot>,
        queue: usize,
    ) -> Result<(Self, u64), ApiError> {
        let held = match robot.key_id() {
            Some(key) => spine::actor_held(&app.pool, key).await?,
            None => 0,
        };
        let (queue, drain) = mpsc::channel(queue);
        tokio::spawn(work(app.clone(), robot.clone(), to_robot, drain, held));
        Ok((Self { queue }, held))
    }

    /// Waits for a place: a robot that floods is read more slowly.
    pub(super) async fn hand_in(&self, event: Sealed) {
        if self.queue.send(event).await.is_err() {
            tracing::debug!("an event came in after its session; the robot sends it again");
        }
    }
}

async fn work(
    app: App,
    robot: identity::Robot,
    to_robot: mpsc::Sender<ToRobot>,
    mut drain: mpsc::Receiver<Sealed>,
    mut held: u64,
) {
    while let Some(Sealed { number, sealed }) = drain.recv().await {
        let bytes = BASE64_STANDARD
            .decode(&sealed)
            .ok()
            .filter(|bytes| bytes.len() <= MAX_SEALED_EVENT_BYTES);
        let Some(bytes) = bytes else {
            refused(&robot, number, "unreadable");
            continue;
        };
        match record_robot_event(&app, &robot, bytes).await {
            Ok(Taken::Held { number }) => held = held.max(number),
            Ok(Taken::Refused { code }) => refused(&robot, number, code),
            // Nothing was kept; the robot still has it and sends it again.
            Err(error) => {
                tracing::warn!(robot.id = %robot.robot, code = error.code(), "an event could not be recorded now");
            }
        }
        if to_robot
            .try_send(ToRobot::EventsHeld { number: held })
            .is_err()
        {
            tracing::debug!(robot.id = %robot.robot, "could not acknowledge events; the next one does");
        }
    }
}

fn refused(robot: &identity::Robot, number: u64, code: &'static str) {
    metrics::counter!("nooterra_robot_events_refused_total", "code" => code).increment(1);
    tracing::warn!(robot.id = %robot.robot, event.number = number, code, "an event of {} was refused", robot.name);
}
