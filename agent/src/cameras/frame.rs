//! One picture as the encoder wants it: planar YUV 4:2:0, BT.601, limited range.

use openh264::formats::YUVSource;

/// A picture. Width and height are even and stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    blue: Vec<u8>,
    red: Vec<u8>,
}

/// The planes of a frame, to draw on.
#[derive(Debug)]
pub struct Planes<'frame> {
    /// Brightness, one byte a pixel.
    pub luma: &'frame mut [u8],
    /// Blue difference, one byte for four pixels.
    pub blue: &'frame mut [u8],
    /// Red difference, one byte for four pixels.
    pub red: &'frame mut [u8],
}

impl Frame {
    /// A black picture; odd sizes lose their last row or column.
    pub fn new(width: usize, height: usize) -> Self {
        let (width, height) = (width & !1, height & !1);
        Self {
            width,
            height,
            luma: vec![16; width * height],
            blue: vec![128; width * height / 4],
            red: vec![128; width * height / 4],
        }
    }

    /// Copies any YUV 4:2:0 picture, such as a decoded one.
    pub fn copied(source: &impl YUVSource) -> Self {
        let (width, height) = source.dimensions();
        let mut frame = Self::new(width, height);
        let (luma, blue, red) = source.strides();
        copy_rows(&mut frame.luma, frame.width, source.y(), luma);
        copy_rows(&mut frame.blue, frame.width / 2, source.u(), blue);
        copy_rows(&mut frame.red, frame.width / 2, source.v(), red);
        frame
    }

    /// Pixels across.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Brightness, row by row.
    pub fn luma(&self) -> &[u8] {
        &self.luma
    }

    /// The planes, to draw on.
    pub fn planes(&mut self) -> Planes<'_> {
        Planes {
            luma: &mut self.luma,
            blue: &mut self.blue,
            red: &mut self.red,
        }
    }

    /// Luma and chroma of a pixel.
    pub(super) fn sample(&self, x: usize, y: usize) -> [u8; 3] {
        let chroma = (y / 2) * (self.width / 2) + x / 2;
        [
            self.luma[y * self.width + x],
            self.blue[chroma],
            self.red[chroma],
        ]
    }
}

fn copy_rows(to: &mut [u8], width: usize, from: &[u8], stride: usize) {
    for (row, line) in to.chunks_exact_mut(width).zip(from.chunks(stride)) {
        let length = row.len().min(line.len());
        row[..length].copy_from_slice(&line[..length]);
    }
}

impl YUVSource for Frame {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width / 2, self.width / 2)
    }

    fn y(&self) -> &[u8] {
        &self.luma
    }

    fn u(&self) -> &[u8] {
        &self.blue
    }

    fn v(&self) -> &[u8] {
        &self.red
    }
}
