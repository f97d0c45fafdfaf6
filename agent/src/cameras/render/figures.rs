//! People as a few upright shapes: shoes, legs that swing, coat, arms, head, hair.

use crate::driver::sim::{Colour, Figure, Footprint, Form, Material, Point, Solid};

/// Height that the proportions below are drawn for.
const DRAWN_FOR: f64 = 1.72;
const TROUSERS: Colour = Colour(66, 74, 88);
const SHOES: Colour = Colour(48, 48, 52);

/// One part: aside and forward of the middle, how far it swings, radius, from and to which height.
type Part = (f64, f64, f64, f64, f64, f64, Form, Paint);

#[derive(Debug, Clone, Copy)]
enum Paint {
    Coat,
    Skin,
    Hair,
    Fixed(Colour),
}

/// Parts that come in pairs; the left one is the mirror of the right one and swings against it.
const PAIRED: [Part; 6] = [
    (
        0.1,
        0.04,
        0.25,
        0.075,
        0.0,
        0.09,
        Form::Ball,
        Paint::Fixed(SHOES),
    ),
    (
        0.1,
        0.0,
        0.21,
        0.062,
        0.05,
        0.46,
        Form::Prism,
        Paint::Fixed(TROUSERS),
    ),
    (
        0.09,
        0.0,
        0.1,
        0.082,
        0.4,
        0.84,
        Form::Prism,
        Paint::Fixed(TROUSERS),
    ),
    (0.225, 0.0, -0.12, 0.055, 1.0, 1.4, Form::Prism, Paint::Coat),
    (0.235, 0.0, -0.2, 0.05, 0.78, 1.06, Form::Ball, Paint::Coat),
    (
        0.235,
        0.0,
        -0.22,
        0.042,
        0.72,
        0.84,
        Form::Ball,
        Paint::Skin,
    ),
];

/// Parts in the middle.
const SINGLE: [Part; 6] = [
    (0.0, 0.0, 0.0, 0.165, 0.74, 1.0, Form::Prism, Paint::Coat),
    (0.0, 0.0, 0.0, 0.185, 0.98, 1.38, Form::Prism, Paint::Coat),
    (0.0, 0.0, 0.0, 0.225, 1.26, 1.5, Form::Ball, Paint::Coat),
    (0.0, 0.0, 0.0, 0.055, 1.42, 1.54, Form::Prism, Paint::Skin),
    (0.0, 0.012, 0.0, 0.092, 1.48, 1.73, Form::Ball, Paint::Skin),
    (0.0, -0.016, 0.0, 0.1, 1.57, 1.765, Form::Ball, Paint::Hair),
];

/// The solids of a person.
pub(super) fn solids(figure: &Figure) -> impl Iterator<Item = Solid> {
    let paired = PAIRED
        .into_iter()
        .flat_map(|part| [(part, 1.0), (part, -1.0)]);
    let single = SINGLE.into_iter().map(|part| (part, 1.0));
    paired
        .chain(single)
        .map(|(part, side)| solid(figure, part, side))
}

fn solid(figure: &Figure, part: Part, side: f64) -> Solid {
    let (aside, forward, swing, radius, low, high, form, paint) = part;
    let scale = figure.tall / DRAWN_FOR;
    let ahead = Point::along(figure.heading);
    let left = Point::new(-ahead.y, ahead.x);
    let forward = forward + swing * side * figure.gait.sin() * figure.swing;
    let colour = match paint {
        Paint::Coat => figure.coat,
        Paint::Skin => figure.skin,
        Paint::Hair => figure.hair,
        Paint::Fixed(colour) => colour,
    };
    Solid {
        footprint: Footprint::Disc {
            centre: figure
                .at
                .plus(left.times(aside * side * scale))
                .plus(ahead.times(forward * scale)),
            radius: radius * scale,
        },
        low: low * scale,
        high: high * scale,
        form,
        material: Material::Plain(colour),
    }
}
