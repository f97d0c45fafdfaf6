//! The in-picture time stamp of test mode: the capture time as black and white blocks at the bottom of the picture.
//!
//! # Layout, so that any program can read it from a decoded picture
//!
//! For a picture of `width` × `height` pixels, `block = floor(width / 40)` (at least 8). The stamp fills
//! `40 · block` × `2 · block` pixels at the bottom left: two rows of 40 square blocks, the upper row starting at
//! `y = height − 2 · block`. Each block is one bit, white (luma 235) for 1 and black (luma 16) for 0. Read left to right,
//! upper row first, the 80 bits are, most significant first:
//!
//! - 64 bits: capture time, microseconds since 1970-01-01 UTC;
//! - 16 bits: CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, no reflection, no final XOR) of those 8 bytes.
//!
//! To read a bit, average the brightness of the middle half of its block (a quarter of a block in from each edge) and
//! compare with the middle between black and white (luma 126, or 128 in RGB). A wrong CRC means there is no stamp.
//! From a canvas in JavaScript: draw the video at its own `videoWidth` × `videoHeight`, `getImageData`, use the green
//! channel, and build the time from two 32-bit halves with `BigInt`.

use super::frame::Frame;

/// Blocks in a row of the stamp.
const COLUMNS: usize = 40;
/// Rows of the stamp.
const ROWS: usize = 2;
/// The smallest block that survives the encoder.
const SMALLEST_BLOCK: usize = 8;
const WHITE: u8 = 235;
const BLACK: u8 = 16;
const MIDDLE: usize = 126;

/// Draws the stamp. Pictures narrower than 320 pixels, or flatter than the stamp, stay as they are.
pub fn draw(frame: &mut Frame, unix_micros: i64) {
    let Some((block, top)) = place(frame) else {
        return;
    };
    let bits = encode(unix_micros);
    let width = frame.width();
    let planes = frame.planes();
    for (index, is_white) in bits.into_iter().enumerate() {
        let left = index % COLUMNS * block;
        let upper = top + index / COLUMNS * block;
        for row in planes.luma.chunks_exact_mut(width).skip(upper).take(block) {
            row[left..left + block].fill(if is_white { WHITE } else { BLACK });
        }
    }
    // Grey chroma under the whole strip, so that colour conversion leaves black and white.
    let half = width / 2;
    for plane in [planes.blue, planes.red] {
        for row in plane.chunks_exact_mut(half).skip(top / 2) {
            row[..(COLUMNS * block / 2).min(half)].fill(128);
        }
    }
}

/// Reads the stamp; `None` when there is none.
pub fn read(frame: &Frame) -> Option<i64> {
    let (block, top) = place(frame)?;
    let inset = block / 4;
    let mut bits = [false; COLUMNS * ROWS];
    for (index, bit) in bits.iter_mut().enumerate() {
        let left = index % COLUMNS * block + inset;
        let upper = top + index / COLUMNS * block + inset;
        let side = block - 2 * inset;
        let mut sum = 0;
        for y in upper..upper + side {
            let start = y * frame.width() + left;
            let row = &frame.luma()[start..start + side];
            sum += row.iter().map(|luma| usize::from(*luma)).sum::<usize>();
        }
        *bit = sum / (side * side) > MIDDLE;
    }
    decode(&bits)
}

fn place(frame: &Frame) -> Option<(usize, usize)> {
    let block = frame.width() / COLUMNS;
    let is_roomy = block >= SMALLEST_BLOCK && frame.height() >= ROWS * block;
    is_roomy.then(|| (block, frame.height() - ROWS * block))
}

fn encode(unix_micros: i64) -> [bool; COLUMNS * ROWS] {
    let bytes = unix_micros.to_be_bytes();
    let check = crc16(&bytes).to_be_bytes();
    let mut bits = [false; COLUMNS * ROWS];
    for (index, bit) in bits.iter_mut().enumerate() {
        let byte = bytes.iter().chain(&check).nth(index / 8).copied();
        *bit = byte.unwrap_or_default() >> (7 - index % 8) & 1 == 1;
    }
    bits
}

fn decode(bits: &[bool; COLUMNS * ROWS]) -> Option<i64> {
    let mut bytes = [0_u8; 10];
    for (index, bit) in bits.iter().enumerate() {
        bytes[index / 8] = bytes[index / 8] << 1 | u8::from(*bit);
    }
    let (time, check) = bytes.split_first_chunk::<8>()?;
    (crc16(time).to_be_bytes() == *check).then_some(i64::from_be_bytes(*time))
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x1021
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use openh264::decoder::Decoder;
    use proptest::prelude::*;

    use super::*;
    use crate::cameras::encode::{Encoder, EncoderConfig};

    #[test]
    fn the_checksum_is_the_one_that_the_layout_names() {
        assert_eq!(crc16(b"123456789"), 0x29b1);
    }

    #[test]
    fn a_picture_without_a_stamp_has_none() {
        let mut frame = Frame::new(640, 480);
        assert_eq!(read(&frame), None);

        frame.planes().luma.fill(200);
        assert_eq!(read(&frame), None);
        draw(&mut frame, 5);
        let last = frame.luma().len() - 4;
        frame.planes().luma[last - 640 * 15..].fill(16);
        assert_eq!(read(&frame), None);
    }

    #[test]
    fn a_stamp_survives_encoding_and_decoding_at_a_low_bit_rate() {
        let mut encoder = Encoder::new(EncoderConfig {
            bits_per_second: 250_000,
            ..EncoderConfig::new(640, 480, 30)
        });
        let mut decoder = Decoder::new().unwrap();
        for number in 0..40_i64 {
            let mut frame = Frame::new(640, 480);
            for (index, pixel) in frame.planes().luma.iter_mut().enumerate() {
                *pixel = u8::try_from((index * 7 + index / 640 * 13) % 128).unwrap() + 60;
            }
            let stamp = 1_700_000_000_000_000 + number * 33_333;
            draw(&mut frame, stamp);

            let unit = encoder.encode(&frame, false).unwrap();
            let picture = decoder.decode(&unit.bytes).unwrap().unwrap();

            assert_eq!(
                read(&Frame::copied(&picture)),
                Some(stamp),
                "frame {number}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_time_at_every_size_reads_back(
            time in any::<i64>(), width in 160_usize..=1_000, height in 50_usize..=700,
        ) {
            let mut frame = Frame::new(width * 2, height * 2);
            draw(&mut frame, time);
            prop_assert_eq!(read(&frame), Some(time));
        }
    }
}
