//! What becomes of a wish to move: the nearest to it that stays inside the envelope. Pure, and the last word.

use std::{f64::consts::PI, time::Duration};

use protocol::{drive::Clamp, robot::Pose};

use super::{Safety, zones::Obstacle};

/// Between what a robot believes of its place and where it is.
const MARGIN_M: f64 = 0.05;

/// Until a new wish takes effect: a step of the control loop that came late, and one of the wheels.
const REACTION_S: f64 = 0.12;

/// Slower than this counts as standing.
pub(super) const STANDING: f64 = 0.01;

/// A robot that is where it may not be creeps out of it.
const CREEP_MPS: f64 = 0.15;

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Motion {
    /// Metres a second forward.
    pub speed_mps: f64,
    /// Radians a second, counter-clockwise.
    pub turn_rps: f64,
}

impl Motion {
    /// Whether it is as good as none.
    pub fn is_still(&self) -> bool {
        self.speed_mps.abs() < STANDING && self.turn_rps.abs() < STANDING
    }
}

/// Where a robot is and how it moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    /// Where.
    pub pose: Pose,
    /// How fast.
    pub motion: Motion,
    /// Metres to the nearest person that it knows of.
    pub person_m: Option<f64>,
}

/// How fast it may be, apart from where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cap {
    /// Metres a second.
    pub speed_mps: f64,
    /// What says so.
    pub clamp: Clamp,
}

/// What a robot sets out to do.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Governed<'zones> {
    /// How fast.
    pub motion: Motion,
    /// What kept it from what was asked.
    pub clamp: Option<Clamp>,
    /// The zone's name.
    pub zone: &'zones str,
}

impl Safety {
    /// How fast it may be where these people are.
    pub fn cap(&self, person_m: Option<f64>) -> Cap {
        let envelope = &self.envelope;
        let speed_mps = metres(envelope.speed_mm_s);
        let near =
            person_m.is_some_and(|metres_off| metres_off <= metres(envelope.people_within_mm));
        let among_people = metres(envelope.people_mm_s);
        if near && among_people < speed_mps {
            return Cap {
                speed_mps: among_people,
                clamp: Clamp::PeopleNear,
            };
        }
        Cap {
            speed_mps,
            clamp: Clamp::TopSpeed,
        }
    }

    /// The nearest to `wish` that is inside the envelope, for the next `elapsed`.
    pub fn govern(&self, body: &Body, wish: Motion, cap: Cap, elapsed: Duration) -> Governed<'_> {
        let envelope = &self.envelope;
        let reverse = metres(envelope.reverse_mm_s);
        let (wish, low, high) = (finite(wish), -reverse.min(cap.speed_mps), cap.speed_mps);
        let capped = wish.speed_mps.clamp(low, high);
        let mut clamp = ((capped - wish.speed_mps).abs() > 1e-9).then_some(cap.clamp);
        // What nobody sees in time is no better turned into than driven into.
        let share = (cap.speed_mps / metres(envelope.speed_mm_s).max(1e-9)).min(1.0);
        let most_turn = metres(envelope.turn_mrad_s) * share;
        let slowed = wish.turn_rps.clamp(-most_turn, most_turn);
        if (slowed - wish.turn_rps).abs() > 1e-9 {
            clamp = Some(cap.clamp);
        }

