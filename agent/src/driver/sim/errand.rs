//! One way to one target: following, waiting for people, finding another way, giving up.

use protocol::{
    CommandId,
    robot::{Goal, Pose},
};

use super::{
    RADIUS,
    chassis::{Chassis, Wish},
    follow::{AT_TARGET, Follower, face},
    geometry::{Point, point_of},
    people::Walker,
    surroundings::Surroundings,
};

/// How long the robot stands behind an obstacle before it looks for another way.
const LOOK_FOR_ANOTHER_WAY_S: f64 = 4.0;
/// How long it stands in all, on one errand, without getting nearer before it gives up.
const GIVE_UP_S: f64 = 20.0;
/// Arrived for a robot that something keeps from the last few centimetres…
const NEAR_ENOUGH: f64 = 0.13;
/// …after trying for so long.
const STUCK_S: f64 = 1.5;
/// How often one errand may find itself another way because of somebody. Then two people in two doors could play with
/// it for ever.
const MOST_OTHER_WAYS: u32 = 8;
/// Getting this much nearer counts as progress.
const NEARER: f64 = 0.25;
/// Half the room that a straight line to the aim must keep beside the robot.
const BESIDE: f64 = 0.02;

/// What a target looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    /// Where.
    pub(super) at: Point,
    /// Facing where, if it matters.
    pub(super) heading: Option<f64>,
}

/// A robot on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Errand {
    /// Whose order; `None` on patrol.
    pub(super) command: Option<CommandId>,
    target: Target,
    follower: Follower,
    /// The nearest it has come, along the way.
    nearest: f64,
    /// Since then.
    fruitless_s: f64,
    /// Since it was last moving or last looked for another way.
    standing_s: f64,
    other_ways: u32,
    is_waiting: bool,
}

/// How an errand stands after a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Progress {
    /// On the way, with this wish for the wheels.
    UnderWay(Wish),
    /// There.
    Arrived,
    /// Given up.
    Blocked,
}

impl Errand {
    /// An errand along a route that was found.
    pub(super) fn new(command: Option<CommandId>, target: Target, follower: Follower) -> Self {
        Self {
            command,
            target,
            follower,
            nearest: f64::INFINITY,
            fruitless_s: 0.0,
            standing_s: 0.0,
            other_ways: 0,
            is_waiting: false,
        }
    }

    /// Whether it stands behind somebody or something.
    pub(super) const fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// As reported.
    pub(super) fn goal(&self, at: Point) -> Goal {
        Goal {
            command: self.command,
            target: Pose {
                x_m: self.target.at.x,
                y_m: self.target.at.y,
                heading_rad: self.target.heading.unwrap_or_default(),
            },
            remaining_m: self.follower.remaining(at),
        }
    }

    /// The points still ahead.
    pub(super) fn ahead(&self) -> &[Point] {
        self.follower.ahead()
    }

    /// Looks for a new way at once, because the known floor changed. Keeps the old one when there is none.
    pub(super) fn look_again(&mut self, at: Point, surroundings: &Surroundings) {
        if let Some(route) = surroundings.route(at, self.target.at, &[]) {
            self.follow(Follower::new(route), at);
        }
    }

    /// One tick of `seconds`.
    pub(super) fn tick(
        &mut self,
        chassis: &Chassis,
        surroundings: &Surroundings,
        people: &[Walker],
        seconds: f64,
    ) -> Progress {
        let at = point_of(chassis.pose);
        self.follower.advance(at);
        let to_go = at.distance(self.target.at);
        let is_near_enough = to_go <= NEAR_ENOUGH && self.standing_s > STUCK_S;
        if to_go <= AT_TARGET || is_near_enough {
            return self.settle(chassis);
        }
        let remaining = self.follower.remaining(at);
        if remaining < self.nearest - NEARER {
            self.nearest = remaining;
            self.fruitless_s = 0.0;
        }
        let known = surroundings.known();
        let aim = self
            .follower
            .aim(at, |from, to| known.along(from, to) >= RADIUS + BESIDE);
        let feeler = at.plus(feel(aim.minus(at)));
        let is_person_ahead = Surroundings::is_person_ahead(people, at, feeler);
        let room = surroundings.real_distance(at, people) - RADIUS;
        let mut wish = self.follower.steer(chassis, aim, room);
        if is_person_ahead {
            wish.speed = 0.0;
        }
        let is_standing = chassis.speed.abs() < 0.02 && (is_person_ahead || wish.speed > 0.0);
        self.is_waiting = is_standing && self.standing_s > 0.3;
        if is_standing {
            self.standing_s += seconds;
            self.fruitless_s += seconds;
        } else {
            self.standing_s = 0.0;
            self.fruitless_s += seconds / 3.0;
        }
        if self.fruitless_s > GIVE_UP_S || self.other_ways > MOST_OTHER_WAYS {
            return Progress::Blocked;
        }
        if self.standing_s > LOOK_FOR_ANOTHER_WAY_S {
            self.standing_s = 0.0;
            if let Some(route) = surroundings.route(at, self.target.at, people) {
                self.other_ways += 1;
                self.follow(Follower::new(route), at);
            }
        }
        Progress::UnderWay(wish)
    }

    /// Changes over to another way. Nearness is measured along it from now on; the patience is not renewed.
    fn follow(&mut self, follower: Follower, at: Point) {
        self.nearest = follower.remaining(at);
        self.follower = follower;
    }

    /// At the target: turns to the wanted heading, then rests.
    fn settle(&mut self, chassis: &Chassis) -> Progress {
        self.is_waiting = false;
        let wish = match self.target.heading {
            Some(heading) => face(chassis, heading),
            None => (!chassis.is_still()).then(Wish::default),
        };
        wish.map_or(Progress::Arrived, Progress::UnderWay)
    }
}

/// How far ahead of the robot a person makes it stop: the braking way and a step.
fn feel(way: Point) -> Point {
    const FEELER: f64 = 0.85;
    way.times(FEELER / way.length().max(1e-6))
}
