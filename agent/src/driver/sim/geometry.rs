//! Points, directions and rays on the floor of the simulated site. Metres and radians throughout.

use std::f64::consts::{PI, TAU};

use protocol::robot::Pose;

/// A place on the floor, or a displacement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Metres east.
    pub x: f64,
    /// Metres north.
    pub y: f64,
}

impl Point {
    /// The point at these coordinates.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// The unit vector that points along `heading_rad`.
    pub fn along(heading_rad: f64) -> Self {
        let (sin, cos) = heading_rad.sin_cos();
        Self::new(cos, sin)
    }

    /// This point moved by `other`.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }

    /// The displacement from `other` to this point.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    /// This displacement, `factor` times as long.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }

    /// Length times length times the cosine between the two.
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    /// Length from the origin.
    pub fn length(self) -> f64 {
        self.x.hypot(self.y)
    }

    /// Distance to another point.
    pub fn distance(self, other: Self) -> f64 {
        self.minus(other).length()
    }

    /// Direction from the origin.
    pub fn heading(self) -> f64 {
        self.y.atan2(self.x)
    }
}

/// The floor position of a pose.
pub fn point_of(pose: Pose) -> Point {
    Point::new(pose.x_m, pose.y_m)
}

/// The same direction, between −π and π.
pub(super) fn wrapped(angle_rad: f64) -> f64 {
    let turned = (angle_rad + PI).rem_euclid(TAU) - PI;
    if turned < -PI { turned + TAU } else { turned }
}

/// Distance from a point to the segment between two others.
pub(super) fn distance_to_segment(point: Point, from: Point, to: Point) -> f64 {
    let along = to.minus(from);
    let length_squared = along.dot(along);
    if length_squared <= f64::EPSILON {
        return point.distance(from);
    }
    let share = (point.minus(from).dot(along) / length_squared).clamp(0.0, 1.0);
    point.distance(from.plus(along.times(share)))
}
