//! Whatever comes in, the output stays inside the envelope. A policy, a body, and a row of what a page, a network and the world
//! may do to a driven robot; beside it a judge that knows nothing of the rules but what they promise.

use std::time::Duration;

use agent::{
    driving::{Driving, Wheels},
    orders::Clocks,
    safety::{Body, Motion, Safety},
    trust::BelievedDrive,
};
use protocol::{
    CommandId, GrantId, OrganisationId, RobotId, UnixMicros,
    command::{CommandHash, FrameSeen},
    deterministic,
    drive::{Disarm, DriveCommand, DriveEvent, DriveReport, MAX_SEGMENT_STEPS, Twist},
    event::Payload,
    ladder::{Level, Limits},
    limits::MAX_SEALED_EVENT_BYTES,
    robot::Pose,
    safety::{Envelope, SafetyPolicy},
};
use uuid::Uuid;

use super::ground::{Ground, outline, roll, zone};
use crate::{Seed, Target, input::Input};

pub(crate) const TARGET: Target = Target {
    name: "envelope",
    run,
    seeds,
    longest: 2_048,
};

/// Rounding of sums.
const TINY: f64 = 1e-6;

fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let policy = policy(&mut input);
    if policy.check().is_err() {
        return false;
    }
    let mut world = World::new(&policy, &mut input);
    while !input.is_empty() {
        world.happen(&mut input);
    }
    world.has_moved
}

fn policy(input: &mut Input<'_>) -> SafetyPolicy {
    let workspace = if input.coin() {
        outline(input, 1_000, 2_000, 9_000)
    } else {
        Vec::new()
    };
    let zones = input.byte() % 4;
    SafetyPolicy {
        organisation: OrganisationId(Uuid::nil()),
        robot: None,
        number: 1,
        issued_at: UnixMicros(0),
        envelope: if input.coin() {
            Envelope::default()
        } else {
            envelope(input)
        },
        workspace,
        keep_out: (0..zones)
            .map(|_| zone("bed", outline(input, 5_000, 300, 3_000)))
            .collect(),
        masks: Vec::new(),
        private: Vec::new(),
    }
}

/// Any that a policy may have.
fn envelope(input: &mut Input<'_>) -> Envelope {
    let drive_ms = input.within(0, 1_000);
    let nudge_ms = input.within(drive_ms, 2_000);
    Envelope {
        speed_mm_s: input.within(0, 3_000),
        reverse_mm_s: input.within(0, 3_000),
        turn_mrad_s: input.within(0, 6_283),
        acceleration_mm_s2: input.within(10, 5_000),
        braking_mm_s2: input.within(100, 10_000),
        nudge_mm_s: input.within(0, 3_000),
        nudge_lasts_ms: input.within(50, 5_000),
        command_age_ms: input.within(50, 1_000),
        dead_man_ms: input.within(100, 500),
        frame_age_ms: input.within(100, 1_000),
        ladder: Limits {
            drive_ms,
            nudge_ms,
            waypoint_ms: input.within(nudge_ms, 10_000),
        },
        people_within_mm: input.within(0, 20_000),
        people_mm_s: input.within(0, 3_000),
        battery_floor_percent: input.byte() % 91,
    }
}

/// A robot, and what a judge saw.
struct World {
    envelope: Envelope,
    safety: Safety,
    driving: Driving,
    body: Body,
    ground: Ground,
    clocks: Clocks,
    sequence: u64,
    battery_percent: f64,
    /// How fast its turning follows, radians a second each second.
    lazy_turn: f64,
    has_cameras: bool,
    /// Whether it began where it may be.
    is_free: bool,
    /// The last word that was taken, while it is armed, and when.
    word: Option<(Twist, u64)>,
    armed_at: Option<u64>,
    /// Since when it moves while only nudging is left.
    nudged_since: Option<u64>,
    has_moved: bool,
}

