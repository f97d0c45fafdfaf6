//! Claims about driving and stopping as orders meet the driver: the error classes of IEC 61784-3 on the way from a page to the
//! wheels, one by one; stops that latch; and a driver that does what it may not.

mod bounds;

use bytes::Bytes;
use proptest::prelude::*;
use protocol::{
    OrganisationId,
    command::{FrameSeen, SignedCommand},
    drive::{Clamp, DriveCommand, Twist},
    ladder::Level,
    picture::FrameHash,
    robot::{Codec, Pose},
    safety::{Envelope, KeepOut, SafetyPolicy},
};

use super::*;
use crate::{cameras::shoot::EncodedFrame, trust::tests::cast::order};

const STEP: Duration = Duration::from_millis(20);
const AHEAD: Twist = Twist {
    speed_mm_s: 500,
    turn_mrad_s: 0,
};

/// A robot that somebody steers, in a world of its own.
struct World {
    orders: Orders,
    driver: Willing,
    clocks: Clocks,
    grant: Grant,
    drives: u64,
    commands: u64,
}

fn policy_with(zone: Option<KeepOut>) -> SafetyPolicy {
    SafetyPolicy {
        organisation: OrganisationId(Uuid::nil()),
        robot: None,
        number: 1,
        issued_at: NOW.at,
        envelope: Envelope::default(),
        workspace: Vec::new(),
        keep_out: zone.into_iter().collect(),
        masks: Vec::new(),
        private: Vec::new(),
    }
}

impl World {
    fn new() -> Self {
        Self::keeping_to(&policy_with(None))
    }

    fn keeping_to(policy: &SafetyPolicy) -> Self {
        Self::under(grant(1, EPOCH, NOW.at), policy)
    }

    fn under(grant: Grant, policy: &SafetyPolicy) -> Self {
        let mut orders = steered_under(&grant);
        orders.safety = Safety::new(Some(policy), 0.26);
        orders.driving = Driving::new(true);
        let mut world = Self {
            orders,
            driver: Willing::default(),
            clocks: NOW,
            grant,
            drives: 0,
            commands: 0,
        };
        for _ in 0..10 {
            world.says(Twist::ZERO);
            world.pass(100);
        }
        world
    }

    fn armed() -> Self {
        let mut world = Self::new();
        assert_eq!(world.tells(Verb::ArmDrive, ""), Outcome::Accepted);
        world.says(Twist::ZERO);
        world
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / 20 {
            self.clocks.tick_ms += 20;
            self.clocks.at = self.clocks.at.plus(20_000);
            self.orders
                .step(&mut self.driver, STEP, self.clocks, |_| false);
            // Who steers is heard of, as it is every few seconds.
            let span = ControlSpan {
                seen_tick_ms: self.clocks.tick_ms,
                lasts_ms: CONTROL_LASTS_MS,
            };
            let notice = ControlNotice {
                epoch: EPOCH,
                held: Some(span),
                is_let_go: false,
            };
            self.orders.hear(&mut self.driver, &notice, self.clocks);
        }
    }

    fn frame(&self) -> FrameSeen {
        FrameSeen {
            camera: "head".to_owned(),
            captured_at: self.clocks.at.plus(-50_000),
            age_ms: 50,
            sha256: None,
        }
    }

    /// The page's next drive command.
    fn drive(&mut self, twist: Twist) -> DriveCommand {
        self.drives += 1;
        DriveCommand {
            robot: JUNIPER,
            grant: self.grant.grant,
            binding: binding(&self.grant, NONCE),
            epoch: EPOCH,
            sequence: self.drives,
            seen_tick_ms: self.clocks.tick_ms,
            frame: Some(self.frame()),
            twist,
        }
    }

    fn hears(&mut self, sealed: &[Vec<u8>]) {
        self.orders.drive(sealed, self.clocks, Journalling::Works);
    }

    fn says(&mut self, twist: Twist) {
        let command = self.drive(twist);
        self.hears(&[seal(Kind::Drive, &command, &page())]);
    }

