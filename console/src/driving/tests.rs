//! Claims about what the page says of driving.

use protocol::{GrantId, command::RobotRefusal, ladder::Limits};
use uuid::Uuid;

use super::*;

fn report() -> DriveReport {
    DriveReport {
        tick_ms: 1_000,
        level: Level::Drive,
        delay_ms: Some(80),
        returns_in_ms: None,
        was_lowered: true,
        limits: Limits::default(),
        dead_man_ms: 250,
        cap_mm_s: 900,
        disarmed: None,
        stood_after_ms: None,
        given: Twist::ZERO,
        clamp: None,
        zone: String::new(),
        heard: 5,
        heard_age_ms: 40,
        refused: None,
        dropped: 0,
    }
}

fn sight(report: &DriveReport) -> Sight<'_> {
    Sight {
        report: Some((report, 30.0)),
        reach: Reach::Here,
        is_stopped: false,
        frame_age_ms: Some(60.0),
        has_cameras: true,
        checks: Checks {
            has_moved_input: true,
            is_clear: true,
        },
        held: Held::default(),
    }
}

fn held(codes: &[&str]) -> Held {
    let mut held = Held::default();
    for code in codes {
        assert!(held.take(code, true), "{code}");
    }
    held
}

#[test]
fn keys_ask_for_motion_only_while_they_are_held() {
    for (codes, speed_mm_s, turn_mrad_s) in [
        (&["KeyW"][..], 450, 0),
        (&["ArrowUp"], 450, 0),
        (&["KeyS"], -450, 0),
        (&["KeyA"], 0, 800),
        (&["KeyD"], 0, -800),
        (&["KeyQ"], 450, 800),
        (&["KeyE"], 450, -800),
        (&["KeyW", "KeyS"], 0, 0),
        (&["KeyW", "KeyA", "KeyD"], 450, 0),
        (&[], 0, 0),
    ] {
        let expected = Twist {
            speed_mm_s,
            turn_mrad_s,
        };
        assert_eq!(held(codes).twist(false, false), expected, "{codes:?}");
    }
    let mut keys = held(&["KeyW"]);
    assert_eq!(keys.twist(true, false).speed_mm_s, 900);
    assert_eq!(keys.twist(false, true).speed_mm_s, 225);
    assert!(keys.take("KeyW", false));
    assert!(!keys.any());
    assert!(!keys.take("Space", true));
}

#[test]
fn the_badge_says_what_the_robot_says_and_nothing_while_it_says_nothing() {
    let report = report();
    let armed = sight(&report);
    assert_eq!(armed.face().stand, Stand::Armed);
    let driven = Sight {
        held: held(&["KeyW"]),
        ..armed.clone()
    };
    assert_eq!(driven.face().stand, Stand::Driving);
    assert_eq!(driven.face().dead_man, "40 / 250\u{a0}ms");
    let silent = Sight {
        report: Some((&report, 900.0)),
        ..driven.clone()
    };
    assert_eq!(silent.face().stand, Stand::Disarmed);
    assert!(!silent.face().may_arm);
    let stopped = Sight {
        is_stopped: true,
        ..driven.clone()
    };
    assert_eq!(stopped.face().stand, Stand::Locked);
    let elsewhere = Sight {
        reach: Reach::Elsewhere,
        ..driven
    };
    assert_eq!(elsewhere.face().stand, Stand::Elsewhere);
}

type Change = fn(&mut Sight<'_>);

#[test]
fn it_is_armed_only_after_every_check_and_with_authority_left() {
    let disarmed = DriveReport {
        disarmed: Some(Disarm::NotArmed),
        ..report()
    };
    assert!(sight(&disarmed).face().may_arm);
    let changes: [Change; 4] = [
        |sight| sight.checks.is_clear = false,
        |sight| sight.checks.has_moved_input = false,
        |sight| sight.frame_age_ms = Some(600.0),
        |sight| sight.is_stopped = true,
    ];
    for change in changes {
        let mut sight = sight(&disarmed);
        change(&mut sight);
        assert!(!sight.face().may_arm, "{sight:?}");
    }
    let low = DriveReport {
        level: Level::Waypoint,
        ..disarmed
    };
    assert!(!sight(&low).face().may_arm);
}

#[test]
fn a_robot_without_cameras_is_armed_and_released_without_a_picture() {
    let disarmed = DriveReport {
        disarmed: Some(Disarm::NotArmed),
        ..report()
    };
    let mut sight = sight(&disarmed);
    sight.frame_age_ms = None;
    let is_done = |sight: &Sight<'_>| {
        let steps = release_steps(sight, true, true, "It was nothing");
        steps.iter().all(|(_, is_done)| *is_done)
    };
    assert!(!sight.face().may_arm && !is_done(&sight));

    sight.has_cameras = false;

    assert!(sight.face().may_arm && is_done(&sight));
    assert!(!release_steps(&sight, true, false, "x")[2].1);
    assert!(!release_steps(&sight, true, true, " ")[3].1);
}

#[test]
fn who_lost_control_still_sees_what_they_lost_and_how_it_comes_back() {
    let report = report();
    let elsewhere = Sight {
        reach: Reach::Elsewhere,
        ..sight(&report)
    };

    let ladder = ladder(&elsewhere);

    assert_eq!(ladder.level, Level::Question);
    assert!(ladder.why.contains("control"), "{}", ladder.why);
    assert!(elsewhere.face().way_out.contains('K'));
}

