//! What becomes of each packet that enters one direction of a link. Pure: time is an argument, chance comes of a seed, and the n-th
//! packet meets the same chance whenever it comes.

use std::{f64::consts::TAU, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};

use super::profile::Way;

/// What waits longer than this to be sent finds the queue full, as in a modem of the bloated kind.
const LONGEST_QUEUE: Duration = Duration::from_millis(500);

/// What becomes of a packet. Times are since the link was laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing arrives.
    Dropped,
    /// It arrives then.
    DeliveredAt(Duration),
}

/// Whether the link works at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// As its profile says.
    Carries,
    /// It is a black hole.
    Drops,
    /// It stalls: what enters comes out then, all at once.
    HoldsUntil(Duration),
}

/// One direction.
#[derive(Debug)]
pub struct Pipe {
    way: Way,
    line: Line,
    chance: Xoshiro256PlusPlus,
    /// When the last packet that was taken has been sent.
    free_at: Duration,
    /// When the last one arrives.
    last_at: Duration,
}

impl Pipe {
    /// Empty, and working.
    pub fn new(way: Way, seed: u64) -> Self {
        Self {
            way,
            line: Line::Carries,
            chance: Xoshiro256PlusPlus::seed_from_u64(seed),
            free_at: Duration::ZERO,
            last_at: Duration::ZERO,
        }
    }

    /// From now on.
    pub const fn set(&mut self, line: Line) {
        self.line = line;
    }

    /// A packet enters. `now` never goes back.
    pub fn decide(&mut self, now: Duration, packet_bytes: usize) -> Fate {
        // Drawn for every packet, whatever becomes of it.
        let is_lost = self.chance.random::<f64>() < self.way.loss;
        let overtakes = self.chance.random::<f64>() < self.way.overtaking;
        let jitter = self.jitter();
        let begins = self.free_at.max(now);
        if self.line == Line::Drops || begins.saturating_sub(now) > LONGEST_QUEUE {
            return Fate::Dropped;
        }
        self.free_at = begins + self.takes(packet_bytes);
        // It was sent, and is lost in the air.
        if is_lost {
            return Fate::Dropped;
        }
        let arrives = if overtakes {
            self.free_at + self.way.delay / 2
        } else {
            (self.free_at + self.way.delay + jitter).max(self.last_at)
        };
        let arrives = match self.line {
            Line::Carries | Line::Drops => arrives,
            Line::HoldsUntil(end) => arrives.max(end),
        };
        self.last_at = self.last_at.max(arrives);
        Fate::DeliveredAt(arrives)
    }

    /// How long it takes to send so much.
    fn takes(&self, bytes: usize) -> Duration {
        let nanoseconds = |rate: u64| {
            let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(8);
            bits.saturating_mul(1_000_000_000) / rate.max(1)
        };
        self.way.bits_per_s.map_or(Duration::ZERO, |rate| {
            Duration::from_nanos(nanoseconds(rate))
        })
    }

