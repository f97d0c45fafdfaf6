//! Claims about what becomes of wishes: nothing leads out of the envelope.

use proptest::prelude::*;
use protocol::{
    OrganisationId, UnixMicros,
    safety::{Corner, Envelope, KeepOut, SafetyPolicy},
};
use uuid::Uuid;

use super::*;

const STEP: Duration = Duration::from_millis(20);
const RADIUS: f32 = 0.26;

fn safety(zone: &[Corner], workspace: &[Corner]) -> Safety {
    let zone = (!zone.is_empty()).then(|| KeepOut {
        name: "bed".to_owned(),
        corners: zone.to_vec(),
    });
    let policy = SafetyPolicy {
        organisation: OrganisationId(Uuid::nil()),
        robot: None,
        number: 1,
        issued_at: UnixMicros(0),
        envelope: Envelope::default(),
        workspace: workspace.to_vec(),
        keep_out: zone.into_iter().collect(),
        masks: Vec::new(),
        private: Vec::new(),
    };
    assert_eq!(policy.check(), Ok(()));
    Safety::new(Some(&policy), RADIUS)
}

const BED: [Corner; 4] = [
    [2_000, -1_000],
    [4_000, -1_000],
    [4_000, 1_000],
    [2_000, 1_000],
];
const ROOM: [Corner; 4] = [
    [-3_000, -3_000],
    [6_000, -3_000],
    [6_000, 3_000],
    [-3_000, 3_000],
];

fn body(x_m: f64, y_m: f64, heading_rad: f64) -> Body {
    Body {
        pose: Pose {
            x_m,
            y_m,
            heading_rad,
        },
        motion: Motion::default(),
        person_m: None,
    }
}

fn forward(speed_mps: f64) -> Motion {
    Motion {
        speed_mps,
        turn_rps: 0.0,
    }
}

/// A body of the bounds that the envelope assumes: it follows its wish no faster, and brakes as it promised.
fn roll(body: &mut Body, wish: Motion, envelope: &Envelope, seconds: f64) {
    let speed = body.motion.speed_mps;
    let is_braking = wish.speed_mps.abs() < speed.abs() || wish.speed_mps * speed < 0.0;
    let rate = metres(if is_braking {
        envelope.braking_mm_s2
    } else {
        envelope.acceleration_mm_s2
    });
    let towards = |from: f64, to: f64, most: f64| from + (to - from).clamp(-most, most);
    body.motion.speed_mps = towards(speed, wish.speed_mps, rate * seconds);
    body.motion.turn_rps = towards(body.motion.turn_rps, wish.turn_rps, 4.0 * seconds);
    let heading = body.pose.heading_rad + body.motion.turn_rps * seconds / 2.0;
    body.pose.x_m += body.motion.speed_mps * heading.cos() * seconds;
    body.pose.y_m += body.motion.speed_mps * heading.sin() * seconds;
    body.pose.heading_rad += body.motion.turn_rps * seconds;
}

/// Metres from the true outline of [`BED`] or the inside of [`ROOM`].
fn room_left(body: &Body) -> f64 {
    let (x, y) = (body.pose.x_m, body.pose.y_m);
    let off = |at: f64, low: f64, high: f64| (low - at).max(at - high);
    let (east, north) = (off(x, 2.0, 4.0), off(y, -1.0, 1.0));
    let bed = if east > 0.0 && north > 0.0 {
        east.hypot(north)
    } else {
        east.max(north)
    };
    let wall = (x + 3.0).min(6.0 - x).min(y + 3.0).min(3.0 - y);
    bed.min(wall) - f64::from(RADIUS)
}

#[test]
fn a_robot_that_is_driven_at_a_zone_stops_before_it_and_says_which() {
    let safety = safety(&BED, &[]);
    let mut robot = body(0.0, 0.0, 0.0);
    let mut said = None;
    for _ in 0..500 {
        let governed = safety.govern(&robot, forward(2.0), safety.cap(None), STEP);
        said = governed
            .clamp
            .map(|clamp| (clamp, governed.zone.to_owned()));
        roll(&mut robot, governed.motion, &safety.envelope, 0.02);
    }

    assert!(room_left(&robot) >= 0.0, "{robot:?}");
    assert!(robot.pose.x_m > 1.5, "it stopped too early: {robot:?}");
    assert!(robot.motion.is_still());
    assert_eq!(said, Some((Clamp::KeepOut, "bed".to_owned())));
}

#[test]
fn it_can_turn_and_drive_away_from_a_zone_that_it_stands_at() {
    let safety = safety(&BED, &[]);
    let near = 2.0 - f64::from(RADIUS) - 0.051;
    let away = safety.govern(&body(near, 0.0, PI), forward(0.5), safety.cap(None), STEP);
    assert!(away.motion.speed_mps > 0.0);
    assert_eq!(away.clamp, None);

    let turning = Motion {
        speed_mps: 0.0,
        turn_rps: 1.0,
    };
    let turned = safety.govern(&body(near, 0.0, 0.0), turning, safety.cap(None), STEP);
    assert_eq!(turned.motion, turning);

    let backing = safety.govern(&body(near, 0.0, 0.0), forward(-0.2), safety.cap(None), STEP);
    assert!(backing.motion.speed_mps < 0.0);
    assert_eq!(backing.clamp, None);
}

