//! A robot's body that remembers what it was told: it follows at once, and stays at every target until it is let go.

use std::time::Duration;

use agent::{
    driver::{Driver, Step},
    safety::{Body, Motion},
};
use protocol::{
    CommandId, UnixMicros,
    command::{RobotRefusal, Verb},
    robot::{Activity, Advert, Battery, Health, Pose, Scan, Telemetry},
};

use crate::input::Input;

/// The body.
#[derive(Debug)]
pub(super) struct Watched {
    /// Since this was last emptied. A release counts as told.
    pub(super) told: Vec<Verb>,
    pub(super) has_moved: bool,
    body: Body,
    is_in_hand: bool,
    percent: f64,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            told: Vec::new(),
            has_moved: false,
            body: Body {
                pose: Pose::default(),
                motion: Motion::default(),
                person_m: None,
            },
            is_in_hand: false,
            percent: 80.0,
        }
    }
}

impl Watched {
    pub(super) const fn motion(&self) -> Motion {
        self.body.motion
    }

    pub(super) const fn at(&self) -> [f64; 2] {
        [self.body.pose.x_m, self.body.pose.y_m]
    }

    /// Whether somebody's hand moves it.
    pub(super) const fn is_in_hand(&self) -> bool {
        self.is_in_hand
    }

    pub(super) fn surroundings(&mut self, input: &mut Input<'_>) {
        let metres = f64::from(input.byte()) / 10.0;
        self.body.person_m = input.coin().then_some(metres);
        let percent = input.byte() % 101;
        self.percent = if percent == 100 {
            f64::NAN
        } else {
            percent.into()
        };
    }
}

impl Driver for Watched {
    fn advert(&self) -> Advert {
        Advert::default()
    }

    fn obey(&mut self, _command: CommandId, verb: Verb) -> Result<(), RobotRefusal> {
        self.told.push(verb);
        self.body.motion = Motion::default();
        self.is_in_hand = false;
        Ok(())
    }

    fn stand(&mut self, _command: CommandId) {
        self.body.motion = Motion::default();
    }

    fn let_go(&mut self, _command: CommandId) {
        self.body.motion = Motion::default();
    }

    fn can_be_driven(&self) -> bool {
        true
    }

    fn drive(&mut self, motion: Option<Motion>) {
        self.is_in_hand = motion.is_some();
        self.body.motion = motion.unwrap_or_default();
        self.has_moved |= !self.body.motion.is_still();
    }

    fn release(&mut self) {
        self.told.push(Verb::ReleaseStop);
    }

    fn limit(&mut self, speed_mps: f64) {
        assert!((0.0..=3.0).contains(&speed_mps), "a limit of {speed_mps}");
    }

    fn bar(&mut self, _barred: &dyn Fn([f64; 2]) -> f64) {}

    fn body(&self) -> Body {
        self.body
    }

    fn charge_percent(&self) -> f64 {
        self.percent
    }

    fn set_engaged(&mut self, _is_engaged: bool) {}

    fn step(&mut self, elapsed: Duration) -> Step {
        let (seconds, motion) = (elapsed.as_secs_f64(), self.body.motion);
        let pose = &mut self.body.pose;
        pose.heading_rad += motion.turn_rps * seconds;
        pose.x_m += motion.speed_mps * seconds * pose.heading_rad.cos();
        pose.y_m += motion.speed_mps * seconds * pose.heading_rad.sin();
        Step::default()
    }

    fn telemetry(&self, tick_ms: u64, at: UnixMicros) -> Telemetry {
        Telemetry {
            tick_ms,
            at,
            pose: self.body.pose,
            speed_mps: self.body.motion.speed_mps,
            turn_rps: self.body.motion.turn_rps,
            odometer_m: 0.0,
            battery: Battery::default(),
            activity: Activity::Idle,
            health: Health::Ok,
            goal: None,
        }
    }

    fn scan(&self, _at: UnixMicros) -> Option<Scan> {
        None
    }
}
