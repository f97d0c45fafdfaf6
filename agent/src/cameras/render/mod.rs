//! A software camera: draws the simulated site from any spot of it, column by column, straight into YUV planes.
//!
//! Every solid is an upright prism, so along one column of the picture each shows a stretch of side and a stretch of
//! top or bottom. A column casts one ray over the floor, collects what it crosses up to the first closed wall, and
//! paints from back to front with a depth for each row. Upright edges fall between columns and level edges are blended
//! by coverage, which leaves little flicker for the encoder to spend bits on. Pitch is a shift of the horizon, as a
//! shift lens does it: upright lines stay upright.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "pixels of a picture and metres of a site: small numbers, clamped before they are cut"
)]

mod backdrop;
mod column;
mod figures;
mod light;
mod palette;

use std::sync::Arc;

pub use self::backdrop::Backdrop;
use self::{
    backdrop::{Body, Hit},
    column::{Column, Span},
    light::{CEILING_HEIGHT, Surface},
    palette::Tint,
};
use super::frame::Frame;
use crate::driver::sim::{CEILING, Crossing, Footprint, Form, Moment, Point, Solid, point_of};

/// Columns that are finished together, so that rows are written in runs.
const TILE: usize = 16;
/// Nothing nearer than this is drawn, metres.
const NEAR: f64 = 0.06;
/// Beyond this floor and ceiling are read from their coarse level.
const FAR: f32 = 5.5;
/// How much light the air adds for each metre, and at most.
const HAZE: (f32, f32) = (0.008, 0.2);
/// Brightness of the air.
const HAZE_LUMA: f32 = 196.0;
/// Average brightness of the ceiling, against which its reflection in the floor is told.
const MEAN_CEILING: f32 = 176.0;
/// How much darker the floor is under a person, and how wide.
const PERSON_SHADOW: (f32, f64) = (0.4, 0.36);

/// Where a camera sits on the robot and how it looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lens {
    /// Metres ahead of the robot's middle; negative is behind.
    pub ahead_m: f64,
    /// Metres above the floor.
    pub height_m: f64,
    /// Against the robot's heading, counter-clockwise.
    pub yaw_rad: f64,
    /// Up is positive.
    pub pitch_rad: f64,
    /// Across the picture.
    pub field_of_view_rad: f64,
}

impl Lens {
    /// Forward, at the height of a seated person's eyes.
    pub const HEAD: Self = Self {
        ahead_m: 0.12,
        height_m: 1.22,
        yaw_rad: 0.0,
        pitch_rad: -0.16,
        field_of_view_rad: 1.28,
    };

    /// Backward, close to the floor.
    pub const BASE: Self = Self {
        ahead_m: -0.2,
        height_m: 0.42,
        yaw_rad: std::f64::consts::PI,
        pitch_rad: -0.06,
        field_of_view_rad: 1.5,
    };
}

/// What stays the same for all columns of one picture.
#[derive(Debug)]
struct View {
    eye: Point,
    height: f32,
    forward: Point,
    right: Point,
    /// Pixels for one metre at one metre's distance.
    focal: f32,
    middle: f32,
    horizon: f32,
}

impl View {
    /// Row at which a height at a depth appears.
    fn row(&self, height: f32, depth: f32) -> f32 {
        self.horizon - (height - self.height) * self.focal / depth
    }
}

/// A camera's brush and canvas. Each camera has its own; the backdrop is shared.
#[derive(Debug)]
pub struct Painter {
    backdrop: Arc<Backdrop>,
    lens: Lens,
    column: Column,
    seen: Vec<u32>,
    ray: u32,
    hits: Vec<Hit>,
    /// For each row: depth of a level one metre from the eye.
    per_row: Vec<f32>,
    moving: Vec<(Body, f64, f64)>,
    shadows: Vec<Footprint>,
    tile: Vec<[u8; TILE]>,
    colour_tile: [Vec<[u8; TILE / 2]>; 2],
}

impl Painter {
    /// A camera on the site of `backdrop`.
    pub fn new(backdrop: Arc<Backdrop>, lens: Lens) -> Self {
        Self {
            seen: vec![0; backdrop.bodies.len()],
            backdrop,
            lens,
            column: Column::new(0),
            ray: 0,
            hits: Vec::with_capacity(64),
            per_row: Vec::new(),
            moving: Vec::new(),
            shadows: Vec::new(),
            tile: Vec::new(),
            colour_tile: [Vec::new(), Vec::new()],
        }
    }

