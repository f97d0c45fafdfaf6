//! What links are like on which robots are reached, one direction at a time.
//!
//! Figures are published ones where there are any. Wi-Fi: delay and rates of the profile "Wi-Fi" of Apple's Network Link Conditioner;
//! loss 1 % and jitter within 30 ms from RFC 8868 and RFC 8867. 4G: the profile "4G" of Loadero's network conditions (45 ms, jitter
//! 5 and 15 ms, 0.2 % loss, 100 and 50 Mbit/s). Satellite: the extreme latency of RFC 8868 (300 ms), which is that of a geostationary
//! one; its rates are ours, more than a camera needs, so that the delay alone is tried. Lossy: low latency (50 ms) and 10 % loss of
//! RFC 8868, with one packet in a hundred that overtakes.

use std::time::Duration;

/// No published jitter goes further: RFC 8867.
const MOST_JITTER: Duration = Duration::from_millis(30);

/// One direction of a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    /// From one end to the other, at least.
    pub delay: Duration,
    /// Standard deviation of what comes on top, of which there is never less than none.
    pub jitter: Duration,
    /// The most that comes on top.
    pub most_jitter: Duration,
    /// Share of packets that are lost, each by itself.
    pub loss: f64,
    /// Share of packets that take half the delay, and so overtake.
    pub overtaking: f64,
    /// Bits a second; without it every packet takes no time to send.
    pub bits_per_s: Option<u64>,
}

impl Way {
    /// A wire.
    pub const CLEAR: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        most_jitter: MOST_JITTER,
        loss: 0.0,
        overtaking: 0.0,
        bits_per_s: None,
    };
}

/// A link as one of its ends has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// To the robot.
    pub down: Way,
    /// From the robot.
    pub up: Way,
}

impl Profile {
    /// The relay alone.
    pub const CLEAR: Self = Self {
        down: Way::CLEAR,
        up: Way::CLEAR,
    };

    /// A building's wireless network.
    pub const WIFI: Self = Self {
        down: Way {
            delay: Duration::from_millis(1),
            jitter: Duration::from_millis(5),
            loss: 0.01,
            bits_per_s: Some(40_000_000),
            ..Way::CLEAR
        },
        up: Way {
            delay: Duration::from_millis(1),
            jitter: Duration::from_millis(5),
            loss: 0.01,
            bits_per_s: Some(33_000_000),
            ..Way::CLEAR
        },
    };

    /// A mobile network.
    pub const MOBILE: Self = Self {
        down: Way {
            delay: Duration::from_millis(45),
            jitter: Duration::from_millis(5),
            loss: 0.002,
            bits_per_s: Some(100_000_000),
            ..Way::CLEAR
        },
        up: Way {
            delay: Duration::from_millis(45),
            jitter: Duration::from_millis(15),
            loss: 0.002,
            bits_per_s: Some(50_000_000),
            ..Way::CLEAR
        },
    };

    /// By a geostationary satellite.
    pub const SATELLITE: Self = Self {
        down: Way {
            delay: Duration::from_millis(300),
            bits_per_s: Some(50_000_000),
            ..Way::CLEAR
        },
        up: Way {
            delay: Duration::from_millis(300),
            bits_per_s: Some(10_000_000),
            ..Way::CLEAR
        },
    };

    /// A link at the end of its reach.
    pub const LOSSY: Self = {
        let way = Way {
            delay: Duration::from_millis(50),
            jitter: Duration::from_millis(5),
            loss: 0.1,
            overtaking: 0.01,
            bits_per_s: Some(10_000_000),
            ..Way::CLEAR
        };
        Self { down: way, up: way }
    };
}
