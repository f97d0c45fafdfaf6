//! How long to wait before the next try. Pure: chance is an argument.

use std::time::Duration;

/// The first wait: a gateway that restarts is back within a second or two.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait. With it 200 robots come back within ten seconds, forty a second at most.
const LONGEST: Duration = Duration::from_secs(5);

/// A session that lasted this long proves that the gateway is well: the next wait starts small again.
pub(super) const WELL_AFTER: Duration = Duration::from_secs(10);

/// Counts failures in a row.
#[derive(Debug)]
pub(crate) struct BackOff {
    failures: u32,
    longest: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self::up_to(LONGEST)
    }
}

impl BackOff {
    /// Whose waits grow to `longest`.
    pub(crate) const fn up_to(longest: Duration) -> Self {
        Self {
            failures: 0,
            longest,
        }
    }

    /// It worked: the next wait starts small again.
    pub(crate) const fn note_success(&mut self) {
        self.failures = 0;
    }

    /// A session lasted `lasted`; then it ended.
    pub(super) fn note_session(&mut self, lasted: Duration) {
        if lasted >= WELL_AFTER {
            self.note_success();
        }
    }

    /// The wait before the next try. `chance` in 0..1 spreads a fleet that lost its gateway in the same moment.
    pub(crate) fn next_wait(&mut self, chance: f64) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32 << self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        doubled
            .min(self.longest)
            .mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_are_spread() {
        let mut back_off = BackOff::default();

        let waits: Vec<_> = (0..8).map(|_| back_off.next_wait(1.0)).collect();

        assert_eq!(waits[0], FIRST);
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waits[7], LONGEST);
        assert_eq!(back_off.next_wait(0.0), LONGEST / 2);
    }

    #[test]
    fn a_good_session_makes_the_next_wait_small_again_and_a_short_one_does_not() {
        let mut back_off = BackOff::default();
        for _ in 0..6 {
            back_off.next_wait(1.0);
        }

        back_off.note_session(Duration::from_secs(1));
        assert_eq!(back_off.next_wait(1.0), LONGEST);
        back_off.note_session(WELL_AFTER);

        assert_eq!(back_off.next_wait(1.0), FIRST);
    }
}
