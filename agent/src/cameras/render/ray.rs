//! What one ray puts into its column: floor and ceiling, shadows, and the bodies that it crosses.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows of a picture and metres of a site: small numbers, clamped before they are cut"
)]

use super::{
    View,
    backdrop::{Backdrop, Body},
    column::{Column, Span},
    light::{CEILING_HEIGHT, Surface},
    palette::Tint,
};
use crate::driver::sim::{CEILING, Crossing, Footprint, Form, Point};

/// Nothing nearer than this is drawn, metres.
const NEAR: f64 = 0.06;
/// Beyond this floor and ceiling are read from their coarse level.
const FAR: f32 = 5.5;
/// How much light the air adds for each metre, and at most.
const HAZE: (f32, f32) = (0.008, 0.2);
/// Brightness of the air.
const HAZE_LUMA: f32 = 196.0;
/// Average brightness of the ceiling, against which its reflection in the floor is told.
pub(super) const MEAN_CEILING: f32 = 176.0;
/// How much darker the floor is right under a person.
const SHADOW: f32 = 0.4;

/// One column's ray.
#[derive(Debug)]
pub(super) struct Ray<'view> {
    pub(super) view: &'view View,
    pub(super) direction: Point,
    pub(super) length: f64,
    pub(super) backdrop: &'view Backdrop,
}