impl World {
    fn new(policy: &SafetyPolicy, input: &mut Input<'_>) -> Self {
        let radius_m = [0.1, 0.26, 0.6][usize::from(input.byte() % 3)];
        let metres = |mm: i32| f64::from(mm) / 1_000.0;
        let at = [
            metres(input.between(-5_000, 5_000)),
            metres(input.between(-5_000, 5_000)),
        ];
        let ground = Ground::of(policy, radius_m);
        let has_cameras = input.coin();
        let safety = Safety::new(Some(policy), radius_m);
        Self {
            envelope: policy.envelope,
            is_free: safety.allows(at[0], at[1]) && ground.room(at) >= 0.0,
            safety,
            driving: Driving::new(has_cameras),
            body: Body {
                pose: Pose {
                    x_m: at[0],
                    y_m: at[1],
                    heading_rad: metres(input.between(-3_142, 3_142)),
                },
                motion: Motion::default(),
                person_m: None,
            },
            ground,
            clocks: Clocks {
                tick_ms: 100_000,
                at: UnixMicros(1_700_000_000_000_000),
            },
            sequence: 0,
            battery_percent: 80.0,
            lazy_turn: [1.0, 4.0, 40.0][usize::from(input.byte() % 3)],
            has_cameras,
            word: None,
            armed_at: None,
            nudged_since: None,
            has_moved: false,
        }
    }

