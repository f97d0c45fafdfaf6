//! The simulated robot in the words of the protocol.

use protocol::{
    UnixMicros,
    robot::{Activity, Advert, Capability, Component, Health, Pose, Scan},
};

use super::{
    RADIUS,
    errand::Errand,
    geometry::Point,
    lidar,
    power::{LOW, Power, RESERVE},
    site::Site,
};

/// Points of a path that are reported; a way through the whole site has about ten.
const MOST_PATH_POINTS: usize = 64;

/// A robot that a person has stopped.
pub(super) const STOPPED: Activity = Activity::Stopped;

/// A robot that is driven by hand.
pub(super) const DRIVEN: Activity = Activity::Driven;

/// What a robot on its way is doing.
pub(super) fn activity(errand: &Errand) -> Activity {
    if errand.is_waiting() {
        Activity::Waiting
    } else if errand.command.is_some() {
        Activity::Navigating
    } else {
        Activity::Patrolling
    }
}

/// What a robot without an errand is doing.
pub(super) const fn at_rest(is_docked: bool) -> Activity {
    if is_docked {
        Activity::Charging
    } else {
        Activity::Idle
    }
}

/// The parts and how they are.
pub(super) fn components(power: &Power) -> Vec<Component> {
    let sound = |name: &str| Component {
        name: name.to_owned(),
        health: Health::Ok,
        words: String::new(),
    };
    let mut battery = sound("battery");
    if power.percent() < RESERVE {
        battery.health = Health::Failed;
        battery.words = format!("below the reserve of {RESERVE:.0} %");
    } else if power.percent() < LOW {
        battery.health = Health::Degraded;
        battery.words = format!("below {LOW:.0} %");
    }
    vec![sound("drive"), sound("lidar"), sound("bumper"), battery]
}

/// How the robot is: as its worst part.
pub(super) fn worst(components: &[Component]) -> Health {
    components
        .iter()
        .map(|component| component.health)
        .max()
        .unwrap_or_default()
}

/// What the robot is and can.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the protocol states a radius in f32"
)]
pub(super) fn advert(site: &Site, power: &Power) -> Advert {
    Advert {
        model: "Nooterra simulator, differential drive".to_owned(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        capabilities: vec![
            Capability::Navigate,
            Capability::Stop,
            Capability::Lidar,
            Capability::Drive,
        ],
        cameras: Vec::new(),
        components: components(power),
        radius_m: RADIUS as f32,
        map: Some(site.map.clone()),
    }
}

/// A lidar turn and the way ahead.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the protocol states path points in f32"
)]
pub(super) fn scan(at: UnixMicros, pose: Pose, ranges_cm: Vec<u16>, path: &[Point]) -> Scan {
    Scan {
        at,
        pose,
        first_rad: 0.0,
        step_rad: lidar::step_rad(),
        ranges_cm,
        path: path
            .iter()
            .take(MOST_PATH_POINTS)
            .map(|point| [point.x as f32, point.y as f32])
            .collect(),
    }
}
