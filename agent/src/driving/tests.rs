//! Claims about being driven by hand, in virtual time.

use protocol::{
    GrantId, RobotId, UnixMicros,
    command::{CommandHash, FrameSeen},
    drive::{DriveCommand, DriveSegment},
    robot::Pose,
};
use uuid::Uuid;

use super::*;

const STEP: Duration = Duration::from_millis(20);
const ARMED_BY: CommandId = CommandId(Uuid::from_u128(7));
const UNDER: (GrantId, u64) = (GrantId(Uuid::from_u128(3)), 41);
const AHEAD: Twist = Twist {
    speed_mm_s: 600,
    turn_mrad_s: 0,
};

fn segment_of(event: &DriveEvent) -> &DriveSegment {
    match event {
        DriveEvent::Segment(segment) => segment,
        DriveEvent::Stopped { .. } => panic!("{event:?} is no segment"),
    }
}

/// A robot in virtual time, a page that drives it, and the way between them.
struct World {
    safety: Safety,
    driving: Driving,
    body: Body,
    tick_ms: u64,
    sequence: u64,
    segments: Vec<DriveEvent>,
}

impl World {
    fn new() -> Self {
        Self {
            safety: Safety::new(None, 0.26),
            driving: Driving::new(true),
            body: Body {
                pose: Pose::default(),
                motion: Motion::default(),
                person_m: None,
            },
            tick_ms: 10_000,
            sequence: 0,
            segments: Vec::new(),
        }
    }

    /// One that was measured at this delay for a second, and armed.
    fn armed(delay_ms: u32) -> Self {
        let mut world = Self::new();
        for _ in 0..10 {
            world.say(Twist::ZERO, delay_ms).unwrap();
            world.pass(100);
        }
        world.arm(delay_ms).unwrap();
        world.say(Twist::ZERO, delay_ms).unwrap();
        world
    }

    fn clocks(&self) -> Clocks {
        Clocks {
            tick_ms: self.tick_ms,
            at: UnixMicros(1_700_000_000_000_000)
                .plus(i64::try_from(self.tick_ms).unwrap() * 1_000),
        }
    }

    fn arm(&mut self, delay_ms: u32) -> Result<(), RobotRefusal> {
        self.driving
            .arm(&self.safety, ARMED_BY, UNDER, Some(delay_ms))
    }

    /// A command gets here that was given on a picture of this age.
    fn say(&mut self, twist: Twist, delay_ms: u32) -> Result<(), RobotRefusal> {
        self.sequence += 1;
        let clocks = self.clocks();
        let command = DriveCommand {
            robot: RobotId(Uuid::nil()),
            grant: UNDER.0,
            binding: [0; 32],
            epoch: UNDER.1,
            sequence: self.sequence,
            seen_tick_ms: self.tick_ms,
            frame: Some(FrameSeen {
                camera: "head".to_owned(),
                captured_at: clocks.at.plus(-i64::from(delay_ms) * 1_000),
                age_ms: delay_ms,
                sha256: None,
            }),
            twist,
        };
        let believed = BelievedDrive {
            command,
            sha256: CommandHash([1; 32]),
            sealed: vec![7; 8],
        };
        let taken = self.driving.take(&self.safety, believed, clocks);
        if taken == Err(RobotRefusal::StaleFrame) {
            self.driving.disarm(Disarm::StaleFrame, self.tick_ms);
        }
        taken
    }

    fn step(&mut self) {
        self.tick_ms += 20;
        let clocks = self.clocks();
        if let Some(why) = self.driving.objection(&self.safety, 80.0, self.tick_ms) {
            self.driving.disarm(why, self.tick_ms);
        }
        match self.driving.step(&self.safety, &self.body, clocks, STEP) {
            Wheels::Hand(motion) => {
                // As the simulated wheels do it.
                let speed = self.body.motion.speed_mps;
                let most = if motion.speed_mps.abs() < speed.abs() {
                    1.5
                } else {
                    0.7
                } * 0.02;
                let change = (motion.speed_mps - speed).clamp(-most, most);
                self.body.motion.speed_mps += change;
            }
            Wheels::Drivers | Wheels::Back => self.body.motion = Motion::default(),
        }
        self.body.pose.x_m += self.body.motion.speed_mps * 0.02;
        self.segments
            .extend(self.driving.record(&self.body, clocks));
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / 20 {
            self.step();
        }
    }

    /// Holds a key for so long.
    fn drive(&mut self, twist: Twist, delay_ms: u32, ms: u64) {
        for _ in 0..ms / 60 {
            // What is refused is in the report.
            let _taken = self.say(twist, delay_ms);
            self.pass(60);
        }
    }

    fn report(&self) -> DriveReport {
        (self.driving).report(&self.safety, &self.body, self.tick_ms)
    }
}

#[test]
fn nothing_moves_a_robot_that_nobody_armed() {
    let mut world = World::new();
    for _ in 0..20 {
        assert_eq!(world.say(AHEAD, 50), Err(RobotRefusal::NotArmed));
        world.pass(60);
    }

    assert_eq!(world.body.pose, Pose::default());
    assert_eq!(world.report().disarmed, Some(Disarm::NotArmed));
}

