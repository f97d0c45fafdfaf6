//! H.264 for live viewing: constrained baseline, no frame held back, a key frame at least every two seconds.

use openh264::{
    OpenH264API, Timestamp,
    encoder::{
        BitRate, Complexity, FrameRate, FrameType, IntraFramePeriod, Level, Profile, QpRange,
        RateControlMode, UsageType, VuiConfig,
    },
};

use super::frame::Frame;

/// Seconds from one key frame to the next at most: a viewer or a rewind starts within this.
const KEY_FRAME_EVERY_S: u32 = 2;
/// Better than this is not seen; worse than that is not worth sending.
const QUALITY: QpRange = QpRange::new(16, 42);
/// What a stream may cost when nothing else is said: two of them fit a weak site uplink.
pub const DEFAULT_BITS_PER_SECOND: u32 = 1_200_000;

/// How to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Pixels across; even.
    pub width: u32,
    /// Pixels down; even.
    pub height: u32,
    /// Frames per second that the bit rate is spread over.
    pub frames_per_second: u32,
    /// What the stream may cost.
    pub bits_per_second: u32,
}

impl EncoderConfig {
    /// The default bit rate.
    pub const fn new(width: u32, height: u32, frames_per_second: u32) -> Self {
        Self {
            width,
            height,
            frames_per_second,
            bits_per_second: DEFAULT_BITS_PER_SECOND,
        }
    }
}

/// Why a frame could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeFailure {
    /// The encoder refused.
    #[error("the frame could not be encoded")]
    Encoder(#[from] openh264::Error),
    /// The encoder gave nothing back.
    #[error("the encoder gave nothing back")]
    Empty,
}

/// An encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// Annex B: NAL units behind start codes; key frames begin with SPS and PPS.
    pub bytes: Vec<u8>,
    /// Whether a decoder can start here.
    pub is_key: bool,
}

/// An encoder of one stream.
pub struct Encoder {
    config: EncoderConfig,
    inner: Option<openh264::encoder::Encoder>,
    frames: u64,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Encoder")
            .field("config", &self.config)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder that will start with a key frame.
    pub const fn new(config: EncoderConfig) -> Self {
        Self {
            config,
            inner: None,
            frames: 0,
        }
    }

    /// What it encodes to.
    pub const fn config(&self) -> EncoderConfig {
        self.config
    }

    /// Spends another bit rate from the next frame on, which becomes a key frame.
    pub fn set_bits_per_second(&mut self, bits_per_second: u32) {
        if self.config.bits_per_second != bits_per_second {
            self.config.bits_per_second = bits_per_second;
            self.inner = None;
        }
    }

    /// Encodes a frame; as a key frame when `force_key`, or when one is due.
    pub fn encode(&mut self, frame: &Frame, force_key: bool) -> Result<AccessUnit, EncodeFailure> {
        let encoder = match &mut self.inner {
            Some(encoder) => {
                if force_key {
                    encoder.force_intra_frame();
                }
                encoder
            }
            // A fresh encoder starts with a key frame by itself.
            none @ None => none.insert(start(self.config)?),
        };
        let milliseconds = self.frames * 1_000 / u64::from(self.config.frames_per_second.max(1));
        self.frames += 1;
        let stream = encoder.encode_at(frame, Timestamp::from_millis(milliseconds))?;
        let is_key = matches!(stream.frame_type(), FrameType::IDR | FrameType::I);
        let mut bytes = Vec::with_capacity(16 * 1024);
        stream.write_vec(&mut bytes);
        if bytes.is_empty() {
            return Err(EncodeFailure::Empty);
        }
        Ok(AccessUnit { bytes, is_key })
    }
}

fn start(config: EncoderConfig) -> Result<openh264::encoder::Encoder, openh264::Error> {
    let rate = u16::try_from(config.frames_per_second).unwrap_or(u16::MAX);
    let settings = openh264::encoder::EncoderConfig::new()
        .bitrate(BitRate::from_bps(config.bits_per_second))
        .max_frame_rate(FrameRate::from_hz(f32::from(rate)))
        .rate_control_mode(RateControlMode::Bitrate)
        // A skipped frame would be a freeze of unknown age; a little overshoot is better.
        .skip_frames(false)
        .qp(QUALITY)
        .profile(Profile::Baseline)
        .level(level(config))
        .complexity(Complexity::Low)
        .usage_type(UsageType::CameraVideoRealTime)
        // One thread: several cameras share few cores, and slices per thread cost bits.
        .num_threads(1)
        // Key frames come on the clock and on request, not whenever a door opens.
        .scene_change_detect(false)
        .intra_frame_period(IntraFramePeriod::from_num_frames(
            config.frames_per_second * KEY_FRAME_EVERY_S,
        ))
        .vui(VuiConfig::bt601());
    openh264::encoder::Encoder::with_api_config(OpenH264API::from_source(), settings)
}

/// The lowest level that holds the picture at its rate; browsers offer 3.1 and accept what fits into it.
const fn level(config: EncoderConfig) -> Level {
    let macroblocks = config.width.div_ceil(16) * config.height.div_ceil(16);
    match (macroblocks, macroblocks * config.frames_per_second) {
        (..=1_620, ..=40_500) => Level::Level_3_0,
        (..=3_600, ..=108_000) => Level::Level_3_1,
        _ => Level::Level_4_1,
    }
}

#[cfg(test)]
mod tests {
    use openh264::nal_units;

    use super::*;

    fn picture(number: u8) -> Frame {
        let mut frame = Frame::new(320, 240);
        for (index, luma) in frame.planes().luma.iter_mut().enumerate() {
            *luma = u8::try_from(index / 8 % 200).unwrap() ^ number;
        }
        frame
    }

    fn kinds(unit: &AccessUnit) -> Vec<u8> {
        nal_units(&unit.bytes)
            .map(|nal| nal.iter().find(|byte| **byte > 1).unwrap() & 0x1f)
            .collect()
    }

    #[test]
    fn a_key_frame_comes_first_on_request_and_every_two_seconds() {
        let mut encoder = Encoder::new(EncoderConfig::new(320, 240, 10));
        let keys: Vec<u8> = (0_u8..50)
            .filter(|number| {
                let unit = encoder.encode(&picture(*number), *number == 5).unwrap();
                unit.is_key
            })
            .collect();

        assert_eq!(keys[..2], [0, 5]);
        for pair in keys.windows(2) {
            assert!(pair[1] - pair[0] <= 20, "{keys:?}");
        }
    }

    #[test]
    fn a_key_frame_carries_its_parameter_sets() {
        let mut encoder = Encoder::new(EncoderConfig::new(320, 240, 30));

        let key = encoder.encode(&picture(1), false).unwrap();
        let delta = encoder.encode(&picture(2), false).unwrap();

        assert_eq!(kinds(&key)[..3], [7, 8, 5]);
        assert_eq!(kinds(&delta), [1]);
    }

    #[test]
    fn a_new_bit_rate_starts_with_a_key_frame() {
        let mut encoder = Encoder::new(EncoderConfig::new(320, 240, 30));
        encoder.encode(&picture(1), false).unwrap();

        encoder.set_bits_per_second(300_000);

        assert!(encoder.encode(&picture(2), false).unwrap().is_key);
        assert!(!encoder.encode(&picture(3), false).unwrap().is_key);
    }
}
