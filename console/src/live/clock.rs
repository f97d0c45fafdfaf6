//! How far the gateway is, in time, and how its clock differs from the browser's.

use protocol::UnixMicros;

/// Pings that are remembered: at one every two seconds, the last quarter of a minute.
const SAMPLES: usize = 8;

/// What the pings taught.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GatewayClock {
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    rtt_us: i64,
    ahead_us: i64,
}

impl GatewayClock {
    /// Learns from an answered ping.
    pub fn learn(&mut self, sent_at: UnixMicros, gateway_at: UnixMicros, now: UnixMicros) {
        let rtt_us = now.since(sent_at);
        if rtt_us < 0 {
            return;
        }
        if self.samples.len() == SAMPLES {
            self.samples.remove(0);
        }
        self.samples.push(Sample {
            rtt_us,
            ahead_us: gateway_at.since(sent_at.plus(rtt_us / 2)),
        });
    }

    /// A first guess, before any ping came back: as if the frame had taken no time.
    pub fn guess(&mut self, gateway_at: UnixMicros, now: UnixMicros) {
        if self.samples.is_empty() {
            self.samples.push(Sample {
                rtt_us: i64::MAX,
                ahead_us: gateway_at.since(now),
            });
        }
    }

    /// Round trip of the latest ping in milliseconds.
    pub fn rtt_ms(&self) -> Option<f64> {
        let latest = self.samples.last()?;
        (latest.rtt_us != i64::MAX).then(|| micros_to_ms(latest.rtt_us))
    }

    /// Microseconds that the gateway's clock is ahead of the browser's: of the quickest ping, since the slow part of a
    /// round trip is rarely shared evenly by its two halves.
    pub fn gateway_ahead_us(&self) -> i64 {
        self.samples
            .iter()
            .min_by_key(|sample| sample.rtt_us)
            .map_or(0, |sample| sample.ahead_us)
    }

    /// A moment of the gateway's clock on the browser's.
    pub fn to_browser(&self, gateway: UnixMicros) -> UnixMicros {
        gateway.plus(-self.gateway_ahead_us())
    }
}

/// Microseconds as milliseconds. Spans that people wait for lose nothing in this.
#[expect(
    clippy::cast_precision_loss,
    reason = "spans stay far below 2^53 microseconds, which is 285 years"
)]
pub fn micros_to_ms(micros: i64) -> f64 {
    micros as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_ping_sets_the_clock_and_the_latest_the_distance() {
        let mut clock = GatewayClock::default();

        clock.learn(UnixMicros(0), UnixMicros(5_010), UnixMicros(20));
        clock.learn(UnixMicros(1_000), UnixMicros(9_000), UnixMicros(3_000));

        assert_eq!(clock.gateway_ahead_us(), 5_000);
        assert_eq!(clock.rtt_ms(), Some(2.0));
        assert_eq!(clock.to_browser(UnixMicros(5_500)), UnixMicros(500));
    }

    #[test]
    fn a_guess_holds_only_until_the_first_ping() {
        let mut clock = GatewayClock::default();

        clock.guess(UnixMicros(900), UnixMicros(0));
        assert_eq!((clock.gateway_ahead_us(), clock.rtt_ms()), (900, None));

        clock.learn(UnixMicros(0), UnixMicros(505), UnixMicros(10));
        assert_eq!(clock.gateway_ahead_us(), 500);
    }

    #[test]
    fn a_ping_that_came_back_before_it_left_teaches_nothing() {
        let mut clock = GatewayClock::default();

        clock.learn(UnixMicros(100), UnixMicros(0), UnixMicros(50));

        assert_eq!(clock, GatewayClock::default());
    }
}
