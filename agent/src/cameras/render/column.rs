//! One column of a picture: brightness, colour and depth for each row, drawn into from back to front.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "rows of a picture, clamped to its height before they are cut"
)]

use super::palette::Tint;

/// A coverage above this also takes over depth and colour.
const MOSTLY: f32 = 0.5;

/// An upright stretch of one colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// Upper end in rows, with a fraction.
    pub(super) top: f32,
    /// Lower end.
    pub(super) bottom: f32,
    /// Distance along the view's axis.
    pub(super) depth: f32,
    pub(super) tint: Tint,
    /// Light at the upper end and at the lower end.
    pub(super) light: (f32, f32),
}

/// A column under the brush.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) luma: Vec<f32>,
    pub(super) depth: Vec<f32>,
    pub(super) blue: Vec<f32>,
    pub(super) red: Vec<f32>,
    /// Odd columns have no colour of their own.
    pub(super) has_colour: bool,
}

impl Column {
    pub(super) fn new(height: usize) -> Self {
        Self {
            luma: vec![0.0; height],
            depth: vec![f32::INFINITY; height],
            blue: vec![0.0; height / 2],
            red: vec![0.0; height / 2],
            has_colour: true,
        }
    }

    /// Fills everything with grey at an endless distance.
    pub(super) fn clear(&mut self) {
        self.luma.fill(150.0);
        self.depth.fill(f32::INFINITY);
        self.blue.fill(0.0);
        self.red.fill(0.0);
    }

    fn rows(&self) -> f32 {
        self.luma.len() as f32
    }

    /// Paints a span where nothing nearer stands; its ends only as far as they cover their rows.
    pub(super) fn paint(&mut self, span: &Span) {
        let top = span.top.max(0.0);
        let bottom = span.bottom.min(self.rows());
        if bottom <= top {
            return;
        }
        let slope = (span.light.1 - span.light.0) / (span.bottom - span.top).max(1e-3);
        let light = |row: f32| span.light.0 + slope * (row + 0.5 - span.top);
        let first = top.ceil();
        let last = bottom.floor();
        if last < first {
            self.touch(top as usize, bottom - top, span, light(top.floor()));
            return;
        }
        if first > top {
            self.touch(top as usize, first - top, span, light(top.floor()));
        }
        if bottom > last {
            self.touch(last as usize, bottom - last, span, light(last));
        }
        let (from, to) = (first as usize, last as usize);
        if self.has_colour {
            self.colour(from, to, span, light(f32::midpoint(first, last)));
        }
        let start = span.tint.luma * light(first);
        let per_row = span.tint.luma * slope;
        let lumas = &mut self.luma[from..to];
        let depths = &mut self.depth[from..to];
        // Counted in 32 bits: wider numbers would keep the compiler from doing several rows at once.
        for (offset, (luma, depth)) in (0_i32..).zip(lumas.iter_mut().zip(depths)) {
            let is_nearer = span.depth <= *depth;
            let painted = start + per_row * offset as f32;
            *luma = if is_nearer { painted } else { *luma };
            *depth = if is_nearer { span.depth } else { *depth };
        }
    }

    fn colour(&mut self, from: usize, to: usize, span: &Span, light: f32) {
        let (blue, red) = (span.tint.blue * light, span.tint.red * light);
        for half in from.div_ceil(2)..to.div_ceil(2).min(self.blue.len()) {
            if span.depth <= self.depth[half * 2] {
                self.blue[half] = blue;
                self.red[half] = red;
            }
        }
    }

    /// Paints a part of one row.
    fn touch(&mut self, row: usize, coverage: f32, span: &Span, light: f32) {
        if row >= self.luma.len() || span.depth > self.depth[row] {
            return;
        }
        let luma = span.tint.luma * light;
        self.luma[row] += (luma - self.luma[row]) * coverage;
        if coverage < MOSTLY {
            return;
        }
        if self.has_colour && row.is_multiple_of(2) && row / 2 < self.blue.len() {
            self.blue[row / 2] = span.tint.blue * light;
            self.red[row / 2] = span.tint.red * light;
        }
        self.depth[row] = span.depth;
    }

    /// Paints rows whose depth differs from row to row, such as a table top: `depth` tells it.
    pub(super) fn paint_level(
        &mut self,
        rows: (f32, f32),
        tint: Tint,
        light: f32,
        depth: impl Fn(usize) -> f32,
    ) {
        let top = rows.0.max(0.0);
        let bottom = rows.1.min(self.rows());
        if bottom <= top {
            return;
        }
        let luma = tint.luma * light;
        for row in top as usize..(bottom.ceil() as usize).min(self.luma.len()) {
            let covered = (bottom.min(row as f32 + 1.0) - top.max(row as f32)).clamp(0.0, 1.0);
            let depth = depth(row);
            if depth >= self.depth[row] {
                continue;
            }
            self.luma[row] += (luma - self.luma[row]) * covered;
            if covered < MOSTLY {
                continue;
            }
            self.depth[row] = depth;
            if self.has_colour && row.is_multiple_of(2) && row / 2 < self.blue.len() {
                self.blue[row / 2] = tint.blue * light;
                self.red[row / 2] = tint.red * light;
            }
        }
    }
}
