//! Putting a frame together again from its packets (RFC 6184, RFC 7741): to make a still of it, and to know it again.

use protocol::robot::Codec;

use super::{
    packet::RtpPacket,
    payload::{AGGREGATE, FRAGMENT, aggregated, vp8_frame},
};

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// The largest frame that is put together: far above any key frame that a browser would be sent.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The frame in Annex B form; `None` when a packet is missing or unsound.
pub(super) fn access_unit(packets: &[RtpPacket]) -> Option<Vec<u8>> {
    frame_of(Codec::H264, packets)
}

/// The frame in the form in which browsers hand it out; `None` when a packet is missing or unsound.
pub(crate) fn frame_of(codec: Codec, packets: &[RtpPacket]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for pair in packets.windows(2) {
        if pair[0].sequence.wrapping_add(1) != pair[1].sequence {
            return None;
        }
    }
    for packet in packets {
        match codec {
            Codec::H264 => append(&mut bytes, &packet.payload)?,
            Codec::Vp8 => bytes.extend_from_slice(vp8_frame(&packet.payload)?),
        }
        if bytes.len() > MOST_BYTES {
            return None;
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

fn append(bytes: &mut Vec<u8>, payload: &[u8]) -> Option<()> {
    let (header, rest) = payload.split_first()?;
    match header & 0x1f {
        AGGREGATE => {
            for unit in aggregated(rest) {
                bytes.extend_from_slice(&START_CODE);
                bytes.extend_from_slice(unit?);
            }
        }
        FRAGMENT => {
            let (fragment, part) = rest.split_first()?;
            if fragment & 0x80 != 0 {
                bytes.extend_from_slice(&START_CODE);
                bytes.push(header & 0xe0 | fragment & 0x1f);
            }
            bytes.extend_from_slice(part);
        }
        _ => {
            bytes.extend_from_slice(&START_CODE);
            bytes.extend_from_slice(payload);
        }
    }
    Some(())
}
