//! Colours in the encoder's terms, and what each material looks like at which height.

use crate::driver::sim::{Colour, Material};

/// A colour as brightness (0 to 219) and the two colour differences (around 0), all of which scale with light.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Tint {
    pub(super) luma: f32,
    pub(super) blue: f32,
    pub(super) red: f32,
}

impl Tint {
    /// BT.601, limited range, without the offsets.
    pub(super) fn of(colour: Colour) -> Self {
        let [r, g, b] = [colour.0, colour.1, colour.2].map(f32::from);
        Self {
            luma: 0.2568 * r + 0.5041 * g + 0.0979 * b,
            blue: -0.1482 * r - 0.2910 * g + 0.4392 * b,
            red: 0.4392 * r - 0.3678 * g - 0.0714 * b,
        }
    }
}

/// A stretch of a side, from one height to another, with its brightness at both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Band {
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) tint: Tint,
    pub(super) light_low: f32,
    pub(super) light_high: f32,
}

/// How a material is painted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    /// Sides, from the floor up; cut to the solid's own heights when drawn.
    pub(super) bands: Vec<Band>,
    /// Top and bottom.
    pub(super) end: Tint,
    /// Shines by itself.
    pub(super) is_glowing: bool,
}

const WALL_UPPER: Colour = Colour(226, 225, 220);
const WALL_LOWER: Colour = Colour(186, 194, 198);
const WALL_LINE: Colour = Colour(142, 154, 164);
const SKIRTING: Colour = Colour(104, 110, 116);
const WOOD: Colour = Colour(192, 154, 114);
const KICK_PLATE: Colour = Colour(160, 165, 170);
const STEEL: Colour = Colour(166, 172, 178);
const HEDGE: Colour = Colour(138, 160, 128);
const MIST: Colour = Colour(196, 210, 208);
const SKY: Colour = Colour(232, 240, 247);

/// Above anything that is drawn.
const UP: f32 = 9.0;

fn band(low: f32, high: f32, colour: Colour, light: (f32, f32)) -> Band {
    Band {
        low,
        high,
        tint: Tint::of(colour),
        light_low: light.0,
        light_high: light.1,
    }
}

impl Look {
    /// The look of a material; `low` and `high` are the ends of the solid.
    pub(super) fn of(material: Material, low: f32, high: f32) -> Self {
        let (bands, end, is_glowing) = match material {
            Material::Wall => (wall(), WALL_UPPER, false),
            Material::Window => (
                vec![
                    band(0.0, 1.2, HEDGE, (0.9, 1.0)),
                    band(1.2, 1.42, MIST, (0.86, 1.0)),
                    band(1.42, UP, SKY, (0.98, 1.04)),
                ],
                SKY,
                true,
            ),
            Material::Door => (
                vec![
                    band(0.0, 0.26, KICK_PLATE, (0.78, 0.98)),
                    band(0.26, UP, WOOD, (0.96, 1.02)),
                ],
                WOOD,
                false,
            ),
            Material::Lift => (
                vec![
                    band(0.0, 1.1, STEEL, (0.82, 1.04)),
                    band(1.1, UP, STEEL, (1.04, 0.9)),
                ],
                STEEL,
                false,
            ),
            Material::Plain(colour) => {
                let foot = if low < 0.06 { 0.8 } else { 0.9 };
                (vec![band(low, high, colour, (foot, 1.0))], colour, false)
            }
            Material::Glowing(colour) => (vec![band(low, high, colour, (1.0, 1.0))], colour, true),
        };
        Self {
            bands,
            end: Tint::of(end),
            is_glowing,
        }
    }
}

/// Dark where it meets floor and ceiling, with a rail line between lower and upper paint.
fn wall() -> Vec<Band> {
    vec![
        band(0.0, 0.1, SKIRTING, (0.8, 0.94)),
        band(0.1, 0.4, WALL_LOWER, (0.84, 0.97)),
        band(0.4, 0.98, WALL_LOWER, (0.97, 1.0)),
        band(0.98, 1.01, WALL_LINE, (1.0, 1.0)),
        band(1.01, 2.3, WALL_UPPER, (0.98, 1.0)),
        band(2.3, UP, WALL_UPPER, (1.0, 0.95)),
    ]
}
