//! Light and floors, worked out once for a site: how bright every spot is, and what floor and ceiling look like.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "pixels and texels: small numbers, clamped before they are cut"
)]

use super::palette::Tint;
use crate::driver::sim::{CEILING, Colour, Flooring, Form, Point, Room, Site, Solid};

/// Side of a texel of floor and ceiling.
const TEXEL: f32 = 0.05;
/// Texels of colour in a metre: half as many as of brightness, as in the picture.
const TONES_PER_METRE: f32 = 10.0;
/// Texels of the fine level on one side of a texel of the coarse one.
const COARSER: usize = 4;
/// Side of a cell of the light map.
const LIGHT_CELL: f32 = 0.25;
/// Light that comes from everywhere.
const AMBIENT: f64 = 0.66;
/// How far a thing darkens the floor around it.
const SHADOW_REACH: f64 = 0.32;

/// One channel over the whole site, read between texels.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    columns: usize,
    rows: usize,
    per_metre: f32,
    texels: Vec<u8>,
}

impl Plane {
    fn new(size: Point, texel: f32) -> Self {
        let columns = (size.x as f32 / texel).ceil() as usize + 2;
        let rows = (size.y as f32 / texel).ceil() as usize + 2;
        Self {
            columns,
            rows,
            per_metre: texel.recip(),
            texels: vec![0; columns * rows],
        }
    }

    /// Computes every texel from the point in its middle.
    fn fill(&mut self, value: impl Fn(Point) -> f32) {
        for row in 0..self.rows {
            for column in 0..self.columns {
                let x = (column as f32 + 0.5) / self.per_metre;
                let y = (row as f32 + 0.5) / self.per_metre;
                let value = value(Point::new(f64::from(x), f64::from(y)));
                self.texels[row * self.columns + column] = value.clamp(0.0, 255.0) as u8;
            }
        }
    }

    /// The same picture with texels as wide as `COARSER` of these.
    fn coarser(&self) -> Self {
        let columns = self.columns.div_ceil(COARSER) + 1;
        let rows = self.rows.div_ceil(COARSER) + 1;
        let mut texels = vec![0; columns * rows];
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = 0_u32;
                for offset in 0..COARSER * COARSER {
                    let x = (column * COARSER + offset % COARSER).min(self.columns - 1);
                    let y = (row * COARSER + offset / COARSER).min(self.rows - 1);
                    sum += u32::from(self.texels[y * self.columns + x]);
                }
                texels[row * columns + column] = (sum / (COARSER * COARSER) as u32) as u8;
            }
        }
        Self {
            columns,
            rows,
            per_metre: self.per_metre / COARSER as f32,
            texels,
        }
    }

    /// The value at a point, weighed between the four texels around it.
    #[inline]
    pub(super) fn smooth(&self, x: f32, y: f32) -> f32 {
        let across = x * self.per_metre - 0.5;
        let up = y * self.per_metre - 0.5;
        // Casts stop at 0, and the borders are two texels wide, so that points of the site never miss.
        let (column, row) = (across as u32, up as u32);
        let at = row as usize * self.columns + column as usize;
        let south = self.texels.get(at..at + 2);
        let north = self.texels.get(at + self.columns..at + self.columns + 2);
        let (Some(&[sw, se]), Some(&[nw, ne])) = (south, north) else {
            return 0.0;
        };
        let [sw, se, nw, ne] = [sw, se, nw, ne].map(f32::from);
        let (fx, fy) = (across - column as f32, up - row as f32);
        let south = sw + (se - sw) * fx;
        let north = nw + (ne - nw) * fx;
        south + (north - south) * fy
    }

    /// The value of the texel that a point lies in.
    #[inline]
    pub(super) fn nearest(&self, x: f32, y: f32) -> f32 {
        let column = ((x * self.per_metre).max(0.0) as usize).min(self.columns - 1);
        let row = ((y * self.per_metre).max(0.0) as usize).min(self.rows - 1);
        f32::from(self.texels[row * self.columns + column])
    }
}

/// Floor or ceiling: brightness in two finenesses, colour in one.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    pub(super) fine: Plane,
    pub(super) coarse: Plane,
    tones: Tones,
}