    fn command(&mut self, verb: Verb, words: &str) -> SignedCommand {
        self.commands += 1;
        let number = self.commands;
        let bound = (&self.grant, binding(&self.grant, NONCE));
        SignedCommand {
            frame: Some(self.frame()),
            verb,
            words: words.to_owned(),
            ..command(
                u128::from(number) + 1_000,
                bound,
                number,
                self.clocks.tick_ms,
            )
        }
    }

    fn tells(&mut self, verb: Verb, words: &str) -> Outcome {
        let command = self.command(verb, words);
        let order = order(&command, &page());
        let taken = self
            .orders
            .take(&mut self.driver, &order, self.clocks, Journalling::Works);
        taken.unwrap().outcome
    }

    fn stops(&mut self, number: u128) {
        let order = stop(number);
        self.orders
            .take(&mut self.driver, &order, self.clocks, Journalling::Works)
            .unwrap();
    }

    fn speed(&self) -> f64 {
        self.driver.motion.speed_mps
    }

    fn report(&self) -> DriveReport {
        self.orders.drive_report(&self.driver, self.clocks).unwrap()
    }
}

const fn refused(reason: RobotRefusal) -> Outcome {
    Outcome::Refused { reason }
}

const PRESSED: Button = Button {
    is_pressed: true,
    presses: 1,
};

const LET_GO: Button = Button {
    is_pressed: false,
    presses: 1,
};

const TARGET: Verb = Verb::NavigateTo {
    x_m: 1.0,
    y_m: 1.0,
    heading_rad: None,
};

#[test]
fn an_armed_robot_follows_the_page_that_it_believes() {
    let mut world = World::armed();

    for _ in 0..20 {
        world.says(AHEAD);
        world.pass(60);
    }

    assert!(world.speed() > 0.4, "{}", world.speed());
}

type Error = fn(&mut World) -> Vec<Vec<u8>>;

/// Errors on the way, what they make of the page's words, and how the robot refuses that; those without a reason are dropped.
const ERRORS: [(&str, Error, Option<RobotRefusal>); 8] = [
    (
        "corruption",
        |world| {
            let sealed = seal(Kind::Drive, &world.drive(AHEAD), &page());
            // Every byte, a bit of each.
            (0..sealed.len())
                .map(|byte| {
                    let bit = byte * 8 + byte % 8;
                    let mut altered = sealed.clone();
                    altered[bit / 8] ^= 1 << (bit % 8);
                    altered
                })
                .collect()
        },
        None,
    ),
    (
        "repetition",
        |world| {
            let first = seal(Kind::Drive, &world.drive(AHEAD), &page());
            world.hears(std::slice::from_ref(&first));
            world.says(Twist::ZERO);
            vec![first]
        },
        None,
    ),
    (
        "wrong sequence",
        |world| {
            let older = seal(Kind::Drive, &world.drive(AHEAD), &page());
            world.says(Twist::ZERO);
            vec![older]
        },
        None,
    ),
    (
        "delay",
        |world| {
            let mut late = world.drive(AHEAD);
            late.seen_tick_ms -= 501;
            vec![seal(Kind::Drive, &late, &page())]
        },
        Some(RobotRefusal::Stale),
    ),
    (
        "insertion",
        |world| vec![seal(Kind::Drive, &world.drive(AHEAD), &foreign())],
        Some(RobotRefusal::NotSigned),
    ),
    (
        "masquerade as another kind",
        |world| vec![seal(Kind::Command, &world.drive(AHEAD), &page())],
        Some(RobotRefusal::NotSigned),
    ),
    (
        "masquerade as another sitting",
        |world| {
            let mut other = world.drive(AHEAD);
            other.binding[0] ^= 1;
            vec![seal(Kind::Drive, &other, &page())]
        },
        Some(RobotRefusal::NoGrant),
    ),
    (
        "addressing",
        |world| {
            let mut other = world.drive(AHEAD);
            other.robot = protocol::RobotId(Uuid::from_u128(99));
            vec![seal(Kind::Drive, &other, &page())]
        },
        Some(RobotRefusal::AnotherRobot),
    ),
];

