//! Takes a robot's sealed events in, in order, and tells the robot which ones are held for good.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{limits::MAX_SEALED_EVENT_BYTES, robot_socket::ToRobot};
use tokio::sync::mpsc;

use super::dropped;
use crate::{
    app::App,
    error::ApiError,
    flows::record_robot_event::{Taken, record_robot_event, record_together},
};

/// Events that are recorded in one transaction, if so many wait: a robot that comes back delivers what it did meanwhile.
const TOGETHER: usize = 16;

/// An event as it came in.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) number: u64,
    pub(super) sealed: String,
}

impl Sealed {
    /// None where they are too many, or none at all.
    fn bytes(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD
            .decode(&self.sealed)
            .ok()
            .filter(|bytes| bytes.len() <= MAX_SEALED_EVENT_BYTES)
    }
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

    /// Never waits: the socket that it came from is also how the robot's state comes in, and the robot sends again what is not
    /// acknowledged.
    pub(super) fn hand_in(&self, event: Sealed) {
        if self.queue.try_send(event).is_err() {
            dropped("event");
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
    let mut complaints = Complaints::default();
    while let Some(first) = drain.recv().await {
        let mut waiting = vec![first];
        while waiting.len() < TOGETHER
            && let Ok(next) = drain.try_recv()
        {
            waiting.push(next);
        }
        for (number, taken) in take(&app, &robot, waiting).await {
            let answer = match taken {
                Ok(Taken::Held { number }) => {
                    held = held.max(number);
                    ToRobot::EventsHeld { number: held }
                }
                Ok(Taken::Refused { code }) => {
                    complaints.refused(&robot, number, code);
                    ToRobot::EventRefused {
                        number,
                        code: code.to_owned(),
                    }
                }
                // Nothing was kept; the robot still has it and sends it again.
                Err(error) => {
                    complaints.failed(&robot, error.code());
                    continue;
                }
            };
            if to_robot.try_send(answer).is_err() {
                tracing::debug!(robot.id = %robot.robot, "could not answer for an event; it comes again");
            }
        }
    }
}

/// Takes in what waits: together, with one answer for all, or one by one where that can't be.
async fn take(
    app: &App,
    robot: &identity::Robot,
    waiting: Vec<Sealed>,
) -> Vec<(u64, Result<Taken, ApiError>)> {
    let read: Vec<(u64, Option<Vec<u8>>)> = waiting
        .iter()
        .map(|event| (event.number, event.bytes()))
        .collect();
    if read.len() > 1 {
        let all: Option<Vec<Vec<u8>>> = read.iter().map(|(_, bytes)| bytes.clone()).collect();
        if let Some(all) = all
            && let Ok(Some(number)) = record_together(app, robot, &all).await
        {
            return vec![(number, Ok(Taken::Held { number }))];
        }
    }
    let mut taken = Vec::with_capacity(read.len());
    for (number, bytes) in read {
        let one = match bytes {
            Some(bytes) => record_robot_event(app, robot, bytes).await,
            None => Ok(Taken::Refused { code: "unreadable" }),
        };
        taken.push((number, one));
    }
    taken
}

/// What the log was told about this session's events: each kind of trouble once, however often the robot tries.
#[derive(Default)]
struct Complaints {
    told: BTreeSet<&'static str>,
}

impl Complaints {
    fn refused(&mut self, robot: &identity::Robot, number: u64, code: &'static str) {
        metrics::counter!("nooterra_robot_events_refused_total", "code" => code).increment(1);
        if self.told.insert(code) {
            tracing::warn!(robot.id = %robot.robot, event.number = number, code, "an event of {} was refused", robot.name);
        }
    }

    fn failed(&mut self, robot: &identity::Robot, code: &'static str) {
        if self.told.insert(code) {
            tracing::warn!(robot.id = %robot.robot, code, "an event could not be recorded now");
        }
    }
}
