//! Where a robot is and what it is near, told apart from the rules that are tried: plain geometry, and a body of the bounds that an
//! envelope assumes.

use agent::safety::{Body, Motion};
use protocol::safety::{Corner, Envelope, KeepOut, SafetyPolicy};

use crate::input::Input;

/// Finer than any step of the control loop.
const SLICE_MS: u32 = 5;

type Point = [f64; 2];

/// What a policy draws, in metres.
#[derive(Debug)]
pub(crate) struct Ground {
    zones: Vec<Vec<Point>>,
    workspace: Vec<Point>,
    radius_m: f64,
}

impl Ground {
    pub(crate) fn of(policy: &SafetyPolicy, radius_m: f32) -> Self {
        let outline = |corners: &[Corner]| -> Vec<Point> {
            let metres = |corner: &Corner| corner.map(|mm| f64::from(mm) / 1_000.0);
            corners.iter().map(metres).collect()
        };
        Self {
            zones: policy
                .keep_out
                .iter()
                .map(|zone| outline(&zone.corners))
                .collect(),
            workspace: outline(&policy.workspace),
            radius_m: f64::from(radius_m),
        }
    }

    /// Metres between the robot's edge and where it may not be; below 0 where it is there.
    pub(crate) fn room(&self, at: Point) -> f64 {
        let zones = self.zones.iter().map(|zone| distance(zone, at));
        let edge = if self.workspace.is_empty() {
            f64::INFINITY
        } else {
            -distance(&self.workspace, at)
        };
        zones.fold(edge, f64::min) - self.radius_m
    }
}

/// From an outline: below 0 within it.
fn distance(outline: &[Point], at: Point) -> f64 {
    let count = outline.len();
    let sides = (0..count).map(|index| (outline[index], outline[(index + 1) % count]));
    let mut nearest = f64::INFINITY;
    let mut is_within = false;
    for (from, to) in sides {
        nearest = nearest.min(to_segment(from, to, at));
        // A ray to the east crosses this side.
        let crosses = (from[1] > at[1]) != (to[1] > at[1]);
        if crosses {
            let along = (at[1] - from[1]) / (to[1] - from[1]);
            is_within ^= at[0] < from[0] + along * (to[0] - from[0]);
        }
    }
    if is_within { -nearest } else { nearest }
}

fn to_segment(from: Point, to: Point, at: Point) -> f64 {
    let (side, off) = (
        [to[0] - from[0], to[1] - from[1]],
        [at[0] - from[0], at[1] - from[1]],
    );
    let length = side[0] * side[0] + side[1] * side[1];
    let along = ((off[0] * side[0] + off[1] * side[1]) / length).clamp(0.0, 1.0);
    (off[0] - along * side[0]).hypot(off[1] - along * side[1])
}

/// Lets a body follow a wish: it speeds up and brakes as its envelope has it, and turns as lazily as it likes.
pub(crate) fn roll(body: &mut Body, wish: Motion, envelope: &Envelope, lazy_turn: f64, ms: u32) {
    let mut left = ms;
    while left > 0 {
        let slice = left.min(SLICE_MS);
        left -= slice;
        let seconds = f64::from(slice) / 1_000.0;
        let speed = body.motion.speed_mps;
        let is_braking = wish.speed_mps.abs() < speed.abs() || wish.speed_mps * speed < 0.0;
        let rate = if is_braking {
            envelope.braking_mm_s2
        } else {
            envelope.acceleration_mm_s2
        };
        let most = f64::from(rate) / 1_000.0 * seconds;
        let towards = |from: f64, to: f64, most: f64| from + (to - from).clamp(-most, most);
        body.motion.speed_mps = towards(speed, wish.speed_mps, most);
        body.motion.turn_rps = towards(body.motion.turn_rps, wish.turn_rps, lazy_turn * seconds);
        let heading = body.pose.heading_rad + body.motion.turn_rps * seconds / 2.0;
        body.pose.x_m += body.motion.speed_mps * heading.cos() * seconds;
        body.pose.y_m += body.motion.speed_mps * heading.sin() * seconds;
        body.pose.heading_rad += body.motion.turn_rps * seconds;
    }
}

/// A convex outline around some place, or corners as they come.
pub(crate) fn outline(
    input: &mut Input<'_>,
    far_mm: i32,
    low_mm: i32,
    high_mm: i32,
) -> Vec<Corner> {
    let count = 3 + input.byte() % 7;
    if input.byte().is_multiple_of(8) {
        return (0..count)
            .map(|_| [input.between(-9_000, 9_000), input.between(-9_000, 9_000)])
            .collect();
    }
    let centre = [
        input.between(-far_mm, far_mm),
        input.between(-far_mm, far_mm),
    ];
    let (across, down) = (
        input.between(low_mm, high_mm),
        input.between(low_mm, high_mm),
    );
    let phase = f64::from(input.byte()) / 40.0;
    let corner = |number: u8| {
        let angle = phase + f64::from(number) * std::f64::consts::TAU / f64::from(count);
        [
            centre[0] + rounded(angle.cos() * f64::from(across)),
            centre[1] + rounded(angle.sin() * f64::from(down)),
        ]
    };
    (0..count).map(corner).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "millimetres of some tens of metres"
)]
fn rounded(mm: f64) -> i32 {
    mm.round() as i32
}

/// A zone of this name.
pub(crate) fn zone(name: &str, corners: Vec<Corner>) -> KeepOut {
    KeepOut {
        name: name.to_owned(),
        corners,
    }
}
