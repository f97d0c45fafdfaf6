//! The robot's local policy: what it keeps to whatever anybody asks, with or without a network. Pure; it has the last word.

mod file;
mod govern;
mod zones;

use protocol::{
    robot::{Advert, Component, Health, Shape, ShapeKind},
    safety::{Corner, Envelope, Mask, SafetyPolicy},
};

use crate::cameras::mask::{EVERYTHING, Outline};

use self::zones::{Obstacle, obstacles};
pub use self::{
    file::{PolicyFailure, believed},
    govern::{Body, Cap, Governed, Motion, metres},
};

/// What the robot keeps to.
#[derive(Debug, Clone, PartialEq)]
pub struct Safety {
    /// The bounds of motion.
    pub envelope: Envelope,
    radius_m: f64,
    obstacles: Vec<Obstacle>,
    /// As they are drawn.
    zones: Vec<Shape>,
    masks: Vec<Mask>,
    /// What is wrong with the policy, in words; empty when nothing is.
    trouble: String,
}

impl Safety {
    /// What a robot of this radius keeps to by a policy that was checked; by the default envelope without one.
    pub fn new(policy: Option<&SafetyPolicy>, radius_m: f32) -> Self {
        Self {
            envelope: policy.map(|policy| policy.envelope).unwrap_or_default(),
            radius_m: f64::from(radius_m),
            obstacles: policy.map(obstacles).unwrap_or_default(),
            zones: policy.map(zones_of).unwrap_or_default(),
            masks: policy
                .map(|policy| policy.masks.clone())
                .unwrap_or_default(),
            trouble: String::new(),
        }
    }

    /// What a robot keeps to that can't tell what it should keep to: it stays where it is.
    pub fn standstill(radius_m: f32, trouble: String) -> Self {
        let envelope = Envelope {
            speed_mm_s: 0,
            reverse_mm_s: 0,
            turn_mrad_s: 0,
            nudge_mm_s: 0,
            people_mm_s: 0,
            ..Envelope::default()
        };
        Self {
            envelope,
            trouble,
            ..Self::new(None, radius_m)
        }
    }

    /// What is to be covered in a camera's pictures. A robot that can't tell shows nothing.
    pub fn masks(&self, camera: &str) -> Vec<Outline> {
        if !self.trouble.is_empty() {
            return vec![EVERYTHING.into()];
        }
        (self.masks.iter())
            .filter(|mask| mask.camera == camera)
            .map(|mask| mask.corners.clone())
            .collect()
    }

    /// A camera that is to be masked, and is none of these: whoever misspelt it relies on a mask that is not there.
    pub fn unknown_camera(&self, names: &[&str]) -> Option<String> {
        let masked = self.masks.iter().map(|mask| &mask.camera);
        masked
            .into_iter()
            .find(|camera| !names.contains(&camera.as_str()))
            .cloned()
    }

    /// Whether it may move at all.
    pub const fn allows_motion(&self) -> bool {
        self.envelope.speed_mm_s > 0 || self.envelope.turn_mrad_s > 0
    }

    /// Metres from a place to where the robot may not be, with room for it to follow a way less than exactly; not above 0
    /// where it may not be.
    pub fn room_to_plan(&self, at: [f64; 2]) -> f64 {
        const CUSHION_M: f64 = 0.12;
        (self.obstacles.iter())
            .map(|obstacle| obstacle.clearance(at).metres - CUSHION_M)
            .fold(f64::INFINITY, f64::min)
    }

    /// Puts what the robot keeps to into what it says of itself: the zones on its map, and whether its policy is sound.
    pub fn dress(&self, mut advert: Advert) -> Advert {
        if let Some(map) = &mut advert.map {
            map.shapes.extend(self.zones.iter().cloned());
        }
        advert.components.push(Component {
            name: "policy".to_owned(),
            health: if self.trouble.is_empty() {
                Health::Ok
            } else {
                Health::Failed
            },
            words: self.trouble.clone(),
        });
        advert
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a map is drawn in f32, and its millimetres are checked"
)]
fn zones_of(policy: &SafetyPolicy) -> Vec<Shape> {
    let metres = |corner: &Corner| corner.map(|mm| (f64::from(mm) / 1_000.0) as f32);
    let shape = |zone: &protocol::safety::KeepOut| Shape {
        kind: ShapeKind::KeepOut,
        label: zone.name.clone(),
        corners: zone.corners.iter().map(metres).collect(),
    };
    policy.keep_out.iter().map(shape).collect()
}
