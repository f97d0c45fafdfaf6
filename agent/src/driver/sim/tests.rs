//! Claims about the simulated robot: it arrives, refuses, stops, waits, repeats itself by seed, and never touches anything.

use std::time::Duration;

use proptest::prelude::*;
use protocol::{
    CommandId, UnixMicros,
    command::{AbandonReason, RobotRefusal, Verb},
    robot::{Activity, Pose},
};
use uuid::Uuid;

use super::{
    Driver, Ending, Moment, Point, RADIUS, Sim, SimConfig, Site,
    occupancy::{distance_to_nearest, touchable},
    people::PERSON_RADIUS,
    point_of,
    power::Power,
    solids::Footprint,
};

const STEP: Duration = Duration::from_millis(20);
const NOW: UnixMicros = UnixMicros(0);

fn command(number: u128) -> CommandId {
    CommandId(Uuid::from_u128(number))
}

const fn to(x_m: f64, y_m: f64) -> Verb {
    Verb::NavigateTo {
        x_m,
        y_m,
        heading_rad: None,
    }
}

fn quiet(seed: u64) -> SimConfig {
    SimConfig {
        people: 0,
        things: 0,
        ..SimConfig::new(seed)
    }
}

fn pose(x_m: f64, y_m: f64) -> Pose {
    Pose {
        x_m,
        y_m,
        heading_rad: 0.0,
    }
}

/// Steps until something ends or `seconds` have passed.
fn run(sim: &mut Sim, seconds: u32, mut watch: impl FnMut(&Sim)) -> Vec<Ending> {
    for _ in 0..seconds * 50 {
        let step = sim.step(STEP);
        watch(sim);
        if !step.endings.is_empty() {
            return step.endings;
        }
    }
    Vec::new()
}

/// Independent of the simulator's own bumper: the disc against every outline, from the published moment.
fn gap(site: &Site, moment: &Moment) -> f64 {
    let at = point_of(moment.robot);
    let mut footprints = touchable(&site.solids);
    footprints.extend(touchable(&moment.loose));
    let people = moment.figures.iter().map(|figure| Footprint::Disc {
        centre: figure.at,
        radius: PERSON_RADIUS,
    });
    footprints.extend(people);
    distance_to_nearest(&footprints, at) - RADIUS
}

#[test]
fn a_target_in_another_room_is_reached_within_15_centimetres() {
    let mut sim = Sim::new(quiet(1));
    sim.obey(command(1), to(20.9, 11.0)).unwrap();

    let endings = run(&mut sim, 120, |_| ());

    assert_eq!(
        endings,
        [Ending {
            command: command(1),
            result: Ok(())
        }]
    );
    let at = point_of(sim.telemetry(0, NOW).pose);
    assert!(at.distance(Point::new(20.9, 11.0)) <= 0.15);
}

#[test]
fn a_wanted_heading_is_faced_on_arrival() {
    let mut sim = Sim::new(quiet(2));
    let verb = Verb::NavigateTo {
        x_m: 12.0,
        y_m: 8.0,
        heading_rad: Some(2.5),
    };
    sim.obey(command(1), verb).unwrap();

    run(&mut sim, 120, |_| ());

    let telemetry = sim.telemetry(0, NOW);
    assert!((telemetry.pose.heading_rad - 2.5).abs() < 0.06);
    assert_eq!(telemetry.activity, Activity::Idle);
}

#[test]
fn every_refusal_has_its_reason() {
    let cases = [
        ("off the map", to(-1.0, 5.0), RobotRefusal::OutsideMap),
        ("not a number", to(f64::NAN, 5.0), RobotRefusal::OutsideMap),
        ("in a wall", to(12.0, 9.2), RobotRefusal::InsideObstacle),
        ("in a bed", to(3.6, 12.3), RobotRefusal::InsideObstacle),
        (
            "between wall and wall",
            to(28.0, 8.0),
            RobotRefusal::InsideObstacle,
        ),
    ];
    for (name, verb, reason) in cases {
        let mut sim = Sim::new(quiet(3));
        assert_eq!(sim.obey(command(1), verb), Err(reason), "{name}");
        assert_eq!(sim.step(STEP).endings, [], "{name}");
    }
}

#[test]
fn a_place_that_is_walled_in_is_unreachable() {
    let mut sim = Sim::new(quiet(3));
    let centre = Point::new(12.0, 8.0);
    for turn in 0..16 {
        let post = Footprint::Disc {
            centre: centre.plus(Point::along(f64::from(turn) * 0.4).times(0.8)),
            radius: 0.2,
        };
        sim.surroundings.block_for_test(&post);
    }

    let refused = sim.obey(command(1), to(centre.x, centre.y));

    assert_eq!(refused, Err(RobotRefusal::Unreachable));
}