#[test]
fn it_is_armed_only_on_a_fresh_picture_and_a_delay_that_was_measured() {
    let mut world = World::new();
    assert_eq!(world.arm(50), Err(RobotRefusal::Delay), "not measured yet");

    for _ in 0..10 {
        world.say(Twist::ZERO, 50).unwrap();
        world.pass(100);
    }

    assert_eq!(world.arm(501), Err(RobotRefusal::StaleFrame));
    let blind = (world.driving).arm(&world.safety, ARMED_BY, UNDER, None);
    assert_eq!(blind, Err(RobotRefusal::StaleFrame));
    assert_eq!(world.arm(50), Ok(()));
}

#[test]
fn it_moves_while_the_key_is_held_and_stops_when_it_is_let_go_and_stays_armed() {
    let mut world = World::armed(50);
    world.drive(AHEAD, 50, 1_800);
    assert!((world.body.motion.speed_mps - 0.6).abs() < 0.01);

    world.drive(Twist::ZERO, 50, 900);

    assert!(world.body.motion.is_still());
    assert_eq!(world.report().disarmed, None);
    assert!(world.report().stood_after_ms.is_some());
}

#[test]
fn silence_brakes_within_the_dead_mans_time_and_latches() {
    let mut world = World::armed(50);
    world.drive(AHEAD, 50, 1_800);
    let last_word_ms = world.tick_ms - 60;

    let mut braked_ms = None;
    for _ in 0..60 {
        let before = world.body.motion.speed_mps;
        world.step();
        if world.body.motion.speed_mps < before && braked_ms.is_none() {
            braked_ms = Some(world.tick_ms - last_word_ms);
        }
    }

    assert!(braked_ms.is_some_and(|ms| ms <= 300), "{braked_ms:?}");
    assert!(world.body.motion.is_still());
    assert_eq!(world.report().disarmed, Some(Disarm::DeadMan));
    // A word that comes after all moves nothing.
    assert_eq!(world.say(AHEAD, 50), Err(RobotRefusal::NotArmed));
    world.pass(100);
    assert!(world.body.motion.is_still());
    // The way back takes five seconds of fresh pictures.
    assert_eq!(world.arm(50), Err(RobotRefusal::Delay));
    world.drive(Twist::ZERO, 50, 5_400);
    world.arm(50).unwrap();
    // A key that was held while it was armed has to be let go first.
    assert_eq!(world.say(AHEAD, 50), Err(RobotRefusal::NotArmed));
    world.say(Twist::ZERO, 50).unwrap();
    world.drive(AHEAD, 50, 300);
    assert!(world.body.motion.speed_mps > 0.05);
}

#[test]
fn at_no_delay_does_a_robot_that_is_driven_go_on_for_longer_than_silence_allows() {
    for delay_ms in (0..=2_200).step_by(20) {
        let mut world = World::armed(50);
        world.drive(AHEAD, delay_ms, 3_000);
        let last_word_ms = world.tick_ms - 60;
        let level = world.report().level;
        let was_moving = !world.body.motion.is_still();

        world.pass(1_500);

        assert!(world.body.motion.is_still(), "{delay_ms}");
        assert!(
            level <= world.safety.envelope.ladder.at(delay_ms),
            "{delay_ms}"
        );
        if was_moving {
            let stood = world.report().stood_after_ms.unwrap();
            // The dead-man, a step, and braking from 0.6 m/s.
            assert!(u64::from(stood) <= 250 + 40 + 420, "{delay_ms}: {stood}");
            assert!(last_word_ms < world.tick_ms);
        }
        let may_move = delay_ms <= 500;
        assert_eq!(world.body.pose.x_m > 0.05, may_move, "{delay_ms}");
    }
}

#[test]
fn an_old_picture_is_refused_and_ends_driving() {
    let mut world = World::armed(50);
    world.drive(AHEAD, 50, 600);

    assert_eq!(world.say(AHEAD, 501), Err(RobotRefusal::StaleFrame));
    world.pass(1_000);

    assert!(world.body.motion.is_still());
    assert_eq!(world.report().disarmed, Some(Disarm::StaleFrame));
    assert_eq!(
        world.report().refused,
        Some((world.sequence, RobotRefusal::StaleFrame))
    );
}

#[test]
fn a_picture_from_the_future_proves_nothing() {
    let mut world = World::armed(50);
    let clocks = world.clocks();

    let ahead = world
        .driving
        .delay_ms(Some(clocks.at.plus(60_000)), 0, clocks);
    let just = world
        .driving
        .delay_ms(Some(clocks.at.plus(40_000)), 0, clocks);

    assert_eq!((ahead, just), (None, Some(0)));
    assert_eq!(world.driving.delay_ms(None, world.tick_ms, clocks), None);
    let blind = Driving::new(false);
    assert_eq!(blind.delay_ms(None, world.tick_ms - 30, clocks), Some(30));
    assert_eq!(blind.delay_ms(None, world.tick_ms + 1, clocks), None);
    world.step();
}

