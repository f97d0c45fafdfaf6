//! A simulated robot in a simulated site: pure, seeded, in virtual time. The same seed and steps give the same run.

mod chassis;
mod errand;
mod follow;
mod geometry;
mod lidar;
mod loose;
mod occupancy;
mod people;
mod power;
mod report;
mod route;
mod site;
mod solids;
mod stage;
mod surroundings;
#[cfg(test)]
mod tests;
mod workplace;

use std::{sync::Arc, time::Duration};

use protocol::{
    CommandId, UnixMicros,
    command::{AbandonReason, RobotRefusal, Verb},
    robot::{Advert, Place, Pose, Scan, Telemetry},
};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};

use self::{
    chassis::{Chassis, Wish},
    errand::{Errand, Progress, Target},
    follow::Follower,
    occupancy::{Clearance, FAR},
    people::{PERSON_RADIUS, Walker},
    power::Power,
    surroundings::Surroundings,
};
pub use self::{
    geometry::{Point, point_of},
    people::Figure,
    site::{CEILING, Daylight, Doorway, Flooring, Lamp, Room, Site},
    solids::{Colour, Crossing, Footprint, Form, Material, Solid},
    stage::{Moment, Stage},
};
use super::{Driver, Ending, Step, Workplace};
use crate::safety::{Body, Motion};

/// Radius of the robot, metres.
pub const RADIUS: f64 = 0.26;
/// One tick of the simulation.
const TICK: Duration = Duration::from_millis(20);
/// A stalled caller makes up at most this much: the world does not race to catch up.
const MOST_AT_ONCE: Duration = Duration::from_millis(500);
/// Rest between two legs of a patrol, seconds.
const PATROL_REST: std::ops::Range<f64> = 2.0..7.0;
/// How long the robot stays where an order took it before its patrol goes on.
const STAY_AFTER_ORDER_S: f64 = 60.0;
/// How near the dock's pose counts as docked.
const DOCKED: f64 = 0.15;
/// Room that a target needs around the robot to be reached at all.
const ELBOW_ROOM: f64 = 0.05;
/// The bumper's last word: the robot never comes nearer to anything than this.
const BUMPER: f64 = 0.004;

/// What a simulated robot starts with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimConfig {
    /// Luck: start, charge, people, things that lie about.
    pub seed: u64,
    /// Whether it patrols the named places when it has nothing to do.
    pub wander: bool,
    /// People who walk about.
    pub people: usize,
    /// Things that lie about.
    pub things: usize,
    /// Start somewhere else than luck says.
    pub start: Option<Pose>,
}

impl SimConfig {
    /// A lively site.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            wander: false,
            people: 4,
            things: 6,
            start: None,
        }
    }
}

/// What the robot has come to.
#[derive(Debug, Clone, PartialEq)]
enum Doing {
    /// Standing; patrol may go on after so many seconds.
    Resting { for_s: f64 },
    /// On its way.
    Errand(Box<Errand>),
    /// Braking for this order; whether it was a person's, or one is still in force.
    Stopping {
        command: CommandId,
        is_latched: bool,
    },
    /// Stopped by a person, until that is lifted.
    Stopped,
    /// Driven by hand.
    Driven(Motion),
}

/// The simulated robot.
#[derive(Debug)]
pub struct Sim {
    config: SimConfig,
    surroundings: Surroundings,
    stage: Stage,
    people: Vec<Walker>,
    chassis: Chassis,
    power: Power,
    doing: Doing,
    /// Luck of the robot, apart from the people's, so that watching one does not change the other.
    luck: Xoshiro256PlusPlus,
    people_luck: Xoshiro256PlusPlus,
    owed: Duration,
    endings: Vec<Ending>,
    was_low: bool,
    is_engaged: bool,
    /// Of what it does by itself, metres a second.
    limit_mps: f64,
}

impl Sim {
    /// Sets the site up and puts the robot in it.
    pub fn new(config: SimConfig) -> Self {
        let site = Site::wing();
        let map = Clearance::of(&site);
        let mut luck = Xoshiro256PlusPlus::seed_from_u64(config.seed);
        let rounds = site.rounds();
        // A stride of 5 through the places puts neighbouring seeds in different corners of the site.
        let by_seed = usize::try_from(config.seed.wrapping_mul(5) % rounds.len().max(1) as u64);
        let by_seed = by_seed.ok().and_then(|index| rounds.get(index));
        let start = config
            .start
            .or(by_seed.map(|place| place.pose))
            .unwrap_or(site.dock);
        let things = loose::scatter(&site, &map, point_of(start), config.things, &mut luck);
        let mut people_luck = Xoshiro256PlusPlus::seed_from_u64(luck.random());
        let people = gather(&site, point_of(start), config.people, &mut people_luck);
        let stage = Stage::new(
            Arc::clone(&site),
            Moment {
                robot: start,
                figures: people.iter().map(|walker| walker.figure).collect(),
                loose: things
                    .iter()
                    .flat_map(|thing| thing.solids.clone())
                    .collect(),
            },
        );
        let percent = luck.random_range(48.0..96.0);
        let mut sim = Self {
            config,
            surroundings: Surroundings::new(site, map, things),
            stage,
            people,
            chassis: Chassis::standing(start),
            power: Power::at(percent),
            doing: Doing::Resting { for_s: 1.0 },
            luck,
            people_luck,
            owed: Duration::ZERO,
            endings: Vec::new(),
            was_low: false,
            is_engaged: false,
            limit_mps: f64::INFINITY,
        };
        sim.surroundings.look(point_of(start));
        sim
    }

