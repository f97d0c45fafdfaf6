//! The state of one incoming stream: which source, how fast, whether it is there, what to pass on. No socket, no clock.

use std::{collections::VecDeque, time::Duration};

use protocol::{UnixMicros, robot::Codec};

use super::{
    cache::GroupCache,
    packet::{self, PacketFault, RtpPacket},
    parameters::Parameters,
    payload::{Facts, facts},
};

/// Silence after which the camera counts as without signal.
pub(super) const NO_SIGNAL_AFTER: Duration = Duration::from_secs(2);
/// Silence of the running source after which another may take its place: a restarted pipeline has a new number.
const SOURCE_GONE_AFTER: Duration = Duration::from_millis(500);
/// Span over which frames are counted.
const RATE_OVER: Duration = Duration::from_secs(2);
/// Frames that are counted at most: 120 a second.
const MOST_FRAMES_COUNTED: usize = 240;

/// Whether pictures come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Nothing has come in yet.
    Waiting,
    /// Frames come in at about this rate.
    Live {
        /// Frames in a second.
        frames_per_second: u32,
    },
    /// Nothing came in for two seconds.
    Lost,
}

/// What came in so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IntakeCounters {
    /// Packets taken.
    pub packets: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Key frames that began.
    pub key_frames: u64,
    /// Packets that never came, by their numbers.
    pub missing: u64,
    /// Datagrams larger than an Ethernet frame.
    pub oversized: u64,
    /// Datagrams that were no sound packet of the encoding.
    pub malformed: u64,
    /// RTCP datagrams.
    pub control: u64,
    /// Packets of another stream while one was running.
    pub foreign: u64,
    /// Packets that nobody took in time.
    pub overrun: u64,
}

/// What passes on to the publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Nobody wants it.
    Shut,
    /// Wanted, and waiting for a key frame.
    BeforeKey,
    /// Everything passes.
    Open,
}

/// One incoming stream.
#[derive(Debug)]
pub(super) struct Intake {
    codec: Codec,
    cache: GroupCache,
    parameters: Parameters,
    counters: IntakeCounters,
    gate: Gate,
    source: Option<u32>,
    sequence: u16,
    last_at: Option<Duration>,
    /// When frames ended.
    frames: VecDeque<Duration>,
}