impl Ray<'_> {
    /// Floor and ceiling up to where the ray ends.
    pub(super) fn level(&self, column: &mut Column, per_row: &[f32], end: f32, reflected: f32) {
        let view = self.view;
        let rows = column.luma.len();
        let floor_from = (view.row(0.0, end).round().max(0.0) as usize).min(rows);
        let ceiling_to = (view.row(CEILING_HEIGHT, end).round().max(0.0) as usize).min(rows);
        let (eye_x, eye_y) = (view.eye.x as f32, view.eye.y as f32);
        let (dx, dy) = (self.direction.x as f32, self.direction.y as f32);
        // The floor's mirror image of the ceiling lies this many times as far as the floor.
        let mirrored = (CEILING_HEIGHT + view.height) / view.height;
        for (row, unit) in per_row.iter().enumerate().skip(floor_from) {
            let depth = view.height * unit;
            let (x, y) = (eye_x + dx * depth, eye_y + dy * depth);
            let above = depth * mirrored;
            let seen = if above < end {
                let ceiling = &self.backdrop.ceiling.coarse;
                ceiling.nearest(eye_x + dx * above, eye_y + dy * above)
            } else {
                reflected
            };
            let gloss = 0.1 + 0.03 * depth.min(6.0);
            let luma = read(&self.backdrop.floor, x, y, depth) + gloss * (seen - MEAN_CEILING);
            column.luma[row] = haze(luma, depth);
            column.depth[row] = depth;
            if column.has_colour && row.is_multiple_of(2) {
                tone(column, &self.backdrop.floor, row / 2, x, y);
            }
        }
        let above = CEILING_HEIGHT - view.height;
        for (row, unit) in per_row.iter().enumerate().take(ceiling_to.min(floor_from)) {
            let depth = above * unit;
            let (x, y) = (eye_x + dx * depth, eye_y + dy * depth);
            column.luma[row] = haze(read(&self.backdrop.ceiling, x, y, depth), depth);
            column.depth[row] = depth;
            if column.has_colour && row.is_multiple_of(2) {
                tone(column, &self.backdrop.ceiling, row / 2, x, y);
            }
        }
    }

    /// Darkens the floor under a person.
    pub(super) fn shade(
        &self,
        column: &mut Column,
        per_row: &[f32],
        disc: &Footprint,
        crossing: Crossing,
    ) {
        let Footprint::Disc { radius, .. } = disc else {
            return;
        };
        let view = self.view;
        let enter = crossing.enter.max(NEAR) as f32;
        let leave = crossing.leave as f32;
        let middle = f32::midpoint(crossing.enter as f32, leave);
        let half = (leave - middle).max(1e-4);
        let chord = (f64::from(half) * self.length / radius) as f32;
        let top = view.row(0.0, leave).max(0.0) as usize;
        let bottom = (view.row(0.0, enter).max(0.0) as usize).min(column.luma.len());
        for (row, unit) in per_row.iter().enumerate().take(bottom).skip(top) {
            let depth = view.height * unit;
            if (column.depth[row] - depth).abs() > 1e-3 {
                continue;
            }
            let off = (depth - middle) / half;
            let strength = SHADOW * chord * (1.0 - off * off).max(0.0);
            column.luma[row] *= 1.0 - strength;
        }
    }

    /// One body: its side, then its top or bottom.
    pub(super) fn body(
        &self,
        column: &mut Column,
        per_row: &[f32],
        body: &Body,
        crossing: Crossing,
    ) {
        if crossing.leave <= NEAR {
            return;
        }
        if body.solid.form == Form::Ball {
            self.ball(column, body, crossing);
            return;
        }
        let enter = crossing.enter.max(NEAR);
        let light = self.light(body, crossing);
        if crossing.enter > NEAR {
            self.side(column, body, enter as f32, light);
        }
        let view = self.view;
        let (low, high) = (body.solid.low as f32, body.solid.high as f32);
        let tint = body.look.end;
        if high < view.height {
            let drop = view.height - high;
            let rows = (
                view.row(high, crossing.leave as f32),
                view.row(high, enter as f32),
            );
            let lit = if body.look.is_glowing {
                1.0
            } else {
                light * 1.06
            };
            column.paint_level(rows, tint, lit, |row| drop * per_row[row]);
        } else if low > view.height {
            let rise = low - view.height;
            let rows = (
                view.row(low, enter as f32),
                view.row(low, crossing.leave as f32),
            );
            let is_lintel = body.solid.high >= CEILING;
            let lit = light * if is_lintel { 0.8 } else { 0.62 };
            column.paint_level(rows, tint, lit, |row| rise * per_row[row]);
        }
    }

    fn side(&self, column: &mut Column, body: &Body, depth: f32, light: f32) {
        let (low, high) = (body.solid.low as f32, body.solid.high as f32);
        for band in &body.look.bands {
            let (from, to) = (band.low.max(low), band.high.min(high));
            if to <= from {
                continue;
            }
            let height = (band.high - band.low).max(1e-3);
            let at = |z: f32| {
                let share = ((z - band.low) / height).min(1.0);
                band.light_low + (band.light_high - band.light_low) * share
            };
            let lit = if body.look.is_glowing { 1.0 } else { light };
            column.paint(&Span {
                top: self.view.row(to, depth),
                bottom: self.view.row(from, depth),
                depth,
                tint: hazed(band.tint, lit, depth),
                light: (at(to), at(from)),
            });
        }
    }

    /// A slice of an ellipsoid, lighter above than below.
    fn ball(&self, column: &mut Column, body: &Body, crossing: Crossing) {
        let (low, high) = body.solid.footprint.bounds();
        let radius = (high.x - low.x) / 2.0;
        let middle = f64::midpoint(crossing.enter, crossing.leave);
        if middle < NEAR {
            return;
        }
        let chord = (crossing.leave - crossing.enter) / 2.0 * self.length / radius;
        let centre = f64::midpoint(body.solid.low, body.solid.high);
        let half = (body.solid.high - body.solid.low) / 2.0 * chord;
        let depth = (middle - (middle - crossing.enter) * 0.6) as f32;
        let light = self.light(body, crossing);
        column.paint(&Span {
            top: self.view.row((centre + half) as f32, depth),
            bottom: self.view.row((centre - half) as f32, depth),
            depth,
            tint: hazed(body.look.end, light, depth),
            light: (1.08, 0.8),
        });
    }

    /// Light on the side that the ray meets: the room's, and how the side is turned.
    fn light(&self, body: &Body, crossing: Crossing) -> f32 {
        let hit = self
            .view
            .eye
            .plus(self.direction.times(crossing.enter.max(0.0)));
        let before = hit.plus(crossing.normal.times(0.22));
        let room = self.backdrop.light.at(before.x as f32, before.y as f32);
        let turned = match body.solid.footprint {
            // Flat sides by the compass, so that the faces of a box differ.
            Footprint::Slab { .. } => 0.93 + 0.07 * crossing.normal.dot(Point::new(0.35, -0.94)),
            // Round sides from over the camera's left shoulder.
            Footprint::Disc { .. } => {
                let over_shoulder = self.direction.times(-0.7 / self.length);
                let left = self.view.right.times(-0.7);
                0.8 + 0.22 * crossing.normal.dot(over_shoulder.plus(left))
            }
        };
        room * turned as f32
    }
}

/// Brightness of floor or ceiling at a point.
#[inline]
fn read(surface: &Surface, x: f32, y: f32, depth: f32) -> f32 {
    if depth > FAR {
        surface.coarse.smooth(x, y)
    } else {
        surface.fine.smooth(x, y)
    }
}

/// Colour of floor or ceiling at a point.
#[inline]
fn tone(column: &mut Column, surface: &Surface, half_row: usize, x: f32, y: f32) {
    if let (Some(blue), Some(red)) = (column.blue.get_mut(half_row), column.red.get_mut(half_row)) {
        *blue = surface.blue.nearest(x, y) - 128.0;
        *red = surface.red.nearest(x, y) - 128.0;
    }
}

fn haze(luma: f32, depth: f32) -> f32 {
    let share = (depth * HAZE.0).min(HAZE.1);
    luma + (HAZE_LUMA - luma) * share
}

/// A lit colour with air before it.
fn hazed(tint: Tint, light: f32, depth: f32) -> Tint {
    let share = (depth * HAZE.0).min(HAZE.1);
    let luma = tint.luma * light;
    Tint {
        luma: luma + (HAZE_LUMA - luma) * share,
        blue: tint.blue * light * (1.0 - share),
        red: tint.red * light * (1.0 - share),
    }
}