/// IEC 61784-3: corruption, repetition, wrong sequence, delay, insertion, masquerade, addressing; loss is below.
#[test]
fn no_error_on_the_way_moves_the_robot() {
    for (name, error, reason) in ERRORS {
        for place in 0.. {
            // Each in a world of its own: what one left behind must not hide another.
            let mut world = World::armed();
            let sealed = error(&mut world);
            let Some(bytes) = sealed.into_iter().nth(place) else {
                assert!(place > 0, "{name}: nothing was injected");
                break;
            };
            world.hears(&[bytes]);
            world.pass(400);
            assert_eq!(world.driver.pose, Pose::default(), "{name} {place}");
            if let Some(reason) = reason {
                let told = world.report().refused.map(|(_, reason)| reason);
                assert_eq!(told, Some(reason), "{name}");
            } else if name != "corruption" {
                assert!(world.report().dropped > 0, "{name}");
            }
        }
    }
}

/// The eighth class, loss: no error of a message, but of all that would follow.
#[test]
fn what_is_lost_stops_the_robot_and_nothing_that_comes_after_all_moves_it() {
    let mut world = World::armed();
    world.says(AHEAD);
    world.pass(200);
    assert!(world.driver.pose.x_m > 0.0);
    let late = seal(Kind::Drive, &world.drive(AHEAD), &page());

    world.pass(400);
    let stood = world.driver.pose;
    world.hears(&[late]);
    world.pass(200);

    assert_eq!(world.driver.pose, stood);
    assert_eq!(world.report().disarmed, Some(Disarm::DeadMan));
}

#[test]
fn a_robot_that_can_not_write_down_what_it_does_is_driven_no_further() {
    let mut world = World::armed();
    world.says(AHEAD);
    world.pass(100);
    let next = seal(Kind::Drive, &world.drive(AHEAD), &page());

    world
        .orders
        .drive(&[next], world.clocks, Journalling::Fails);
    world.pass(400);

    assert_eq!(world.report().disarmed, Some(Disarm::Fault));
    assert!(world.speed().abs() < 1e-9);
}

#[test]
fn driving_ends_with_control_also_when_nobody_says_so() {
    let mut world = World::armed();
    world.says(AHEAD);
    for _ in 0..(CONTROL_LASTS_MS / 20) {
        world.clocks.tick_ms += 20;
        world.clocks.at = world.clocks.at.plus(20_000);
        world.says(Twist::ZERO);
        world
            .orders
            .step(&mut world.driver, STEP, world.clocks, |_| false);
    }

    assert_eq!(world.report().disarmed, Some(Disarm::ControlEnded));
}

#[test]
fn words_that_come_late_say_how_late_and_take_authority() {
    let mut world = World::new();
    assert_eq!(world.report().level, Level::Drive);
    for _ in 0..20 {
        let mut late = world.drive(Twist::ZERO);
        late.seen_tick_ms -= 800;
        world.hears(&[seal(Kind::Drive, &late, &page())]);
        world.pass(60);
    }

    assert_eq!(world.report().level, Level::Waypoint);
    assert!(
        world
            .report()
            .delay_ms
            .is_some_and(|ms| (700..=800).contains(&ms))
    );
}

#[test]
fn a_stop_of_the_robots_own_is_written_down_and_the_job_hears_of_its_end() {
    let mut world = World::new();
    world.orders.press(&mut world.driver, PRESSED, world.clocks);
    assert_eq!(world.orders.take_obeyed(), Some((NOBODYS, Verb::Stop)));
    let event = world.orders.drive_event(&world.driver, world.clocks);
    assert!(matches!(
        event,
        Some(DriveEvent::Stopped {
            cause: StopCause::Button,
            ..
        })
    ));

    let mut told = Vec::new();
    let (_, receipts) = world
        .orders
        .step(&mut world.driver, STEP, world.clocks, |ending| {
            told.push(ending.command);
            false
        });

    assert_eq!(told, [NOBODYS]);
    assert!(receipts.is_empty());
}

#[test]
fn of_what_comes_at_once_after_a_stall_the_newest_counts_and_nothing_is_followed_later() {
    let mut world = World::armed();
    let mut stalled: Vec<Vec<u8>> = (0..12)
        .map(|index| {
            let twist = if index == 11 { Twist::ZERO } else { AHEAD };
            seal(Kind::Drive, &world.drive(twist), &page())
        })
        .collect();
    stalled.reverse();

    world.hears(&stalled);
    world.pass(600);

    assert_eq!(world.driver.pose, Pose::default());
    assert_eq!(world.report().dropped, 11);
    assert_eq!(world.report().disarmed, None);
}

