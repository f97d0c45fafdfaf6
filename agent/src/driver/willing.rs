//! A driver for tests: it obeys everything at once and remembers what it was told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use protocol::{
    CommandId, UnixMicros,
    command::{AbandonReason, RobotRefusal, Verb},
    robot::{Advert, Scan, Telemetry},
};

use super::{Driver, Ending, Step};

/// Every order that it obeyed ends as blocked in the next step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Willing {
    told: Arc<Mutex<Vec<Verb>>>,
    let_go_of: Vec<CommandId>,
    endings: Vec<Ending>,
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

    fn set_engaged(&mut self, _is_engaged: bool) {}

    fn step(&mut self, _elapsed: Duration) -> Step {
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
        serde_json::from_str(&text).unwrap()
    }

    fn scan(&self, _at: UnixMicros) -> Option<Scan> {
        None
    }
}
