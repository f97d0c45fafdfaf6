//! Places that a robot keeps out of, or shows nothing of, as distances: convex outlines, and what lies beyond the edges of the workspace.
//!
//! The distance to a convex outline that is taken here is that to its farthest edge's line: never more than the true one, and
//! a convex function of the place. So what one direction of it says holds for the whole way ahead.

use protocol::{
    drive::Clamp,
    safety::{Corner, SafetyPolicy},
};

/// A line with a side that is forbidden.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Edge {
    /// A point of it, metres.
    at: [f64; 2],
    /// Unit vector away from the forbidden side.
    away: [f64; 2],
}

impl Edge {
    fn clearance(&self, [x, y]: [f64; 2]) -> f64 {
        (x - self.at[0]) * self.away[0] + (y - self.at[1]) * self.away[1]
    }
}

/// A convex place, or half of the world.
#[derive(Debug, Clone, PartialEq)]
struct Area(Vec<Edge>);

/// One place to keep out of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Obstacle {
    /// What it is.
    pub(super) clamp: Clamp,
    /// Its name; empty for the workspace's edge.
    pub(super) name: String,
    area: Area,
}

/// One place where cameras show nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Private {
    /// Which; all of them when empty.
    pub(super) cameras: Vec<String>,
    area: Area,
}

impl Private {
    /// Whether it is about this camera.
    pub(super) fn is_of(&self, camera: &str) -> bool {
        self.cameras.is_empty() || self.cameras.iter().any(|name| name == camera)
    }

    /// Whether `at`, in metres, lies in it or at most `margin_m` beside it. A place that is no place counts as within.
    pub(super) fn covers(&self, at: [f64; 2], margin_m: f64) -> bool {
        let is_somewhere = at.iter().all(|part| part.is_finite());
        !is_somewhere || self.area.clearance(at).metres <= margin_m
    }
}

/// How a place lies to an obstacle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clearance {
    /// Metres to it; negative inside.
    pub(super) metres: f64,
    /// Unit vector away from it.
    pub(super) away: [f64; 2],
}

impl Obstacle {
    /// How `at`, in metres, lies to it.
    pub(super) fn clearance(&self, at: [f64; 2]) -> Clearance {
        self.area.clearance(at)
    }
}

impl Area {
    fn clearance(&self, at: [f64; 2]) -> Clearance {
        let farthest = Clearance {
            metres: f64::NEG_INFINITY,
            away: [1.0, 0.0],
        };
        self.0.iter().fold(farthest, |best, edge| {
            let metres = edge.clearance(at);
            if metres > best.metres {
                Clearance {
                    metres,
                    away: edge.away,
                }
            } else {
                best
            }
        })
    }
}

/// Everything that a policy keeps a robot out of. The policy was checked.
pub(super) fn obstacles(policy: &SafetyPolicy) -> Vec<Obstacle> {
    let zones = policy.keep_out.iter().map(|zone| Obstacle {
        clamp: Clamp::KeepOut,
        name: zone.name.clone(),
        area: Area(edges(&zone.corners)),
    });
    // What is beyond each edge of the workspace is a place by itself: half of the world.
    let beyond = edges(&policy.workspace).into_iter().map(|edge| Obstacle {
        clamp: Clamp::Workspace,
        name: String::new(),
        area: Area(vec![Edge {
            away: edge.away.map(|part| -part),
            ..edge
        }]),
    });
    zones.chain(beyond).collect()
}

/// Where a policy has cameras show nothing. The policy was checked.
pub(super) fn private(policy: &SafetyPolicy) -> Vec<Private> {
    let zones = policy.private.iter().map(|zone| Private {
        cameras: zone.cameras.clone(),
        area: Area(edges(&zone.corners)),
    });
    zones.collect()
}

/// The edges of a convex outline, looking outward.
fn edges(corners: &[Corner]) -> Vec<Edge> {
    let points: Vec<[f64; 2]> = corners
        .iter()
        .map(|corner| corner.map(|mm| f64::from(mm) / 1_000.0))
        .collect();
    let around = |index: usize| points[index % points.len()];
    let area: f64 = (0..points.len())
        .map(|index| {
            let ([x, y], [next_x, next_y]) = (around(index), around(index + 1));
            x * next_y - next_x * y
        })
        .sum();
    let turn = if area < 0.0 { -1.0 } else { 1.0 };
    (0..points.len())
        .map(|index| {
            let (from, to) = (around(index), around(index + 1));
            let (east, north) = (to[0] - from[0], to[1] - from[1]);
            let length = east.hypot(north).max(1e-9);
            Edge {
                at: from,
                away: [turn * north / length, -turn * east / length],
            }
        })
        .collect()
}
