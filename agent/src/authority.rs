//! Under which epoch of control the robot may be moved: it believes the highest that it ever heard of, never goes back, and
//! counts the time of who steers by its own clock. Pure.

use protocol::{
    command::RobotRefusal,
    control::{ControlNotice, ControlSpan},
    limits::CONTROL_LASTS_MS,
};
use serde::{Deserialize, Serialize};

/// What has to outlast a restart, so that nobody steers under an epoch that the robot knew to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// The highest epoch that was ever heard of; 0 for none.
    pub epoch: u64,
    /// Whether nobody may steer under it any more.
    pub is_over: bool,
    /// Whether the robot is stopped until somebody releases it.
    #[serde(default)]
    pub is_stopped: bool,
}

/// Guards what moves the robot at a person's wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Authority {
    known: Remembered,
    /// By the robot's monotonic clock: who steers is gone by then unless they are heard of.
    until_tick_ms: u64,
}

/// What a notice means for what the robot is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it is what the robot knows, or older.
    None,
    /// Who steered until now does not any more.
    PassedOn,
    /// They let go: what they did holds the robot up no longer.
    LetGo,
}

impl Authority {
    /// What was known before the agent started. Who steered has to be heard of again.
    pub const fn remembering(known: Remembered) -> Self {
        Self {
            known,
            until_tick_ms: 0,
        }
    }

    /// What has to be kept on disk.
    pub const fn remembered(&self) -> Remembered {
        self.known
    }

    /// The gateway says who steers, or that nobody does.
    pub fn hear(&mut self, notice: &ControlNotice, tick_ms: u64) -> Change {
        if notice.epoch < self.known.epoch {
            return Change::None;
        }
        let is_newer = notice.epoch > self.known.epoch;
        let was_over = self.known.is_over;
        match notice.held {
            Some(span) if is_newer => {
                self.begin(notice.epoch, until(span, tick_ms));
                Change::PassedOn
            }
            // What is over stays over: an old notice may come late.
            Some(_) if was_over => Change::None,
            Some(span) => {
                self.until_tick_ms = self.until_tick_ms.max(until(span, tick_ms));
                Change::None
            }
            None => {
                self.known = Remembered {
                    epoch: notice.epoch,
                    is_over: true,
                    ..self.known
                };
                match (was_over && !is_newer, notice.is_let_go) {
                    (true, _) => Change::None,
                    (false, true) => Change::LetGo,
                    (false, false) => Change::PassedOn,
                }
            }
        }
    }

    /// Whether the robot may be moved under `epoch` at this tick.
    pub const fn admit(&self, epoch: Option<u64>, tick_ms: u64) -> Result<(), RobotRefusal> {
        match epoch {
            Some(epoch) if epoch == self.known.epoch && self.is_held(tick_ms) => Ok(()),
            Some(_) | None => Err(RobotRefusal::StaleEpoch),
        }
    }

    /// Whether `epoch` is one that the robot has not heard of yet.
    pub fn is_ahead(&self, epoch: Option<u64>) -> bool {
        epoch > Some(self.known.epoch)
    }

    /// Whether nobody may steer under `epoch` any more.
    pub const fn is_past(&self, epoch: u64) -> bool {
        epoch < self.known.epoch || (epoch == self.known.epoch && self.known.is_over)
    }

    /// Whether somebody steers the robot, as far as it knows.
    pub const fn is_held(&self, tick_ms: u64) -> bool {
        self.known.epoch > 0 && !self.known.is_over && tick_ms < self.until_tick_ms
    }

    const fn begin(&mut self, epoch: u64, until_tick_ms: u64) {
        self.known = Remembered {
            epoch,
            is_over: false,
            ..self.known
        };
        self.until_tick_ms = until_tick_ms;
    }
}