    /// What the simulated cameras look at.
    pub fn stage(&self) -> Stage {
        self.stage.clone()
    }

    /// Whether the robot may drive there, and how.
    fn plan(&self, target: Target) -> Result<Follower, RobotRefusal> {
        let site = self.surroundings.site();
        let is_on_map = (0.0..=site.size.x).contains(&target.at.x)
            && (0.0..=site.size.y).contains(&target.at.y)
            && target.heading.is_none_or(f64::is_finite);
        if !is_on_map {
            return Err(RobotRefusal::OutsideMap);
        }
        let known = self.surroundings.known();
        let is_taken = self.surroundings.mapped_distance(target.at) < RADIUS + ELBOW_ROOM
            || known
                .cell(target.at)
                .is_none_or(|cell| known.at(cell) < RADIUS - occupancy::CELL / 2.0);
        if is_taken {
            return Err(RobotRefusal::InsideObstacle);
        }
        let at = point_of(self.chassis.pose);
        let route = self
            .surroundings
            .route(at, target.at, &[])
            .ok_or(RobotRefusal::Unreachable)?;
        let is_home = target.at.distance(point_of(site.dock)) < DOCKED;
        if !is_home && !self.power.covers(route::length(&route)) {
            return Err(RobotRefusal::BatteryLow);
        }
        Ok(Follower::new(route))
    }

    /// Leaves what it was doing; an order that was running ends.
    fn drop_doing(&mut self, reason: AbandonReason) {
        let command = match &self.doing {
            Doing::Errand(errand) => errand.command,
            Doing::Stopping { command, .. } => Some(*command),
            Doing::Resting { .. } | Doing::Stopped | Doing::Driven(_) => None,
        };
        if let Some(command) = command {
            self.endings.push(Ending {
                command,
                result: Err(reason),
            });
        }
    }

    fn is_docked(&self) -> bool {
        let dock = point_of(self.surroundings.site().dock);
        self.chassis.is_still() && point_of(self.chassis.pose).distance(dock) < DOCKED
    }

    fn tick(&mut self) {
        let seconds = TICK.as_secs_f64();
        let at = point_of(self.chassis.pose);
        for walker in &mut self.people {
            walker.walk(
                self.surroundings.site(),
                self.surroundings.known(),
                at,
                seconds,
                &mut self.people_luck,
            );
        }
        if self.surroundings.look(at)
            && let Doing::Errand(errand) = &mut self.doing
        {
            errand.look_again(at, &self.surroundings);
        }
        let wish = self.decide(seconds);
        self.chassis.approach(wish, seconds);
        self.hold_off();
        let before = self.chassis.odometer;
        let slip = self.luck.random_range(-0.004..0.006);
        self.chassis.roll(seconds, slip);
        let metres = self.chassis.odometer - before;
        let is_docked = self.is_docked();
        self.power.spend(seconds, metres, is_docked);
    }

    /// What to ask of the wheels in this tick; ends what is over.
    fn decide(&mut self, seconds: f64) -> Wish {
        match &mut self.doing {
            Doing::Resting { for_s } => {
                *for_s -= seconds;
                if *for_s <= 0.0 && self.config.wander && !self.is_engaged {
                    self.set_out();
                }
                Wish::default()
            }
            Doing::Errand(errand) => {
                let progress =
                    errand.tick(&self.chassis, &self.surroundings, &self.people, seconds);
                let command = errand.command;
                match progress {
                    Progress::UnderWay(wish) => Wish {
                        speed: wish.speed.clamp(-self.limit_mps, self.limit_mps),
                        ..wish
                    },
                    Progress::Arrived => self.end_errand(command, Ok(())),
                    Progress::Blocked => self.end_errand(command, Err(AbandonReason::Blocked)),
                }
            }
            Doing::Stopping {
                command,
                is_latched,
            } => {
                let (command, is_latched) = (*command, *is_latched);
                if self.chassis.is_still() {
                    self.endings.push(Ending {
                        command,
                        result: Ok(()),
                    });
                    self.doing = if is_latched {
                        Doing::Stopped
                    } else {
                        self.rest()
                    };
                }
                Wish::default()
            }
            Doing::Stopped => Wish::default(),
            Doing::Driven(motion) => {
                let motion = *motion;
                self.by_hand(motion)
            }
        }
    }