    fn happen(&mut self, input: &mut Input<'_>) {
        let what = input.byte();
        match what % 8 {
            0..=2 => self.say(input),
            3 => self.arm(input),
            4 => {
                let near = f64::from(input.within(0, 25_000)) / 1_000.0;
                self.body.person_m = input.coin().then_some(near);
            }
            5 => {
                let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0][usize::from(input.byte() % 4)];
                let percent = input.byte() % 101;
                self.battery_percent = if percent == 100 { odd } else { percent.into() };
            }
            6 => self.let_go(input.byte()),
            _ => self.pass(input.within(1, 3_000).into(), 100),
        }
        let (steps, each_ms) = (what / 8 % 8, u64::from(input.byte() % 100) + 1);
        self.pass(u64::from(steps) * each_ms, each_ms);
    }

    /// A word of the page that steers, as early or late as it comes.
    fn say(&mut self, input: &mut Input<'_>) {
        let is_odd = input.byte().is_multiple_of(16);
        let twist = if is_odd {
            Twist {
                speed_mm_s: input.i32(),
                turn_mrad_s: input.i32(),
            }
        } else {
            Twist {
                speed_mm_s: input.between(-1_500, 1_500),
                turn_mrad_s: input.between(-3_000, 3_000),
            }
        };
        // Half of all words are let-go keys.
        let twist = if input.coin() { twist } else { Twist::ZERO };
        let age_ms = input.between(-100, 1_200) * i32::from(input.coin());
        let tick_age = u64::from(input.within(0, 900)) * u64::from(input.coin());
        let captured_at = self.clocks.at.plus(-i64::from(age_ms) * 1_000);
        let frame = !input.byte().is_multiple_of(8);
        self.sequence += 1;
        let believed = BelievedDrive {
            command: DriveCommand {
                robot: RobotId(Uuid::nil()),
                grant: GrantId(Uuid::nil()),
                binding: [0; 32],
                epoch: 1,
                sequence: self.sequence,
                seen_tick_ms: self.clocks.tick_ms - tick_age,
                frame: frame.then(|| FrameSeen {
                    camera: "head".to_owned(),
                    captured_at,
                    age_ms: 0,
                    sha256: None,
                }),
                twist,
            },
            sha256: CommandHash([0; 32]),
            sealed: vec![0; 400],
        };
        let taken = self.driving.take(&self.safety, believed, self.clocks);
        if taken.is_ok() {
            let seen_ms = if frame {
                i64::from(age_ms)
            } else {
                i64::try_from(tick_age).unwrap()
            };
            assert!(frame || !self.has_cameras, "driven without a picture");
            assert!(
                (-50..=i64::from(self.envelope.frame_age_ms)).contains(&seen_ms),
                "on an old picture"
            );
            assert!(
                twist.is_zero() || self.armed_at.is_some(),
                "{twist:?} was taken of nobody"
            );
            self.word = Some((twist, self.clocks.tick_ms));
        } else if taken == Err(protocol::command::RobotRefusal::StaleFrame) {
            self.disarm(Disarm::StaleFrame);
        }
        if twist.is_zero() {
            self.nudged_since = None;
        }
    }

    fn arm(&mut self, input: &mut Input<'_>) {
        let by = CommandId(Uuid::from_u128(self.sequence.into()));
        let delay_ms = input.coin().then(|| input.within(0, 1_200));
        let under = (GrantId(Uuid::nil()), 1);
        self.disarm(Disarm::NotArmed);
        if self.driving.arm(&self.safety, by, under, delay_ms).is_ok() {
            assert!(delay_ms.is_some_and(|delay_ms| delay_ms <= self.envelope.frame_age_ms));
            self.armed_at = Some(self.clocks.tick_ms);
        }
    }

    fn disarm(&mut self, why: Disarm) {
        self.driving.disarm(why, self.clocks.tick_ms);
        (self.armed_at, self.word, self.nudged_since) = (None, None, None);
    }

    fn let_go(&mut self, how: u8) {
        match how % 4 {
            0 => self.disarm(Disarm::ControlEnded),
            1 => {
                self.disarm(Disarm::Stopped);
                self.driving.hands_off();
            }
            2 => {
                self.disarm(Disarm::ControlEnded);
                self.driving.begin_anew();
            }
            _ => self.driving.drop_older(how.into()),
        }
    }

    /// Lets time pass, as the control loop does: at steps of up to so long.
    fn pass(&mut self, for_ms: u64, each_ms: u64) {
        let mut left = for_ms;
        while left > 0 {
            let step = left.min(each_ms);
            left -= step;
            self.step(u32::try_from(step).unwrap());
        }
    }

    fn step(&mut self, ms: u32) {
        self.clocks.tick_ms += u64::from(ms);
        self.clocks.at = self.clocks.at.plus(i64::from(ms) * 1_000);
        let (before, tick_ms) = (self.body, self.clocks.tick_ms);
        let objection = (self.driving).objection(&self.safety, self.battery_percent, tick_ms);
        if let Some(why) = objection {
            self.disarm(why);
        }
        let elapsed = Duration::from_millis(ms.into());
        let wheels = (self.driving).step(&self.safety, &self.body, self.clocks, elapsed);
        let report = self.driving.report(&self.safety, &self.body, tick_ms);
        let wish = match wheels {
            Wheels::Hand(motion) => motion,
            // The driver rests.
            Wheels::Drivers | Wheels::Back => Motion::default(),
        };
        self.judge_wish(wish, &report);
        roll(&mut self.body, wish, &self.envelope, self.lazy_turn, ms);
        self.judge_motion(&before, ms);
        if let Some(event) = self.driving.record(&self.body, self.clocks) {
            judge_record(&event);
        }
    }

    /// What the robot sets out to do: only on a fresh word of somebody, and no faster than anything allows.
    fn judge_wish(&mut self, wish: Motion, report: &DriveReport) {
        assert!(wish.speed_mps.is_finite() && wish.turn_rps.is_finite());
        let limits = &self.envelope.ladder;
        match report.delay_ms {
            Some(delay_ms) => assert!(report.level <= limits.at(delay_ms), "{report:?}"),
            None => assert_eq!(report.level, Level::Question),
        }
        if wish == Motion::default() {
            return;
        }
        self.has_moved = true;
        let (twist, heard_at) = self.word.unwrap_or_default();
        let silent_ms = self.clocks.tick_ms - heard_at;
        assert!(
            self.armed_at.is_some() && report.disarmed.is_none(),
            "{wish:?} of nobody"
        );
        assert!(!twist.is_zero(), "{wish:?} and the keys are let go");
        assert!(
            silent_ms < u64::from(self.envelope.dead_man_ms),
            "{wish:?} after {silent_ms} ms"
        );
        assert!(report.level >= Level::Nudge, "{wish:?} and {report:?}");
        let floor = f64::from(self.envelope.battery_floor_percent);
        assert!(self.battery_percent >= floor, "{wish:?} and no charge");
        let most_mm = self.most_mm_s(report);
        let most_turn = f64::from(self.envelope.turn_mrad_s) / 1_000.0;
        assert!(
            wish.speed_mps <= f64::from(most_mm) / 1_000.0 + TINY,
            "{wish:?} of {most_mm}"
        );
        let reverse = self.envelope.reverse_mm_s.min(most_mm);
        assert!(
            wish.speed_mps >= -f64::from(reverse) / 1_000.0 - TINY,
            "{wish:?} of -{reverse}"
        );
        assert!(
            wish.turn_rps.abs() <= most_turn + TINY,
            "{wish:?} of {most_turn}"
        );
        if report.level == Level::Nudge {
            let since = *self.nudged_since.get_or_insert(self.clocks.tick_ms);
            let lasts = self.clocks.tick_ms - since;
            assert!(
                lasts < u64::from(self.envelope.nudge_lasts_ms),
                "nudged for {lasts} ms"
            );
        } else {
            self.nudged_since = None;
        }
    }

    fn most_mm_s(&self, report: &DriveReport) -> u32 {
        let envelope = &self.envelope;
        let delay_ms = u64::from(report.delay_ms.unwrap_or(u32::MAX)).max(200);
        let by_delay = u64::from(envelope.speed_mm_s) * 200 / delay_ms;
        let mut most = u32::try_from(by_delay).unwrap();
        if report.level < Level::Drive {
            most = most.min(envelope.nudge_mm_s);
        }
        let within = f64::from(envelope.people_within_mm) / 1_000.0;
        if self.body.person_m.is_some_and(|metres| metres <= within) {
            most = most.min(envelope.people_mm_s);
        }
        most
    }

    /// What became of it: inside the envelope, the workspace, and outside of every zone.
    fn judge_motion(&self, before: &Body, ms: u32) {
        let body = &self.body;
        let fastest = f64::from(self.envelope.speed_mm_s) / 1_000.0;
        let reverse = f64::from(self.envelope.reverse_mm_s) / 1_000.0;
        let speed = body.motion.speed_mps;
        assert!(
            speed <= fastest + TINY && speed >= -reverse - TINY,
            "{body:?}"
        );
        let gain = f64::from(self.envelope.acceleration_mm_s2) / 1_000.0 * f64::from(ms) / 1_000.0;
        let gained = speed.abs() - before.motion.speed_mps.abs();
        assert!(gained <= gain + TINY, "faster by {gained} in {ms} ms");
        let room = self.ground.room([body.pose.x_m, body.pose.y_m]);
        if self.is_free {
            assert!(room >= -TINY, "{room} m into what is barred: {body:?}");
            assert!(!self.safety.is_trespassing(body), "{body:?}");
        }
    }
}