        let (turn, by_turn) = self.turn_towards(body, slowed);
        let (speed, by) = self.speed_up_to(body, capped, turn);
        let mut zone = "";
        if let Some(obstacle) = by.or(by_turn) {
            clamp = Some(obstacle.clamp);
            zone = &obstacle.name;
        }
        let gain = metres(envelope.acceleration_mm_s2) * elapsed.as_secs_f64();
        Governed {
            motion: Motion {
                speed_mps: ramped(body.motion.speed_mps, speed, gain),
                turn_rps: turn,
            },
            clamp,
            zone,
        }
    }

    /// As much of the turn as the present speed allows: turning towards a zone faster than the robot can brake leads into it.
    fn turn_towards(&self, body: &Body, turn: f64) -> (f64, Option<&Obstacle>) {
        let speed = body.motion.speed_mps;
        let in_the_way = self.first_in_the_way(body, speed, turn);
        if in_the_way.is_none() || speed.abs() < STANDING {
            return (turn, None);
        }
        let less = [0.5, 0.25].map(|share| turn * share).into_iter();
        let turn = less
            .into_iter()
            .find(|turn| self.first_in_the_way(body, speed, *turn).is_none());
        (turn.unwrap_or(0.0), in_the_way)
    }

    /// As much of the speed as leaves room to brake, and what takes the rest.
    fn speed_up_to(&self, body: &Body, wish: f64, turn: f64) -> (f64, Option<&Obstacle>) {
        const HALVINGS: u32 = 10;
        let Some(obstacle) = self.first_in_the_way(body, wish, turn) else {
            return (wish, None);
        };
        let (mut free, mut barred) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(free, barred);
            match self.first_in_the_way(body, wish * middle, turn) {
                None => free = middle,
                Some(_) => barred = middle,
            }
        }
        (wish * free, Some(obstacle))
    }

    /// The first obstacle that a robot could get into, were it to drive like this now and brake as soon as it can.
    fn first_in_the_way(&self, body: &Body, speed: f64, turn: f64) -> Option<&Obstacle> {
        let braking = metres(self.envelope.braking_mm_s2);
        let stops_in_s = REACTION_S + speed.abs() / braking;
        let stops_in_m = speed.abs() * (REACTION_S + speed.abs() / (2.0 * braking));
        let turns = turn.abs().max(body.motion.turn_rps.abs()) * stops_in_s;
        let ahead = if speed < 0.0 { PI } else { 0.0 } + body.pose.heading_rad;
        let at = [body.pose.x_m, body.pose.y_m];
        self.obstacles.iter().find(|obstacle| {
            let clearance = obstacle.clearance(at);
            let room = clearance.metres - self.radius_m - MARGIN_M;
            let leaving = ahead.cos() * clearance.away[0] + ahead.sin() * clearance.away[1];
            // The worst that turning makes of it until the robot stands.
            let off = (leaving.clamp(-1.0, 1.0).acos() + turns).min(PI);
            let nearer = stops_in_m * (-off.cos()).max(0.0);
            nearer > room.max(0.0) || (room < 0.0 && speed.abs() > CREEP_MPS)
        })
    }

    /// Whether the robot does what it may not: faster than its envelope, or on its way into a zone. Whatever moves it is to
    /// be stopped then.
    pub fn is_trespassing(&self, body: &Body) -> bool {
        let speed = body.motion.speed_mps;
        let (low, high) = (
            metres(self.envelope.reverse_mm_s),
            metres(self.envelope.speed_mm_s),
        );
        let beyond = |value: f64, most: f64| value > most * 1.1 + 0.05;
        let turn = body.motion.turn_rps.abs();
        if beyond(speed, high)
            || beyond(-speed, low)
            || beyond(turn, metres(self.envelope.turn_mrad_s))
        {
            return true;
        }
        let (sin, cos) = body.pose.heading_rad.sin_cos();
        let at = [body.pose.x_m, body.pose.y_m];
        self.obstacles.iter().any(|obstacle| {
            let clearance = obstacle.clearance(at);
            let leaving = speed * (cos * clearance.away[0] + sin * clearance.away[1]);
            clearance.metres < self.radius_m && leaving < -2.0 * STANDING
        })
    }

    /// Whether a place may be driven to, metres.
    pub fn allows(&self, x_m: f64, y_m: f64) -> bool {
        let room = |obstacle: &Obstacle| obstacle.clearance([x_m, y_m]).metres - self.radius_m;
        x_m.is_finite() && y_m.is_finite() && self.obstacles.iter().all(|it| room(it) >= MARGIN_M)
    }
}

/// Faster by at most `gain`; slower at once, since braking is the robot's own.
fn ramped(from: f64, to: f64, gain: f64) -> f64 {
    let is_braking = to.abs() < from.abs() && to * from >= 0.0;
    if is_braking {
        return to;
    }
    let from = if to * from < 0.0 { 0.0 } else { from };
    to.clamp(from - gain, from + gain)
}

fn finite(wish: Motion) -> Motion {
    let or_none = |value: f64| if value.is_finite() { value } else { 0.0 };
    Motion {
        speed_mps: or_none(wish.speed_mps),
        turn_rps: or_none(wish.turn_rps),
    }
}

/// Thousandths as whole ones.
pub fn metres(thousandths: u32) -> f64 {
    f64::from(thousandths) / 1_000.0
}

#[cfg(test)]
mod tests;