#[test]
fn speed_falls_with_the_delay_and_a_nudge_ends_by_itself() {
    let mut world = World::armed(50);
    world.drive(
        Twist {
            speed_mm_s: 900,
            ..AHEAD
        },
        240,
        3_000,
    );
    let report = world.report();
    assert_eq!(report.level, Level::Drive);
    assert!(
        (740..=760).contains(&report.cap_mm_s),
        "{}",
        report.cap_mm_s
    );
    assert_eq!(report.clamp, Some(Clamp::Delay));

    let mut world = World::armed(400);
    assert_eq!(world.report().level, Level::Nudge);
    world.drive(AHEAD, 400, 900);
    assert!(world.body.motion.speed_mps > 0.3);
    assert!(world.body.motion.speed_mps <= 0.45 + 1e-9);
    world.drive(AHEAD, 400, 900);
    assert!(world.body.motion.is_still());
    assert_eq!(world.report().clamp, Some(Clamp::NudgeOver));
    world.drive(Twist::ZERO, 400, 120);
    world.drive(AHEAD, 400, 300);
    assert!(world.body.motion.speed_mps > 0.05);
}

#[test]
fn what_ends_it_gives_up_the_command_that_armed_it_once() {
    for (why, reason) in [
        (Disarm::Stopped, AbandonReason::Stopped),
        (Disarm::ControlEnded, AbandonReason::ControlEnded),
        (Disarm::NotArmed, AbandonReason::Superseded),
    ] {
        let mut world = World::armed(50);

        assert_eq!(world.driving.disarm(why, 0), Some((ARMED_BY, reason)));
        assert_eq!(world.driving.disarm(why, 0), None);
    }
}

#[test]
fn each_second_of_driving_is_one_record_and_standing_is_none() {
    let mut world = World::armed(50);
    world.drive(Twist::ZERO, 50, 3_000);
    assert!(world.segments.is_empty());

    world.drive(AHEAD, 50, 2_520);
    world.driving.drop_older(1);
    world.pass(1_000);

    let segments: Vec<_> = (world.segments.iter()).map(segment_of).collect();
    assert_eq!(segments.len(), 3);
    assert!(
        segments
            .iter()
            .all(|one| one.armed_by == ARMED_BY && one.lasts_ms <= 2_020)
    );
    let steps: usize = segments.iter().map(|one| one.steps.len()).sum();
    assert_eq!(steps, 42);
    let sequences = segments
        .iter()
        .flat_map(|one| &one.steps)
        .map(|step| step.sequence);
    assert!(sequences.is_sorted());
    assert!(segments[0].to.x_m <= segments[1].from.x_m);
    assert_eq!(segments[2].disarmed, Some(Disarm::DeadMan));
    assert_eq!(segments[2].dropped, 1);
    assert!(
        segments[1]
            .steps
            .iter()
            .all(|step| step.given.speed_mm_s > 0)
    );
}

#[test]
fn why_driving_ended_is_recorded_whenever_in_a_second_it_ends() {
    for ms in (1_020..2_400).step_by(60) {
        let mut world = World::armed(50);
        world.drive(AHEAD, 50, ms);
        world.pass(2_500);

        let last = segment_of(world.segments.last().unwrap());
        assert_eq!(last.disarmed, Some(Disarm::DeadMan), "{ms}");
        assert_eq!(last.armed_by, ARMED_BY);
        assert!(!last.last.0.is_empty());
        // Until it stood: the whole braking is in it.
        assert!((last.to.x_m - world.body.pose.x_m).abs() < 0.01, "{ms}");
    }
}

#[test]
fn a_record_of_the_fastest_page_fits_where_events_fit() {
    let mut world = World::armed(50);
    for _ in 0..70 {
        world.say(AHEAD, 50).unwrap();
        world.say(AHEAD, 50).unwrap();
        world.step();
    }

    let segment = segment_of(&world.segments[0]);
    let bytes = protocol::deterministic::to_vec(&world.segments[0]).unwrap();
    assert_eq!(segment.steps.len(), protocol::drive::MAX_SEGMENT_STEPS);
    assert!(
        bytes.len() < protocol::limits::MAX_SEALED_EVENT_BYTES - 1_024,
        "{}",
        bytes.len()
    );
}

#[test]
fn what_was_given_stands_in_the_record_though_the_robot_brakes_afterwards() {
    let mut world = World::armed(50);
    world.drive(AHEAD, 50, 1_500);
    world.pass(2_000);

    let mut segments = world.segments.iter().map(segment_of);
    let ended = segments.find(|segment| segment.disarmed == Some(Disarm::DeadMan));
    let last = ended.unwrap().steps.last().unwrap();
    assert_eq!(last.asked, AHEAD);
    assert!(last.given.speed_mm_s > 300, "{:?}", last.given);
}
