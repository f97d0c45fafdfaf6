//! The robot's local policy: what it keeps to whatever anybody asks, with or without a network. Pure; it has the last word.

mod file;
mod govern;
mod zones;

use protocol::{
    robot::{Advert, Component, Health, Shape, ShapeKind},
    safety::{Corner, Envelope, Mask, SafetyPolicy},
};

use crate::cameras::mask::{EVERYTHING, Outline};

use self::zones::{Obstacle, Private, obstacles, private};
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
    private: Vec<Private>,
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
            private: policy.map(private).unwrap_or_default(),
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

    /// Whether this camera ever shows nothing because of where the robot is.
    pub fn has_private_zones(&self, camera: &str) -> bool {
        self.private.iter().any(|zone| zone.is_of(camera))
    }

    /// Whether this camera shows nothing while the robot is here, metres. Counted from its edge, and a little before that: it goes
    /// on between two looks, and knows less than exactly where it is.
    pub fn is_private(&self, camera: &str, at: [f64; 2]) -> bool {
        const CUSHION_M: f64 = 0.25;
        let margin_m = self.radius_m + CUSHION_M;
        (self.private.iter()).any(|zone| zone.is_of(camera) && zone.covers(at, margin_m))
    }

    /// A camera that is to be covered, and is none of these: whoever misspelt it relies on a cover that is not there.
    pub fn unknown_camera(&self, names: &[&str]) -> Option<String> {
        let masked = self.masks.iter().map(|mask| &mask.camera);
        let private = self.private.iter().flat_map(|zone| &zone.cameras);
        masked
            .chain(private)
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
    let shape = |kind: ShapeKind, name: &str, corners: &[Corner]| Shape {
        kind,
        label: name.to_owned(),
        corners: corners.iter().map(metres).collect(),
    };
    let keep_out = policy.keep_out.iter();
    let private = policy.private.iter();
    keep_out
        .map(|zone| shape(ShapeKind::KeepOut, &zone.name, &zone.corners))
        .chain(private.map(|zone| shape(ShapeKind::Private, &zone.name, &zone.corners)))
        .collect()
}

#[cfg(test)]
mod tests {
    use protocol::{OrganisationId, UnixMicros, safety::PrivateZone};
    use uuid::Uuid;

    use super::*;

    fn keeping(private: Vec<PrivateZone>) -> Safety {
        let policy = SafetyPolicy {
            organisation: OrganisationId(Uuid::nil()),
            robot: None,
            number: 1,
            issued_at: UnixMicros(0),
            envelope: Envelope::default(),
            workspace: Vec::new(),
            keep_out: Vec::new(),
            masks: Vec::new(),
            private,
        };
        assert_eq!(policy.check(), Ok(()));
        Safety::new(Some(&policy), 0.26)
    }

    fn washroom(cameras: &[&str]) -> PrivateZone {
        PrivateZone {
            name: "washroom".to_owned(),
            corners: vec![[2_000, 0], [4_000, 0], [4_000, 3_000], [2_000, 3_000]],
            cameras: cameras.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_camera_shows_nothing_in_a_private_zone_from_before_the_robots_edge_is_in_it() {
        let safety = keeping(vec![washroom(&[])]);
        for (at, expected) in [
            ([3.0, 1.0], true),
            ([2.0, 0.0], true),
            ([1.74, 1.0], true),
            ([1.5, 1.0], true),
            ([1.48, 1.0], false),
            ([5.0, 5.0], false),
            ([f64::NAN, 1.0], true),
            ([f64::INFINITY, 1.0], true),
        ] {
            assert_eq!(safety.is_private("head", at), expected, "{at:?}");
        }
        assert!(!keeping(Vec::new()).is_private("head", [f64::NAN; 2]));
    }

    #[test]
    fn a_private_zone_is_about_the_cameras_that_it_names() {
        let safety = keeping(vec![washroom(&["head"])]);

        assert!(safety.is_private("head", [3.0, 1.0]) && safety.has_private_zones("head"));
        assert!(!safety.is_private("base", [3.0, 1.0]) && !safety.has_private_zones("base"));
        assert_eq!(safety.unknown_camera(&["head", "base"]), None);
        assert_eq!(safety.unknown_camera(&["base"]), Some("head".to_owned()));
    }
}
