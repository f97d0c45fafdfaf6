//! Claims about the drawn pictures: they are the same every time, show what is there, and fill any even size.

use std::sync::Arc;

use protocol::robot::Pose;

use super::{Backdrop, Lens, Painter};
use crate::{
    cameras::frame::Frame,
    driver::sim::{Colour, Footprint, Form, Material, Moment, Point, Sim, SimConfig, Site, Solid},
};

fn moment(x_m: f64, y_m: f64, heading_rad: f64, loose: Vec<Solid>) -> Moment {
    Moment {
        robot: Pose {
            x_m,
            y_m,
            heading_rad,
        },
        figures: Vec::new(),
        loose: loose.into(),
    }
}

fn shot(moment: &Moment, width: usize, height: usize) -> Frame {
    let backdrop = Backdrop::new(&Site::wing());
    let mut frame = Frame::new(width, height);
    Painter::new(backdrop, Lens::HEAD).paint(moment, &mut frame);
    frame
}

#[test]
fn the_same_moment_gives_the_same_picture_also_from_a_used_painter() {
    let backdrop = Backdrop::new(&Site::wing());
    let here = moment(5.0, 8.0, 0.3, Vec::new());
    let elsewhere = moment(20.0, 11.0, 2.0, Vec::new());
    let mut used = Painter::new(Arc::clone(&backdrop), Lens::HEAD);
    let mut frame = Frame::new(640, 480);
    used.paint(&elsewhere, &mut frame);
    used.paint(&here, &mut frame);

    assert_eq!(frame, shot(&here, 640, 480));
}

#[test]
fn a_robot_that_moves_sees_another_picture() {
    let one = shot(&moment(5.0, 8.0, 0.0, Vec::new()), 320, 240);
    let other = shot(&moment(5.3, 8.0, 0.0, Vec::new()), 320, 240);

    let changed = one.luma().iter().zip(other.luma()).filter(|(a, b)| a != b);
    assert!(changed.count() > 320 * 240 / 10);
}

#[test]
fn a_red_box_ahead_reddens_the_middle_of_the_picture_only() {
    let red = Solid {
        footprint: Footprint::Disc {
            centre: Point::new(8.0, 8.0),
            radius: 0.3,
        },
        low: 0.0,
        high: 1.3,
        form: Form::Prism,
        material: Material::Plain(Colour(200, 30, 30)),
    };
    let with = shot(&moment(5.0, 8.0, 0.0, vec![red]), 640, 480);
    let without = shot(&moment(5.0, 8.0, 0.0, Vec::new()), 640, 480);

    assert!(
        with.sample(320, 260)[2] > 190,
        "{:?}",
        with.sample(320, 260)
    );
    assert!(without.sample(320, 260)[2] < 140);
    assert_eq!(with.sample(20, 260), without.sample(20, 260));
}

#[test]
fn a_thing_behind_a_wall_is_not_seen() {
    let hidden = Solid {
        footprint: Footprint::Disc {
            centre: Point::new(7.0, 11.0),
            radius: 0.3,
        },
        low: 0.0,
        high: 2.0,
        form: Form::Prism,
        material: Material::Plain(Colour(200, 30, 30)),
    };
    let facing_north = std::f64::consts::FRAC_PI_2;

    let with = shot(&moment(7.8, 8.0, facing_north, vec![hidden]), 320, 240);
    let without = shot(&moment(7.8, 8.0, facing_north, Vec::new()), 320, 240);

    assert_eq!(with, without);
}

#[test]
fn people_are_seen() {
    let sim = Sim::new(SimConfig::new(3));
    let mut seen = sim.stage().moment();
    let figure = seen.figures[0];
    seen.robot = Pose {
        x_m: figure.at.x + 1.6,
        y_m: figure.at.y,
        heading_rad: std::f64::consts::PI,
    };
    let with = shot(&seen, 320, 240);
    seen.figures.clear();

    assert_ne!(with, shot(&seen, 320, 240));
}

#[test]
fn any_even_size_is_filled_from_anywhere_on_the_floor() {
    let backdrop = Backdrop::new(&Site::wing());
    let mut painter = Painter::new(backdrop, Lens::BASE);
    for (width, height) in [(2, 2), (18, 34), (322, 178), (640, 480)] {
        for step in 0..24_u32 {
            let turn = f64::from(step) * 0.7;
            let at = moment(1.0 + f64::from(step), 2.0 + turn % 11.0, turn, Vec::new());
            let mut frame = Frame::new(width, height);
            frame.planes().luma.fill(3);

            painter.paint(&at, &mut frame);

            assert!(frame.luma().iter().all(|luma| (16..=235).contains(luma)));
        }
    }
}
