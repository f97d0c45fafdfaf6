//! The fast lanes: what pages want of a robot's wheels, and what the robot says of it. Opaque bytes that pass through; what is
//! late or finds no room is dropped, since the next is under way.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use protocol::{
    RobotId,
    drive::{MAX_REPORT_BYTES, MAX_SEALED_DRIVE_BYTES},
};
use tokio::sync::broadcast;

use crate::rtc::FastLane;

/// Reports that one viewer may be behind: a quarter of a second. Who is further behind goes on with the newest.
const REPORTS: usize = 6;

/// The lanes of every robot that was connected to this process.
#[derive(Debug, Default)]
pub struct Lanes(Mutex<HashMap<RobotId, Lane>>);

#[derive(Debug)]
struct Lane {
    to_robot: Option<FastLane>,
    reports: broadcast::Sender<Bytes>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            to_robot: None,
            reports: broadcast::Sender::new(REPORTS),
        }
    }
}

impl Lanes {
    fn lanes(&self) -> MutexGuard<'_, HashMap<RobotId, Lane>> {
        // A panic while holding the lock leaves whole lanes behind: every change is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The robot has a new connection.
    pub fn attach(&self, robot: RobotId, lane: FastLane) {
        self.lanes().entry(robot).or_default().to_robot = Some(lane);
    }

    /// Passes on what a page wants of the wheels, if there is a lane to the robot; says whether there is. That it arrives is not
    /// certain: on a congested lane the next one is as good.
    pub fn drive(&self, robot: RobotId, sealed: Bytes) -> bool {
        let lanes = self.lanes();
        let lane = lanes.get(&robot).and_then(|lane| lane.to_robot.as_ref());
        let Some(lane) = lane.filter(|lane| lane.is_there()) else {
            return false;
        };
        if sealed.len() <= MAX_SEALED_DRIVE_BYTES {
            lane.send(sealed);
        }
        true
    }

    /// Passes on what the robot says of it.
    pub fn report(&self, robot: RobotId, report: Bytes) {
        if report.len() > MAX_REPORT_BYTES {
            return;
        }
        if let Some(lane) = self.lanes().get(&robot) {
            // Nobody may be listening.
            let _listeners = lane.reports.send(report);
        }
    }

    /// What the robot says from here on.
    pub fn reports(&self, robot: RobotId) -> broadcast::Receiver<Bytes> {
        self.lanes().entry(robot).or_default().reports.subscribe()
    }
}