#[test]
fn an_almost_empty_battery_only_takes_the_robot_to_the_dock() {
    let mut sim = Sim::new(quiet(4));
    sim.power = Power::at(8.05);
    let dock = sim.stage().site().dock;

    assert_eq!(
        sim.obey(command(1), to(25.5, 11.0)),
        Err(RobotRefusal::BatteryLow)
    );
    assert_eq!(sim.obey(command(2), to(dock.x_m, dock.y_m)), Ok(()));
}

#[test]
fn the_dock_charges() {
    let mut sim = Sim::new(quiet(4));
    let dock = sim.stage().site().dock;
    sim.obey(
        command(1),
        Verb::NavigateTo {
            x_m: dock.x_m,
            y_m: dock.y_m,
            heading_rad: Some(dock.heading_rad),
        },
    )
    .unwrap();
    run(&mut sim, 120, |_| ());
    let before = sim.telemetry(0, NOW).battery.percent;

    run(&mut sim, 30, |_| ());

    let after = sim.telemetry(0, NOW);
    assert_eq!(after.activity, Activity::Charging);
    assert!(after.battery.charging && after.battery.percent > before);
}

#[test]
fn a_stop_ends_the_way_at_once_and_is_done_when_the_robot_stands() {
    let mut sim = Sim::new(SimConfig {
        start: Some(pose(3.0, 8.0)),
        ..quiet(5)
    });
    sim.obey(command(1), to(25.0, 8.0)).unwrap();
    run(&mut sim, 6, |_| ());
    let before = sim.telemetry(0, NOW);
    assert!(before.speed_mps > 0.3, "{before:?}");

    sim.obey(command(2), Verb::Stop).unwrap();
    let first = run(&mut sim, 1, |_| ());
    let second = run(&mut sim, 2, |_| ());

    assert_eq!(first[0].command, command(1));
    assert_eq!(first[0].result, Err(AbandonReason::Stopped));
    let done = first.get(1).or_else(|| second.first()).unwrap();
    assert_eq!((done.command, done.result), (command(2), Ok(())));
    let after = sim.telemetry(0, NOW);
    assert_eq!(after.activity, Activity::Stopped);
    assert!(point_of(after.pose).distance(point_of(before.pose)) < 0.5);
}

#[test]
fn a_newer_target_takes_the_place_of_the_older() {
    let mut sim = Sim::new(quiet(6));
    sim.obey(command(1), to(25.0, 8.0)).unwrap();
    sim.obey(command(2), to(2.6, 8.0)).unwrap();

    let endings = run(&mut sim, 1, |_| ());

    assert_eq!(
        endings,
        [Ending {
            command: command(1),
            result: Err(AbandonReason::Superseded)
        }]
    );
    assert_eq!(
        sim.telemetry(0, NOW).goal.unwrap().command,
        Some(command(2))
    );
}

#[test]
fn a_refused_target_leaves_the_running_one_alone() {
    let mut sim = Sim::new(quiet(6));
    sim.obey(command(1), to(25.0, 8.0)).unwrap();

    sim.obey(command(2), to(-4.0, 8.0)).unwrap_err();

    assert_eq!(
        sim.telemetry(0, NOW).goal.unwrap().command,
        Some(command(1))
    );
}

#[test]
fn a_patrol_yields_to_a_target_and_does_not_go_on_after_a_stop() {
    let mut sim = Sim::new(SimConfig {
        wander: true,
        ..quiet(7)
    });
    run(&mut sim, 10, |_| ());
    assert_eq!(sim.telemetry(0, NOW).activity, Activity::Patrolling);

    sim.obey(command(1), to(14.0, 8.0)).unwrap();
    assert_eq!(sim.telemetry(0, NOW).activity, Activity::Navigating);
    sim.obey(command(2), Verb::Stop).unwrap();
    run(&mut sim, 1, |_| ());
    run(&mut sim, 3, |_| ());
    let stopped = sim.telemetry(0, NOW);
    run(&mut sim, 300, |_| ());

    let later = sim.telemetry(0, NOW);
    assert_eq!(later.activity, Activity::Stopped);
    assert_eq!(later.pose, stopped.pose);
}