#[test]
fn a_stop_latches_until_somebody_says_why_it_may_be_lifted() {
    let mut world = World::armed();
    world.says(AHEAD);
    world.pass(60);
    world.stops(1);
    world.pass(400);

    assert!(world.orders.is_stopped());
    assert_eq!(world.tells(TARGET, ""), refused(RobotRefusal::Stopped));
    assert_eq!(
        world.tells(Verb::ArmDrive, ""),
        refused(RobotRefusal::Stopped)
    );
    world.says(AHEAD);
    world.pass(100);
    assert!(world.speed().abs() < 1e-9);

    for why in ["", "  ", &"x".repeat(MAX_NOTE_CHARS + 1)] {
        let outcome = world.tells(Verb::ReleaseStop, why);
        assert_eq!(outcome, refused(RobotRefusal::NotReleasable), "{why:?}");
    }
    world.driver.motion.speed_mps = 0.3;
    let moving = world.tells(Verb::ReleaseStop, "too early");
    assert_eq!(moving, refused(RobotRefusal::NotReleasable));
    world.driver.motion.speed_mps = 0.0;

    let released = world.tells(Verb::ReleaseStop, "The child is out of the way");
    assert_eq!(released, Outcome::Accepted);
    assert!(!world.orders.is_stopped());
    let again = world.tells(Verb::ReleaseStop, "twice");
    assert_eq!(again, refused(RobotRefusal::NotReleasable));
    assert_eq!(world.tells(TARGET, ""), Outcome::Accepted);
}

#[test]
fn a_release_from_before_the_latest_stop_lifts_nothing() {
    type Again = fn(&mut World);
    let stopped_again: [(&str, Again); 3] = [
        ("another stop", |world| world.stops(2)),
        ("the same stop, told again", |world| {
            let told = (world.orders).take(
                &mut world.driver,
                &stop(1),
                world.clocks,
                Journalling::Works,
            );
            assert_eq!(told, None);
        }),
        ("a short press", |world| {
            world.orders.press(&mut world.driver, LET_GO, world.clocks);
        }),
    ];
    for (what, again) in stopped_again {
        let mut world = World::new();
        world.stops(1);
        world.pass(400);
        let early = world.command(Verb::ReleaseStop, "the first one was a mistake");
        // In time for a command.
        world.pass(200);

        again(&mut world);

        let order = order(&early, &page());
        let answered =
            world
                .orders
                .take(&mut world.driver, &order, world.clocks, Journalling::Works);
        assert_eq!(
            answered.unwrap().outcome,
            refused(RobotRefusal::NotReleasable),
            "{what}"
        );
        assert!(world.orders.is_stopped(), "{what}");
        world.pass(100);
        let seen = world.tells(Verb::ReleaseStop, "both are over");
        assert_eq!(seen, Outcome::Accepted, "{what}");
    }
}

#[test]
fn a_stop_outlasts_a_restart_and_a_button_that_is_still_pressed_holds_it() {
    let mut world = World::new();
    world.orders.press(&mut world.driver, PRESSED, world.clocks);
    assert!(world.orders.is_stopped());
    let held = world.tells(Verb::ReleaseStop, "let go?");
    assert_eq!(held, refused(RobotRefusal::NotReleasable));
    let known = world.orders.remembered();
    assert!(known.is_stopped);

    let pinned = Pinned {
        organisation: HOUSE,
        site: WING_B,
        robot: JUNIPER,
        root: Some(root_key()),
    };
    let trust = Trust::remembering(pinned, world.orders.kept().clone(), NONCE);
    let again = Orders::remembering(
        known,
        trust,
        Safety::new(None, 0.26),
        (true, Gallery::default()),
    );
    assert!(again.is_stopped());

    world.orders.press(&mut world.driver, LET_GO, world.clocks);
    assert!(world.orders.is_stopped(), "letting go lifts nothing");
    assert_eq!(world.tells(Verb::ReleaseStop, "let go"), Outcome::Accepted);
}

