//! A driver for tests: it obeys everything at once and remembers what it was told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use protocol::{
    CommandId, UnixMicros,
    command::{AbandonReason, RobotRefusal, Verb},
    robot::{Advert, Battery, Pose, Scan, Telemetry},
};

use super::{Driver, Ending, Step};
use crate::safety::{Body, Motion};

/// Every order that it obeyed ends as blocked in the next step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Willing {
    told: Arc<Mutex<Vec<Verb>>>,
    let_go_of: Vec<CommandId>,
    endings: Vec<Ending>,
    /// Where it is and how it moves: just as it is told, at once.
    pub(crate) pose: Pose,
    pub(crate) motion: Motion,
    pub(crate) battery_percent: Option<f64>,
    pub(crate) person_m: Option<f64>,
    pub(crate) limit_mps: f64,
}

impl Willing {
    /// What it was told so far; clones share it.
    pub(crate) fn told(&self) -> Vec<Verb> {
        self.told.lock().unwrap().clone()
    }

    /// What it had to give up so far.
    pub(crate) fn let_go_of(&self) -> &[CommandId] {
        &self.let_go_of
    }

    /// What it obeyed does not end in the next step.
    pub(crate) fn keep_at_it(&mut self) {
        self.endings.clear();
    }
}

impl Driver for Willing {
    fn advert(&self) -> Advert {
        Advert::default()
    }

    fn obey(&mut self, command: CommandId, verb: Verb) -> Result<(), RobotRefusal> {
        self.told.lock().unwrap().push(verb);
        self.motion = Motion::default();
        self.endings.push(Ending {
            command,
            result: Err(AbandonReason::Blocked),
        });
        Ok(())
    }

    fn stand(&mut self, command: CommandId) {
        self.endings.push(Ending {
            command,
            result: Ok(()),
        });
    }

    fn let_go(&mut self, command: CommandId) {
        self.let_go_of.push(command);
    }

    fn can_be_driven(&self) -> bool {
        true
    }

    fn drive(&mut self, motion: Option<Motion>) {
        self.motion = motion.unwrap_or_default();
    }

    fn release(&mut self) {}

    fn limit(&mut self, speed_mps: f64) {
        self.limit_mps = speed_mps;
    }

    fn bar(&mut self, _barred: &dyn Fn([f64; 2]) -> f64) {}

    fn body(&self) -> Body {
        Body {
            pose: self.pose,
            motion: self.motion,
            person_m: self.person_m,
        }
    }

    fn charge_percent(&self) -> f64 {
        self.battery_percent.unwrap_or(80.0)
    }

    fn set_engaged(&mut self, _is_engaged: bool) {}

    fn step(&mut self, elapsed: Duration) -> Step {
        let seconds = elapsed.as_secs_f64();
        self.pose.heading_rad += self.motion.turn_rps * seconds;
        let (sin, cos) = self.pose.heading_rad.sin_cos();
        self.pose.x_m += self.motion.speed_mps * seconds * cos;
        self.pose.y_m += self.motion.speed_mps * seconds * sin;
        Step {
            endings: std::mem::take(&mut self.endings),
            is_advert_changed: false,
        }
    }

    fn telemetry(&self, tick_ms: u64, at: UnixMicros) -> Telemetry {
        let text = format!(
            r#"{{"tick_ms":{tick_ms},"at":{},"pose":{{"x_m":0,"y_m":0,"heading_rad":0}},"speed_mps":0,"turn_rps":0,
            "odometer_m":0,"battery":{{"percent":1,"volts":1,"charging":false}},"activity":"idle","health":"ok"}}"#,
            at.0
        );
        let at_rest: Telemetry = serde_json::from_str(&text).unwrap();
        Telemetry {
            pose: self.pose,
            speed_mps: self.motion.speed_mps,
            turn_rps: self.motion.turn_rps,
            battery: Battery {
                percent: self.charge_percent(),
                ..at_rest.battery
            },
            ..at_rest
        }
    }

    fn scan(&self, _at: UnixMicros) -> Option<Scan> {
        None
    }
}