#[test]
fn what_holds_the_robot_back_is_named_with_its_value() {
    let clamped = DriveReport {
        clamp: Some(Clamp::KeepOut),
        zone: "bed".to_owned(),
        given: Twist {
            speed_mm_s: 120,
            turn_mrad_s: 0,
        },
        ..report()
    };
    let line = sight(&clamped).face().line.unwrap().1;
    assert_eq!(line, "Clamped to 0.12\u{a0}m/s: keeps out of bed");

    let late = DriveReport {
        refused: Some((6, RobotRefusal::Stale)),
        ..report()
    };
    let held = Sight {
        held: held(&["KeyW"]),
        ..sight(&late)
    };
    let line = held.face().line.unwrap().1;
    assert_eq!(line, "Refused: order came too late");

    let latched = DriveReport {
        disarmed: Some(Disarm::DeadMan),
        stood_after_ms: Some(214),
        ..report()
    };
    let line = sight(&latched).face().line.unwrap().1;
    assert_eq!(
        line,
        "No word for 250\u{a0}ms. Robot reports stopped after 214\u{a0}ms. It stays so."
    );
}

#[test]
fn the_ladder_names_the_value_the_limit_and_the_way_back() {
    let nudge = DriveReport {
        level: Level::Nudge,
        delay_ms: Some(268),
        cap_mm_s: 440,
        ..report()
    };
    let face = ladder(&sight(&nudge));
    assert_eq!(face.level, Level::Nudge);
    assert_eq!(
        face.why,
        "Drive withheld: delay 268\u{a0}ms, limit 250\u{a0}ms. Speed cap 0.44\u{a0}m/s."
    );
    assert_eq!(
        face.way_out,
        "Back to drive after 5\u{a0}s under 230\u{a0}ms"
    );

    let measuring = DriveReport {
        level: Level::Question,
        delay_ms: Some(100),
        was_lowered: false,
        ..report()
    };
    let why = ladder(&sight(&measuring)).why;
    assert_eq!(why, "Measuring the control delay: 100\u{a0}ms so far.");

    let full = report();
    assert_eq!(ladder(&sight(&full)).tone(), Tone::Calm);
    let stopped = Sight {
        is_stopped: true,
        ..sight(&full)
    };
    assert_eq!(ladder(&stopped).level, Level::Question);
    let silent = Sight {
        report: Some((&full, 4_200.0)),
        ..sight(&full)
    };
    let why = ladder(&silent).why;
    assert_eq!(
        why,
        "Motion withheld: no word from the robot for 4.2\u{a0}s."
    );
}

#[test]
fn the_way_ahead_is_the_arc_that_the_wheels_describe() {
    let pose = Pose {
        x_m: 1.0,
        y_m: 2.0,
        heading_rad: 0.0,
    };
    let twist = |speed_mm_s, turn_mrad_s| Twist {
        speed_mm_s,
        turn_mrad_s,
    };
    let end = |twist| *way_ahead(pose, twist).last().unwrap();

    let [x, y] = end(twist(500, 0));
    assert!((x - 2.0).abs() < 1e-9 && (y - 2.0).abs() < 1e-9);
    // A radius of half a metre: a full radian of it ahead after two seconds at half a radian a second.
    let [x, y] = end(twist(250, 500));
    assert!((x - 1.0 - 0.5 * 1.0_f64.sin()).abs() < 1e-3, "{x}");
    assert!((y - 2.0 - 0.5 * (1.0 - 1.0_f64.cos())).abs() < 1e-3, "{y}");
    assert!(end(twist(-250, 0))[0] < 1.0);
    assert!(way_ahead(pose, twist(0, 900)).is_empty());
}

#[test]
fn who_has_control_is_not_told_that_they_have_not() {
    let here = |belief| control::Standing::Here {
        asked_by: None,
        belief,
    };
    let denied = Belief::Denied {
        code: "revoked".to_owned(),
        words: "your key was revoked".to_owned(),
    };
    let believed = Belief::Believed {
        grant: GrantId(Uuid::nil()),
        binding: [0; 32],
    };
    let another = control::Standing::Another {
        name: "Tobi".to_owned(),
        is_asked: false,
    };
    let report = report();
    for (control, word, why) in [
        (here(believed), "Armed", "Control delay 80\u{a0}ms."),
        (
            here(Belief::Unasked),
            "Out of reach",
            "Motion withheld: the robot is offline.",
        ),
        (
            here(Belief::Asking),
            "Out of reach",
            "Motion withheld: the robot does not know yet that it is you.",
        ),
        (
            here(denied),
            "Out of reach",
            "Motion withheld: the robot does not know yet that it is you.",
        ),
        (
            another,
            "No control",
            "Motion withheld: you don't have control.",
        ),
        (
            control::Standing::RanOut,
            "No control",
            "Motion withheld: you don't have control.",
        ),
    ] {
        let sight = Sight {
            reach: Reach::of(&control),
            ..sight(&report)
        };
        assert_eq!(
            (sight.face().stand.word(), ladder(&sight).why.as_str()),
            (word, why)
        );
    }
}
