//! What is asked of a camera, and when: its picture while somebody watches, a key frame when somebody needs one. Pure.

use std::time::{Duration, Instant};

/// Between two key frames asked of one camera: each costs the robot's uplink about ten ordinary frames.
pub const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);

/// An unanswered request is repeated after this: an encoder answers within a frame, the slowest link within a second.
const KEYFRAME_PATIENCE: Duration = Duration::from_secs(1);

/// How long a camera keeps sending after its last viewer left, so that a page reload does not stop it.
pub const DEMAND_LINGER: Duration = Duration::from_millis(1_500);

/// Whether a camera's picture should leave the robot, with a pause before it is switched off.
#[derive(Debug, Default)]
pub(super) struct Demand {
    told: bool,
    idle_since: Option<Instant>,
}

impl Demand {
    /// What to tell the robot now, if anything.
    pub(super) fn observe(&mut self, watched: bool, now: Instant) -> Option<bool> {
        if watched {
            self.idle_since = None;
            let news = !self.told;
            self.told = true;
            return news.then_some(true);
        }
        if !self.told {
            return None;
        }
        let since = *self.idle_since.get_or_insert(now);
        if now.saturating_duration_since(since) < DEMAND_LINGER {
            return None;
        }
        self.told = false;
        self.idle_since = None;
        Some(false)
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.idle_since.map(|since| since + DEMAND_LINGER)
    }
}

/// Spaces key frame requests out, remembers what comes too early, and repeats what was not answered: a request is one
/// datagram and may be lost.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    last: Option<Instant>,
    wanted: bool,
    asked: bool,
}

impl Throttle {
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// A key frame begins, or nobody watches any more: whoever waited for one has it.
    pub(super) fn satisfied(&mut self) {
        self.wanted = false;
        self.asked = false;
    }

    /// Whether to ask now.
    pub(super) fn due(&mut self, now: Instant) -> bool {
        let due = (self.wanted || self.asked) && self.deadline().is_none_or(|at| at <= now);
        if due {
            self.wanted = false;
            self.asked = true;
            self.last = Some(now);
        }
        due
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let pause = match (self.wanted, self.asked) {
            (true, _) => KEYFRAME_INTERVAL,
            (false, true) => KEYFRAME_PATIENCE,
            (false, false) => return None,
        };
        self.last.map(|last| last + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reload_does_not_stop_the_camera() {
        let start = Instant::now();
        let mut demand = Demand::default();

        assert_eq!(demand.observe(true, start), Some(true));
        assert_eq!(demand.observe(false, start), None);
        let reloaded = start + DEMAND_LINGER / 2;
        assert_eq!(demand.observe(true, reloaded), None);
        assert_eq!(demand.observe(false, reloaded), None);

        let after = reloaded + DEMAND_LINGER;
        assert_eq!(demand.deadline(), Some(after));
        assert_eq!(demand.observe(false, after), Some(false));
        assert_eq!(demand.observe(false, after), None);
    }

    #[test]
    fn key_frame_requests_are_spaced_out_and_none_is_forgotten() {
        let start = Instant::now();
        let mut throttle = Throttle::default();

        throttle.want();
        assert!(throttle.due(start));
        throttle.want();
        assert!(!throttle.due(start + KEYFRAME_INTERVAL / 2));
        assert_eq!(throttle.deadline(), Some(start + KEYFRAME_INTERVAL));
        assert!(throttle.due(start + KEYFRAME_INTERVAL));
        assert!(!throttle.due(start + KEYFRAME_INTERVAL * 2));
    }

    #[test]
    fn an_unanswered_key_frame_request_is_repeated_until_one_comes() {
        let start = Instant::now();
        let mut throttle = Throttle::default();

        throttle.want();
        assert!(throttle.due(start));
        assert!(throttle.due(start + KEYFRAME_PATIENCE));
        throttle.satisfied();
        assert!(!throttle.due(start + KEYFRAME_PATIENCE * 2));
        assert_eq!(throttle.deadline(), None);
    }
}
