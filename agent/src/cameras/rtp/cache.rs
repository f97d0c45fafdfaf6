//! The packets since the last key frame, so that a viewer who joins late can start at once. Bounded.

use std::collections::VecDeque;

use super::{packet::RtpPacket, payload::Facts};

/// Packets that are kept: four seconds of a 1.2 Mbit/s stream.
pub(super) const MOST_PACKETS: usize = 512;
/// Bytes that are kept.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The newest group of pictures, as far as it fits.
#[derive(Debug, Default)]
pub(super) struct GroupCache {
    packets: VecDeque<RtpPacket>,
    bytes: usize,
    /// Where the frame that is coming in begins.
    frame: usize,
    has_key: bool,
}

impl GroupCache {
    /// Takes the next packet of the stream.
    pub(super) fn push(&mut self, packet: &RtpPacket, facts: Facts) {
        let is_new_frame = self
            .packets
            .back()
            .is_none_or(|last| last.timestamp != packet.timestamp);
        if is_new_frame {
            self.frame = self.packets.len();
            if !self.has_key {
                // What precedes a key frame is only of use when it belongs to it.
                self.clear();
            }
        }
        if facts.starts_key && !(self.has_key && self.frame == 0) {
            // The parameter sets before the key slice carry its timestamp and stay.
            for old in self.packets.drain(..self.frame) {
                self.bytes -= old.payload.len();
            }
            self.frame = 0;
            self.has_key = true;
        }
        self.bytes += packet.payload.len();
        self.packets.push_back(packet.clone());
        if self.packets.len() > MOST_PACKETS || self.bytes > MOST_BYTES {
            self.clear();
        }
    }

    /// Forgets everything, as after a gap.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The packets from the last key frame on; empty when there is none or it did not fit.
    pub(super) fn group(&self) -> impl Iterator<Item = &RtpPacket> {
        self.packets.iter().filter(|_| self.has_key)
    }

    /// The packets of the key frame itself.
    pub(super) fn key_frame(&self) -> Vec<RtpPacket> {
        let time = self.group().next().map(|first| first.timestamp);
        self.group()
            .take_while(|packet| Some(packet.timestamp) == time)
            .cloned()
            .collect()
    }

    /// Whether the key frame has come in to its end.
    pub(super) fn has_whole_key_frame(&self) -> bool {
        self.key_frame().last().is_some_and(|last| last.marker)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use protocol::{UnixMicros, robot::Codec};

    use super::{super::payload::facts, *};

    fn push(cache: &mut GroupCache, sequence: u16, timestamp: u32, payload: &'static [u8]) {
        let packet = RtpPacket {
            payload_type: 96,
            marker: true,
            sequence,
            timestamp,
            source: 1,
            payload: Bytes::from_static(payload),
            received_at: UnixMicros(0),
        };
        cache.push(&packet, facts(Codec::H264, payload).unwrap());
    }

    fn kept(cache: &GroupCache) -> Vec<u16> {
        cache.group().map(|packet| packet.sequence).collect()
    }

    const PARAMETERS: &[u8] = &[0x67, 1];
    const KEY: &[u8] = &[0x65, 1];
    const DELTA: &[u8] = &[0x61, 1];

    #[test]
    fn nothing_is_offered_before_a_key_frame() {
        let mut cache = GroupCache::default();
        push(&mut cache, 1, 100, DELTA);
        push(&mut cache, 2, 200, DELTA);

        assert!(kept(&cache).is_empty());
    }

    #[test]
    fn a_group_begins_with_the_parameters_of_its_key_frame() {
        let mut cache = GroupCache::default();
        push(&mut cache, 1, 100, DELTA);
        push(&mut cache, 2, 200, PARAMETERS);
        push(&mut cache, 3, 200, KEY);
        push(&mut cache, 4, 300, DELTA);
        assert_eq!(kept(&cache), [2, 3, 4]);

        push(&mut cache, 5, 400, PARAMETERS);
        push(&mut cache, 6, 400, KEY);
        push(&mut cache, 7, 400, KEY);

        assert_eq!(kept(&cache), [5, 6, 7]);
        assert_eq!(cache.key_frame().len(), 3);
    }

    #[test]
    fn a_group_that_grows_without_end_is_dropped_until_the_next_key_frame() {
        let mut cache = GroupCache::default();
        push(&mut cache, 0, 0, KEY);
        for number in 1..=600_u16 {
            push(&mut cache, number, u32::from(number) * 3_000, DELTA);
        }
        assert!(kept(&cache).is_empty());

        push(&mut cache, 700, 9_000_000, KEY);
        assert_eq!(kept(&cache), [700]);
    }
}
