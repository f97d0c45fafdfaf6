//! Turns frames into RTP packets and foreign RTP packets into ours. Pure.

use bytes::Bytes;
use rtc::{
    rtp::{
        self,
        codec::{h264::H264Payloader, vp8::Vp8Payloader},
        header::Header,
        packetizer::Payloader,
    },
    shared::error::Result,
};

use super::{
    camera::{AccessUnit, ForeignPacket},
    engine::VideoCodec,
};

/// Payload, header, extension and tag stay within 1 200 bytes, which passes every tunnel we know of.
const PAYLOAD_BYTES: usize = 1_160;

/// Seconds from 1900 to 1970.
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// A foreign source that jumps by more than this has restarted or was not listened to: not a loss to be repaired.
const LOSS_LIMIT: u16 = 64;

/// What the gateway agreed to for one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) payload_type: u8,
    pub(crate) capture_time: Option<u8>,
}

/// Numbers one camera's packets.
pub(crate) struct Packets {
    ssrc: u32,
    payloader: Box<dyn Payloader>,
    next: u16,
    foreign: Option<Foreign>,
}

struct Foreign {
    highest: u16,
    offset: u16,
    timestamp: u32,
}

impl Packets {
    pub(crate) fn new(ssrc: u32, first: u16, codec: VideoCodec) -> Self {
        Self {
            ssrc,
            payloader: match codec {
                VideoCodec::H264 => Box::<H264Payloader>::default(),
                VideoCodec::Vp8 => Box::<Vp8Payloader>::default(),
            },
            next: first,
            foreign: None,
        }
    }

    /// The packets of one frame, in order. The first and the last carry the capture time.
    pub(crate) fn of_frame(
        &mut self,
        unit: &AccessUnit,
        agreement: Agreement,
    ) -> Result<Vec<rtp::Packet>> {
        let payloads = self.payloader.payload(PAYLOAD_BYTES, &unit.bytes)?;
        let last = payloads.len().saturating_sub(1);
        let mut packets = Vec::with_capacity(payloads.len());
        for (index, payload) in payloads.into_iter().enumerate() {
            let mut header = self.header(agreement, unit.rtp_time, index == last);
            header.sequence_number = self.next;
            self.next = self.next.wrapping_add(1);
            if index == 0 || index == last {
                stamp(&mut header, agreement, unit.capture_unix_us)?;
            }
            packets.push(rtp::Packet { header, payload });
        }
        self.foreign = None;
        Ok(packets)
    }

    /// A packet of a foreign source: its payload, marker and time are kept, gaps of lost packets too.
    pub(crate) fn of_foreign(
        &mut self,
        packet: &ForeignPacket,
        agreement: Agreement,
    ) -> Result<rtp::Packet> {
        let next = self.next;
        let foreign = self.foreign.get_or_insert(Foreign {
            highest: packet.sequence.wrapping_sub(1),
            offset: next.wrapping_sub(packet.sequence),
            timestamp: packet.timestamp.wrapping_sub(1),
        });
        let ahead = packet.sequence.wrapping_sub(foreign.highest);
        let behind = foreign.highest.wrapping_sub(packet.sequence);
        if ahead > LOSS_LIMIT && behind > LOSS_LIMIT {
            foreign.offset = next.wrapping_sub(packet.sequence);
            foreign.highest = packet.sequence;
        } else if ahead <= LOSS_LIMIT {
            foreign.highest = packet.sequence;
        }
        let begins_frame = foreign.timestamp != packet.timestamp;
        foreign.timestamp = packet.timestamp;
        let sequence = packet.sequence.wrapping_add(foreign.offset);
        self.next = foreign.highest.wrapping_add(foreign.offset).wrapping_add(1);

        let mut header = self.header(agreement, packet.timestamp, packet.marker);
        header.sequence_number = sequence;
        if begins_frame || packet.marker {
            stamp(&mut header, agreement, packet.capture_unix_us)?;
        }
        Ok(rtp::Packet {
            header,
            payload: packet.payload.clone(),
        })
    }

