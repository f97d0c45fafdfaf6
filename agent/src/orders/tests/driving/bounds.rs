//! Claims about what bounds a grant, and a target, before any driver hears of it.

use super::*;

#[test]
fn nobody_has_the_robot_go_faster_than_they_were_granted() {
    let slow = Grant {
        speed_cap_mm_s: Some(200),
        ..grant(1, EPOCH, NOW.at)
    };
    let mut world = World::under(slow, &policy_with(None));
    assert_eq!(world.tells(Verb::ArmDrive, ""), Outcome::Accepted);
    world.says(Twist::ZERO);
    for _ in 0..20 {
        world.says(AHEAD);
        world.pass(60);
        assert!(world.speed() < 0.200_001, "{}", world.speed());
    }
    assert!(world.speed() > 0.15, "{}", world.speed());
    let report = world.report();
    assert_eq!((report.cap_mm_s, report.clamp), (200, Some(Clamp::Granted)));

    assert_eq!(world.tells(TARGET, ""), Outcome::Accepted);
    world.pass(20);
    assert!((world.driver.limit_mps - 0.2).abs() < 1e-9);
    // The target ended. What the robot does of its own accord is nobody's grant.
    world.pass(20);
    assert!(world.driver.limit_mps > 0.5);
}

#[test]
fn a_grant_for_a_job_moves_the_robot_only_while_it_is_at_that_job() {
    let job = JobId(Uuid::from_u128(3));
    let bound = Grant {
        job: Some(job),
        ..grant(1, EPOCH, NOW.at)
    };
    let mut world = World::under(bound, &policy_with(None));
    let outside = refused(RobotRefusal::OutsideGrant);
    assert_eq!(world.tells(TARGET, ""), outside);
    world.orders.works_on(Some(JobId(Uuid::from_u128(4))));
    assert_eq!(world.tells(Verb::ArmDrive, ""), outside);

    world.orders.works_on(Some(job));
    // The delay is measured by words that count.
    for _ in 0..10 {
        world.says(Twist::ZERO);
        world.pass(100);
    }
    assert_eq!(world.tells(Verb::ArmDrive, ""), Outcome::Accepted);
    world.says(Twist::ZERO);
    for _ in 0..5 {
        world.says(AHEAD);
        world.pass(60);
    }
    assert!(world.speed() > 0.1);

    world.orders.works_on(None);
    world.says(AHEAD);
    world.pass(20);
    assert_eq!(world.report().disarmed, Some(Disarm::ControlEnded));
    world.stops(1);
    assert!(world.orders.is_stopped(), "a stop is anybody's");
}

/// Found by fuzzing: the driver was left to refuse it.
#[test]
fn a_target_that_is_no_number_is_refused_before_any_driver_hears_of_it() {
    let mut world = World::new();
    let no_numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for no_number in no_numbers {
        for (x_m, y_m, heading_rad) in [
            (no_number, 1.0, None),
            (1.0, no_number, None),
            (1.0, 1.0, Some(no_number)),
        ] {
            let target = Verb::NavigateTo {
                x_m,
                y_m,
                heading_rad,
            };
            let outcome = world.tells(target, "");
            assert_eq!(outcome, refused(RobotRefusal::OutsideMap), "{target:?}");
        }
    }
    assert_eq!(world.driver.told(), []);
}