/// A second of driving fits an event.
fn judge_record(event: &DriveEvent) {
    let DriveEvent::Segment(segment) = event else {
        return;
    };
    assert!(segment.steps.len() <= MAX_SEGMENT_STEPS);
    let bytes = deterministic::to_vec(&Payload::Drive(event.clone())).unwrap();
    assert!(
        bytes.len() + 512 <= MAX_SEALED_EVENT_BYTES,
        "{} bytes",
        bytes.len()
    );
}

/// Twenty words ahead and a policy before them, written as the input is read.
fn seeds() -> Vec<Seed> {
    let word = |speed: i16, steps: u8, each_ms: u8| {
        let moves = u8::from(speed != 0);
        let speed = u16::try_from(speed + 1_500).unwrap().to_le_bytes();
        let turn = 3_000_u16.to_le_bytes();
        // Fresh, on a picture of 50 ms.
        let age = 150_u16.to_le_bytes();
        [
            &[steps * 8, 1][..],
            &speed,
            &turn,
            &[moves],
            &age,
            &[1],
            &[0; 4],
            &[0, 1],
            &[each_ms],
        ]
        .concat()
    };
    let arm = [&[3 + 8, 1][..], &50_u32.to_le_bytes(), &[20]].concat();
    let square = |x: u16, y: u16, size: u16| {
        let numbers = [x, y, size, size].map(u16::to_le_bytes).concat();
        [&[1, 1], &numbers[..], &[31]].concat()
    };
    let middle = 5_000_u16.to_le_bytes();
    let east = 3_142_u16.to_le_bytes();
    let start = [&[1][..], &middle, &middle, &[1], &east, &[1]].concat();
    let drive = |before: &[u8], speed: i16| {
        let still = word(0, 2, 50).repeat(10);
        let ahead = word(speed, 3, 20).repeat(30);
        [
            before,
            &start,
            &still,
            &arm,
            &word(0, 1, 20),
            &ahead,
            &word(0, 7, 99),
        ]
        .concat()
    };
    let plain = [0, 0, 1];
    let one_zone = [&[0, 1, 1][..], &square(7_500, 5_000, 300)].concat();
    let room = [&[1][..], &square(1_000, 1_000, 1_500), &[0, 1]].concat();
    vec![
        Seed::new("ahead", drive(&plain, 800)),
        Seed::new("back", drive(&plain, -800)),
        Seed::new("to a zone", drive(&one_zone, 900)),
        Seed::new("to the edge", drive(&room, 900)),
    ]
}