#[test]
fn a_target_where_the_robot_may_not_be_and_one_on_an_old_picture_are_refused() {
    let bed = KeepOut {
        name: "bed".to_owned(),
        corners: vec![[500, 500], [1_500, 500], [1_500, 1_500], [500, 1_500]],
    };
    let mut world = World::keeping_to(&policy_with(Some(bed)));
    assert_eq!(world.tells(TARGET, ""), refused(RobotRefusal::KeepOut));
    let away = Verb::NavigateTo {
        x_m: 3.0,
        y_m: 3.0,
        heading_rad: None,
    };
    assert_eq!(world.tells(away, ""), Outcome::Accepted);

    let mut old = world.command(away, "");
    old.frame = old.frame.map(|frame| FrameSeen {
        captured_at: world.clocks.at.plus(-2_001_000),
        ..frame
    });
    let taken = world.orders.take(
        &mut world.driver,
        &order(&old, &page()),
        world.clocks,
        Journalling::Works,
    );
    assert_eq!(taken.unwrap().outcome, refused(RobotRefusal::Delay));
}

#[test]
fn whatever_moves_a_robot_where_it_may_not_be_is_stopped() {
    let bed = KeepOut {
        name: "bed".to_owned(),
        corners: vec![[500, -500], [1_500, -500], [1_500, 500], [500, 500]],
    };
    let mut world = World::keeping_to(&policy_with(Some(bed)));
    // Its own navigation has gone mad.
    world.driver.motion.speed_mps = 0.5;

    world.pass(1_000);

    assert!(world.orders.is_stopped());
    assert!(world.driver.told().contains(&Verb::Stop));
    // As its edge comes over the line: the driver of this test stops at once.
    assert!(world.driver.pose.x_m < 0.5 - 0.26 + 0.02);
}