    /// Draws the moment as the camera sees it.
    pub fn paint(&mut self, moment: &Moment, frame: &mut Frame) {
        let (width, height) = (frame.width(), frame.height());
        if width == 0 || height == 0 {
            return;
        }
        let view = self.view(moment, width, height);
        self.prepare(moment, &view, height);
        for left in (0..width).step_by(TILE) {
            let columns = TILE.min(width - left);
            for offset in 0..columns {
                self.paint_column(&view, left + offset);
                self.keep(offset);
            }
            self.flush(frame, left, columns);
        }
    }

    fn view(&self, moment: &Moment, width: usize, height: usize) -> View {
        let lens = &self.lens;
        let eye =
            point_of(moment.robot).plus(Point::along(moment.robot.heading_rad).times(lens.ahead_m));
        let forward = Point::along(moment.robot.heading_rad + lens.yaw_rad);
        let focal = width as f32 / 2.0 / (lens.field_of_view_rad / 2.0).tan() as f32;
        View {
            eye,
            height: lens.height_m as f32,
            forward,
            right: Point::new(forward.y, -forward.x),
            focal,
            middle: width as f32 / 2.0,
            horizon: height as f32 / 2.0 + lens.pitch_rad.tan() as f32 * focal,
        }
    }

    fn prepare(&mut self, moment: &Moment, view: &View, height: usize) {
        if self.column.luma.len() != height {
            self.column = Column::new(height);
            self.tile = vec![[0; TILE]; height];
            self.colour_tile = [
                vec![[0; TILE / 2]; height / 2],
                vec![[0; TILE / 2]; height / 2],
            ];
        }
        self.per_row.clear();
        self.per_row.extend((0..height).map(|row| {
            let below = row as f32 + 0.5 - view.horizon;
            view.focal / below.abs().max(1e-3)
        }));
        self.shadows.clear();
        self.moving.clear();
        let people = moment.figures.iter().flat_map(figures::solids);
        for solid in people.chain(moment.loose.iter().copied()) {
            if let Some((from, to)) = columns_of(&solid, view) {
                self.moving.push((Body::new(solid), from, to));
            }
        }
        let people = moment.figures.iter().map(|figure| Footprint::Disc {
            centre: figure.at,
            radius: PERSON_SHADOW.1,
        });
        self.shadows.extend(people);
    }

    fn paint_column(&mut self, view: &View, x: usize) {
        let aside = (x as f32 + 0.5 - view.middle) / view.focal;
        let direction = view.forward.plus(view.right.times(f64::from(aside)));
        self.ray = self.ray.wrapping_add(1);
        self.hits.clear();
        let backdrop = Arc::clone(&self.backdrop);
        let end = backdrop.trace(
            view.eye,
            direction,
            self.ray,
            &mut self.seen,
            &mut self.hits,
        );
        let still = backdrop.bodies.len();
        let at = x as f64;
        for (index, (body, from, to)) in self.moving.iter().enumerate() {
            if at < *from || at > *to {
                continue;
            }
            if let Some(crossing) = body.solid.footprint.crossing(view.eye, direction)
                && crossing.enter < end
            {
                let body = still + index;
                self.hits.push(Hit { body, crossing });
            }
        }
        self.hits
            .sort_unstable_by(|one, other| other.crossing.enter.total_cmp(&one.crossing.enter));
        self.column.has_colour = x.is_multiple_of(2);
        self.column.clear();
        let ray = Ray {
            view,
            direction,
            length: direction.length(),
            backdrop: &backdrop,
        };
        let reflected = end_luma(&backdrop, &self.hits, end, still);
        ray.level(&mut self.column, &self.per_row, end as f32, reflected);
        for shadow in &self.shadows {
            if let Some(crossing) = shadow.crossing(view.eye, direction) {
                ray.shade(&mut self.column, &self.per_row, shadow, crossing);
            }
        }
        for hit in &self.hits {
            let body = match hit.body.checked_sub(still) {
                None => &backdrop.bodies[hit.body],
                Some(index) => &self.moving[index].0,
            };
            ray.body(&mut self.column, &self.per_row, body, hit.crossing);
        }
    }

    fn keep(&mut self, offset: usize) {
        for (bytes, luma) in self.tile.iter_mut().zip(&self.column.luma) {
            bytes[offset] = (luma + 16.5).clamp(16.0, 235.0) as u8;
        }
        if !self.column.has_colour {
            return;
        }
        let [blue, red] = &mut self.colour_tile;
        for (tile, column) in [(blue, &self.column.blue), (red, &self.column.red)] {
            for (bytes, value) in tile.iter_mut().zip(column) {
                bytes[offset / 2] = (value + 128.5).clamp(16.0, 240.0) as u8;
            }
        }
    }

