//! The authority ladder: the later a person sees and the later a robot hears, the less they may do. Pure; the robot goes by it
//! and says where it stands.
//!
//! Measured is the *control delay*: how old the picture on the person's screen is when their command gets to the robot. A robot
//! can tell that by itself, from the capture time that the command names and its own clock.

use serde::{Deserialize, Serialize};

/// What a person may do at a robot just now. The higher, the more. Codes are frozen.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Answer questions.
    #[default]
    Question,
    /// Set targets, to which the robot finds its own way.
    Waypoint,
    /// Drive slowly, a short way at each press.
    Nudge,
    /// Drive.
    Drive,
}

impl Level {
    /// From the most to the least.
    pub const ALL: [Self; 4] = [Self::Drive, Self::Nudge, Self::Waypoint, Self::Question];
}

/// The control delays up to which each step is left, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Driving.
    pub drive_ms: u32,
    /// Nudging.
    pub nudge_ms: u32,
    /// Setting targets.
    pub waypoint_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            drive_ms: 250,
            nudge_ms: 500,
            waypoint_ms: 2_000,
        }
    }
}

impl Limits {
    /// The delay above which this step is taken away; nothing takes the last one.
    pub const fn of(&self, level: Level) -> u32 {
        match level {
            Level::Drive => self.drive_ms,
            Level::Nudge => self.nudge_ms,
            Level::Waypoint => self.waypoint_ms,
            Level::Question => u32::MAX,
        }
    }

    /// The highest step at this delay.
    pub fn at(&self, delay_ms: u32) -> Level {
        let left = |level: &Level| delay_ms <= self.of(*level);
        (Level::ALL.into_iter().find(left)).unwrap_or_default()
    }
}

/// A step returns once the delay was so far under its limit…
pub const RETURNS_UNDER_MS: u32 = 20;

/// …for so long.
pub const RETURNS_AFTER_MS: u64 = 5_000;

/// Without a measure for so long nothing is known of the delay.
pub const UNMEASURED_AFTER_MS: u64 = 1_000;

/// One late command is no late link: each measure counts for a quarter.
const SMOOTHING: u32 = 4;

/// Measures after which the first step up is taken: half a second of them.
const FIRST_MEASURES: u32 = 5;

/// Where a robot's authority for who steers it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ladder {
    level: Level,
    /// Smoothed, milliseconds.
    delay_ms: Option<u32>,
    measured_at_ms: u64,
    measures: u32,
    /// Since when the delay was low enough for the next step up, and for which.
    better_since: Option<(Level, u64)>,
    /// Whether a step was ever taken away since the start: then the way back takes its time.
    was_lowered: bool,
}

impl Ladder {
    /// What may be done.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The smoothed control delay, milliseconds; absent while nothing is known.
    pub const fn delay_ms(&self) -> Option<u32> {
        self.delay_ms
    }

    /// Whether a step was ever taken away.
    pub const fn was_lowered(&self) -> bool {
        self.was_lowered
    }

    /// How long from now until the next step is back, if all stays as it is.
    pub fn returns_in_ms(&self, now_ms: u64) -> Option<u64> {
        let (_, since) = self.better_since?;
        Some(RETURNS_AFTER_MS.saturating_sub(now_ms.saturating_sub(since)))
    }

    /// Takes in one measure of the control delay. `now_ms` never goes back.
    pub fn measure(&mut self, limits: &Limits, delay_ms: u32, now_ms: u64) {
        let smoothed = match self.delay_ms {
            Some(before) => {
                let weighed = u64::from(before) * u64::from(SMOOTHING - 1) + u64::from(delay_ms);
                u32::try_from(weighed / u64::from(SMOOTHING)).unwrap_or(u32::MAX)
            }
            None => delay_ms,
        };
        self.delay_ms = Some(smoothed);
        self.measured_at_ms = now_ms;
        self.measures = self.measures.saturating_add(1);
        let allowed = limits.at(smoothed);
        if allowed < self.level {
            self.lower(allowed);
        }
        self.rise(limits, smoothed, now_ms);
    }

    /// Lets time pass: what is not measured any more is not known.
    pub const fn lapse(&mut self, now_ms: u64) {
        let is_known = self.delay_ms.is_some();
        if is_known && now_ms.saturating_sub(self.measured_at_ms) > UNMEASURED_AFTER_MS {
            self.delay_ms = None;
            self.measures = 0;
            self.lower(Level::Question);
        }
    }

    const fn lower(&mut self, to: Level) {
        self.level = to;
        self.better_since = None;
        self.was_lowered = true;
    }

