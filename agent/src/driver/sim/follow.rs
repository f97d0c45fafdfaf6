//! Driving along a route: aims at a point a little ahead and turns on the spot when it lies far off.

use super::{
    chassis::{BRAKING, Chassis, TOP_SPEED, TOP_TURN, Wish},
    geometry::{Point, point_of, wrapped},
    route::Route,
};

/// How far ahead on the route the robot aims.
const LOOK_AHEAD: f64 = 0.6;
/// The nearest it aims when the straight line to farther points is too narrow.
const NEAREST_AIM: f64 = 0.1;
/// How far along the route it may have got since the last look.
const PROGRESS: f64 = 1.0;
/// A heading error above this is turned away on the spot.
const TURN_ON_THE_SPOT: f64 = 0.7;
/// Turn rate per radian of error.
const STEERING: f64 = 2.6;
/// Closer than this to the end counts as there.
pub(super) const AT_TARGET: f64 = 0.06;
/// A final heading within this is good.
const AT_HEADING: f64 = 0.04;
/// Slowest useful speed near the target.
const CREEP: f64 = 0.06;

/// A route and how far along it the robot is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Follower {
    route: Route,
    /// The leg that the robot is on.
    leg: usize,
    /// Metres along that leg.
    along: f64,
}

impl Follower {
    /// Starts at the beginning of a route of at least two points.
    pub(super) fn new(route: Route) -> Self {
        Self {
            route,
            leg: 0,
            along: 0.0,
        }
    }

    /// Metres still to go.
    pub(super) fn remaining(&self, at: Point) -> f64 {
        let next = self.route.get(self.leg + 1).copied().unwrap_or(at);
        let rest = self.route.get(self.leg + 1..).unwrap_or(&[]);
        at.distance(next) + super::route::length(rest)
    }

    /// The points still ahead.
    pub(super) fn ahead(&self) -> &[Point] {
        self.route.get(self.leg + 1..).unwrap_or(&[])
    }

    /// Moves the mark to the spot of the route nearest to `at`, never back.
    pub(super) fn advance(&mut self, at: Point) {
        let mut best = (f64::INFINITY, self.leg, self.along);
        let mut travelled = -self.along;
        for leg in self.leg..self.route.len().saturating_sub(1) {
            let (from, to) = (self.route[leg], self.route[leg + 1]);
            let length = from.distance(to).max(1e-9);
            let share = at.minus(from).dot(to.minus(from)) / length;
            let floor = if leg == self.leg { self.along } else { 0.0 };
            let along = share.clamp(floor.min(length), length);
            let spot = from.plus(to.minus(from).times(along / length));
            let distance = spot.distance(at);
            if distance < best.0 - 1e-9 {
                best = (distance, leg, along);
            }
            travelled += length;
            if travelled > PROGRESS {
                break;
            }
        }
        (self.leg, self.along) = (best.1, best.2);
    }

    /// The point of the route `metres` beyond the mark.
    fn beyond(&self, mut metres: f64) -> Point {
        metres += self.along;
        for pair in self.route[self.leg..].windows(2) {
            let length = pair[0].distance(pair[1]);
            if metres <= length {
                return pair[0].plus(pair[1].minus(pair[0]).times(metres / length.max(1e-9)));
            }
            metres -= length;
        }
        self.route.last().copied().unwrap_or_default()
    }

    /// Where to aim from `at`: far along the route, but not across what a straight line would touch.
    pub(super) fn aim(&self, at: Point, is_clear: impl Fn(Point, Point) -> bool) -> Point {
        let mut metres = LOOK_AHEAD;
        while metres > NEAREST_AIM {
            let point = self.beyond(metres);
            if is_clear(at, point) {
                return point;
            }
            metres /= 2.0;
        }
        self.beyond(NEAREST_AIM)
    }

    /// The wheels' wish to get along towards `aim`, with `room` metres around the robot.
    pub(super) fn steer(&self, chassis: &Chassis, aim: Point, room: f64) -> Wish {
        let at = point_of(chassis.pose);
        let error = wrapped(aim.minus(at).heading() - chassis.pose.heading_rad);
        let turn = (STEERING * error).clamp(-TOP_TURN, TOP_TURN);
        if error.abs() > TURN_ON_THE_SPOT {
            return Wish { speed: 0.0, turn };
        }
        let remaining = self.remaining(at);
        let can_stop = (2.0 * BRAKING * 0.5 * (remaining - AT_TARGET / 2.0).max(0.0)).sqrt();
        let straight = error.cos().powi(4);
        let speed = TOP_SPEED.min(can_stop).min(by_room(room)) * straight;
        Wish {
            speed: speed.max(CREEP),
            turn,
        }
    }
}

/// How fast it may be with so many metres around it.
pub(super) fn by_room(room: f64) -> f64 {
    0.22 + 1.6 * room.max(0.0)
}

/// The wheels' wish to face `heading`, or `None` when they do.
pub(super) fn face(chassis: &Chassis, heading: f64) -> Option<Wish> {
    let error = wrapped(heading - chassis.pose.heading_rad);
    if error.abs() < AT_HEADING && chassis.is_still() {
        return None;
    }
    let turn = if error.abs() < AT_HEADING {
        0.0
    } else {
        (STEERING * error).clamp(-TOP_TURN, TOP_TURN)
    };
    Some(Wish { speed: 0.0, turn })
}
