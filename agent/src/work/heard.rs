//! What the gateway last said that a job is done by: the job itself, what is recorded of it, and what time it is there.

use std::sync::Arc;

use protocol::{UnixMicros, job::Assignment};

/// What the gateway said of the robot's job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Told {
    /// Nothing since the agent started.
    #[default]
    Nothing,
    /// That it holds none.
    NoJob,
    /// The whole of it.
    Job(Arc<Assignment>),
}

/// All of it, as the link keeps it up to date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// The job.
    pub told: Told,
    /// Rises each time that the gateway says so, also when it says the same.
    pub times: u64,
    /// The robot's events up to this number are recorded.
    pub held: u64,
    /// Its clock.
    pub clock: GatewayClock,
}

impl Heard {
    /// The gateway says this.
    pub fn tell(&mut self, told: Told) {
        self.told = told;
        self.times += 1;
    }
}

/// Microseconds that the better of two clocks may be off in a second: a ping of yesterday says little about today.
const DRIFT_US: i64 = 100;

/// What time it is at the gateway, as its pings tell. Windows that it grants are by that clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GatewayClock {
    /// Its wall clock less the robot's monotonic one; always a little late, by the fastest ping's way here.
    ahead_us: Option<i64>,
}

impl GatewayClock {
    /// Something that the gateway sent at `at` is here. Called about once a second while there is a session.
    pub fn note(&mut self, at: UnixMicros, tick_ms: u64) {
        let sample = at.0.saturating_sub(micros(tick_ms));
        let before = self.ahead_us.map(|before| before - DRIFT_US);
        self.ahead_us = Some(before.map_or(sample, |before| before.max(sample)));
    }

    /// The gateway's time, or the robot's own while that is not known.
    pub fn at(&self, tick_ms: u64, own: UnixMicros) -> UnixMicros {
        self.ahead_us
            .map_or(own, |ahead_us| UnixMicros(micros(tick_ms)).plus(ahead_us))
    }
}

fn micros(tick_ms: u64) -> i64 {
    i64::try_from(tick_ms)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: UnixMicros = UnixMicros(5);

    #[test]
    fn the_fastest_ping_says_what_time_it_is_and_the_robots_own_clock_may_be_wrong() {
        let mut clock = GatewayClock::default();
        assert_eq!(clock.at(1_000, OWN), OWN);

        clock.note(UnixMicros(50_000_000), 1_080);
        clock.note(UnixMicros(51_000_000), 2_010);
        clock.note(UnixMicros(52_000_000), 3_400);

        // The second was 10 ms under way by a clock that began at 49 s; a ping's worth of drift is taken off.
        assert_eq!(clock.at(2_010, OWN), UnixMicros(51_000_000 - DRIFT_US));
    }

    #[test]
    fn a_slow_drift_is_followed() {
        let mut clock = GatewayClock::default();
        clock.note(UnixMicros(0), 0);
        for second in 1..=100_u32 {
            // The robot's clock gains 50 µs a second.
            clock.note(
                UnixMicros(i64::from(second) * 999_950),
                u64::from(second) * 1_000,
            );
        }

        assert_eq!(clock.at(100_000, OWN), UnixMicros(99_995_000));
    }
}