    /// What is told, but slower where there is little room: the robot's own sense of what stands around it.
    fn by_hand(&self, motion: Motion) -> Wish {
        let at = point_of(self.chassis.pose);
        let room = self.surroundings.real_distance(at, &self.people) - RADIUS;
        let most = follow::by_room(room);
        Wish {
            speed: motion.speed_mps.clamp(-most, most),
            turn: motion.turn_rps,
        }
    }

    fn end_errand(
        &mut self,
        command: Option<CommandId>,
        result: Result<(), AbandonReason>,
    ) -> Wish {
        self.doing = self.rest();
        if let Some(command) = command {
            self.endings.push(Ending { command, result });
            self.doing = Doing::Resting {
                for_s: STAY_AFTER_ORDER_S,
            };
        }
        Wish::default()
    }

    fn rest(&mut self) -> Doing {
        Doing::Resting {
            for_s: self.luck.random_range(PATROL_REST),
        }
    }

    /// Next leg of the patrol: a place by luck, or the dock when the battery is low.
    fn set_out(&mut self) {
        let site = Arc::clone(self.surroundings.site());
        let rounds = site.rounds();
        let is_low = self.power.percent() < power::LOW;
        if is_low && self.is_docked() {
            self.doing = Doing::Resting { for_s: 60.0 };
            return;
        }
        let pose = if is_low || rounds.is_empty() {
            site.dock
        } else {
            rounds[self.luck.random_range(0..rounds.len())].pose
        };
        let target = Target {
            at: point_of(pose),
            heading: Some(pose.heading_rad),
        };
        // A place that can't be reached just now is left out; the next rest brings another.
        self.doing = match self.plan(target) {
            Ok(follower) => Doing::Errand(Box::new(Errand::new(None, target, follower))),
            Err(_) => Doing::Resting { for_s: 2.0 },
        };
    }

    /// The bumper: whatever was planned, the robot does not move nearer to anything that it is about to touch.
    fn hold_off(&mut self) {
        let at = point_of(self.chassis.pose);
        let there = point_of(self.chassis.ahead(TICK.as_secs_f64()));
        let distance = self.surroundings.real_distance(there, &self.people);
        if distance >= RADIUS + BUMPER || distance >= FAR {
            return;
        }
        if distance < self.surroundings.real_distance(at, &self.people) {
            self.chassis.speed = 0.0;
        }
    }

    fn show(&self) {
        self.stage.update(|moment| {
            moment.robot = self.chassis.pose;
            moment.figures.clear();
            moment
                .figures
                .extend(self.people.iter().map(|walker| walker.figure));
        });
    }
}

/// People spread over the rooms, none on top of the robot.
fn gather(site: &Site, robot: Point, count: usize, luck: &mut Xoshiro256PlusPlus) -> Vec<Walker> {
    let rooms = site.doorways.len();
    let first = luck.random_range(0..rooms);
    (0..rooms)
        .map(|step| Walker::new(site, first + step * 3, luck))
        .filter(|walker| walker.figure.at.distance(robot) > 1.5)
        .take(count)
        .collect()
}

impl Driver for Sim {
    fn advert(&self) -> Advert {
        report::advert(self.surroundings.site(), &self.power)
    }

    fn obey(&mut self, command: CommandId, verb: Verb) -> Result<(), RobotRefusal> {
        match verb {
            Verb::NavigateTo {
                x_m,
                y_m,
                heading_rad,
            } => {
                let target = Target {
                    at: Point::new(x_m, y_m),
                    heading: heading_rad,
                };
                let follower = self.plan(target)?;
                self.drop_doing(AbandonReason::Superseded);
                self.doing = Doing::Errand(Box::new(Errand::new(Some(command), target, follower)));
            }
            Verb::Stop => {
                let reason = match self.doing {
                    Doing::Stopping { .. } => AbandonReason::Superseded,
                    Doing::Errand(_)
                    | Doing::Resting { .. }
                    | Doing::Stopped
                    | Doing::Driven(_) => AbandonReason::Stopped,
                };
                self.drop_doing(reason);
                self.doing = Doing::Stopping {
                    command,
                    is_latched: true,
                };
            }
            Verb::ArmDrive | Verb::ReleaseStop => return Err(RobotRefusal::Unsupported),
        }
        Ok(())
    }

