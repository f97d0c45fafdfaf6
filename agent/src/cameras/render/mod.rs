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
mod ray;

use std::sync::Arc;

pub use self::backdrop::Backdrop;
use self::{
    backdrop::{Body, Hit},
    column::Column,
    ray::Ray,
};
use super::frame::Frame;
use crate::driver::sim::{Footprint, Moment, Point, Solid, point_of};

/// How wide the shadow of a person is.
const SHADOW_RADIUS: f64 = 0.36;

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
    bytes: Vec<u8>,
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
            bytes: Vec::new(),
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
        for x in 0..width {
            self.paint_column(&view, x);
            self.keep(frame, x);
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
            self.bytes = vec![0; height];
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
            radius: SHADOW_RADIUS,
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
        let is_window = ends_in_window(&backdrop, &self.hits, end);
        ray.level(&mut self.column, &self.per_row, end as f32, is_window);
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

    /// Puts the finished column into the picture.
    fn keep(&mut self, frame: &mut Frame, x: usize) {
        let width = frame.width();
        let planes = frame.planes();
        let luma = &self.column.luma;
        write(
            planes.luma,
            width,
            x,
            &mut self.bytes,
            luma,
            (16.0, 235.0, 16.5),
        );
        if self.column.has_colour {
            let (half, at) = (width / 2, x / 2);
            let range = (16.0, 240.0, 128.5);
            write(
                planes.blue,
                half,
                at,
                &mut self.bytes,
                &self.column.blue,
                range,
            );
            write(
                planes.red,
                half,
                at,
                &mut self.bytes,
                &self.column.red,
                range,
            );
        }
    }
}

/// Writes values, raised and clamped, down one column of a plane. `bytes` is scratch: turning floats into bytes goes
/// many rows at once, writing down a column does not.
fn write(
    plane: &mut [u8],
    width: usize,
    at: usize,
    bytes: &mut [u8],
    values: &[f32],
    (least, most, raise): (f32, f32, f32),
) {
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = (value + raise).clamp(least, most) as i32 as u8;
    }
    for (line, byte) in plane.chunks_exact_mut(width).zip(&*bytes) {
        line[at] = *byte;
    }
}

/// Whether the ray goes out of a window in the end.
fn ends_in_window(backdrop: &Backdrop, hits: &[Hit], end: f64) -> bool {
    let bodies = &backdrop.bodies;
    hits.iter()
        .filter(|hit| hit.crossing.enter >= end - 1e-9)
        .any(|hit| {
            bodies
                .get(hit.body)
                .is_some_and(|body| body.look.is_glowing)
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

#[cfg(test)]
mod tests;
