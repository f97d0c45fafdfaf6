//! How much of each kind one robot may send, so that one that floods costs the others nothing.

use std::time::Duration;

use protocol::drive::MAX_DRIVES_PER_S;
use tokio::time::Instant;

use super::dropped;

/// Reports come ten times a second; after a stalled link, three seconds of them may come at once.
const TELEMETRY: Rate = Rate {
    every: Duration::from_nanos(33_333_333),
    burst: 30,
};

/// Scans come no more often than reports.
const SCANS: Rate = TELEMETRY;

/// An advert changes when a part of the robot breaks or mends; each one goes whole to every console.
const ADVERTS: Rate = Rate {
    every: Duration::from_millis(500),
    burst: 10,
};

/// Whom a robot trusts changes with every grant that it is shown; the newest counts.
const TRUSTS: Rate = ADVERTS;

/// One still a second is asked for; a stalled link lets a few come at once.
const STILLS: Rate = Rate {
    every: Duration::from_millis(250),
    burst: 4,
};

/// What pages want of a robot's wheels, of one view or one console.
const DRIVES: Rate = Rate {
    every: Duration::from_micros(1_000_000 / MAX_DRIVES_PER_S as u64),
    burst: MAX_DRIVES_PER_S / 4,
};

/// What one view, or one console, may still want of a robot's wheels.
#[derive(Debug)]
pub(super) struct Drives(Bucket);

impl Drives {
    pub(super) const fn new(now: Instant) -> Self {
        Self(Bucket::full(DRIVES, now))
    }

    /// Whether one more is within bounds now; counts what is not.
    pub(super) fn takes(&mut self, now: Instant) -> bool {
        let is_taken = self.0.takes(now);
        if !is_taken {
            dropped("drive");
        }
        is_taken
    }
}

/// What is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Telemetry,
    Scan,
    Advert,
    Trust,
    Still,
}

impl Kind {
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Telemetry => "telemetry",
            Self::Scan => "scan",
            Self::Advert => "advert",
            Self::Trust => "trust",
            Self::Still => "still",
        }
    }
}

/// One each so often in the long run, and so many at once.
#[derive(Debug, Clone, Copy)]
struct Rate {
    every: Duration,
    burst: u32,
}

/// What one session may still send.
#[derive(Debug)]
pub(super) struct Allowance {
    telemetry: Bucket,
    scans: Bucket,
    adverts: Bucket,
    trusts: Bucket,
    stills: Bucket,
}

impl Allowance {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            telemetry: Bucket::full(TELEMETRY, now),
            scans: Bucket::full(SCANS, now),
            adverts: Bucket::full(ADVERTS, now),
            trusts: Bucket::full(TRUSTS, now),
            stills: Bucket::full(STILLS, now),
        }
    }

    /// Whether one more of `kind` is within bounds now.
    pub(super) fn takes(&mut self, kind: Kind, now: Instant) -> bool {
        let bucket = match kind {
            Kind::Telemetry => &mut self.telemetry,
            Kind::Scan => &mut self.scans,
            Kind::Advert => &mut self.adverts,
            Kind::Trust => &mut self.trusts,
            Kind::Still => &mut self.stills,
        };
        bucket.takes(now)
    }

    /// The same, and counts what is not.
    pub(super) fn takes_or_drops(&mut self, kind: Kind, now: Instant) -> bool {
        let is_taken = self.takes(kind, now);
        if !is_taken {
            dropped(kind.label());
        }
        is_taken
    }
}

#[derive(Debug)]
struct Bucket {
    rate: Rate,
    /// When the bucket is full again.
    full_at: Instant,
}

impl Bucket {
    const fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, full_at: now }
    }

    fn takes(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.rate.every;
        let is_taken = full_at - now <= self.rate.every * self.rate.burst;
        if is_taken {
            self.full_at = full_at;
        }
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_flood_of_drive_commands_no_more_pass_than_the_fastest_page_sends() {
        let start = Instant::now();
        let mut drives = Drives::new(start);
        let passed = (0..4_000).filter(|ms| drives.takes(start + Duration::from_millis(*ms)));

        let (most, passed) = (MAX_DRIVES_PER_S as usize, passed.count());

        assert!(
            (3 * most..=4 * most + most / 4 + 1).contains(&passed),
            "{passed}"
        );
    }
}