    fn rise(&mut self, limits: &Limits, smoothed: u32, now_ms: u64) {
        let reachable = limits.at(smoothed.saturating_add(RETURNS_UNDER_MS));
        if reachable <= self.level {
            self.better_since = None;
            return;
        }
        if !self.was_lowered {
            // The start: nothing was taken away, so that nothing has to be waited for but a few measures.
            if self.measures >= FIRST_MEASURES {
                self.level = reachable;
            }
            return;
        }
        // The step that every measure since then would have allowed.
        let (level, since) = match self.better_since {
            Some((level, since)) => (level.min(reachable), since),
            None => (reachable, now_ms),
        };
        self.better_since = Some((level, since));
        if now_ms.saturating_sub(since) >= RETURNS_AFTER_MS {
            self.level = level;
            self.better_since = None;
        }
    }
}

/// How fast a robot may be driven at this control delay, if it may be driven at `most` without one: never so far in the time
/// that nobody sees, `most · 200 ms / delay`.
pub fn speed_cap_mm_s(most: u32, delay_ms: u32) -> u32 {
    const FULL_UP_TO_MS: u64 = 200;
    let delay = u64::from(delay_ms).max(FULL_UP_TO_MS);
    u32::try_from(u64::from(most) * FULL_UP_TO_MS / delay).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        drive_ms: 250,
        nudge_ms: 500,
        waypoint_ms: 2_000,
    };

    /// A ladder that measured `delay_ms` twenty times a second from `from_ms` on for so long.
    fn run(ladder: &mut Ladder, delay_ms: u32, from_ms: u64, for_ms: u64) -> u64 {
        let mut now = from_ms;
        while now < from_ms + for_ms {
            ladder.measure(&LIMITS, delay_ms, now);
            now += 50;
        }
        now
    }

    #[test]
    fn nothing_is_allowed_before_anything_was_measured() {
        let ladder = Ladder::default();

        assert_eq!(ladder.level(), Level::Question);
        assert_eq!(ladder.delay_ms(), None);
    }

    #[test]
    fn each_step_is_left_up_to_its_limit_and_taken_above_it() {
        for (delay, level) in [
            (0, Level::Drive),
            (250, Level::Drive),
            (251, Level::Nudge),
            (500, Level::Nudge),
            (501, Level::Waypoint),
            (2_000, Level::Waypoint),
            (2_001, Level::Question),
            (u32::MAX, Level::Question),
        ] {
            assert_eq!(LIMITS.at(delay), level, "{delay}");
        }
    }

    #[test]
    fn a_sweep_of_delays_never_leaves_more_than_the_limits_allow() {
        for delay in (0..2_600).step_by(10) {
            let mut ladder = Ladder::default();
            run(&mut ladder, 100, 0, 1_000);
            run(&mut ladder, delay, 1_000, 4_000);

            assert!(ladder.level() <= LIMITS.at(delay), "{delay}");
        }
    }

    #[test]
    fn a_step_is_lost_at_once_and_comes_back_after_five_seconds_well_under_its_limit() {
        let mut ladder = Ladder::default();
        let now = run(&mut ladder, 100, 0, 1_000);
        assert_eq!(ladder.level(), Level::Drive);

        let now = run(&mut ladder, 400, now, 500);
        assert_eq!(ladder.level(), Level::Nudge);

        let now = run(&mut ladder, 240, now, 20_000);
        assert_eq!(ladder.level(), Level::Nudge, "only just under the limit");

        let now = run(&mut ladder, 200, now, 4_900);
        assert_eq!(ladder.level(), Level::Nudge, "not long enough");
        run(&mut ladder, 200, now, 700);
        assert_eq!(ladder.level(), Level::Drive);
    }

    #[test]
    fn one_late_command_takes_nothing_and_a_late_second_does() {
        let mut ladder = Ladder::default();
        let now = run(&mut ladder, 100, 0, 1_000);

        ladder.measure(&LIMITS, 600, now);
        assert_eq!(ladder.level(), Level::Drive);

        run(&mut ladder, 600, now, 1_000);
        assert_eq!(ladder.level(), Level::Waypoint);
    }

    #[test]
    fn what_is_not_measured_any_more_is_not_allowed_any_more() {
        let mut ladder = Ladder::default();
        let now = run(&mut ladder, 100, 0, 1_000);

        ladder.lapse(now + UNMEASURED_AFTER_MS - 100);
        assert_eq!(ladder.level(), Level::Drive);
        ladder.lapse(now + UNMEASURED_AFTER_MS + 100);

        assert_eq!(ladder.level(), Level::Question);
        assert_eq!(ladder.delay_ms(), None);
    }

    #[test]
    fn speed_falls_in_proportion_to_the_delay() {
        for (delay, cap) in [(0, 900), (200, 900), (400, 450), (500, 360), (2_000, 90)] {
            assert_eq!(speed_cap_mm_s(900, delay), cap);
        }
    }
}
