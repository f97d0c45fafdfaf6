//! A robot's local policy: what it keeps to whatever anybody asks. Signed by the organisation's root key, kept on the robot, and
//! gone by without any network. The rules are in the agent (`safety`); these are the words.
//!
//! Checks informed by ISO 13482 and ISO 3691-4. This is software on an ordinary computer and no rated safety function.

use serde::{Deserialize, Serialize};

use crate::{
    OrganisationId, RobotId, UnixMicros,
    ladder::Limits,
    limits::{MAX_CAMERAS, MAX_NAME_CHARS},
};

/// One sealed policy: the most zones and masks with the most corners are about 40 KiB.
pub const MAX_POLICY_BYTES: usize = 64 * 1024;

/// Zones that a robot keeps out of: a ward has some twenty beds and stores.
pub const MAX_ZONES: usize = 64;

/// Zones in which cameras show nothing.
pub const MAX_PRIVATE_ZONES: usize = 32;

/// Corners of a zone, of the workspace or of a mask.
pub const MAX_CORNERS: usize = 16;

/// Masks over the pictures of all cameras.
pub const MAX_MASKS: usize = 32;

/// No site is larger, and no sum of such numbers overflows: a hundred kilometres.
const FARTHEST_MM: i32 = 100_000_000;

/// Faster is no robot that works among people.
const FASTEST_MM_S: u32 = 3_000;

/// What one robot, or every robot of an organisation, keeps to. Sealed as [`crate::sealed::Kind::SafetyPolicy`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafetyPolicy {
    /// Whose robots.
    pub organisation: OrganisationId,
    /// For which robot; for each of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robot: Option<RobotId>,
    /// Rises with every policy of a robot: it takes none that is not above the one it has.
    pub number: u64,
    /// When it was signed.
    pub issued_at: UnixMicros,
    /// How fast and how late.
    pub envelope: Envelope,
    /// Where it may be; anywhere when empty. Convex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workspace: Vec<Corner>,
    /// Where it may not be. Each convex: two of them make an angle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_out: Vec<KeepOut>,
    /// What its cameras must not show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Mask>,
    /// Where its cameras show nothing at all. Each convex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<PrivateZone>,
}

/// A point of the map: millimetres east and north of its origin.
pub type Corner = [i32; 2];

/// A zone that a robot keeps out of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepOut {
    /// "bed", "oxygen".
    pub name: String,
    /// Its corners, in order.
    pub corners: Vec<Corner>,
}

/// A part of a camera's picture that never leaves the robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// The camera's name.
    pub camera: String,
    /// Corners in thousandths of the picture's width and height, from its top left.
    pub corners: Vec<[u16; 2]>,
}

/// A zone in which cameras show nothing: no picture that is taken there leaves the robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateZone {
    /// "washroom".
    pub name: String,
    /// Its corners, in order.
    pub corners: Vec<Corner>,
    /// Which cameras; all of the robot's when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cameras: Vec<String>,
}

/// The bounds of motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Envelope {
    /// Fastest forward, millimetres a second.
    pub speed_mm_s: u32,
    /// Fastest backward.
    pub reverse_mm_s: u32,
    /// Fastest turn, milliradians a second.
    pub turn_mrad_s: u32,
    /// Speeding up, millimetres a second each second.
    pub acceleration_mm_s2: u32,
    /// The braking that the robot can be relied on for: where it may still go depends on it.
    pub braking_mm_s2: u32,
    /// Fastest while it may only be nudged.
    pub nudge_mm_s: u32,
    /// How long one nudge lasts at most, milliseconds.
    pub nudge_lasts_ms: u32,
    /// A drive command that names an older tick of the robot's clock is dropped, milliseconds.
    pub command_age_ms: u32,
    /// Silence after which a driven robot stops, milliseconds.
    pub dead_man_ms: u32,
    /// A drive command that was given on an older picture is refused, and the robot stops, milliseconds.
    pub frame_age_ms: u32,
    /// The authority ladder.
    pub ladder: Limits,
    /// A person within so far…
    pub people_within_mm: u32,
    /// …leaves this much speed, millimetres a second.
    pub people_mm_s: u32,
    /// Below this charge it is not driven by hand. How far it gets by itself, its own planning says.
    pub battery_floor_percent: u8,
}