/// The two colour differences over the whole site.
#[derive(Debug, Clone)]
struct Tones {
    columns: usize,
    texels: Vec<[i8; 2]>,
}

impl Surface {
    fn new(size: Point, tint: impl Fn(Point) -> Tint) -> Self {
        let mut fine = Plane::new(size, TEXEL);
        fine.fill(|at| tint(at).luma);
        Self {
            coarse: fine.coarser(),
            fine,
            tones: Tones::new(size, tint),
        }
    }

    /// Colour differences at a point.
    #[inline]
    pub(super) fn tone(&self, x: f32, y: f32) -> (f32, f32) {
        let column = (x * TONES_PER_METRE) as u32 as usize;
        let row = (y * TONES_PER_METRE) as u32 as usize;
        let texel = self.tones.texels.get(row * self.tones.columns + column);
        let [blue, red] = texel.copied().unwrap_or_default().map(f32::from);
        (blue, red)
    }
}

impl Tones {
    fn new(size: Point, tint: impl Fn(Point) -> Tint) -> Self {
        let columns = (size.x as f32 * TONES_PER_METRE).ceil() as usize + 1;
        let rows = (size.y as f32 * TONES_PER_METRE).ceil() as usize + 1;
        let middle = |index: usize| f64::from((index as f32 + 0.5) / TONES_PER_METRE);
        let texels = (0..columns * rows)
            .map(|index| {
                let at = Point::new(middle(index % columns), middle(index / columns));
                let Tint { blue, red, .. } = tint(at);
                [blue.round() as i8, red.round() as i8]
            })
            .collect();
        Self { columns, texels }
    }
}

/// How bright every spot of the site is, in hundredths.
#[derive(Debug, Clone)]
pub(super) struct LightMap(Plane);

impl LightMap {
    pub(super) fn of(site: &Site) -> Self {
        let mut plane = Plane::new(site.size, LIGHT_CELL);
        plane.fill(|at| (brightness(site, at) * 100.0) as f32);
        Self(plane)
    }

    /// About 1 under a lamp, 0.7 in a far corner.
    #[inline]
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        self.0.smooth(x, y) * 0.01
    }
}

fn brightness(site: &Site, at: Point) -> f64 {
    let Some(room) = site.room_at(at) else {
        return AMBIENT;
    };
    let lamps: f64 = site
        .lamps
        .iter()
        .filter(|lamp| room.holds(lamp.centre))
        .map(|lamp| {
            let away = lamp.centre.distance(at);
            0.3 * (4.0 / (4.0 + away * away)).powf(1.4)
        })
        .sum();
    let daylight: f64 = site
        .daylight
        .iter()
        .filter(|window| room.holds(window.at.plus(window.inward.times(0.4))))
        .map(|window| {
            let way = at.minus(window.at);
            let ahead = way.dot(window.inward).max(0.0);
            let spread = (ahead + 0.6) / (way.length() + 0.6);
            0.3 * spread * spread * (5.0 / (5.0 + ahead * ahead)) * window.half_width.min(1.2)
        })
        .sum();
    (AMBIENT + lamps + daylight).min(1.16)
}

/// The floor: covering, light, and the shade around what stands on it.
pub(super) fn floor(site: &Site, light: &LightMap) -> Surface {
    let mut shade = Plane::new(site.size, TEXEL);
    shade.texels.fill(200);
    for solid in &site.solids {
        darken(&mut shade, solid);
    }
    Surface::new(site.size, |at| {
        let (x, y) = (at.x as f32, at.y as f32);
        let room = site.room_at(at);
        let tint = covering(room, at);
        let factor = light.at(x, y) * shade.smooth(x, y) / 200.0;
        Tint {
            luma: (tint.luma * factor).min(218.0),
            blue: tint.blue * factor,
            red: tint.red * factor,
        }
    })
}

