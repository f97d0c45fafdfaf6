//! What a payload says about its frame: whether a key frame starts in it. H.264 (RFC 6184) and VP8 (RFC 7741).

use protocol::robot::Codec;

/// H.264 unit types that matter here.
const SLICE_OF_KEY_FRAME: u8 = 5;
pub(super) const SEQUENCE_PARAMETERS: u8 = 7;
pub(super) const PICTURE_PARAMETERS: u8 = 8;
pub(super) const AGGREGATE: u8 = 24;
pub(super) const FRAGMENT: u8 = 28;

/// What a payload holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// A decoder can start with this frame.
    pub(super) starts_key: bool,
    /// H.264: what a decoder needs before a key frame.
    pub(super) has_parameters: bool,
}

/// Reads a payload; `None` when it is not of this encoding.
pub(super) fn facts(codec: Codec, payload: &[u8]) -> Option<Facts> {
    match codec {
        Codec::H264 => h264(payload),
        Codec::Vp8 => vp8(payload),
    }
}

fn h264(payload: &[u8]) -> Option<Facts> {
    let (header, rest) = payload.split_first()?;
    match header & 0x1f {
        kind @ 1..=23 => Some(unit(kind)),
        AGGREGATE => {
            let mut facts = Facts::default();
            for unit_bytes in aggregated(rest) {
                let found = unit(unit_bytes?.first()? & 0x1f);
                facts.starts_key |= found.starts_key;
                facts.has_parameters |= found.has_parameters;
            }
            Some(facts)
        }
        FRAGMENT => {
            let fragment = rest.first()?;
            let is_start = fragment & 0x80 != 0;
            let found = unit(fragment & 0x1f);
            Some(if is_start { found } else { Facts::default() })
        }
        _ => None,
    }
}

fn unit(kind: u8) -> Facts {
    Facts {
        starts_key: kind == SLICE_OF_KEY_FRAME,
        has_parameters: matches!(kind, SEQUENCE_PARAMETERS | PICTURE_PARAMETERS),
    }
}

/// The units of an aggregate, without its header; `None` in place of one whose length does not fit.
pub(super) fn aggregated(mut rest: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let cut = rest.split_first_chunk::<2>().and_then(|(length, tail)| {
            let length = usize::from(u16::from_be_bytes(*length));
            (length > 0).then(|| tail.split_at_checked(length))?
        });
        rest = cut.map_or(&[], |(_, tail)| tail);
        Some(cut.map(|(unit, _)| unit))
    })
}

/// Whether a payload begins a key frame.
pub(crate) fn starts_key(codec: Codec, payload: &[u8]) -> bool {
    facts(codec, payload).is_some_and(|facts| facts.starts_key)
}

/// What is behind the descriptor of a VP8 payload: a part of the frame.
pub(super) fn vp8_frame(payload: &[u8]) -> Option<&[u8]> {
    let first = *payload.first()?;
    let mut at = 1;
    if first & 0x80 != 0 {
        let extended = *payload.get(1)?;
        at = 2;
        if extended & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extended & 0x40 != 0);
        at += usize::from(extended & 0x30 != 0);
    }
    payload.get(at..).filter(|frame| !frame.is_empty())
}

fn vp8(payload: &[u8]) -> Option<Facts> {
    let first = *payload.first()?;
    let frame = *vp8_frame(payload)?.first()?;
    let starts_frame = first & 0x17 == 0x10;
    Some(Facts {
        starts_key: starts_frame && frame & 1 == 0,
        has_parameters: false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_key(codec: Codec, payload: &[u8]) -> Option<bool> {
        facts(codec, payload).map(|facts| facts.starts_key)
    }

    #[test]
    fn key_frames_are_recognised_however_they_are_packed() {
        let cases: [(&str, Codec, &[u8], Option<bool>); 13] = [
            ("whole key slice", Codec::H264, &[0x65, 1, 2], Some(true)),
            ("whole other slice", Codec::H264, &[0x61, 1, 2], Some(false)),
            (
                "first part of a key slice",
                Codec::H264,
                &[0x7c, 0x85, 1],
                Some(true),
            ),
            (
                "later part of a key slice",
                Codec::H264,
                &[0x7c, 0x05, 1],
                Some(false),
            ),
            (
                "first part of another slice",
                Codec::H264,
                &[0x7c, 0x81, 1],
                Some(false),
            ),
            (
                "aggregate with a key slice",
                Codec::H264,
                &[0x78, 0, 2, 0x67, 1, 0, 2, 0x65, 1],
                Some(true),
            ),
            (
                "aggregate of parameters",
                Codec::H264,
                &[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1],
                Some(false),
            ),
            (
                "aggregate that lies",
                Codec::H264,
                &[0x78, 0, 9, 0x65, 1],
                None,
            ),
            ("unknown kind", Codec::H264, &[0x7f, 1], None),
            ("VP8 key", Codec::Vp8, &[0x10, 0x10, 2, 3], Some(true)),
            (
                "VP8 key behind all extensions",
                Codec::Vp8,
                &[0x90, 0xf0, 0x81, 1, 2, 3, 0x10],
                Some(true),
            ),
            ("VP8 delta", Codec::Vp8, &[0x10, 0x11, 2], Some(false)),
            ("VP8 cut short", Codec::Vp8, &[0x90, 0x80], None),
        ];
        for (name, codec, payload, expected) in cases {
            assert_eq!(is_key(codec, payload), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_payload_makes_the_readers_fail(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for codec in [Codec::H264, Codec::Vp8] {
                if facts(codec, &bytes).is_some() {
                    prop_assert!(!bytes.is_empty());
                }
            }
        }
    }
}