impl Default for Envelope {
    /// For a light robot indoors.
    fn default() -> Self {
        let ladder = Limits::default();
        Self {
            speed_mm_s: 900,
            reverse_mm_s: 300,
            turn_mrad_s: 1_600,
            acceleration_mm_s2: 700,
            braking_mm_s2: 1_500,
            nudge_mm_s: 450,
            nudge_lasts_ms: 1_000,
            // As late as a nudge may be; the ladder holds driving to less.
            command_age_ms: ladder.nudge_ms,
            dead_man_ms: 250,
            // A nudge is for those who see later than one may drive; what they see may be as old as that.
            frame_age_ms: ladder.nudge_ms,
            ladder,
            people_within_mm: 2_000,
            people_mm_s: 400,
            battery_floor_percent: 10,
        }
    }
}

/// Why a policy can't be used, whoever signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFlaw {
    /// More zones, corners or masks than the bounds above, or a name that is too long.
    #[error("it holds more zones, corners or masks than a robot takes, or a name that is too long")]
    TooLarge,
    /// A corner that is off every map, or off the picture.
    #[error("a corner lies off the map or off the picture")]
    FarOff,
    /// Fewer than three corners, or corners that turn both ways or cross.
    #[error("a zone, the workspace or a mask is not convex")]
    NotConvex,
    /// A speed, a time or an age that no robot can be safe with.
    #[error("a speed, an acceleration or a time is out of bounds: {0}")]
    OutOfBounds(&'static str),
}

impl SafetyPolicy {
    /// Whether it is one that a robot can keep to.
    pub fn check(&self) -> Result<(), PolicyFlaw> {
        let is_large = self.keep_out.len() > MAX_ZONES
            || self.masks.len() > MAX_MASKS
            || (self.keep_out.iter()).any(|zone| zone.name.chars().count() > MAX_NAME_CHARS)
            || (self.masks.iter()).any(|mask| mask.camera.chars().count() > MAX_NAME_CHARS)
            || self.private.len() > MAX_PRIVATE_ZONES
            || self.private.iter().any(|zone| {
                let mut names = zone.cameras.iter().chain([&zone.name]);
                zone.cameras.len() > MAX_CAMERAS
                    || names.any(|name| name.chars().count() > MAX_NAME_CHARS)
            });
        if is_large {
            return Err(PolicyFlaw::TooLarge);
        }
        self.envelope.check()?;
        if !self.workspace.is_empty() {
            check_outline(&self.workspace)?;
        }
        for zone in &self.keep_out {
            check_outline(&zone.corners)?;
        }
        for zone in &self.private {
            check_outline(&zone.corners)?;
        }
        for mask in &self.masks {
            if mask.corners.iter().flatten().any(|share| *share > 1_000) {
                return Err(PolicyFlaw::FarOff);
            }
            let corners: Vec<Corner> = (mask.corners.iter())
                .map(|[across, down]| [i32::from(*across), i32::from(*down)])
                .collect();
            check_outline(&corners)?;
        }
        Ok(())
    }
}