#[test]
fn it_creeps_out_of_a_zone_that_was_drawn_around_it_and_no_deeper_in() {
    let safety = safety(&BED, &[]);
    let inside = body(2.2, 0.0, PI);
    let out = safety.govern(
        &inside,
        forward(0.1),
        safety.cap(None),
        Duration::from_secs(1),
    );
    assert!(out.motion.speed_mps > 0.05);

    let deeper = safety.govern(&body(2.2, 0.0, 0.0), forward(0.5), safety.cap(None), STEP);
    assert!(deeper.motion.speed_mps.abs() < 0.001);
    assert_eq!(deeper.clamp, Some(Clamp::KeepOut));
}

#[test]
fn speed_is_held_to_the_envelope_to_people_and_to_what_can_be_gained_in_a_step() {
    let safety = safety(&[], &[]);
    let long = Duration::from_secs(10);
    for (wish, person_m, speed, clamp) in [
        (0.5, None, 0.5, None),
        (5.0, None, 0.9, Some(Clamp::TopSpeed)),
        (-5.0, None, -0.3, Some(Clamp::TopSpeed)),
        (5.0, Some(1.9), 0.4, Some(Clamp::PeopleNear)),
        (0.3, Some(1.9), 0.3, None),
        (5.0, Some(2.1), 0.9, Some(Clamp::TopSpeed)),
        (f64::NAN, None, 0.0, None),
        (f64::INFINITY, None, 0.0, None),
    ] {
        let cap = safety.cap(person_m);
        let governed = safety.govern(&body(0.0, 0.0, 0.0), forward(wish), cap, long);
        assert!((governed.motion.speed_mps - speed).abs() < 1e-9, "{wish}");
        assert_eq!(governed.clamp, clamp, "{wish}");
    }
    let first = safety.govern(&body(0.0, 0.0, 0.0), forward(0.9), safety.cap(None), STEP);
    assert!((first.motion.speed_mps - 0.014).abs() < 1e-9);
}

#[test]
fn a_robot_that_can_not_tell_what_to_keep_to_stays_where_it_is() {
    let safety = Safety::standstill(RADIUS, "damaged".to_owned());
    let wish = Motion {
        speed_mps: 1.0,
        turn_rps: 1.0,
    };

    let governed = safety.govern(&body(0.0, 0.0, 0.0), wish, safety.cap(None), STEP);

    assert!(governed.motion.is_still());
    assert!(!safety.allows_motion());
}

#[test]
fn what_moves_into_a_zone_or_too_fast_whoever_moves_it_is_seen() {
    let safety = safety(&BED, &[]);
    let moving = |x_m: f64, heading_rad: f64, speed_mps: f64| Body {
        motion: forward(speed_mps),
        ..body(x_m, 0.0, heading_rad)
    };
    for (body, expected) in [
        (moving(0.0, 0.0, 0.9), false),
        (moving(0.0, 0.0, 1.2), true),
        (moving(1.9, 0.0, 0.2), true),
        (moving(1.9, PI, 0.2), false),
        (moving(1.9, 0.0, 0.0), false),
        (moving(1.9, PI, -0.2), true),
    ] {
        assert_eq!(safety.is_trespassing(&body), expected, "{body:?}");
    }
}

#[test]
fn targets_lie_where_the_whole_robot_may_stand() {
    let safety = safety(&BED, &ROOM);
    for (x_m, y_m, expected) in [
        (0.0, 0.0, true),
        (3.0, 0.0, false),
        (1.8, 0.0, false),
        (5.9, 0.0, false),
        (7.0, 0.0, false),
        (f64::NAN, 0.0, false),
    ] {
        assert_eq!(safety.allows(x_m, y_m), expected, "{x_m}, {y_m}");
    }
}

fn wishes() -> impl Strategy<Value = Vec<(Motion, u8)>> {
    let odd = prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1e300), -3.0..3.0];
    let wish = (odd.clone(), odd).prop_map(|(speed_mps, turn_rps)| Motion {
        speed_mps,
        turn_rps,
    });
    prop::collection::vec((wish, 1_u8..60), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    /// Whatever is asked for, and however it changes, the output stays inside the envelope.
    #[test]
    fn no_wishes_lead_into_a_zone_off_the_workspace_or_beyond_the_speeds(
        wishes in wishes(),
        x_m in -2.5_f64..1.5,
        y_m in -2.5_f64..2.5,
        heading in -4.0_f64..4.0,
    ) {
        let safety = safety(&BED, &ROOM);
        let mut robot = body(x_m, y_m, heading);
        prop_assume!(room_left(&robot) > 0.06);
        for (wish, steps) in wishes {
            for _ in 0..steps {
                let before = robot.motion.speed_mps;
                let governed = safety.govern(&robot, wish, safety.cap(None), STEP);
                roll(&mut robot, governed.motion, &safety.envelope, 0.02);
                prop_assert!(room_left(&robot) >= 0.0, "{robot:?} after {wish:?}");
                prop_assert!(robot.motion.speed_mps <= 0.9 + 1e-9);
                prop_assert!(robot.motion.speed_mps >= -0.3 - 1e-9);
                let gained = robot.motion.speed_mps.abs() - before.abs();
                prop_assert!(gained <= 0.7 * 0.02 + 1e-9);
                prop_assert!(!safety.is_trespassing(&robot));
            }
        }
    }
}
