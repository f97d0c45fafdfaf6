//! What can be said of the picture on screen: how old it is, and how well the frames come.

use std::collections::VecDeque;

use protocol::{UnixMicros, console_socket::Link, picture::FrameHash};

use crate::live::clock::{GatewayClock, micros_to_ms};

/// The frame that is on screen, all by the browser's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// When the camera took it; absent when the stream doesn't tell.
    pub captured_at: Option<UnixMicros>,
    /// When it came on screen.
    pub shown_at: UnixMicros,
}

impl Frame {
    /// From the camera's lens to the screen, in milliseconds.
    pub fn glass_to_glass_ms(&self) -> Option<f64> {
        let captured_at = self.captured_at?;
        Some(micros_to_ms(self.shown_at.since(captured_at)).max(0.0))
    }

    /// How old the picture is now: since its capture, or at least since it was shown.
    pub fn age_ms(&self, now: UnixMicros) -> f64 {
        let since = self.captured_at.unwrap_or(self.shown_at);
        micros_to_ms(now.since(since)).max(0.0)
    }
}

/// Frames of a camera that were on screen last and may still be named in a command.
pub const FRAMES_TO_NAME: usize = 8;

/// What a page knows of an encoded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// SHA-256 of its bytes.
    pub hash: FrameHash,
    /// Whether it stands alone. Browsers write into the parameter sets of some cameras' key frames, so that the robot does not know
    /// them again.
    pub is_key: bool,
}

/// Which of the frames that were on screen, the latest last, a command names, and by which hash. A frame may come on screen before
/// its hash is known: the one before it is named then, as a robot that was told hashes takes no picture without. Without any hash
/// it is the latest.
pub fn to_name<T: Copy>(
    shown: impl DoubleEndedIterator<Item = T>,
    hashed: impl Fn(T) -> Option<Hashed>,
) -> Option<(T, Option<FrameHash>)> {
    let (mut latest, mut latest_key) = (None, None);
    for frame in shown.rev() {
        latest = latest.or(Some((frame, None)));
        match hashed(frame) {
            Some(Hashed { hash, is_key }) if !is_key => return Some((frame, Some(hash))),
            Some(Hashed { hash, .. }) => latest_key = latest_key.or(Some((frame, Some(hash)))),
            None => {}
        }
    }
    latest_key.or(latest)
}

/// A moment of the robot's clock on the browser's, over the gateway's clock that both were measured against.
pub fn robot_to_browser(at: UnixMicros, link: Option<&Link>, clock: &GatewayClock) -> UnixMicros {
    let offset_us = link.map_or(0, |link| link.clock_offset_us);
    clock.to_browser(at.plus(offset_us))
}

/// Counters of one incoming video stream, as the browser adds them up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counters {
    /// When they were read, by the browser's clock.
    pub at: UnixMicros,
    /// Packets that came.
    pub received: f64,
    /// Packets that never came.
    pub lost: f64,
    /// Frames that were decoded.
    pub decoded: f64,
    /// Times that the picture froze.
    pub freezes: f64,
    /// Seconds that it was frozen.
    pub frozen_s: f64,
}

/// A minute of counters at one reading a second.
const READINGS: usize = 61;

/// Loss is shown over so many readings: short enough to see a burst, long enough to not flicker.
const LOSS_READINGS: usize = 10;

/// Frame rate is shown over so many readings.
const RATE_READINGS: usize = 3;

/// The last minute of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Minute {
    readings: VecDeque<Counters>,
}

/// How well the frames come.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// Frames per second.
    pub frames_per_second: f64,
    /// Percent of packets lost.
    pub loss_percent: f64,
    /// Freezes in the last minute.
    pub freezes: u32,
    /// Seconds frozen in the last minute.
    pub frozen_s: f64,
}

