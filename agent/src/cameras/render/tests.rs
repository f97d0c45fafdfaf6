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

#[test]
fn zz_shots() {
    use crate::driver::Driver as _;
    let Ok(dir) = std::env::var("SHOTS") else {
        return;
    };
    let t = std::time::Instant::now();
    let backdrop = Backdrop::new(&Site::wing());
    println!("backdrop {:?}", t.elapsed());
    let sim = Sim::new(SimConfig::new(2));
    let mut base = sim.stage().moment();
    let spots = [
        ("corr_w", 2.6, 8.0, 0.0),
        ("corr_e", 25.0, 8.0, 3.14),
        ("room1", 1.35, 11.1, 0.6),
        ("room3", 10.65, 11.1, 0.97),
        ("store", 20.9, 11.1, 1.57),
        ("store2", 22.0, 12.2, 0.1),
        ("day", 13.3, 4.9, -1.57),
        ("day2", 13.3, 6.0, -2.4),
        ("lobby", 19.6, 4.0, -1.57),
        ("kitchen", 25.5, 11.1, 1.2),
        ("office", 24.0, 4.9, -0.97),
        ("door", 12.0, 8.0, 1.9),
        ("dock", 18.6, 3.0, -1.57),
    ];
    base.figures[0].at = crate::driver::sim::Point::new(6.0, 7.6);
    base.figures[0].heading = 3.0;
    base.figures[0].swing = 1.0;
    base.figures[0].gait = 1.2;
    base.figures[1].at = crate::driver::sim::Point::new(22.2, 8.2);
    base.figures[1].heading = 0.4;
    let mut painter = Painter::new(Arc::clone(&backdrop), Lens::HEAD);
    let mut rear = Painter::new(Arc::clone(&backdrop), Lens::BASE);
    let mut frame = Frame::new(640, 480);
    for (name, x, y, h) in spots {
        base.robot = Pose {
            x_m: x,
            y_m: y,
            heading_rad: h,
        };
        let mut best = f64::INFINITY;
        let mut sum = 0.0;
        for _ in 0..20 {
            let t = std::time::Instant::now();
            painter.paint(&base, &mut frame);
            let ms = t.elapsed().as_secs_f64() * 1e3;
            best = best.min(ms);
            sum += ms;
        }
        write(&format!("{dir}/{name}.rgb"), &frame);
        let jpeg = crate::cameras::still::still(&frame).unwrap().len();
        rear.paint(&base, &mut frame);
        write(&format!("{dir}/{name}_base.rgb"), &frame);
        println!(
            "{name}: min {best:.2} mean {:.2} ms, still {jpeg} B",
            sum / 20.0
        );
    }
    // encoder
    let mut sim = Sim::new(SimConfig {
        wander: true,
        ..SimConfig::new(2)
    });
    let mut encoder = crate::cameras::encode::Encoder::new(
        crate::cameras::encode::EncoderConfig::new(640, 480, 30),
    );
    let (mut paint, mut enc, mut bytes, mut n, mut most) = (0.0, 0.0, 0, 0, 0);
    for i in 0..900 {
        sim.step(std::time::Duration::from_millis(if i % 3 == 0 {
            40
        } else {
            30
        }));
        let t = std::time::Instant::now();
        painter.paint(&sim.stage().moment(), &mut frame);
        paint += t.elapsed().as_secs_f64();
        let t = std::time::Instant::now();
        let unit = encoder.encode(&frame, false).unwrap();
        enc += t.elapsed().as_secs_f64();
        bytes += unit.bytes.len();
        n += 1;
        most = most.max(unit.bytes.len());
    }
    println!(
        "paint {:.2} ms encode {:.2} ms, {:.0} kbit/s, largest {most}",
        paint / n as f64 * 1e3,
        enc / n as f64 * 1e3,
        bytes as f64 * 8.0 / 30.0 / 1e3
    );
}

fn write(path: &str, frame: &Frame) {
    let mut rgb = vec![0; frame.width() * frame.height() * 3];
    for y in 0..frame.height() {
        for x in 0..frame.width() {
            let [l, b, r] = frame.sample(x, y).map(f32::from);
            let (l, b, r) = ((l - 16.0) * 1.164, b - 128.0, r - 128.0);
            let at = (y * frame.width() + x) * 3;
            rgb[at] = (l + 1.596 * r).clamp(0.0, 255.0) as u8;
            rgb[at + 1] = (l - 0.392 * b - 0.813 * r).clamp(0.0, 255.0) as u8;
            rgb[at + 2] = (l + 2.017 * b).clamp(0.0, 255.0) as u8;
        }
    }
    std::fs::write(path, &rgb).unwrap();
}
