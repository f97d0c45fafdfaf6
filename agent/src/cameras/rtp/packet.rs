//! One RTP packet (RFC 3550), read from a datagram with every length checked.

use bytes::Bytes;
use protocol::UnixMicros;

/// The largest datagram that is taken: an Ethernet frame. Larger ones would be cut on the way to a viewer.
pub(super) const MOST_BYTES: usize = 1_500;
const FIXED_HEADER: usize = 12;
/// RTCP packet types as they appear in the second byte when both share a port.
const CONTROL: std::ops::RangeInclusive<u8> = 192..=223;

/// A packet of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    /// What the source calls its encoding.
    pub payload_type: u8,
    /// Last packet of its frame.
    pub marker: bool,
    /// Rises by one from packet to packet, wraps.
    pub sequence: u16,
    /// The frame's time on a 90 kHz clock, wraps.
    pub timestamp: u32,
    /// Which stream.
    pub source: u32,
    /// What the encoding's payload format says.
    pub payload: Bytes,
    /// When it came in, by the robot's wall clock: the best guess at its capture time.
    pub received_at: UnixMicros,
}

/// Why a datagram was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketFault {
    /// Larger than an Ethernet frame.
    #[error("the datagram is larger than {MOST_BYTES} bytes")]
    Oversized,
    /// Not RTP, or lengths that don't add up.
    #[error("the datagram is not a sound RTP packet")]
    Malformed,
    /// RTCP, which is not used here.
    #[error("the datagram is RTCP")]
    Control,
    /// From another stream than the one that is running.
    #[error("another stream is running")]
    Foreign,
}

/// Reads a datagram.
pub(super) fn parse(datagram: &[u8], received_at: UnixMicros) -> Result<RtpPacket, PacketFault> {
    if datagram.len() > MOST_BYTES {
        return Err(PacketFault::Oversized);
    }
    let (header, rest) = datagram
        .split_first_chunk::<FIXED_HEADER>()
        .ok_or(PacketFault::Malformed)?;
    let [flags, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *header;
    if flags >> 6 != 2 {
        return Err(PacketFault::Malformed);
    }
    if CONTROL.contains(&kind) {
        return Err(PacketFault::Control);
    }
    let payload = strip(flags, rest).ok_or(PacketFault::Malformed)?;
    Ok(RtpPacket {
        payload_type: kind & 0x7f,
        marker: kind & 0x80 != 0,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        source: u32::from_be_bytes([c0, c1, c2, c3]),
        payload: Bytes::copy_from_slice(payload),
        received_at,
    })
}

/// Drops contributing sources, header extension and padding; `None` when they claim more than there is.
fn strip(flags: u8, rest: &[u8]) -> Option<&[u8]> {
    let contributors = usize::from(flags & 0x0f) * 4;
    let mut rest = rest.get(contributors..)?;
    if flags & 0x10 != 0 {
        let (head, tail) = rest.split_first_chunk::<4>()?;
        let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
        rest = tail.get(words * 4..)?;
    }
    if flags & 0x20 != 0 {
        let padding = usize::from(*rest.last()?);
        if padding == 0 {
            return None;
        }
        rest = rest.get(..rest.len().checked_sub(padding)?)?;
    }
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: UnixMicros = UnixMicros(7);

    fn datagram(flags: u8, after_header: &[u8]) -> Vec<u8> {
        let mut bytes = vec![flags, 0xe0, 1, 2, 0, 0, 3, 4, 9, 9, 9, 9];
        bytes.extend_from_slice(after_header);
        bytes
    }

    #[test]
    fn a_packet_is_read_with_everything_around_its_payload_dropped() {
        let contributor = [0, 0, 0, 5];
        let extension = [0xbe, 0xde, 0, 1, 1, 2, 3, 4];
        let mut rest = Vec::new();
        rest.extend_from_slice(&contributor);
        rest.extend_from_slice(&extension);
        rest.extend_from_slice(&[0x65, 0x42, 0, 2]);

        let packet = parse(&datagram(0xb1, &rest), NOW).unwrap();

        assert_eq!(packet.payload[..], [0x65, 0x42]);
        assert_eq!((packet.payload_type, packet.marker), (96, true));
        assert_eq!((packet.sequence, packet.timestamp), (0x0102, 0x0304));
        assert_eq!((packet.source, packet.received_at), (0x0909_0909, NOW));
    }

    #[test]
    fn what_is_no_packet_is_turned_away_with_its_reason() {
        let cases: [(&str, Vec<u8>, PacketFault); 9] = [
            ("empty", Vec::new(), PacketFault::Malformed),
            (
                "cut short",
                datagram(0x80, &[])[..11].to_vec(),
                PacketFault::Malformed,
            ),
            ("version 1", datagram(0x40, &[1]), PacketFault::Malformed),
            ("no payload", datagram(0x80, &[]), PacketFault::Malformed),
            (
                "contributors missing",
                datagram(0x8f, &[1; 20]),
                PacketFault::Malformed,
            ),
            (
                "extension too long",
                datagram(0x90, &[0, 0, 0xff, 0xff, 1]),
                PacketFault::Malformed,
            ),
            (
                "padding too long",
                datagram(0xa0, &[1, 200]),
                PacketFault::Malformed,
            ),
            (
                "padding of nothing",
                datagram(0xa0, &[1, 0]),
                PacketFault::Malformed,
            ),
            (
                "too large",
                datagram(0x80, &[1; 1_489]),
                PacketFault::Oversized,
            ),
        ];
        for (name, bytes, fault) in cases {
            assert_eq!(parse(&bytes, NOW), Err(fault), "{name}");
        }
        let mut report = datagram(0x80, &[1; 16]);
        report[1] = 200;
        assert_eq!(parse(&report, NOW), Err(PacketFault::Control));
    }

    proptest! {
        #[test]
        fn no_datagram_whatsoever_makes_the_reader_fail(
            bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        ) {
            if let Ok(packet) = parse(&bytes, NOW) {
                prop_assert!(!packet.payload.is_empty());
                prop_assert!(packet.payload.len() + FIXED_HEADER <= bytes.len());
            }
        }
    }
}
