//! Parameter sets of an H.264 stream: remembered, and put before a key frame that comes without them.
//!
//! A pipeline that sends them once at its start shows nothing to whoever joins later. Each packet that is put in moves
//! the numbers of all that follow by one, so that the stream stays without holes.

use bytes::Bytes;

use super::{
    packet::RtpPacket,
    payload::{AGGREGATE, Facts, PICTURE_PARAMETERS, SEQUENCE_PARAMETERS, aggregated},
};

/// Both sets together must fit one packet with room to spare; real ones have some 40 bytes.
const MOST_BYTES: usize = 1_000;

/// What is known of a stream's parameters.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    sequence: Option<Bytes>,
    picture: Option<Bytes>,
    /// The frame that last came with parameters, or was given some.
    served: Option<u32>,
    /// Packets put in so far.
    added: u16,
}

impl Parameters {
    /// Renumbers the packet, and gives the one to put before it if it needs one.
    pub(super) fn serve(&mut self, packet: &mut RtpPacket, facts: Facts) -> Option<RtpPacket> {
        if facts.has_parameters {
            self.remember(&packet.payload);
            self.served = Some(packet.timestamp);
        }
        let is_served = self.served == Some(packet.timestamp);
        let before = (facts.starts_key && !is_served)
            .then(|| self.aggregate())
            .flatten()
            .map(|payload| RtpPacket {
                marker: false,
                sequence: packet.sequence.wrapping_add(self.added),
                payload,
                ..packet.clone()
            });
        if before.is_some() {
            self.added = self.added.wrapping_add(1);
            self.served = Some(packet.timestamp);
        }
        packet.sequence = packet.sequence.wrapping_add(self.added);
        before
    }

    /// Another source: its parameters are not these. The numbers go on.
    pub(super) fn forget(&mut self) {
        *self = Self {
            added: self.added,
            ..Self::default()
        };
    }

    fn remember(&mut self, payload: &Bytes) {
        let Some((header, rest)) = payload.split_first() else {
            return;
        };
        if header & 0x1f == AGGREGATE {
            for unit in aggregated(rest).flatten() {
                self.keep(payload.slice_ref(unit));
            }
        } else {
            self.keep(payload.clone());
        }
    }

    fn keep(&mut self, unit: Bytes) {
        match unit.first().map(|header| header & 0x1f) {
            Some(SEQUENCE_PARAMETERS) => self.sequence = Some(unit),
            Some(PICTURE_PARAMETERS) => self.picture = Some(unit),
            _ => {}
        }
    }

    fn aggregate(&self) -> Option<Bytes> {
        let mut payload = vec![0x60 | AGGREGATE];
        for unit in [self.sequence.as_ref()?, self.picture.as_ref()?] {
            payload.extend_from_slice(&u16::try_from(unit.len()).ok()?.to_be_bytes());
            payload.extend_from_slice(unit);
        }
        (payload.len() <= MOST_BYTES).then(|| payload.into())
    }
}

#[cfg(test)]
mod tests {
    use protocol::{UnixMicros, robot::Codec};

    use super::{super::payload::facts, *};

    /// Serves a stream; gives number and first bytes of what comes out.
    fn serve(stream: &[(u16, u32, &'static [u8])]) -> Vec<(u16, Vec<u8>)> {
        let mut parameters = Parameters::default();
        let mut out = Vec::new();
        for (sequence, timestamp, payload) in stream {
            let mut packet = RtpPacket {
                payload_type: 96,
                marker: true,
                sequence: *sequence,
                timestamp: *timestamp,
                source: 1,
                payload: Bytes::from_static(payload),
                received_at: UnixMicros(0),
            };
            let facts = facts(Codec::H264, payload).unwrap();
            out.extend(parameters.serve(&mut packet, facts));
            out.push(packet);
        }
        out.into_iter()
            .map(|packet| (packet.sequence, packet.payload.to_vec()))
            .collect()
    }

    const SEQUENCE: &[u8] = &[0x67, 1];
    const PICTURE: &[u8] = &[0x68, 2];
    const KEY: &[u8] = &[0x65, 1];
    const DELTA: &[u8] = &[0x61, 1];

    #[test]
    fn a_key_frame_without_parameters_gets_the_remembered_ones_and_the_numbers_stay_whole() {
        let stream = [
            (1, 10, SEQUENCE),
            (2, 10, PICTURE),
            (3, 10, KEY),
            (4, 20, DELTA),
            (5, 30, KEY),
            (6, 30, KEY),
            (7, 40, DELTA),
        ];

        let out = serve(&stream);

        let numbers: Vec<u16> = out.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(out[4].1, [0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 2]);
        assert_eq!((&out[5].1[..], &out[6].1[..]), (KEY, KEY));
    }

    #[test]
    fn a_stream_that_carries_its_parameters_is_left_as_it_is() {
        let aggregate: &[u8] = &[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 2];
        let stream = [
            (1, 10, aggregate),
            (2, 10, KEY),
            (3, 20, aggregate),
            (4, 20, KEY),
        ];

        assert_eq!(serve(&stream).len(), 4);
    }

    #[test]
    fn without_remembered_parameters_nothing_is_made_up() {
        assert_eq!(serve(&[(1, 10, KEY), (2, 20, KEY)]).len(), 2);
    }
}
