//! Small JPEG stills for the fleet page.

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};

use super::frame::Frame;

/// Widest a still may be: what a card of the fleet page shows.
pub const STILL_WIDTH: usize = 320;
/// What a still may weigh. At one a second for two cameras this stays well under an idle robot's uplink budget of
/// 50 kbit/s only if taken every few seconds; the gateway decides how often.
pub const STILL_BYTES: usize = 12 * 1024;
/// Qualities to try, best first, until the still is light enough. The last is taken as it comes.
const QUALITIES: [u8; 4] = [72, 58, 44, 30];

/// Why a still could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StillFailure {
    /// The JPEG encoder refused.
    #[error("the still could not be encoded: {0}")]
    Encoding(String),
    /// The picture has no pixels.
    #[error("the picture is empty")]
    Empty,
}

/// Makes a still of a picture: shrunk by a whole factor to at most [`STILL_WIDTH`], light enough to send often.
pub fn still(frame: &Frame) -> Result<Vec<u8>, StillFailure> {
    let shrunk = Shrunk::of(frame).ok_or(StillFailure::Empty)?;
    let mut jpeg = Vec::with_capacity(STILL_BYTES);
    for quality in QUALITIES {
        jpeg.clear();
        let mut encoder = Encoder::new(&mut jpeg, quality);
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        encoder
            .encode_image(&shrunk)
            .map_err(|failure| StillFailure::Encoding(failure.to_string()))?;
        if jpeg.len() <= STILL_BYTES {
            break;
        }
    }
    Ok(jpeg)
}

/// A picture in full-range YCbCr, every pixel its own colour.
#[derive(Debug)]
struct Shrunk {
    width: u16,
    height: u16,
    pixels: Vec<[u8; 3]>,
}

impl Shrunk {
    fn of(frame: &Frame) -> Option<Self> {
        let factor = frame.width().div_ceil(STILL_WIDTH).max(1);
        let (width, height) = (frame.width() / factor, frame.height() / factor);
        if width == 0 || height == 0 {
            return None;
        }
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                pixels.push(mean(frame, x * factor, y * factor, factor));
            }
        }
        Some(Self {
            width: u16::try_from(width).ok()?,
            height: u16::try_from(height).ok()?,
            pixels,
        })
    }
}

/// Mean of a square of pixels, stretched from limited to full range.
fn mean(frame: &Frame, left: usize, top: usize, factor: usize) -> [u8; 3] {
    let mut sums = [0_u32; 3];
    for y in top..top + factor {
        for x in left..left + factor {
            let sample = frame.sample(x, y);
            for (sum, value) in sums.iter_mut().zip(sample) {
                *sum += u32::from(value);
            }
        }
    }
    let count = u32::try_from(factor * factor).unwrap_or(1);
    let [luma, blue, red] = sums.map(|sum| i32::try_from(sum / count).unwrap_or(0));
    [
        full((luma - 16) * 255 / 219),
        full((blue - 128) * 255 / 224 + 128),
        full((red - 128) * 255 / 224 + 128),
    ]
}

fn full(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX)
}

impl ImageBuffer for &Shrunk {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let width = usize::from(self.width);
        let row = self.pixels.chunks_exact(width).nth(usize::from(y));
        for pixel in row.unwrap_or_default() {
            for (buffer, value) in buffers.iter_mut().zip(pixel) {
                buffer.push(*value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_a_picture_of_noise_becomes_a_light_still() {
        let mut frame = Frame::new(640, 480);
        let mut state = 1_u32;
        for pixel in frame.planes().luma {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *pixel = 90 + u8::try_from(state >> 26).unwrap();
        }

        let jpeg = still(&frame).unwrap();

        assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
        assert!(jpeg.len() <= STILL_BYTES, "{}", jpeg.len());
    }

    #[test]
    fn a_picture_without_pixels_is_no_still() {
        assert_eq!(still(&Frame::new(0, 0)), Err(StillFailure::Empty));
    }
}