#[test]
fn a_robot_that_can_not_tell_what_to_keep_to_does_nothing() {
    let mut world = World::new();
    world.orders.safety = Safety::standstill(0.26, "damaged".to_owned());

    assert_eq!(world.tells(TARGET, ""), refused(RobotRefusal::Fault));
    assert_eq!(
        world.tells(Verb::ArmDrive, ""),
        refused(RobotRefusal::Fault)
    );
    world.pass(20);
    assert!(world.driver.limit_mps.abs() < 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever comes in, signed or not, the output stays inside the envelope.
    #[test]
    fn whatever_comes_in_the_wheels_stay_inside_the_envelope(
        inputs in prop::collection::vec(
            (any::<i32>(), any::<i32>(), 0_u64..700, 0_u8..8, prop::collection::vec(any::<u8>(), 0..64)),
            1..60,
        ),
    ) {
        let bed = KeepOut {
            name: "bed".to_owned(),
            corners: vec![[900, -4_000], [1_900, -4_000], [1_900, 4_000], [900, 4_000]],
        };
        let mut world = World::keeping_to(&policy_with(Some(bed)));
        // A refusal is an answer, too.
        let _armed = world.tells(Verb::ArmDrive, "");
        for (speed_mm_s, turn_mrad_s, age_ms, what, noise) in inputs {
            let mut drive = world.drive(Twist { speed_mm_s, turn_mrad_s });
            drive.seen_tick_ms -= age_ms;
            let sealed = seal(Kind::Drive, &drive, &page());
            match what {
                5 => world.says(Twist::ZERO),
                0 => world.hears(&[noise]),
                1 => world.hears(&[sealed.iter().copied().chain(noise).collect()]),
                2 => {
                    let _rearmed = world.tells(Verb::ArmDrive, "");
                }
                _ => world.hears(&[sealed]),
            }
            world.pass(60);
            let speed = world.speed();
            prop_assert!((-0.3 - 1e-9..=0.9 + 1e-9).contains(&speed), "{speed}");
            prop_assert!(world.driver.motion.turn_rps.abs() <= 1.6 + 1e-9);
            prop_assert!(world.driver.pose.x_m <= 0.9 - 0.26, "{:?}", world.driver.pose);
        }
    }
}

/// A frame as it leaves the camera, into the robot's memory of its pictures.
fn takes(world: &mut World, byte: u8, age_ms: i64) -> FrameSeen {
    let gallery = Gallery::of([("head".to_owned(), Codec::H264)]);
    let bytes = Bytes::from(vec![0, 0, 0, 1, 0x65, byte]);
    let captured_at = world.clocks.at.plus(-age_ms * 1_000);
    gallery.easel("head").unwrap().take_frame(&EncodedFrame {
        camera: 0,
        bytes: bytes.clone(),
        is_key: true,
        captured_at,
        rtp_time: 0,
    });
    world.orders.gallery = gallery;
    FrameSeen {
        camera: "head".to_owned(),
        captured_at,
        age_ms: 50,
        sha256: Some(FrameHash::of(&bytes)),
    }
}

fn drives_by(world: &mut World, frame: FrameSeen) {
    let mut command = world.drive(AHEAD);
    command.frame = Some(frame);
    world.hears(&[seal(Kind::Drive, &command, &page())]);
    world.pass(40);
}

#[test]
fn a_robot_is_driven_by_its_own_pictures_and_by_no_others() {
    let mut world = World::armed();
    let own = takes(&mut world, 1, 50);

    let altered = FrameSeen {
        sha256: Some(FrameHash::of(b"altered on its way")),
        ..own.clone()
    };
    drives_by(&mut world, altered);
    assert!(world.speed().abs() < f64::EPSILON);
    let refused = world.report().refused.map(|(_, reason)| reason);
    assert_eq!(refused, Some(RobotRefusal::UnknownFrame));
    let anothers = FrameSeen {
        camera: "base".to_owned(),
        ..own.clone()
    };
    drives_by(&mut world, anothers);
    assert!(world.speed().abs() < f64::EPSILON);

    drives_by(&mut world, own);
    assert!(world.speed() > 0.0);
}

#[test]
fn nobody_on_the_way_makes_an_old_picture_young() {
    let mut world = World::armed();
    let old = takes(&mut world, 1, 1_500);
    // Whoever carries the pictures says that this one was just taken, and the page believes it.
    let said_to_be_new = FrameSeen {
        captured_at: world.clocks.at.plus(-50_000),
        ..old
    };

    drives_by(&mut world, said_to_be_new);

    assert!(world.speed().abs() < f64::EPSILON);
    assert_eq!(world.report().disarmed, Some(Disarm::StaleFrame));
}

#[test]
fn a_target_on_a_picture_that_is_none_of_the_robots_is_refused_and_a_stop_is_released_by_any() {
    let mut world = World::new();
    let own = takes(&mut world, 1, 50);
    let altered = FrameSeen {
        sha256: Some(FrameHash::of(b"altered on its way")),
        ..own.clone()
    };
    let with = |world: &mut World, verb, words, frame| {
        let mut command = world.command(verb, words);
        command.frame = Some(frame);
        let order = order(&command, &page());
        let taken =
            (world.orders).take(&mut world.driver, &order, world.clocks, Journalling::Works);
        taken.unwrap()
    };

    let target = with(&mut world, TARGET, "", altered.clone());
    assert_eq!(target.outcome, refused(RobotRefusal::UnknownFrame));
    assert_eq!(target.frame, Some(altered.clone()));
    let arming = with(&mut world, Verb::ArmDrive, "", altered.clone());
    assert_eq!(arming.outcome, refused(RobotRefusal::UnknownFrame));
    assert_eq!(with(&mut world, TARGET, "", own).outcome, Outcome::Accepted);
    world.stops(1);
    world.pass(100);
    let released = with(&mut world, Verb::ReleaseStop, "It was nothing", altered);
    assert_eq!(released.outcome, Outcome::Accepted);
}

#[test]
fn who_named_one_picture_names_each() {
    let mut world = World::armed();
    let own = takes(&mut world, 1, 50);
    drives_by(&mut world, own);
    assert!(world.speed() > 0.0);
    let refused_last = |world: &World| world.report().refused.map(|(_, reason)| reason);
    assert_eq!(refused_last(&world), None);

    let unnamed = world.frame();
    drives_by(&mut world, unnamed);
    assert_eq!(refused_last(&world), Some(RobotRefusal::UnknownFrame));
    assert_eq!(
        world.tells(Verb::ArmDrive, ""),
        refused(RobotRefusal::UnknownFrame)
    );
}
