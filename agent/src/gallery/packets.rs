//! Frames of a stream that comes in as RTP, put together from its packets.

use protocol::{UnixMicros, robot::Codec};

use crate::cameras::rtp::{RtpPacket, frame_of, starts_key};

/// Packets of one frame at most: a key frame of 2 MiB.
const MOST_PACKETS: usize = 2_048;

/// A frame whose last packet came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PacketsFrame {
    /// Its bytes; none when a packet of it is missing.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) is_key: bool,
    pub(super) captured_at: UnixMicros,
    /// Whether packets are missing before it.
    pub(super) follows_gap: bool,
}

/// The packets of the frame that is coming in.
#[derive(Debug, Default)]
pub(super) struct FrameOfPackets {
    packets: Vec<RtpPacket>,
    last: Option<u16>,
    has_gap: bool,
}

impl FrameOfPackets {
    /// Takes a packet; gives the frame that it ends.
    pub(super) fn push(&mut self, codec: Codec, packet: &RtpPacket) -> Option<PacketsFrame> {
        let is_next = self
            .last
            .is_none_or(|last| last.wrapping_add(1) == packet.sequence);
        self.has_gap |= !is_next;
        self.last = Some(packet.sequence);
        let is_same =
            (self.packets.first()).is_none_or(|first| first.timestamp == packet.timestamp);
        if !is_same || self.packets.len() >= MOST_PACKETS {
            // Its end never came.
            self.has_gap = true;
            self.packets.clear();
        }
        self.packets.push(packet.clone());
        if !packet.marker {
            return None;
        }
        let packets = std::mem::take(&mut self.packets);
        let is_key = packets
            .iter()
            .any(|packet| starts_key(codec, &packet.payload));
        let captured_at = packets.first()?.received_at;
        Some(PacketsFrame {
            bytes: frame_of(codec, &packets),
            is_key,
            captured_at,
            follows_gap: std::mem::take(&mut self.has_gap),
        })
    }
}
