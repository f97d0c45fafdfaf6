//! Robots: what is kept, replaced and dropped.

use super::*;

#[test]
fn a_snapshot_after_a_resync_replaces_the_roster_and_keeps_what_only_this_page_knows() {
    let mut model = live(&[JUNIPER, ROWAN]);
    let still = Still {
        url: "blob:rowan".to_owned(),
        captured_at: UnixMicros(0),
    };
    let heard_still = Input::HeardStill {
        robot: ROWAN,
        still,
    };
    reduce(&mut model, heard_still, at(0));
    reduce(&mut model, telemetry(JUNIPER, 3.0, 1), at(0));
    reduce(&mut model, Input::Select(Some(ROWAN)), at(0));

    reduce(&mut model, heard(ToConsole::Resync), at(0));
    let effects = reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(0));

    assert_eq!(effects, [Effect::ForgetStill("blob:rowan".to_owned())]);
    assert!(model.robot(ROWAN).is_none());
    assert_eq!(model.selected, None);
    assert_eq!(model.robot(JUNIPER).unwrap().trail.len(), 1);
}

#[test]
fn telemetry_that_was_overtaken_is_dropped() {
    let mut model = live(&[JUNIPER]);

    reduce(&mut model, telemetry(JUNIPER, 2.0, 200), at(0));
    reduce(&mut model, telemetry(JUNIPER, 1.0, 100), at(0));

    let pose = model.robot(JUNIPER).unwrap().telemetry().unwrap().pose;
    assert!((pose.x_m - 2.0).abs() < 1e-9);
}

#[test]
fn a_roster_change_that_was_overtaken_by_telemetry_keeps_the_newer_state() {
    let mut model = live(&[JUNIPER]);
    reduce(&mut model, telemetry(JUNIPER, 2.0, 200), at(0));
    let mut renamed = robot(JUNIPER);
    renamed.name = "Juniper II".to_owned();
    renamed.telemetry = Some(state(1.0));
    renamed.link = Some(link(100));

    reduce(
        &mut model,
        heard(ToConsole::Robot(Box::new(renamed))),
        at(0),
    );

    let known = model.robot(JUNIPER).unwrap();
    assert_eq!(known.view.name, "Juniper II");
    assert!((known.telemetry().unwrap().pose.x_m - 2.0).abs() < 1e-9);
}

#[test]
fn a_restarted_gateway_does_not_make_the_page_forget_what_a_robot_is() {
    let mut model = live(&[JUNIPER]);
    let mut known = robot(JUNIPER);
    known.advert = Some(Advert {
        model: "sim".to_owned(),
        ..Advert::default()
    });
    reduce(
        &mut model,
        heard(ToConsole::Robot(Box::new(known.clone()))),
        at(0),
    );
    let first = model.robot(JUNIPER).unwrap().advert.clone().unwrap();

    reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(0));
    reduce(&mut model, heard(ToConsole::Robot(Box::new(known))), at(0));

    let kept = model.robot(JUNIPER).unwrap().advert.clone().unwrap();
    assert!(Arc::ptr_eq(&first, &kept));
}

#[test]
fn words_about_robots_that_are_gone_change_nothing() {
    let mut model = live(&[JUNIPER, ROWAN]);
    reduce(
        &mut model,
        heard(ToConsole::RobotGone { robot: ROWAN }),
        at(0),
    );

    reduce(&mut model, telemetry(ROWAN, 1.0, 1), at(0));
    let scan = Scan {
        at: UnixMicros(0),
        pose: Pose::default(),
        first_rad: 0.0,
        step_rad: 0.1,
        ranges_cm: Vec::new(),
        path: Vec::new(),
    };
    reduce(
        &mut model,
        heard(ToConsole::Scan { robot: ROWAN, scan }),
        at(0),
    );
    let still = Still {
        url: "blob:late".to_owned(),
        captured_at: UnixMicros(0),
    };
    let effects = reduce(
        &mut model,
        Input::HeardStill {
            robot: ROWAN,
            still,
        },
        at(0),
    );

    assert!(model.robot(ROWAN).is_none());
    assert_eq!(effects, [Effect::ForgetStill("blob:late".to_owned())]);
}

#[test]
fn the_trail_grows_with_the_way_and_not_with_time() {
    let mut model = live(&[JUNIPER]);

    for step in 0..100 {
        reduce(
            &mut model,
            telemetry(JUNIPER, f64::from(step) * 0.0625, i64::from(step)),
            at(0),
        );
    }
    let driven = model.robot(JUNIPER).unwrap().trail.len();
    reduce(&mut model, telemetry(JUNIPER, 50.0, 1_000), at(0));
    let after_jump = model.robot(JUNIPER).unwrap().trail.len();

    assert_eq!((driven, after_jump), (34, 1));
}

#[test]
fn stills_are_wanted_once_and_again_on_a_new_session() {
    let mut model = live(&[JUNIPER, ROWAN]);
    let on_screen = Input::StillsOnScreen(vec![ROWAN, JUNIPER, ROWAN]);
    let want = Effect::Send(FromConsole::WantThumbnails {
        robots: vec![JUNIPER, ROWAN],
    });

    let first = reduce(&mut model, on_screen.clone(), at(0));
    let again = reduce(&mut model, on_screen, at(0));
    reduce(&mut model, Input::SocketClosed, at(SECOND));
    reduce(&mut model, Input::TryNow, at(SECOND));
    reduce(&mut model, Input::SocketOpened, at(SECOND));
    let resumed = reduce(
        &mut model,
        snapshot(&[JUNIPER, ROWAN], Vec::new()),
        at(SECOND),
    );

    assert_eq!(first, std::slice::from_ref(&want));
    assert!(again.is_empty());
    assert!(resumed.contains(&want));
}