/// Until which tick a span lasts. One from the future comes from another run of the agent and is worth nothing; none is worth
/// more than the longest.
fn until(span: ControlSpan, tick_ms: u64) -> u64 {
    if span.seen_tick_ms > tick_ms {
        return 0;
    }
    let lasts_ms = span.lasts_ms.min(CONTROL_LASTS_MS);
    span.seen_tick_ms.saturating_add(u64::from(lasts_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 100_000;

    fn held(epoch: u64, seen_tick_ms: u64) -> ControlNotice {
        ControlNotice {
            epoch,
            held: Some(ControlSpan {
                seen_tick_ms,
                lasts_ms: CONTROL_LASTS_MS,
            }),
            is_let_go: false,
        }
    }

    const fn over(epoch: u64) -> ControlNotice {
        ControlNotice {
            epoch,
            held: None,
            is_let_go: false,
        }
    }

    const REFUSED: Result<(), RobotRefusal> = Err(RobotRefusal::StaleEpoch);

    #[test]
    fn only_who_steers_now_moves_the_robot() {
        let mut authority = Authority::default();
        assert_eq!(authority.admit(Some(0), NOW), REFUSED);
        assert_eq!(authority.admit(None, NOW), REFUSED);

        assert_eq!(authority.hear(&held(7, NOW), NOW), Change::PassedOn);

        assert_eq!(authority.admit(Some(7), NOW), Ok(()));
        for epoch in [None, Some(6), Some(8)] {
            assert_eq!(authority.admit(epoch, NOW), REFUSED, "{epoch:?}");
        }
    }

    #[test]
    fn an_older_epoch_never_comes_back_whoever_says_so() {
        let mut authority = Authority::default();
        authority.hear(&held(7, NOW), NOW);
        authority.hear(&held(8, NOW), NOW);

        assert_eq!(authority.hear(&held(7, NOW), NOW), Change::None);
        assert_eq!(authority.hear(&over(7), NOW), Change::None);

        assert_eq!(authority.admit(Some(7), NOW), REFUSED);
        assert_eq!(authority.admit(Some(8), NOW), Ok(()));
    }

    #[test]
    fn an_epoch_that_is_over_stays_over() {
        let mut authority = Authority::default();
        authority.hear(&held(7, NOW), NOW);

        assert_eq!(authority.hear(&over(7), NOW), Change::PassedOn);
        assert_eq!(authority.hear(&held(7, NOW), NOW), Change::None);

        assert_eq!(authority.admit(Some(7), NOW), REFUSED);
        assert_eq!(authority.hear(&over(7), NOW), Change::None);
    }

    #[test]
    fn who_lets_go_is_told_apart_from_who_lost_it_and_only_once() {
        let let_go = ControlNotice {
            is_let_go: true,
            ..over(7)
        };
        let mut authority = Authority::default();
        authority.hear(&held(7, NOW), NOW);

        assert_eq!(authority.hear(&let_go, NOW), Change::LetGo);
        assert_eq!(authority.hear(&let_go, NOW), Change::None);
    }

    #[test]
    fn who_is_not_heard_of_steers_no_more_by_the_robots_own_clock() {
        let lasts = u64::from(CONTROL_LASTS_MS);
        let mut authority = Authority::default();
        authority.hear(&held(7, NOW), NOW);

        assert_eq!(authority.admit(Some(7), NOW + lasts - 1), Ok(()));
        assert_eq!(authority.admit(Some(7), NOW + lasts), REFUSED);

        // A notice counts from the tick that it names, however long it was under way.
        authority.hear(&held(7, NOW + 1_000), NOW + 14_000);
        assert_eq!(authority.admit(Some(7), NOW + 1_000 + lasts - 1), Ok(()));
        assert_eq!(authority.admit(Some(7), NOW + 1_000 + lasts), REFUSED);
    }

    #[test]
    fn no_notice_lasts_longer_than_the_longest_and_none_from_another_run_at_all() {
        let mut authority = Authority::default();
        let boundless = ControlNotice {
            epoch: 7,
            held: Some(ControlSpan {
                seen_tick_ms: NOW,
                lasts_ms: u32::MAX,
            }),
            is_let_go: false,
        };
        authority.hear(&boundless, NOW);
        assert!(!authority.is_held(NOW + u64::from(CONTROL_LASTS_MS)));

        authority.hear(&held(8, NOW + 1), NOW);
        assert!(!authority.is_held(NOW));
    }

    #[test]
    fn a_restart_forgets_nothing_that_was_over_and_who_steered_has_to_be_heard_of() {
        let mut before = Authority::default();
        before.hear(&held(7, NOW), NOW);
        let mut again = Authority::remembering(before.remembered());
        assert_eq!(again.admit(Some(7), 10), REFUSED);
        again.hear(&held(7, 10), 10);
        assert_eq!(again.admit(Some(7), 10), Ok(()));

        before.hear(&over(7), NOW);
        let mut again = Authority::remembering(before.remembered());
        again.hear(&held(7, 10), 10);
        assert_eq!(again.admit(Some(7), 10), REFUSED);
        again.hear(&held(6, 10), 10);
        assert_eq!(again.admit(Some(6), 10), REFUSED);
    }
}