impl Envelope {
    fn check(&self) -> Result<(), PolicyFlaw> {
        let ladder = &self.ladder;
        let bounds = [
            ("speed_mm_s", self.speed_mm_s, 0, FASTEST_MM_S),
            ("reverse_mm_s", self.reverse_mm_s, 0, FASTEST_MM_S),
            ("turn_mrad_s", self.turn_mrad_s, 0, 6_283),
            ("acceleration_mm_s2", self.acceleration_mm_s2, 10, 5_000),
            ("braking_mm_s2", self.braking_mm_s2, 100, 10_000),
            ("nudge_mm_s", self.nudge_mm_s, 0, FASTEST_MM_S),
            ("nudge_lasts_ms", self.nudge_lasts_ms, 50, 5_000),
            ("command_age_ms", self.command_age_ms, 50, 1_000),
            ("dead_man_ms", self.dead_man_ms, 100, 500),
            ("frame_age_ms", self.frame_age_ms, 100, 1_000),
            ("ladder.drive_ms", ladder.drive_ms, 0, 1_000),
            (
                "ladder.nudge_ms",
                ladder.nudge_ms,
                ladder.drive_ms.min(2_000),
                2_000,
            ),
            (
                "ladder.waypoint_ms",
                ladder.waypoint_ms,
                ladder.nudge_ms.min(10_000),
                10_000,
            ),
            ("people_within_mm", self.people_within_mm, 0, 20_000),
            ("people_mm_s", self.people_mm_s, 0, FASTEST_MM_S),
            (
                "battery_floor_percent",
                u32::from(self.battery_floor_percent),
                0,
                90,
            ),
        ];
        let beyond = (bounds.into_iter()).find(|(_, value, low, high)| value < low || value > high);
        match beyond {
            Some((name, ..)) => Err(PolicyFlaw::OutOfBounds(name)),
            None => Ok(()),
        }
    }
}

/// Three to [`MAX_CORNERS`] corners on the map that turn one way, once around.
fn check_outline(corners: &[Corner]) -> Result<(), PolicyFlaw> {
    if corners.len() > MAX_CORNERS {
        return Err(PolicyFlaw::TooLarge);
    }
    let is_far = |corner: &Corner| {
        corner
            .iter()
            .any(|at| at.unsigned_abs() > FARTHEST_MM.unsigned_abs())
    };
    if corners.iter().any(is_far) {
        return Err(PolicyFlaw::FarOff);
    }
    let count = corners.len();
    let edge = |index: usize| {
        let (from, to) = (corners[index % count], corners[(index + 1) % count]);
        [0, 1].map(|axis| i64::from(to[axis]) - i64::from(from[axis]))
    };
    if count < 3 {
        return Err(PolicyFlaw::NotConvex);
    }
    let turns: Vec<i64> = (0..count)
        .map(|index| {
            let (one, next) = (edge(index), edge(index + 1));
            (one[0] * next[1] - one[1] * next[0]).signum()
        })
        .collect();
    let is_one_way = turns.iter().all(|turn| *turn == 1) || turns.iter().all(|turn| *turn == -1);
    // A star turns one way, too, but more than once around: then some edge's direction goes from below to above twice.
    let rises = (0..count)
        .filter(|index| is_upward(edge(*index)) && !is_upward(edge(index + count - 1)))
        .count();
    if is_one_way && rises == 1 {
        Ok(())
    } else {
        Err(PolicyFlaw::NotConvex)
    }
}

