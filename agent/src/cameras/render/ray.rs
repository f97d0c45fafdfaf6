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
/// Average brightness of the ceiling, against which reflections in the floor are told.
const MEAN_CEILING: f32 = 176.0;
/// Brightness of a wall as the floor reflects it, and what a window adds to that.
const MIRRORED_WALL: f32 = 158.0;
const MIRRORED_SKY: f32 = 62.0;
/// Lower and upper edge of windows, and how far their reflection is blurred.
const WINDOW: (f32, f32) = (0.9, 2.25);
const SOFT: f32 = 0.7;
/// How much the floor reflects right below the eye, and how much more for each metre from it.
const GLOSS: (f32, f32) = (0.1, 0.03);
/// How much darker the floor is right under a person.
const SHADOW: f32 = 0.4;

/// What the floor reflects in one column.
#[derive(Debug)]
struct Mirror {
    end: f32,
    is_window: bool,
    to_ceiling: f32,
}

/// One column's ray.
#[derive(Debug)]
pub(super) struct Ray<'view> {
    pub(super) view: &'view View,
    pub(super) direction: Point,
    pub(super) length: f64,
    pub(super) backdrop: &'view Backdrop,
}

impl Ray<'_> {
    /// Floor and ceiling up to where the ray ends; the floor reflects the ceiling and what ends the ray.
    pub(super) fn level(&self, column: &mut Column, per_row: &[f32], end: f32, is_window: bool) {
        let view = self.view;
        let rows = column.luma.len();
        let floor_from = (view.row(0.0, end).round().max(0.0) as usize).min(rows);
        let ceiling_to = view.row(CEILING_HEIGHT, end).round().max(0.0) as usize;
        let ceiling_to = ceiling_to.min(floor_from);
        let mirror = Mirror {
            end,
            is_window,
            // The floor's mirror image of the ceiling lies this many times as far as the floor.
            to_ceiling: (CEILING_HEIGHT + view.height) / view.height,
        };
        let above = CEILING_HEIGHT - view.height;
        for (held, unit) in column.depth.iter_mut().zip(per_row).take(ceiling_to) {
            *held = above * unit;
        }
        for (held, unit) in column.depth.iter_mut().zip(per_row).skip(floor_from) {
            *held = view.height * unit;
        }
        every_other(
            &mut column.luma[..ceiling_to],
            &per_row[..ceiling_to],
            |unit| {
                let depth = above * unit;
                let (x, y) = self.over(depth);
                haze(read(&self.backdrop.ceiling, x, y, depth), depth)
            },
        );
        every_other(
            &mut column.luma[floor_from..],
            &per_row[floor_from..],
            |unit| {
                let depth = view.height * unit;
                let (x, y) = self.over(depth);
                let luma = read(&self.backdrop.floor, x, y, depth);
                haze(luma + self.shine(&mirror, depth), depth)
            },
        );
        if column.has_colour {
            for half in floor_from.div_ceil(2)..column.blue.len() {
                let (x, y) = self.over(view.height * per_row[half * 2]);
                (column.blue[half], column.red[half]) = self.backdrop.floor.tone(x, y);
            }
            for half in 0..ceiling_to / 2 {
                let (x, y) = self.over(above * per_row[half * 2]);
                (column.blue[half], column.red[half]) = self.backdrop.ceiling.tone(x, y);
            }
        }
    }

    /// The spot of the site that the ray is over at a depth.
    fn over(&self, depth: f32) -> (f32, f32) {
        let x = self.view.eye.x as f32 + self.direction.x as f32 * depth;
        let y = self.view.eye.y as f32 + self.direction.y as f32 * depth;
        (x, y)
    }

    /// Brightness that the polished floor adds at a depth.
    fn shine(&self, mirror: &Mirror, depth: f32) -> f32 {
        let above = depth * mirror.to_ceiling;
        let seen = if above < mirror.end {
            let (x, y) = self.over(above);
            self.backdrop.ceiling.coarse.nearest(x, y)
        } else if mirror.is_window {
            let height = (mirror.end - depth) * self.view.height / depth;
            let inside = (height - WINDOW.0).min(WINDOW.1 - height);
            MIRRORED_WALL + MIRRORED_SKY * (0.5 + inside / SOFT).clamp(0.0, 1.0)
        } else {
            MIRRORED_WALL
        };
        (GLOSS.0 + GLOSS.1 * depth.min(6.0)) * (seen - MEAN_CEILING)
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
        if crossing.enter > NEAR {
            self.side(column, body, enter as f32, self.light(body, crossing));
        }
        let view = self.view;
        let (low, high) = (body.solid.low as f32, body.solid.high as f32);
        if low <= view.height && high >= view.height {
            return;
        }
        let (Footprint::Slab { centre, .. } | Footprint::Disc { centre, .. }) =
            body.solid.footprint;
        let light = self.backdrop.light.at(centre.x as f32, centre.y as f32);
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
                light * 1.02
            };
            column.paint_level(rows, tint, lit, |row| drop * per_row[row]);
        } else {
            let rise = low - view.height;
            let rows = (
                view.row(low, enter as f32),
                view.row(low, crossing.leave as f32),
            );
            let is_lintel = body.solid.high >= CEILING;
            let lit = light * if is_lintel { 0.78 } else { 0.6 };
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
            let is_topmost = to >= high;
            let height = (band.high - band.low).max(1e-3);
            let at = |z: f32| {
                let share = ((z - band.low) / height).min(1.0);
                band.light_low + (band.light_high - band.light_low) * share
            };
            let lit = if body.look.is_glowing { 1.0 } else { light };
            let top = self.view.row(to, depth);
            column.paint(&Span {
                // The next band is blended over this one's last row, so that nothing behind shines through the seam.
                top: if is_topmost { top } else { top.floor() },
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

/// Works out every other row and puts the mean between: floors are smooth, and this halves their cost.
fn every_other(lumas: &mut [f32], per_row: &[f32], luma: impl Fn(f32) -> f32) {
    for (pair, units) in lumas.chunks_mut(2).zip(per_row.chunks(2)) {
        pair[0] = luma(units[0]);
    }
    for index in (1..lumas.len()).step_by(2) {
        let below = lumas.get(index + 1).unwrap_or(&lumas[index - 1]);
        lumas[index] = f32::midpoint(lumas[index - 1], *below);
    }
}

/// Brightness of floor or ceiling at a point.
#[inline]
fn read(surface: &Surface, x: f32, y: f32, depth: f32) -> f32 {
    let plane = if depth > FAR {
        &surface.coarse
    } else {
        &surface.fine
    };
    plane.smooth(x, y)
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
