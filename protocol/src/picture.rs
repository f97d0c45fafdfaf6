//! The picture that a person had before them: named in what they sign, looked up and kept by the robot, looked at afterwards.
//!
//! Three parties vouch for it. The person signs the hash of the encoded frame that their browser put on the screen. The robot,
//! which took the picture, says in its receipt whether it knows that frame, and names the clip from which it can be decoded by the
//! clip's own hash. Whoever looks at it later computes both hashes anew. A gateway that altered a picture on its way has a frame on
//! the screen that no robot knows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    UnixMicros,
    deterministic::{self, CborFailure},
    robot::Codec,
    sealed::{byte_string, bytes32},
};

/// The frames of one clip, all together. A group of two seconds at 2 Mbit/s is half of it.
pub const MAX_CLIP_FRAME_BYTES: usize = 1_024 * 1_024;

/// Frames of one clip: three seconds at sixty a second. A key frame comes every two.
pub const MAX_CLIP_FRAMES: usize = 180;

/// One clip as it travels: its frames, and some thirty bytes around each.
pub const MAX_CLIP_BYTES: usize = MAX_CLIP_FRAME_BYTES + 32 * 1_024;

/// SHA-256 of one encoded frame, in the form in which a browser hands it to a page (`RTCEncodedVideoFrame.data`).
///
/// Of H.264 (ITU-T H.264 annex B) that is each NAL unit of the frame behind the four bytes 0, 0, 0, 1, in order, without access
/// unit delimiters and filler, which do not travel; of VP8 the frame as RFC 6386 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct FrameHash(#[serde(with = "bytes32")] pub [u8; 32]);

impl FrameHash {
    /// The hash of a frame in that form.
    pub fn of(encoded: &[u8]) -> Self {
        Self(Sha256::digest(encoded).into())
    }
}

/// SHA-256 of a clip as it is kept and travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct ClipHash(#[serde(with = "bytes32")] pub [u8; 32]);

impl ClipHash {
    /// The hash of a clip's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

fn write_hex(bytes: &[u8; 32], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes
        .iter()
        .try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

/// Hex.
impl fmt::Display for FrameHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, formatter)
    }
}

/// Hex, as in addresses.
impl fmt::Display for ClipHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, formatter)
    }
}

impl FromStr for ClipHash {
    type Err = ClipFault;

    fn from_str(text: &str) -> Result<Self, ClipFault> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(ClipFault::NoHash);
        }
        for (byte, place) in bytes.iter_mut().zip(0..) {
            let pair = text.get(place * 2..place * 2 + 2).unwrap_or_default();
            let is_hex = pair
                .bytes()
                .all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
            *byte = u8::from_str_radix(pair, 16)
                .ok()
                .filter(|_| is_hex)
                .ok_or(ClipFault::NoHash)?;
        }
        Ok(Self(bytes))
    }
}

/// What a robot says of the frame that a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "picture", rename_all = "snake_case")]
pub enum PictureSeen {
    /// It is one of its own, and it keeps the frames that it takes to decode it.
    Kept {
        /// The clip's hash; its last frame is the one that the command names.
        clip: ClipHash,
    },
    /// It is one of its own; what it takes to decode it is there no more, or too much.
    Known,
    /// Of late the robot took no such picture: it was altered on its way, or is another's.
    Unknown,
}

/// Frames that are decoded one after the other, from a key frame up to the one that was seen. Its deterministic CBOR is what is
/// hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clip {
    /// The camera's name.
    pub camera: String,
    /// How the frames are encoded.
    pub codec: Codec,
    /// The frames; the first is a key frame and the only one.
    pub frames: Vec<ClipFrame>,
}

/// One frame of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipFrame {
    /// When the robot took it, by its wall clock.
    pub captured_at: UnixMicros,
    /// The frame, in the form of [`FrameHash`].
    #[serde(with = "byte_string")]
    pub bytes: Vec<u8>,
}

/// Why something is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipFault {
    /// Its hash is not 64 hexadecimal digits.
    #[error("a clip's hash has 64 digits of 0 to 9 and a to f")]
    NoHash,
    /// It is not the one CBOR form.
    #[error(transparent)]
    Cbor(#[from] CborFailure),
    /// It has no frame, or more than it may.
    #[error("a clip has 1 to {MAX_CLIP_FRAMES} frames of {MAX_CLIP_FRAME_BYTES} bytes together")]
    OutOfBounds,
}

impl Clip {
    /// Whether it is within the bounds of a clip.
    fn is_bounded(&self) -> bool {
        let bytes: usize = self.frames.iter().map(|frame| frame.bytes.len()).sum();
        (1..=MAX_CLIP_FRAMES).contains(&self.frames.len()) && bytes <= MAX_CLIP_FRAME_BYTES
    }

    /// The bytes that are hashed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ClipFault> {
        if !self.is_bounded() {
            return Err(ClipFault::OutOfBounds);
        }
        Ok(deterministic::to_vec(self)?)
    }

    /// Reads what [`Clip::to_bytes`] wrote, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ClipFault> {
        if bytes.len() > MAX_CLIP_BYTES {
            return Err(ClipFault::OutOfBounds);
        }
        let clip: Self = deterministic::from_slice(bytes)?;
        if !clip.is_bounded() {
            return Err(ClipFault::OutOfBounds);
        }
        Ok(clip)
    }

    /// The hash of the frame that was seen.
    pub fn seen(&self) -> Option<FrameHash> {
        self.frames.last().map(|frame| FrameHash::of(&frame.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(frames: usize, bytes: usize) -> Clip {
        let frame = |number: usize| ClipFrame {
            captured_at: UnixMicros(i64::try_from(number).unwrap()),
            bytes: vec![7; bytes],
        };
        Clip {
            camera: "head".to_owned(),
            codec: Codec::H264,
            frames: (0..frames).map(frame).collect(),
        }
    }

    #[test]
    fn a_clip_is_read_back_as_it_was_and_has_one_form() {
        let clip = clip(3, 40);
        let bytes = clip.to_bytes().unwrap();

        assert_eq!(Clip::from_bytes(&bytes).unwrap(), clip);
        assert_eq!(clip.seen(), Some(FrameHash::of(&[7; 40])));
        for cut in 0..bytes.len() {
            assert!(Clip::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Clip::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn a_clip_beyond_its_bounds_is_none() {
        assert!(clip(0, 1).to_bytes().is_err());
        assert!(clip(MAX_CLIP_FRAMES + 1, 1).to_bytes().is_err());
        assert!(clip(2, MAX_CLIP_FRAME_BYTES / 2 + 1).to_bytes().is_err());
        let largest = clip(MAX_CLIP_FRAMES, MAX_CLIP_FRAME_BYTES / MAX_CLIP_FRAMES);
        let bytes = largest.to_bytes().unwrap();
        assert!(bytes.len() <= MAX_CLIP_BYTES);
        assert_eq!(Clip::from_bytes(&bytes).unwrap(), largest);
        assert!(Clip::from_bytes(&deterministic::to_vec(&clip(0, 1)).unwrap()).is_err());
    }

    #[test]
    fn a_clips_hash_is_read_from_its_digits_and_from_nothing_else() {
        let hash = ClipHash::of(b"clip");
        assert_eq!(hash.to_string().parse::<ClipHash>().unwrap(), hash);
        let digits = hash.to_string();
        for wrong in [
            String::new(),
            digits[1..].to_owned(),
            digits.to_uppercase(),
            format!("+{}", &digits[1..]),
            "é".repeat(32),
        ] {
            assert!(wrong.parse::<ClipHash>().is_err(), "{wrong}");
        }
    }
}