    fn stand(&mut self, command: CommandId) {
        let is_latched = match self.doing {
            Doing::Stopped => true,
            Doing::Stopping { is_latched, .. } => is_latched,
            Doing::Errand(_) | Doing::Resting { .. } | Doing::Driven(_) => false,
        };
        self.drop_doing(AbandonReason::Superseded);
        self.doing = Doing::Stopping {
            command,
            is_latched,
        };
    }

    fn let_go(&mut self, command: CommandId) {
        let is_at_it =
            matches!(&self.doing, Doing::Errand(errand) if errand.command == Some(command));
        if is_at_it {
            self.drop_doing(AbandonReason::ControlEnded);
            self.doing = Doing::Resting {
                for_s: STAY_AFTER_ORDER_S,
            };
        }
    }

    fn can_be_driven(&self) -> bool {
        true
    }

    fn drive(&mut self, motion: Option<Motion>) {
        let is_driven = matches!(self.doing, Doing::Driven(_));
        match motion {
            Some(motion) => {
                if !is_driven {
                    self.drop_doing(AbandonReason::Superseded);
                }
                self.doing = Doing::Driven(motion);
            }
            None if is_driven => {
                self.doing = Doing::Resting {
                    for_s: STAY_AFTER_ORDER_S,
                };
            }
            None => {}
        }
    }

    fn release(&mut self) {
        if matches!(self.doing, Doing::Stopped) {
            self.doing = Doing::Resting {
                for_s: STAY_AFTER_ORDER_S,
            };
        }
    }

    fn limit(&mut self, speed_mps: f64) {
        self.limit_mps = speed_mps;
    }

    fn bar(&mut self, barred: &dyn Fn([f64; 2]) -> f64) {
        self.surroundings.bar(barred);
    }

    fn body(&self) -> Body {
        let at = point_of(self.chassis.pose);
        let person_m = (self.people.iter())
            .map(|walker| walker.figure.at.distance(at) - PERSON_RADIUS - RADIUS)
            .min_by(f64::total_cmp);
        Body {
            pose: self.chassis.pose,
            motion: Motion {
                speed_mps: self.chassis.speed,
                turn_rps: self.chassis.turn,
            },
            person_m,
        }
    }

    fn charge_percent(&self) -> f64 {
        self.power.percent()
    }

    fn set_engaged(&mut self, is_engaged: bool) {
        self.is_engaged = is_engaged;
        let is_on_patrol = matches!(&self.doing, Doing::Errand(errand) if errand.command.is_none());
        if is_engaged && is_on_patrol {
            self.doing = self.rest();
        }
    }

    fn workplace(&self, place: &Place) -> Workplace {
        workplace::of(&self.surroundings, place)
    }

    fn step(&mut self, elapsed: Duration) -> Step {
        self.owed = (self.owed + elapsed).min(MOST_AT_ONCE);
        while self.owed >= TICK {
            self.owed -= TICK;
            self.tick();
        }
        self.show();
        let is_low = self.power.percent() < power::LOW;
        let is_advert_changed = is_low != self.was_low;
        self.was_low = is_low;
        Step {
            endings: std::mem::take(&mut self.endings),
            is_advert_changed,
        }
    }

    fn telemetry(&self, tick_ms: u64, at: UnixMicros) -> Telemetry {
        let here = point_of(self.chassis.pose);
        let (goal, activity) = match &self.doing {
            Doing::Errand(errand) => (Some(errand.goal(here)), report::activity(errand)),
            Doing::Resting { .. } => (None, report::at_rest(self.is_docked())),
            Doing::Stopping {
                is_latched: false, ..
            } => (None, report::at_rest(false)),
            Doing::Stopping { .. } | Doing::Stopped => (None, report::STOPPED),
            Doing::Driven(_) => (None, report::DRIVEN),
        };
        Telemetry {
            tick_ms,
            at,
            pose: self.chassis.pose,
            speed_mps: self.chassis.speed,
            turn_rps: self.chassis.turn,
            odometer_m: self.chassis.odometer,
            battery: self.power.report(),
            activity,
            health: report::worst(&report::components(&self.power)),
            goal,
        }
    }

    fn scan(&self, at: UnixMicros) -> Option<Scan> {
        let pose = self.chassis.pose;
        let path = match &self.doing {
            Doing::Errand(errand) => errand.ahead(),
            Doing::Resting { .. } | Doing::Stopping { .. } | Doing::Stopped | Doing::Driven(_) => {
                &[]
            }
        };
        let ranges_cm = self
            .surroundings
            .scan(point_of(pose), pose.heading_rad, &self.people);
        Some(report::scan(at, pose, ranges_cm, path))
    }
}