    fn flush(&self, frame: &mut Frame, left: usize, columns: usize) {
        let width = frame.width();
        let planes = frame.planes();
        for (row, bytes) in planes.luma.chunks_exact_mut(width).zip(&self.tile) {
            row[left..left + columns].copy_from_slice(&bytes[..columns]);
        }
        let (left, columns) = (left / 2, columns / 2);
        for (plane, tile) in [planes.blue, planes.red].into_iter().zip(&self.colour_tile) {
            for (row, bytes) in plane.chunks_exact_mut(width / 2).zip(tile) {
                row[left..left + columns].copy_from_slice(&bytes[..columns]);
            }
        }
    }
}

/// Brightness of what ends the ray, as the floor reflects it.
fn end_luma(backdrop: &Backdrop, hits: &[Hit], end: f64, still: usize) -> f32 {
    let last = hits
        .iter()
        .find(|hit| hit.body < still && hit.crossing.enter >= end - 1e-9);
    last.map_or(MEAN_CEILING, |hit| {
        let look = &backdrop.bodies[hit.body].look;
        if look.is_glowing { 232.0 } else { 158.0 }
    })
}

/// Columns between which a solid appears; `None` when it is behind the eye.
fn columns_of(solid: &Solid, view: &View) -> Option<(f64, f64)> {
    let (low, high) = solid.footprint.bounds();
    let centre = low.plus(high).times(0.5);
    let radius = centre.distance(high);
    let way = centre.minus(view.eye);
    let depth = way.dot(view.forward);
    if depth < -radius {
        return None;
    }
    if depth < radius * 1.5 {
        return Some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let aside = way.dot(view.right);
    let focal = f64::from(view.focal);
    let nearest = depth - radius;
    let reach = |edge: f64| f64::from(view.middle) + focal * (edge / nearest).max(edge / depth);
    let back = |edge: f64| f64::from(view.middle) + focal * (edge / nearest).min(edge / depth);
    Some((back(aside - radius) - 1.0, reach(aside + radius) + 1.0))
}

/// One column's ray.
#[derive(Debug)]
struct Ray<'view> {
    view: &'view View,
    direction: Point,
    length: f64,
    backdrop: &'view Backdrop,
}

impl Ray<'_> {
    /// Floor and ceiling up to where the ray ends.
    fn level(&self, column: &mut Column, per_row: &[f32], end: f32, reflected: f32) {
        let view = self.view;
        let rows = column.luma.len();
        let floor_from = (view.row(0.0, end).round().max(0.0) as usize).min(rows);
        let ceiling_to = (view.row(CEILING_HEIGHT, end).round().max(0.0) as usize).min(rows);
        let (eye_x, eye_y) = (view.eye.x as f32, view.eye.y as f32);
        let (dx, dy) = (self.direction.x as f32, self.direction.y as f32);
        // The floor's mirror image of the ceiling lies this many times as far as the floor.
        let mirrored = (CEILING_HEIGHT + view.height) / view.height;
        for row in floor_from..rows {
            let depth = view.height * per_row[row];
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
        for row in 0..ceiling_to.min(floor_from) {
            let depth = above * per_row[row];
            let (x, y) = (eye_x + dx * depth, eye_y + dy * depth);
            column.luma[row] = haze(read(&self.backdrop.ceiling, x, y, depth), depth);
            column.depth[row] = depth;
            if column.has_colour && row.is_multiple_of(2) {
                tone(column, &self.backdrop.ceiling, row / 2, x, y);
            }
        }
    }

    /// Darkens the floor under a person.
    fn shade(&self, column: &mut Column, per_row: &[f32], disc: &Footprint, crossing: Crossing) {
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
        for row in top..bottom {
            let depth = view.height * per_row[row];
            if (column.depth[row] - depth).abs() > 1e-3 {
                continue;
            }
            let off = (depth - middle) / half;
            let strength = PERSON_SHADOW.0 * chord * (1.0 - off * off).max(0.0);
            column.luma[row] *= 1.0 - strength;
        }
    }

    /// One body: its side, then its top or bottom.
    fn body(&self, column: &mut Column, per_row: &[f32], body: &Body, crossing: Crossing) {
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

#[cfg(test)]
mod tests;