impl Intake {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            cache: GroupCache::default(),
            parameters: Parameters::default(),
            counters: IntakeCounters::default(),
            gate: Gate::Shut,
            source: None,
            sequence: 0,
            last_at: None,
            frames: VecDeque::with_capacity(MOST_FRAMES_COUNTED),
        }
    }

    pub(super) const fn counters(&self) -> IntakeCounters {
        self.counters
    }

    pub(super) const fn cache(&self) -> &GroupCache {
        &self.cache
    }

    /// Opens or shuts the gate. What opening lets through at once: the packets since the last key frame.
    pub(super) fn set_wanted(&mut self, is_wanted: bool) -> Vec<RtpPacket> {
        match (is_wanted, self.gate) {
            (false, _) => {
                self.gate = Gate::Shut;
                Vec::new()
            }
            (true, Gate::Shut) => {
                let group: Vec<RtpPacket> = self.cache.group().cloned().collect();
                self.gate = if group.is_empty() {
                    Gate::BeforeKey
                } else {
                    Gate::Open
                };
                group
            }
            (true, Gate::BeforeKey | Gate::Open) => Vec::new(),
        }
    }

    /// The publisher took no more: nothing passes until the next key frame, since a stream with a hole can't be decoded.
    pub(super) fn overran(&mut self, packets: u64) {
        self.counters.overrun += packets;
        if self.gate == Gate::Open {
            self.gate = Gate::BeforeKey;
        }
    }

    /// Takes a datagram. Gives the packets to pass on: none, this one, or with it those of its frame that came before.
    pub(super) fn take(
        &mut self,
        datagram: &[u8],
        now: Duration,
        received_at: UnixMicros,
    ) -> Result<Vec<RtpPacket>, PacketFault> {
        let taken = self.sort(datagram, now, received_at);
        let counter = match taken {
            Ok(_) => return taken,
            Err(PacketFault::Oversized) => &mut self.counters.oversized,
            Err(PacketFault::Malformed) => &mut self.counters.malformed,
            Err(PacketFault::Control) => &mut self.counters.control,
            Err(PacketFault::Foreign) => &mut self.counters.foreign,
        };
        *counter += 1;
        taken
    }

    fn sort(
        &mut self,
        datagram: &[u8],
        now: Duration,
        received_at: UnixMicros,
    ) -> Result<Vec<RtpPacket>, PacketFault> {
        let mut packet = packet::parse(datagram, received_at)?;
        let facts = facts(self.codec, &packet.payload).ok_or(PacketFault::Malformed)?;
        self.follow(&packet, now)?;
        self.counters.packets += 1;
        self.counters.bytes += packet.payload.len() as u64;
        self.counters.key_frames += u64::from(facts.starts_key);
        self.last_at = Some(now);
        if packet.marker {
            self.count_frame(now);
        }
        let before = self.parameters.serve(&mut packet, facts);
        if let Some(parameters) = &before {
            self.cache.push(parameters, Facts::default());
        }
        self.cache.push(&packet, facts);
        if self.gate == Gate::BeforeKey && facts.starts_key {
            self.gate = Gate::Open;
            return Ok(self.cache.group().cloned().collect());
        }
        Ok(match self.gate {
            Gate::Shut | Gate::BeforeKey => Vec::new(),
            Gate::Open => before.into_iter().chain([packet]).collect(),
        })
    }

    /// Stays with one source as long as it is there, and counts what is missing of it.
    fn follow(&mut self, packet: &RtpPacket, now: Duration) -> Result<(), PacketFault> {
        if self.source == Some(packet.source) {
            let step = packet.sequence.wrapping_sub(self.sequence);
            // Less than half the circle ahead is a gap, else a packet that came late.
            if (1..0x8000).contains(&step) {
                self.counters.missing += u64::from(step - 1);
                self.sequence = packet.sequence;
            }
            return Ok(());
        }
        let is_running = self
            .last_at
            .is_some_and(|last| now.saturating_sub(last) < SOURCE_GONE_AFTER);
        if is_running {
            return Err(PacketFault::Foreign);
        }
        self.source = Some(packet.source);
        self.sequence = packet.sequence;
        self.cache.clear();
        self.parameters.forget();
        self.frames.clear();
        if self.gate == Gate::Open {
            self.gate = Gate::BeforeKey;
        }
        Ok(())
    }

    fn count_frame(&mut self, now: Duration) {
        if self.frames.len() == MOST_FRAMES_COUNTED {
            self.frames.pop_front();
        }
        self.frames.push_back(now);
    }

    /// Whether pictures come in, as of `now`.
    pub(super) fn signal(&mut self, now: Duration) -> Signal {
        let Some(last) = self.last_at else {
            return Signal::Waiting;
        };
        if now.saturating_sub(last) >= NO_SIGNAL_AFTER {
            return Signal::Lost;
        }
        while let Some(first) = self.frames.front()
            && now.saturating_sub(*first) > RATE_OVER
        {
            self.frames.pop_front();
        }
        let span = match (self.frames.front(), self.frames.back()) {
            (Some(first), Some(last)) => last.saturating_sub(*first),
            _ => Duration::ZERO,
        };
        let frames = u128::try_from(self.frames.len().saturating_sub(1)).unwrap_or_default();
        let micros = span.as_micros().max(1);
        let rate = (frames * 1_000_000 + micros / 2) / micros;
        Signal::Live {
            frames_per_second: u32::try_from(rate).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMicros = UnixMicros(5);
    const KEY: &[u8] = &[0x65, 1];
    const DELTA: &[u8] = &[0x61, 1];

    fn datagram(source: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        let mut bytes = vec![0x80, 0xe0, high, low, 0, 0, high, low, 0, 0, 0, source];
        bytes.extend_from_slice(payload);
        bytes
    }

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn numbers(packets: Result<Vec<RtpPacket>, PacketFault>) -> Vec<u16> {
        packets
            .unwrap()
            .iter()
            .map(|packet| packet.sequence)
            .collect()
    }

    #[test]
    fn an_unwanted_stream_passes_nothing_on() {
        let mut intake = Intake::new(Codec::H264);

        assert!(numbers(intake.take(&datagram(1, 1, KEY), at(0), NOW)).is_empty());
        assert!(numbers(intake.take(&datagram(1, 2, DELTA), at(33), NOW)).is_empty());

        assert_eq!(intake.counters().packets, 2);
    }

    #[test]
    fn whoever_joins_late_gets_the_group_from_its_key_frame_and_then_what_follows() {
        let mut intake = Intake::new(Codec::H264);
        for (sequence, payload) in [(1, DELTA), (2, KEY), (3, DELTA)] {
            intake
                .take(&datagram(1, sequence, payload), at(0), NOW)
                .unwrap();
        }

        let burst = intake.set_wanted(true);

        assert_eq!(numbers(Ok(burst)), [2, 3]);
        assert_eq!(
            numbers(intake.take(&datagram(1, 4, DELTA), at(40), NOW)),
            [4]
        );
        assert!(intake.set_wanted(true).is_empty());
    }

    #[test]
    fn without_a_key_frame_the_stream_waits_for_one() {
        let mut intake = Intake::new(Codec::H264);
        assert!(intake.set_wanted(true).is_empty());

        assert!(numbers(intake.take(&datagram(1, 1, DELTA), at(0), NOW)).is_empty());
        assert_eq!(numbers(intake.take(&datagram(1, 2, KEY), at(33), NOW)), [2]);
        assert_eq!(
            numbers(intake.take(&datagram(1, 3, DELTA), at(66), NOW)),
            [3]
        );
    }

    #[test]
    fn after_an_overrun_the_stream_goes_on_with_a_key_frame() {
        let mut intake = Intake::new(Codec::H264);
        intake.take(&datagram(1, 1, KEY), at(0), NOW).unwrap();
        intake.set_wanted(true);

        intake.overran(1);

        assert!(numbers(intake.take(&datagram(1, 2, DELTA), at(33), NOW)).is_empty());
        assert_eq!(numbers(intake.take(&datagram(1, 3, KEY), at(66), NOW)), [3]);
        assert_eq!(intake.counters().overrun, 1);
    }

    #[test]
    fn a_second_source_is_kept_out_until_the_first_is_gone() {
        let mut intake = Intake::new(Codec::H264);
        intake.take(&datagram(1, 1, KEY), at(0), NOW).unwrap();

        let too_early = intake.take(&datagram(2, 9, KEY), at(400), NOW);
        let later = intake.take(&datagram(2, 10, KEY), at(600), NOW);

        assert_eq!(too_early, Err(PacketFault::Foreign));
        assert!(later.is_ok());
        assert_eq!(intake.counters().foreign, 1);
        assert_eq!(intake.counters().missing, 0);
    }

    #[test]
    fn the_signal_is_waited_for_measured_and_missed_after_two_seconds() {
        let mut intake = Intake::new(Codec::H264);
        assert_eq!(intake.signal(at(9_000)), Signal::Waiting);

        for frame in 0..60_u16 {
            let now = at(u64::from(frame) * 40);
            intake.take(&datagram(1, frame, KEY), now, NOW).unwrap();
        }

        let live = Signal::Live {
            frames_per_second: 25,
        };
        assert_eq!(intake.signal(at(2_400)), live);
        assert_eq!(
            intake.signal(at(4_359)),
            Signal::Live {
                frames_per_second: 0
            }
        );
        assert_eq!(intake.signal(at(4_360)), Signal::Lost);
    }

    #[test]
    fn missing_packets_are_counted_across_the_wrap_and_late_ones_are_not() {
        let mut intake = Intake::new(Codec::H264);
        for sequence in [65_533, 65_535, 0, 3, 2] {
            intake
                .take(&datagram(1, sequence, DELTA), at(0), NOW)
                .unwrap();
        }

        assert_eq!(intake.counters().missing, 3);
    }

    #[test]
    fn every_fault_is_counted_under_its_name() {
        let mut intake = Intake::new(Codec::H264);
        let mut control = datagram(1, 1, &[0; 20]);
        control[1] = 200;
        for bytes in [
            vec![1, 2, 3],
            datagram(1, 1, &[0x7f]),
            vec![0x80; 1_501],
            control,
        ] {
            intake.take(&bytes, at(0), NOW).unwrap_err();
        }

        let counters = intake.counters();
        assert_eq!(
            (counters.malformed, counters.oversized, counters.control),
            (2, 1, 1)
        );
        assert_eq!(counters.packets, 0);
    }
}