impl Minute {
    /// Takes in a reading. Counters that went back belong to a new stream.
    pub fn read(&mut self, counters: Counters) {
        if let Some(last) = self.readings.back() {
            if counters.at <= last.at {
                return;
            }
            if counters.received < last.received || counters.decoded < last.decoded {
                self.readings.clear();
            }
        }
        if self.readings.len() == READINGS {
            self.readings.pop_front();
        }
        self.readings.push_back(counters);
    }

    /// What the readings say; nothing before there are two.
    pub fn quality(&self) -> Option<Quality> {
        let last = self.readings.back()?;
        let before_last = self.readings.len().checked_sub(2)?;
        let back = |readings: usize| {
            let place = (before_last + 1).saturating_sub(readings);
            self.readings.get(place)
        };
        let rate_from = back(RATE_READINGS)?;
        let loss_from = back(LOSS_READINGS)?;
        let first = self.readings.front()?;
        let seconds = micros_to_ms(last.at.since(rate_from.at)) / 1_000.0;
        let missing = (last.lost - loss_from.lost).max(0.0);
        let sent = missing + (last.received - loss_from.received).max(0.0);
        Some(Quality {
            frames_per_second: (last.decoded - rate_from.decoded).max(0.0) / seconds.max(0.001),
            loss_percent: if sent > 0.0 {
                missing / sent * 100.0
            } else {
                0.0
            },
            freezes: whole(last.freezes - first.freezes),
            frozen_s: (last.frozen_s - first.frozen_s).max(0.0),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of freezes within a minute; casts of floats saturate"
)]
fn whole(count: f64) -> u32 {
    count.round() as u32
}

/// RTP times of video run at 90 kHz.
const RTP_TICKS_PER_MS: f64 = 90.0;

/// Two frames that are farther apart don't belong to the same stretch of a stream.
const SAME_STRETCH_MS: f64 = 5_000.0;

/// By how much one RTP time is later than another, in milliseconds; nothing when they don't belong together. RTP times wrap
/// at 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "RTP times are 32 bits wide and are meant to wrap"
)]
pub fn rtp_distance_ms(later: f64, earlier: f64) -> Option<f64> {
    let ticks = (later as u32).wrapping_sub(earlier as u32) as i32;
    let distance_ms = f64::from(ticks) / RTP_TICKS_PER_MS;
    (distance_ms.abs() < SAME_STRETCH_MS).then_some(distance_ms)
}

/// Milliseconds from 1900, where NTP begins, to 1970.
const NTP_TO_UNIX_MS: f64 = 2_208_988_800_000.0;

/// A moment as the stream's header extension states it, in milliseconds since 1900.
pub fn ntp_ms(ms: f64) -> UnixMicros {
    unix_ms(ms - NTP_TO_UNIX_MS)
}