    /// The upper half of a normal distribution, cut off (Box and Muller).
    fn jitter(&mut self) -> Duration {
        // Never the logarithm of nothing.
        let radius = 1.0 - self.chance.random::<f64>();
        let angle = self.chance.random::<f64>() * TAU;
        let deviations = ((-2.0 * radius.ln()).sqrt() * angle.cos()).abs();
        (self.way.jitter.mul_f64(deviations)).min(self.way.most_jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::profile::Profile;

    const PACKET: usize = 1_200;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// A packet every five milliseconds: no queue in any profile.
    fn fates(way: Way, seed: u64, packets: u32) -> Vec<Fate> {
        let mut pipe = Pipe::new(way, seed);
        (0..packets)
            .map(|packet| pipe.decide(ms(5) * packet, PACKET))
            .collect()
    }

    #[test]
    fn a_wire_delivers_at_once_and_a_delay_delivers_so_much_later() {
        let late = Way {
            delay: ms(300),
            ..Way::CLEAR
        };

        assert_eq!(
            Pipe::new(Way::CLEAR, 1).decide(ms(7), PACKET),
            Fate::DeliveredAt(ms(7))
        );
        assert_eq!(
            Pipe::new(late, 1).decide(ms(7), PACKET),
            Fate::DeliveredAt(ms(307))
        );
    }

    #[test]
    fn the_same_seed_repeats_and_another_does_not() {
        let way = Profile::LOSSY.down;

        assert_eq!(fates(way, 7, 2_000), fates(way, 7, 2_000));
        assert_ne!(fates(way, 7, 2_000), fates(way, 8, 2_000));
    }

    #[test]
    fn as_many_are_lost_as_the_profile_says() {
        let lost = |way| {
            let fates = fates(way, 3, 20_000);
            fates.iter().filter(|fate| **fate == Fate::Dropped).count()
        };

        assert_eq!(lost(Profile::SATELLITE.up), 0);
        assert!((1_800..2_200).contains(&lost(Profile::LOSSY.up)));
        assert!((150..250).contains(&lost(Profile::WIFI.up)));
    }

    #[test]
    fn jitter_only_adds_is_bounded_and_turns_nothing_around() {
        let way = Profile::MOBILE.up;

        let arrivals: Vec<(u32, Duration)> = (0..)
            .zip(fates(way, 5, 20_000))
            .filter_map(|(packet, fate)| match fate {
                Fate::DeliveredAt(at) => Some((packet, at)),
                Fate::Dropped => None,
            })
            .collect();

        for (packet, at) in &arrivals {
            let took = at.saturating_sub(ms(5) * *packet);
            assert!(took >= way.delay && took <= way.delay + way.most_jitter + ms(1));
        }
        assert!(arrivals.is_sorted_by_key(|(_, at)| *at));
        assert!(
            arrivals
                .iter()
                .any(|(packet, at)| *at > ms(5) * *packet + way.delay + ms(20))
        );
    }

    #[test]
    fn one_in_a_hundred_overtakes_where_the_profile_says_so() {
        let arrivals: Vec<Duration> = fates(Profile::LOSSY.up, 9, 20_000)
            .into_iter()
            .filter_map(|fate| match fate {
                Fate::DeliveredAt(at) => Some(at),
                Fate::Dropped => None,
            })
            .collect();

        let turned = arrivals.windows(2).filter(|pair| pair[1] < pair[0]).count();

        assert!((120..250).contains(&turned), "{turned}");
    }

    #[test]
    fn a_full_line_queues_and_then_drops() {
        let slow = Way {
            bits_per_s: Some(96_000),
            ..Way::CLEAR
        };
        let mut pipe = Pipe::new(slow, 1);

        let fates: Vec<Fate> = (0..8).map(|_| pipe.decide(ms(0), PACKET)).collect();

        // A tenth of a second each; the seventh would begin to be sent after more than half a second.
        assert_eq!(fates[0], Fate::DeliveredAt(ms(100)));
        assert_eq!(fates[5], Fate::DeliveredAt(ms(600)));
        assert_eq!(fates[6..], [Fate::Dropped, Fate::Dropped]);
        assert_eq!(pipe.decide(ms(200), PACKET), Fate::DeliveredAt(ms(700)));
    }

    #[test]
    fn a_black_hole_swallows_and_a_stall_lets_everything_out_at_its_end() {
        let mut pipe = Pipe::new(Way::CLEAR, 1);

        pipe.set(Line::Drops);
        let swallowed = pipe.decide(ms(1), PACKET);
        pipe.set(Line::HoldsUntil(ms(800)));
        let held = [pipe.decide(ms(2), PACKET), pipe.decide(ms(700), PACKET)];
        let after = pipe.decide(ms(900), PACKET);
        pipe.set(Line::Carries);

        assert_eq!(swallowed, Fate::Dropped);
        assert_eq!(held, [Fate::DeliveredAt(ms(800)); 2]);
        assert_eq!(after, Fate::DeliveredAt(ms(900)));
        assert_eq!(pipe.decide(ms(901), PACKET), Fate::DeliveredAt(ms(901)));
    }

    #[test]
    fn a_black_hole_in_between_leaves_the_chances_of_later_packets_as_they_were() {
        let way = Profile::LOSSY.down;
        let mut pipe = Pipe::new(way, 7);

        let with_a_gap: Vec<Fate> = (0..400)
            .map(|packet: u32| {
                pipe.set(if (100..200).contains(&packet) {
                    Line::Drops
                } else {
                    Line::Carries
                });
                pipe.decide(ms(5) * packet, PACKET)
            })
            .collect();

        let whole = fates(way, 7, 400);
        assert!(
            with_a_gap[100..200]
                .iter()
                .all(|fate| *fate == Fate::Dropped)
        );
        assert_eq!(with_a_gap[230..], whole[230..]);
    }
}