/// Whether an edge leads up, or level to the right: half of all directions.
const fn is_upward([east, north]: [i64; 2]) -> bool {
    north > 0 || (north == 0 && east > 0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn policy() -> SafetyPolicy {
        SafetyPolicy {
            organisation: OrganisationId(Uuid::nil()),
            robot: None,
            number: 1,
            issued_at: UnixMicros(0),
            envelope: Envelope::default(),
            workspace: Vec::new(),
            keep_out: Vec::new(),
            masks: Vec::new(),
            private: Vec::new(),
        }
    }

    fn zone(corners: &[Corner]) -> SafetyPolicy {
        SafetyPolicy {
            keep_out: vec![KeepOut {
                name: "bed".to_owned(),
                corners: corners.to_vec(),
            }],
            ..policy()
        }
    }

    const SQUARE: [Corner; 4] = [[0, 0], [1_000, 0], [1_000, 1_000], [0, 1_000]];

    #[test]
    fn what_a_robot_has_without_a_file_is_sound() {
        assert_eq!(policy().check(), Ok(()));
    }

    #[test]
    fn zones_are_convex_whichever_way_they_are_drawn() {
        let mut clockwise = SQUARE;
        clockwise.reverse();
        let star = [[0, 300], [200, -300], [-300, 100], [300, 100], [-200, -300]];
        let dent = [[0, 0], [1_000, 0], [500, 200], [0, 1_000]];
        let crossed = [[0, 0], [1_000, 1_000], [1_000, 0], [0, 1_000]];
        for (corners, expected) in [
            (&SQUARE[..], Ok(())),
            (&clockwise[..], Ok(())),
            (&SQUARE[..3], Ok(())),
            (&SQUARE[..2], Err(PolicyFlaw::NotConvex)),
            (&[][..], Err(PolicyFlaw::NotConvex)),
            (&star[..], Err(PolicyFlaw::NotConvex)),
            (&dent[..], Err(PolicyFlaw::NotConvex)),
            (&crossed[..], Err(PolicyFlaw::NotConvex)),
            (&[[0, 0]; 17][..], Err(PolicyFlaw::TooLarge)),
            (
                &[[0, 0], [i32::MIN, 0], [0, 5]][..],
                Err(PolicyFlaw::FarOff),
            ),
        ] {
            assert_eq!(zone(corners).check(), expected, "{corners:?}");
        }
    }

    #[test]
    fn bounds_that_nobody_is_safe_with_are_refused_by_name() {
        type Change = fn(&mut Envelope);
        let changes: [(&str, Change); 5] = [
            ("speed_mm_s", |envelope| envelope.speed_mm_s = 20_000),
            ("braking_mm_s2", |envelope| envelope.braking_mm_s2 = 0),
            ("dead_man_ms", |envelope| envelope.dead_man_ms = 60_000),
            ("frame_age_ms", |envelope| envelope.frame_age_ms = u32::MAX),
            ("ladder.nudge_ms", |envelope| envelope.ladder.nudge_ms = 1),
        ];
        for (name, change) in changes {
            let mut policy = policy();
            change(&mut policy.envelope);
            assert_eq!(policy.check(), Err(PolicyFlaw::OutOfBounds(name)));
        }
    }

    #[test]
    fn masks_lie_in_the_picture() {
        let mask = |corners: Vec<[u16; 2]>| SafetyPolicy {
            masks: vec![Mask {
                camera: "head".to_owned(),
                corners,
            }],
            ..policy()
        };

        assert_eq!(
            mask(vec![[0, 0], [1_000, 0], [1_000, 1_000]]).check(),
            Ok(())
        );
        assert_eq!(
            mask(vec![[0, 0], [1_001, 0], [0, 5]]).check(),
            Err(PolicyFlaw::FarOff)
        );
    }

    #[test]
    fn private_zones_are_as_sound_as_any() {
        let private = |corners: &[Corner], cameras: &[&str]| SafetyPolicy {
            private: vec![PrivateZone {
                name: "washroom".to_owned(),
                corners: corners.to_vec(),
                cameras: cameras.iter().map(|name| (*name).to_owned()).collect(),
            }],
            ..policy()
        };

        assert_eq!(private(&SQUARE, &[]).check(), Ok(()));
        assert_eq!(private(&SQUARE, &["head"]).check(), Ok(()));
        let long = "x".repeat(MAX_NAME_CHARS + 1);
        for (corners, cameras, flaw) in [
            (&SQUARE[..2], &[][..], PolicyFlaw::NotConvex),
            (&SQUARE[..], &[&*long][..], PolicyFlaw::TooLarge),
            (
                &SQUARE[..],
                &["head"; MAX_CAMERAS + 1][..],
                PolicyFlaw::TooLarge,
            ),
        ] {
            assert_eq!(private(corners, cameras).check(), Err(flaw));
        }
        let mut many = private(&SQUARE, &[]);
        many.private = vec![many.private.remove(0); MAX_PRIVATE_ZONES + 1];
        assert_eq!(many.check(), Err(PolicyFlaw::TooLarge));
    }
}