#[test]
fn a_robot_without_patrol_stays_where_it_is() {
    let mut sim = Sim::new(SimConfig::new(8));
    let before = sim.telemetry(0, NOW);

    run(&mut sim, 60, |_| ());

    assert_eq!(sim.telemetry(0, NOW).pose, before.pose);
}

#[test]
fn a_robot_that_is_shut_in_gives_up_after_a_while() {
    let mut sim = Sim::new(SimConfig {
        start: Some(pose(12.0, 8.0)),
        ..quiet(9)
    });
    sim.obey(command(1), to(20.0, 8.0)).unwrap();
    for turn in 0..16 {
        let post = Footprint::Disc {
            centre: Point::new(12.0, 8.0).plus(Point::along(f64::from(turn) * 0.4).times(1.0)),
            radius: 0.22,
        };
        sim.surroundings.obstruct_for_test(post);
    }

    let endings = run(&mut sim, 90, |_| ());

    assert_eq!(
        endings,
        [Ending {
            command: command(1),
            result: Err(AbandonReason::Blocked)
        }]
    );
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let trace = |seed| {
        let mut sim = Sim::new(SimConfig {
            wander: true,
            ..SimConfig::new(seed)
        });
        let mut poses = Vec::new();
        for _ in 0..3_000 {
            sim.step(STEP);
            poses.push(sim.stage().moment());
        }
        poses
    };

    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11).last(), trace(12).last());
}

#[test]
fn the_size_of_the_callers_steps_does_not_change_the_run() {
    let finish = |step: Duration, count: u32| {
        let mut sim = Sim::new(SimConfig {
            wander: true,
            ..SimConfig::new(13)
        });
        for _ in 0..count {
            sim.step(step);
        }
        sim.stage().moment()
    };

    assert_eq!(finish(STEP, 1_000), finish(STEP * 5, 200));
}

#[test]
fn robots_of_one_site_share_its_map_and_start_apart() {
    let sims: Vec<Sim> = (1..=3).map(|seed| Sim::new(SimConfig::new(seed))).collect();

    for (one, other) in [(0, 1), (1, 2), (0, 2)] {
        assert_eq!(sims[one].advert().map, sims[other].advert().map);
        let apart = point_of(sims[one].chassis.pose).distance(point_of(sims[other].chassis.pose));
        assert!(apart > 3.0, "{apart}");
    }
}

#[test]
fn the_odometer_counts_what_was_driven() {
    let mut sim = Sim::new(SimConfig {
        start: Some(pose(3.0, 8.0)),
        ..quiet(14)
    });
    sim.obey(command(1), to(13.0, 8.0)).unwrap();

    run(&mut sim, 60, |_| ());

    let odometer = sim.telemetry(0, NOW).odometer_m;
    assert!((9.8..10.6).contains(&odometer), "{odometer}");
}

#[test]
fn the_lidar_sees_the_corridors_walls() {
    let sim = Sim::new(SimConfig {
        start: Some(pose(8.0, 8.0)),
        ..quiet(15)
    });

    let scan = sim.scan(NOW).unwrap();

    let left = scan.ranges_cm[scan.ranges_cm.len() / 4];
    let right = scan.ranges_cm[scan.ranges_cm.len() * 3 / 4];
    assert!(
        (105..=115).contains(&left) && (105..=115).contains(&right),
        "{left} {right}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn from_any_seed_to_any_reachable_target_the_robot_touches_nothing(
        seed in any::<u64>(), x in 0.0..28.0, y in 0.0..15.0,
    ) {
        let mut sim = Sim::new(SimConfig::new(seed));
        let stage = sim.stage();
        prop_assume!(sim.obey(command(1), to(x, y)).is_ok());

        let mut least = f64::INFINITY;
        let endings = run(&mut sim, 240, |_| {
            least = least.min(gap(stage.site(), &stage.moment()));
        });

        prop_assert!(least >= 0.0, "came {least} m near");
        prop_assert_eq!(endings.len(), 1);
        if endings[0].result.is_ok() {
            let at = point_of(sim.telemetry(0, NOW).pose);
            prop_assert!(at.distance(Point::new(x, y)) <= 0.15);
        }
    }

    #[test]
    fn on_an_empty_floor_every_accepted_target_is_reached(
        seed in any::<u64>(), x in 0.0..28.0, y in 0.0..15.0,
    ) {
        let mut sim = Sim::new(quiet(seed));
        prop_assume!(sim.obey(command(1), to(x, y)).is_ok());

        let endings = run(&mut sim, 240, |_| ());

        prop_assert_eq!(endings, [Ending { command: command(1), result: Ok(()) }]);
    }

    #[test]
    fn a_patrol_touches_nothing(seed in any::<u64>()) {
        let mut sim = Sim::new(SimConfig { wander: true, ..SimConfig::new(seed) });
        let stage = sim.stage();

        for _ in 0..6_000 {
            sim.step(STEP);
            let gap = gap(stage.site(), &stage.moment());
            prop_assert!(gap >= 0.0, "came {gap} m near");
        }
        prop_assert!(sim.telemetry(0, NOW).odometer_m > 3.0);
    }
}