    fn header(&self, agreement: Agreement, timestamp: u32, marker: bool) -> Header {
        Header {
            version: 2,
            marker,
            payload_type: agreement.payload_type,
            timestamp,
            ssrc: self.ssrc,
            ..Header::default()
        }
    }
}

fn stamp(header: &mut Header, agreement: Agreement, capture_unix_us: u64) -> Result<()> {
    let Some(id) = agreement.capture_time else {
        return Ok(());
    };
    let value = Bytes::copy_from_slice(&ntp_of_unix_us(capture_unix_us).to_be_bytes());
    header.set_extension(id, value)
}

/// A moment as the capture time extension writes it: NTP seconds in 32.32 fixed point.
fn ntp_of_unix_us(unix_us: u64) -> u64 {
    let seconds = unix_us / 1_000_000 + NTP_TO_UNIX_SECONDS;
    let fraction = ((unix_us % 1_000_000) << 32) / 1_000_000;
    (seconds << 32) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGREEMENT: Agreement = Agreement {
        payload_type: 102,
        capture_time: Some(3),
    };

    fn foreign(sequence: u16, timestamp: u32, marker: bool) -> ForeignPacket {
        ForeignPacket {
            marker,
            sequence,
            timestamp,
            payload: Bytes::from_static(&[0x41, 1]),
            capture_unix_us: 1_000_000,
        }
    }

    #[test]
    fn a_frame_is_cut_into_packets_that_fit_and_are_stamped_at_both_ends() {
        let mut packets = Packets::new(7, 65_535, VideoCodec::H264);
        let mut bytes = vec![0, 0, 0, 1, 0x65];
        bytes.resize(5_000, 0xaa);
        let unit = AccessUnit {
            bytes: bytes.into(),
            is_keyframe: true,
            rtp_time: 90,
            capture_unix_us: 1_500_000,
        };

        let cut = packets.of_frame(&unit, AGREEMENT).unwrap();

        assert!(cut.len() >= 4);
        assert!(
            cut.iter()
                .all(|packet| packet.payload.len() <= PAYLOAD_BYTES)
        );
        let sequences: Vec<u16> = cut
            .iter()
            .map(|packet| packet.header.sequence_number)
            .collect();
        assert_eq!(sequences[..3], [65_535, 0, 1]);
        let last = cut.last().unwrap();
        assert!(last.header.marker && !cut[0].header.marker);
        let expected = (NTP_TO_UNIX_SECONDS + 1) << 32 | 1 << 31;
        for end in [&cut[0], last] {
            let value = end.header.get_extension(3).unwrap();
            assert_eq!(value, expected.to_be_bytes().as_slice());
        }
        assert!(cut[1].header.get_extension(3).is_none());
    }

    #[test]
    fn a_foreign_loss_stays_a_gap_and_a_foreign_restart_does_not() {
        let mut packets = Packets::new(7, 100, VideoCodec::H264);
        let mut number = |sequence| {
            let packet = foreign(sequence, u32::from(sequence), true);
            let ours = packets.of_foreign(&packet, AGREEMENT).unwrap();
            ours.header.sequence_number
        };

        assert_eq!(number(5_000), 100);
        assert_eq!(number(5_003), 103);
        assert_eq!(number(5_002), 102);
        assert_eq!(number(5_004), 104);
        assert_eq!(number(40_000), 105);
        assert_eq!(number(40_001), 106);
    }

    #[test]
    fn frames_and_foreign_packets_share_one_numbering() {
        let mut packets = Packets::new(7, 10, VideoCodec::H264);
        packets
            .of_foreign(&foreign(900, 1, true), AGREEMENT)
            .unwrap();
        let unit = AccessUnit {
            bytes: Bytes::from_static(&[0, 0, 0, 1, 0x41, 9]),
            is_keyframe: false,
            rtp_time: 2,
            capture_unix_us: 1,
        };

        let cut = packets.of_frame(&unit, AGREEMENT).unwrap();

        assert_eq!(cut[0].header.sequence_number, 11);
    }
}