/// A moment in milliseconds since 1970, as the browser states them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole microseconds are meant; casts of floats saturate"
)]
pub fn unix_ms(ms: f64) -> UnixMicros {
    UnixMicros((ms * 1_000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(second: i64, received: f64, lost: f64, decoded: f64) -> Counters {
        Counters {
            at: UnixMicros(second * 1_000_000),
            received,
            lost,
            decoded,
            ..Counters::default()
        }
    }

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-6
    }

    #[test]
    fn age_runs_from_capture_and_is_never_less_than_glass_to_glass() {
        let frame = Frame {
            captured_at: Some(UnixMicros(1_000_000)),
            shown_at: UnixMicros(1_084_000),
        };

        assert_eq!(frame.glass_to_glass_ms(), Some(84.0));
        assert!(near(frame.age_ms(UnixMicros(1_100_000)), 100.0));
    }

    #[test]
    fn a_stream_without_capture_times_has_an_age_but_no_glass_to_glass() {
        let frame = Frame {
            captured_at: None,
            shown_at: UnixMicros(1_000_000),
        };

        assert_eq!(frame.glass_to_glass_ms(), None);
        assert!(near(frame.age_ms(UnixMicros(1_500_000)), 500.0));
    }

    #[test]
    fn the_robots_clock_is_read_through_the_gateways() {
        let mut clock = GatewayClock::default();
        clock.learn(UnixMicros(0), UnixMicros(3_000), UnixMicros(2_000));
        let link = Link {
            rtt_ms: Some(1.0),
            clock_offset_us: 500,
            heard_at: UnixMicros(0),
        };

        let moment = robot_to_browser(UnixMicros(10_000), Some(&link), &clock);

        assert_eq!(moment, UnixMicros(8_500));
    }

    #[test]
    fn one_reading_says_nothing_and_two_say_rate_and_loss() {
        let mut minute = Minute::default();
        minute.read(counters(1, 100.0, 0.0, 30.0));
        assert_eq!(minute.quality(), None);

        minute.read(counters(2, 199.0, 1.0, 60.0));

        let quality = minute.quality().unwrap();
        assert!(near(quality.frames_per_second, 30.0));
        assert!(near(quality.loss_percent, 1.0));
    }

    #[test]
    fn a_stalled_stream_falls_to_zero_within_seconds() {
        let mut minute = Minute::default();
        for second in 1..=10 {
            minute.read(counters(second, 1_000.0, 0.0, 300.0));
        }

        assert!(near(minute.quality().unwrap().frames_per_second, 0.0));
    }

    #[test]
    fn freezes_are_those_of_the_last_minute() {
        let mut minute = Minute::default();
        for second in 0..200_i64 {
            let mut reading = counters(second, 0.0, 0.0, 0.0);
            reading.freezes = if second >= 10 { 1.0 } else { 0.0 };
            reading.frozen_s = reading.freezes * 1.2;
            minute.read(reading);
            let expected = u32::from((10..=69).contains(&second));
            let found = minute.quality().map_or(0, |quality| quality.freezes);
            assert_eq!(found, expected, "second {second}");
        }
    }

    #[test]
    fn a_new_stream_starts_a_new_minute() {
        let mut minute = Minute::default();
        minute.read(counters(1, 500.0, 50.0, 100.0));
        minute.read(counters(2, 10.0, 0.0, 5.0));

        assert_eq!(minute.quality(), None);
    }

    #[test]
    fn a_command_names_the_latest_frame_whose_hash_is_known_and_rather_none_that_a_browser_altered()
    {
        let delta = |number| {
            Some(Hashed {
                hash: FrameHash([number; 32]),
                is_key: false,
            })
        };
        let key = |number| {
            Some(Hashed {
                is_key: true,
                ..delta(number)?
            })
        };
        for (name, frames, expected) in [
            ("nothing on screen", vec![], None),
            ("no hashes", vec![None, None], Some((1, None))),
            (
                "all are known",
                vec![delta(1), delta(2)],
                Some((1, Some(2))),
            ),
            ("not hashed yet", vec![delta(1), None], Some((0, Some(1)))),
            ("a key frame", vec![delta(1), key(2)], Some((0, Some(1)))),
            (
                "after one",
                vec![key(1), delta(2), None],
                Some((1, Some(2))),
            ),
            ("key frames alone", vec![key(1), key(2)], Some((1, Some(2)))),
        ] {
            let named = to_name(0..frames.len(), |at| frames[at]);
            let expected = expected.map(|(at, hash)| (at, hash.map(|byte| FrameHash([byte; 32]))));
            assert_eq!(named, expected, "{name}");
        }
    }

    #[test]
    fn rtp_times_keep_their_distance_across_the_wrap() {
        assert_eq!(rtp_distance_ms(9_000.0, 6_000.0), Some(3_000.0 / 90.0));
        assert_eq!(rtp_distance_ms(6_000.0, 9_000.0), Some(-3_000.0 / 90.0));
        assert_eq!(rtp_distance_ms(899.0, 4_294_967_295.0), Some(10.0));
        assert_eq!(rtp_distance_ms(900_000.0, 0.0), None);
    }

    #[test]
    fn moments_of_the_stream_are_moments_of_the_world() {
        assert_eq!(ntp_ms(2_208_988_800_001.5), UnixMicros(1_500));
    }
}