#[test]
fn every_named_place_is_reached_or_given_up_within_two_minutes() {
    for seed in 1..=3 {
        let places = Sim::new(SimConfig::new(seed)).advert().map.unwrap().places;
        let mut reached = 0;
        let count = places.len();
        for place in places {
            let mut sim = Sim::new(SimConfig::new(seed));
            sim.obey(command(1), to(place.pose.x_m, place.pose.y_m))
                .unwrap();

            let endings = run(&mut sim, 120, |_| ());

            assert_eq!(endings.len(), 1, "seed {seed}, {}", place.name);
            reached += usize::from(endings[0].result.is_ok());
        }
        // Somebody may stand in a doorway for longer than the robot has patience.
        assert!(reached + 2 >= count, "seed {seed}: {reached} of {count}");
    }
}

#[test]
fn a_stand_of_its_own_ends_when_the_robot_stands_and_does_not_keep_it_from_its_patrol() {
    let mut sim = Sim::new(SimConfig {
        start: Some(pose(3.0, 8.0)),
        wander: true,
        ..quiet(5)
    });
    sim.obey(command(1), to(25.0, 8.0)).unwrap();
    run(&mut sim, 6, |_| ());

    sim.stand(command(2));
    let first = run(&mut sim, 1, |_| ());
    let second = run(&mut sim, 2, |sim| {
        assert_ne!(sim.telemetry(0, NOW).activity, Activity::Stopped);
    });
    let stood = sim.telemetry(0, NOW);
    run(&mut sim, 60, |_| ());

    assert_eq!(first[0].result, Err(AbandonReason::Superseded));
    assert_eq!(second[0].command, command(2));
    assert!(stood.speed_mps.abs() < 0.01, "{stood:?}");
    assert!(sim.telemetry(0, NOW).odometer_m > stood.odometer_m + 1.0);
}

#[test]
fn a_stand_of_its_own_does_not_lift_a_persons_stop() {
    let mut sim = Sim::new(SimConfig {
        wander: true,
        ..quiet(5)
    });
    sim.obey(command(1), Verb::Stop).unwrap();
    run(&mut sim, 1, |_| ());

    sim.stand(command(2));
    run(&mut sim, 1, |_| ());

    run(&mut sim, 60, |_| ());
    assert_eq!(sim.telemetry(0, NOW).activity, Activity::Stopped);
}

#[test]
fn a_robot_that_holds_a_job_leaves_its_patrol() {
    let mut sim = Sim::new(SimConfig {
        wander: true,
        ..quiet(7)
    });
    run(&mut sim, 10, |_| ());
    assert_eq!(sim.telemetry(0, NOW).activity, Activity::Patrolling);

    sim.set_engaged(true);
    run(&mut sim, 2, |_| ());
    let stands = sim.telemetry(0, NOW).odometer_m;
    run(&mut sim, 60, |_| ());
    let still_stands = sim.telemetry(0, NOW).odometer_m;
    sim.set_engaged(false);
    run(&mut sim, 60, |_| ());

    assert!((still_stands - stands).abs() < f64::EPSILON);
    assert!(sim.telemetry(0, NOW).odometer_m > stands + 1.0);
}

#[test]
fn work_at_any_place_begins_before_its_door_and_is_done_where_the_robot_can_stand() {
    let sim = Sim::new(quiet(8));
    let site = sim.stage().site().clone();
    let fixed = touchable(&site.solids);
    for place in &site.map.places {
        let workplace = sim.workplace(place);

        let room = site.room_at(point_of(place.pose)).unwrap();
        let is_indoors = site.doorways.iter().any(|door| room.holds(door.inside));
        let door = point_of(workplace.door);
        assert_eq!(room.holds(door), !is_indoors, "{}", place.name);
        assert_eq!(workplace.spots.len(), 4, "{}", place.name);
        for spot in workplace.spots {
            let at = point_of(spot);
            let gap = distance_to_nearest(&fixed, at) - RADIUS;
            assert!(room.holds(at) && gap > 0.05, "{}: {spot:?}", place.name);
        }
    }
}
