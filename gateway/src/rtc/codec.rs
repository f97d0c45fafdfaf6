//! The two video codecs that are forwarded, and how to see in a packet that a key frame starts. Pure.

/// A video codec that the relay forwards without touching the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// H.264, packetization-mode 1 (RFC 6184).
    H264,
    /// VP8 (RFC 7741).
    Vp8,
}

const NAL_TYPE_MASK: u8 = 0x1f;
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_STAP_A: u8 = 24;
const NAL_FU_A: u8 = 28;
const FU_START: u8 = 0x80;

impl Codec {
    /// The codec named by a MIME type such as `video/H264`, or by the encoding name of an `rtpmap`.
    pub(super) fn from_mime(mime: &str) -> Option<Self> {
        let name = mime.rsplit('/').next().unwrap_or(mime);
        if name.eq_ignore_ascii_case("h264") {
            Some(Self::H264)
        } else if name.eq_ignore_ascii_case("vp8") {
            Some(Self::Vp8)
        } else {
            None
        }
    }

    /// Whether this RTP payload holds part of the picture itself, not only parameters.
    fn carries_picture(self, payload: &[u8]) -> bool {
        match self {
            Self::H264 => h264_carries_picture(payload),
            Self::Vp8 => !payload.is_empty(),
        }
    }

    /// Whether a decoder that has seen nothing before can start at this RTP payload.
    fn starts_keyframe(self, payload: &[u8]) -> bool {
        match self {
            Self::H264 => h264_starts_keyframe(payload),
            Self::Vp8 => vp8_starts_keyframe(payload),
        }
    }
}

fn h264_carries_picture(payload: &[u8]) -> bool {
    let Some((&first, rest)) = payload.split_first() else {
        return false;
    };
    match first & NAL_TYPE_MASK {
        1..=NAL_IDR | NAL_FU_A => true,
        NAL_STAP_A => aggregated_units(rest).any(|unit| {
            unit.first()
                .is_some_and(|header| (1..=NAL_IDR).contains(&(header & NAL_TYPE_MASK)))
        }),
        _ => false,
    }
}

fn h264_starts_keyframe(payload: &[u8]) -> bool {
    let Some((&first, rest)) = payload.split_first() else {
        return false;
    };
    match first & NAL_TYPE_MASK {
        NAL_SPS | NAL_IDR => true,
        NAL_STAP_A => aggregated_units(rest).any(|unit| {
            unit.first().is_some_and(|header| {
                let kind = header & NAL_TYPE_MASK;
                kind == NAL_SPS || kind == NAL_IDR
            })
        }),
        NAL_FU_A => rest
            .first()
            .is_some_and(|fu| fu & FU_START != 0 && fu & NAL_TYPE_MASK == NAL_IDR),
        _ => false,
    }
}

/// The units of a STAP-A, up to the first that does not fit.
fn aggregated_units(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > after.len() {
            return None;
        }
        let (unit, after) = after.split_at(length);
        rest = after;
        Some(unit)
    })
}

/// Reads past the VP8 payload descriptor (RFC 7741 §4.2) to the frame header's inverse key frame bit.
fn vp8_starts_keyframe(payload: &[u8]) -> bool {
    let Some(&required) = payload.first() else {
        return false;
    };
    let partition = required & 0x0f;
    let starts_partition = required & 0x10 != 0;
    if !starts_partition || partition != 0 {
        return false;
    }
    let mut at = 1;
    if required & 0x80 != 0 {
        let Some(&extended) = payload.get(at) else {
            return false;
        };
        at += 1;
        if extended & 0x80 != 0 {
            let Some(&picture) = payload.get(at) else {
                return false;
            };
            at += if picture & 0x80 == 0 { 1 } else { 2 };
        }
        at += usize::from(extended & 0x40 != 0);
        at += usize::from(extended & 0x30 != 0);
    }
    payload.get(at).is_some_and(|header| header & 0x01 == 0)
}

/// Finds the packets at which a viewer may be let in: only before any of the picture has passed.
#[derive(Debug, Default)]
pub(super) struct KeyframeSeeker {
    timestamp: Option<u32>,
    picture_passed: bool,
}

impl KeyframeSeeker {
    /// Looks at the next packet; `true` when a decoder can start with it.
    pub(super) fn starts(&mut self, codec: Codec, timestamp: u32, payload: &[u8]) -> bool {
        let newer = self
            .timestamp
            .is_none_or(|last| (1..u32::MAX / 2).contains(&timestamp.wrapping_sub(last)));
        if newer {
            self.timestamp = Some(timestamp);
            self.picture_passed = false;
        } else if self.timestamp != Some(timestamp) {
            return false;
        }
        let starts = !self.picture_passed && codec.starts_keyframe(payload);
        self.picture_passed |= codec.carries_picture(payload);
        starts
    }

    /// Forgets the stream: another one with its own time begins.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h264_key_frames_start_at_parameter_sets_or_the_first_idr_fragment() {
        let starts: [&[u8]; 4] = [
            &[0x67, 1],
            &[0x65, 1],
            &[0x78, 0, 2, 0x67, 1, 0, 1, 0x68],
            &[0x7c, 0x85, 9],
        ];
        for payload in starts {
            assert!(Codec::H264.starts_keyframe(payload), "{payload:?}");
        }

        let others: [&[u8]; 7] = [
            &[],
            &[0x41, 1],
            &[0x68, 1],
            &[0x7c, 0x05, 9],
            &[0x7c, 0x81, 9],
            &[0x7c],
            &[0x78, 0, 9, 0x67],
        ];
        for payload in others {
            assert!(!Codec::H264.starts_keyframe(payload), "{payload:?}");
        }
    }

    #[test]
    fn vp8_key_frames_start_at_partition_zero_with_the_key_bit_clear() {
        let starts: [&[u8]; 3] = [
            &[0x10, 0x00],
            &[0x90, 0x80, 0x05, 0x00],
            &[0x90, 0xf0, 0x85, 0x01, 0x02, 0x03, 0x10],
        ];
        for payload in starts {
            assert!(Codec::Vp8.starts_keyframe(payload), "{payload:?}");
        }

        let others: [&[u8]; 6] = [
            &[],
            &[0x10],
            &[0x10, 0x01],
            &[0x00, 0x00],
            &[0x11, 0x00],
            &[0x90],
        ];
        for payload in others {
            assert!(!Codec::Vp8.starts_keyframe(payload), "{payload:?}");
        }
    }

    #[test]
    fn nobody_is_let_in_between_two_slices_of_one_key_frame() {
        let mut seeker = KeyframeSeeker::default();

        assert!(seeker.starts(Codec::H264, 10, &[0x67, 1]));
        assert!(seeker.starts(Codec::H264, 10, &[0x7c, 0x85, 9]));
        assert!(!seeker.starts(Codec::H264, 10, &[0x7c, 0x85, 9]));
        assert!(!seeker.starts(Codec::H264, 20, &[0x41, 1]));
        assert!(!seeker.starts(Codec::H264, 10, &[0x65, 1]));
        assert!(seeker.starts(Codec::H264, 30, &[0x65, 1]));
    }
}
