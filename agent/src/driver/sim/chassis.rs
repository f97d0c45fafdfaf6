//! Two driven wheels: speeds that change no faster than the motors can, and an odometer.

use protocol::robot::Pose;

use super::geometry::wrapped;

/// Fastest forward, m/s: a brisk walk.
pub(super) const TOP_SPEED: f64 = 0.9;
/// Fastest turn, rad/s.
pub(super) const TOP_TURN: f64 = 1.6;
/// Speeding up, m/s².
const ACCELERATION: f64 = 0.7;
/// Braking, m/s². A stop from top speed takes 0.27 m.
pub(super) const BRAKING: f64 = 1.5;
/// Change of turn, rad/s².
const TURN_ACCELERATION: f64 = 4.0;
/// Slower than this counts as standing.
const STANDING: f64 = 0.004;

/// What the wheels are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Wish {
    /// m/s forward.
    pub(super) speed: f64,
    /// rad/s counter-clockwise.
    pub(super) turn: f64,
}

/// Where the robot is and how it moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Chassis {
    /// Where.
    pub(super) pose: Pose,
    /// m/s forward.
    pub(super) speed: f64,
    /// rad/s counter-clockwise.
    pub(super) turn: f64,
    /// Metres that the wheels have counted.
    pub(super) odometer: f64,
}

impl Chassis {
    /// A robot that stands.
    pub(super) const fn standing(pose: Pose) -> Self {
        Self {
            pose,
            speed: 0.0,
            turn: 0.0,
            odometer: 0.0,
        }
    }

    /// Whether it stands still.
    pub(super) fn is_still(&self) -> bool {
        self.speed.abs() < STANDING && self.turn.abs() < STANDING
    }

    /// Comes closer to the wished speeds for `seconds`.
    pub(super) fn approach(&mut self, wish: Wish, seconds: f64) {
        let speed = wish.speed.clamp(-TOP_SPEED, TOP_SPEED);
        let is_braking = speed.abs() < self.speed.abs() || speed * self.speed < 0.0;
        let rate = if is_braking { BRAKING } else { ACCELERATION };
        self.speed = stepped(self.speed, speed, rate * seconds);
        let turn = wish.turn.clamp(-TOP_TURN, TOP_TURN);
        self.turn = stepped(self.turn, turn, TURN_ACCELERATION * seconds);
    }

    /// Where `seconds` of the present motion lead: along the arc of the two wheels.
    pub(super) fn ahead(&self, seconds: f64) -> Pose {
        let heading = self.pose.heading_rad + self.turn * seconds / 2.0;
        let way = self.speed * seconds;
        if self.turn == 0.0 && way == 0.0 {
            // Rounding in the arithmetic below would creep.
            return self.pose;
        }
        Pose {
            x_m: self.pose.x_m + way * heading.cos(),
            y_m: self.pose.y_m + way * heading.sin(),
            heading_rad: wrapped(self.pose.heading_rad + self.turn * seconds),
        }
    }

    /// Moves on for `seconds`; `slip` is what the wheels count too much, as a share.
    pub(super) fn roll(&mut self, seconds: f64, slip: f64) {
        self.pose = self.ahead(seconds);
        self.odometer += (self.speed * seconds).abs() * (1.0 + slip);
    }
}

fn stepped(from: f64, to: f64, most: f64) -> f64 {
    from + (to - from).clamp(-most, most)
}
