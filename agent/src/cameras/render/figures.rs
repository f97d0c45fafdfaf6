//! People as a few upright shapes: shoes, legs that swing, coat, arms, head, hair.

use crate::driver::sim::{Colour, Figure, Footprint, Form, Material, Point, Solid};

/// Height that the proportions below are drawn for.
const DRAWN_FOR: f64 = 1.72;
const TROUSERS: Colour = Colour(66, 74, 88);
const SHOES: Colour = Colour(48, 48, 52);

/// The solids of a person, some fifteen.
pub(super) fn solids(figure: &Figure) -> Vec<Solid> {
    let scale = figure.tall / DRAWN_FOR;
    let ahead = Point::along(figure.heading);
    let left = Point::new(-ahead.y, ahead.x);
    let stride = figure.gait.sin() * figure.swing;
    let shape = |aside: f64, forward: f64, radius: f64, low: f64, high: f64, form, colour| Solid {
        footprint: Footprint::Disc {
            centre: figure
                .at
                .plus(left.times(aside * scale))
                .plus(ahead.times(forward * scale)),
            radius: radius * scale,
        },
        low: low * scale,
        high: high * scale,
        form,
        material: Material::Plain(colour),
    };
    let (post, ball) = (Form::Prism, Form::Ball);
    let mut solids = Vec::with_capacity(16);
    for side in [-1.0, 1.0] {
        let swing = stride * side;
        solids.push(shape(
            0.1 * side,
            0.25 * swing + 0.04,
            0.075,
            0.0,
            0.09,
            ball,
            SHOES,
        ));
        solids.push(shape(
            0.1 * side,
            0.21 * swing,
            0.062,
            0.05,
            0.46,
            post,
            TROUSERS,
        ));
        solids.push(shape(
            0.09 * side,
            0.1 * swing,
            0.082,
            0.4,
            0.84,
            post,
            TROUSERS,
        ));
        solids.push(shape(
            0.225 * side,
            -0.12 * swing,
            0.055,
            1.0,
            1.4,
            post,
            figure.coat,
        ));
        solids.push(shape(
            0.235 * side,
            -0.2 * swing,
            0.05,
            0.78,
            1.06,
            ball,
            figure.coat,
        ));
        solids.push(shape(
            0.235 * side,
            -0.22 * swing,
            0.042,
            0.72,
            0.84,
            ball,
            figure.skin,
        ));
    }
    solids.push(shape(0.0, 0.0, 0.165, 0.74, 1.0, post, figure.coat));
    solids.push(shape(0.0, 0.0, 0.185, 0.98, 1.38, post, figure.coat));
    solids.push(shape(0.0, 0.0, 0.225, 1.26, 1.5, ball, figure.coat));
    solids.push(shape(0.0, 0.0, 0.055, 1.42, 1.54, post, figure.skin));
    solids.push(shape(0.0, 0.012, 0.092, 1.48, 1.73, ball, figure.skin));
    solids.push(shape(0.0, -0.016, 0.1, 1.57, 1.765, ball, figure.hair));
    solids
}