fn darken(shade: &mut Plane, solid: &Solid) {
    let is_on_floor = solid.low < 0.15;
    let hangs_low = solid.low < 0.8;
    if solid.form == Form::Ball || !hangs_low {
        return;
    }
    let (low, high) = solid.footprint.bounds();
    let is_thin = (high.x - low.x).min(high.y - low.y) < 0.06;
    let (deepest, reach) = match (is_on_floor, is_thin) {
        (true, true) => (0.82, 0.1),
        (true, false) => (0.66, SHADOW_REACH),
        (false, _) => (0.76, 0.2),
    };
    let steps = |metres: f64| (metres.max(0.0) as f32 * shade.per_metre) as usize;
    let rows = steps(low.y - reach)..=steps(high.y + reach).min(shade.rows - 1);
    for row in rows {
        for column in steps(low.x - reach)..=steps(high.x + reach).min(shade.columns - 1) {
            let at = Point::new(
                f64::from((column as f32 + 0.5) / shade.per_metre),
                f64::from((row as f32 + 0.5) / shade.per_metre),
            );
            let far = (solid.footprint.distance(at) / reach).min(1.0);
            let eased = far * far * (3.0 - 2.0 * far);
            let factor = ((deepest + (1.0 - deepest) * eased) * 200.0) as u8;
            let texel = &mut shade.texels[row * shade.columns + column];
            *texel = (*texel).min(factor);
        }
    }
}

fn covering(room: Option<&Room>, at: Point) -> Tint {
    let Some(room) = room else {
        return Tint::of(Colour(150, 154, 158));
    };
    match room.flooring {
        Flooring::Corridor => {
            let from_middle = (at.y - f64::midpoint(room.low.y, room.high.y)).abs();
            let colour = if (0.86..0.94).contains(&from_middle) {
                Colour(112, 142, 168)
            } else if from_middle > 0.94 {
                Colour(164, 170, 174)
            } else {
                Colour(188, 191, 192)
            };
            speckled(Tint::of(colour), at, 0.012)
        }
        Flooring::Wood => {
            let plank = (at.y / 0.2).floor();
            let start = (plank * 0.618).fract() * 1.4;
            let board = ((at.x + start) / 1.4).floor();
            let shade = 1.0 + (noise(plank, board) - 0.5) * 0.1;
            let tint = Tint::of(Colour(190, 166, 138));
            let luma = tint.luma * shade as f32;
            speckled(Tint { luma, ..tint }, at, 0.014)
        }
        Flooring::Plain => speckled(Tint::of(Colour(184, 187, 184)), at, 0.016),
    }
}

fn speckled(tint: Tint, at: Point, strength: f32) -> Tint {
    let noise = noise((at.x * 20.0).floor(), (at.y * 20.0).floor()) as f32;
    Tint {
        luma: tint.luma * (1.0 + (noise - 0.5) * 2.0 * strength),
        ..tint
    }
}

/// 0 to 1, without pattern.
fn noise(x: f64, y: f64) -> f64 {
    ((x * 12.989_8 + y * 78.233).sin() * 43_758.545_3)
        .fract()
        .abs()
}

/// The ceiling: tiles and lamps.
pub(super) fn ceiling(site: &Site, light: &LightMap) -> Surface {
    let tile = Tint::of(Colour(224, 225, 223));
    Surface::new(site.size, |at| {
        let near = site
            .lamps
            .iter()
            .map(|lamp| {
                let away = at.minus(lamp.centre);
                (away.x.abs() - lamp.half.x).max(away.y.abs() - lamp.half.y)
            })
            .fold(f64::INFINITY, f64::min);
        if near < 0.0 {
            return Tint {
                luma: 219.0,
                ..Tint::default()
            };
        }
        let is_seam = [at.x, at.y]
            .iter()
            .any(|metres| (metres / 0.6).fract() < 0.05 / 0.6);
        let frame = if near < 0.05 { 0.86 } else { 1.0 };
        let seam = if is_seam { 0.965 } else { 1.0 };
        let glow = 1.0 + 0.08 * (-near as f32 * 3.0).exp();
        let factor = (0.42 + 0.46 * light.at(at.x as f32, at.y as f32)) * frame * seam * glow;
        Tint {
            luma: tile.luma * factor.min(1.0),
            blue: tile.blue,
            red: tile.red,
        }
    })
}

/// Height of the ceiling for drawing.
pub(super) const CEILING_HEIGHT: f32 = CEILING as f32;
