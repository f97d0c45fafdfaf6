//! Nothing moves without authority. Notices, rosters, grants and commands in any order, by any key, altered or not, against the whole
//! guard of a robot; beside it a judge that knows who signed what.

mod body;
mod made;
mod seeds;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use agent::{
    authority::Remembered,
    gallery::Gallery,
    orders::{Button, Clocks, Journalling, Orders},
    safety::Safety,
    trust::{Kept, Pinned, Trust},
};
use protocol::{
    CommandId, GrantId, UnixMicros,
    command::{Order, Outcome, Verb},
    control::{ControlNotice, ControlSpan},
    drive::Twist,
    grant::{GrantEvent, Presentation},
    limits::{CONTROL_LASTS_MS, MAX_NOTE_CHARS},
    safety::{Envelope, SafetyPolicy},
    sealed::{KeyId, Kind},
};
use uuid::Uuid;

use self::body::Watched;
use super::ground::{Ground, zone};
use crate::{Target, cast, input::Input};

pub(crate) const TARGET: Target = Target {
    name: "orders",
    run,
    seeds: seeds::seeds,
    longest: 1_024,
};

const EPOCH: u64 = 41;
const RADIUS_M: f32 = 0.26;
const START: Clocks = Clocks {
    tick_ms: 100_000,
    at: UnixMicros(1_767_254_400_000_000),
};

fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let mut world = World::new(input.byte());
    while !input.is_empty() {
        world.happen(&mut input);
    }
    world.driver.has_moved
}

/// A robot, and what a judge saw.
struct World {
    orders: Orders,
    driver: Watched,
    clocks: Clocks,
    ground: Ground,
    presented: u8,
    sequence: u64,
    nonces: u8,
    /// The challenges with which the operator's own key bound the page, by the number of the grant that it was bound with.
    bound: BTreeSet<(GrantId, [u8; 32])>,
    /// Grants that the policy key issued to the page and that were shown to the robot.
    shown: BTreeSet<GrantId>,
    /// What the grants that the robot took say of speed, millimetres per second.
    caps: BTreeMap<GrantId, Option<u32>>,
    /// How fast it went before this step, metres per second.
    speed_mps: f64,
    /// When somebody was last said to steer, and under which epoch.
    held: Option<(u64, u64)>,
    /// When the page's last true word came that asks for motion.
    word: Option<u64>,
    /// Whether the page truly armed it since it last had to stand.
    may_be_armed: bool,
    is_stopped: bool,
    button: Button,
}

fn policy() -> SafetyPolicy {
    let corners = vec![
        [2_000, -1_000],
        [4_000, -1_000],
        [4_000, 1_000],
        [2_000, 1_000],
    ];
    SafetyPolicy {
        organisation: cast::HOUSE,
        robot: None,
        number: 1,
        issued_at: START.at,
        envelope: Envelope::default(),
        workspace: Vec::new(),
        keep_out: vec![zone("bed", corners)],
        masks: Vec::new(),
        private: Vec::new(),
    }
}

impl World {
    /// One that knows roster and list, or nothing; that somebody steers, or nobody.
    fn new(how: u8) -> Self {
        let kept = Kept {
            roster: Some(cast::seal(
                Kind::Roster,
                &cast::roster(1, START.at),
                &cast::root(),
            )),
            revocations: Some(cast::seal(
                Kind::Revocations,
                &cast::revocations(1, START.at),
                &cast::policy(),
            )),
        };
        let pinned = Pinned {
            organisation: cast::HOUSE,
            site: cast::WING_B,
            robot: cast::JUNIPER,
            root: (how & 4 == 0).then(cast::root_key),
        };
        let kept = if how & 2 == 0 { kept } else { Kept::default() };
        let trust = Trust::remembering(pinned, kept, [0; 32]);
        let safety = Safety::new(Some(&policy()), RADIUS_M);
        let mut world = Self {
            orders: Orders::remembering(
                Remembered::default(),
                trust,
                safety,
                (true, Gallery::default()),
            ),
            driver: Watched::default(),
            clocks: START,
            ground: Ground::of(&policy(), RADIUS_M),
            presented: 0,
            sequence: 0,
            nonces: 0,
            bound: BTreeSet::new(),
            shown: BTreeSet::new(),
            caps: BTreeMap::new(),
            speed_mps: 0.0,
            held: None,
            word: None,
            may_be_armed: false,
            is_stopped: false,
            button: Button::default(),
        };
        if how & 1 == 0 {
            world.hear(&[0; 8]);
            world.present(&mut Input::new(&[]));
        }
        world
    }

    fn hear(&mut self, choices: &[u8]) {
        self.notice(&mut Input::new(choices));
    }

    fn happen(&mut self, input: &mut Input<'_>) {
        self.driver.told.clear();
        let what = input.byte();
        match what % 16 {
            0..=4 => self.drive(input),
            5..=7 => self.command(input),
            8 => self.notice(input),
            9 => self.present(input),
            10 => self.roster(input),
            11 => self.revoke(input),
            12 => self.stop(input),
            13 => self.press(input.byte()),
            14 => self.noise(input),
            _ => self.driver.surroundings(input),
        }
        self.judge_sitting();
        let steps = what / 16;
        (0..steps).for_each(|_| self.step());
    }

    fn step(&mut self) {
        let step = Duration::from_millis(20);
        self.clocks.tick_ms += 20;
        self.clocks.at = self.clocks.at.plus(20_000);
        self.driver.told.clear();
        let (_, receipts) = self
            .orders
            .step(&mut self.driver, step, self.clocks, |_| false);
        let done = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Abandoned { .. });
        assert!(receipts.iter().all(|receipt| done(&receipt.outcome)));
        for verb in &self.driver.told {
            assert_eq!(*verb, Verb::Stop, "told without anybody's word");
        }
        self.is_stopped |= self.orders.is_stopped();
        self.judge_motion();
        let _record = self.orders.drive_event(&self.driver, self.clocks);
        let _report = self.orders.drive_report(&self.driver, self.clocks);
    }

    /// Who steers, as a gateway says it, true or not.
    fn notice(&mut self, input: &mut Input<'_>) {
        let epoch = EPOCH + u64::from(input.byte() % 4);
        let is_held = input.byte() % 4 != 3;
        let notice = ControlNotice {
            epoch,
            held: is_held.then(|| ControlSpan {
                seen_tick_ms: (self.clocks.tick_ms).saturating_sub(u64::from(input.u16() % 20_000)),
                lasts_ms: CONTROL_LASTS_MS - u32::from(input.u16() % 15_000),
            }),
            is_let_go: input.coin(),
        };
        self.orders.hear(&mut self.driver, &notice, self.clocks);
        if is_held {
            self.held = Some((self.clocks.tick_ms, epoch));
        }
    }

    fn stop(&mut self, input: &mut Input<'_>) {
        let command = CommandId(Uuid::from_u128(u128::from(input.byte()) + 90_000));
        let order = Order::Stop { command };
        let journalling = journalling(input);
        if self
            .orders
            .take(&mut self.driver, &order, self.clocks, journalling)
            .is_some()
        {
            assert!(self.orders.is_stopped(), "a stop that does not latch");
            self.has_to_stand();
        }
    }

    fn press(&mut self, how: u8) {
        let is_pressed = how & 1 == 1;
        let button = Button {
            is_pressed,
            presses: self.button.presses + u32::from(is_pressed && !self.button.is_pressed),
        };
        self.button = button;
        self.orders.press(&mut self.driver, button, self.clocks);
        if is_pressed {
            assert!(self.orders.is_stopped(), "a button that does not stop");
            self.has_to_stand();
        }
    }

    fn has_to_stand(&mut self) {
        self.is_stopped = true;
        self.may_be_armed = false;
        self.word = None;
    }

    /// Bytes of nobody's, wherever bytes come in.
    fn noise(&mut self, input: &mut Input<'_>) {
        let (where_to, bytes) = (input.byte(), input.block());
        let text = cast::base64(bytes);
        let (driver, clocks) = (&mut self.driver, self.clocks);
        match where_to % 5 {
            0 => self.orders.drive(&[bytes], clocks, Journalling::Works),
            1 => {
                let command = CommandId(Uuid::from_u128(bytes.len() as u128));
                let order = Order::Signed {
                    command,
                    sealed: text,
                };
                let receipt = self.orders.take(driver, &order, clocks, Journalling::Works);
                let is_refused = |outcome| matches!(outcome, Outcome::Refused { .. });
                assert!(receipt.is_none_or(|receipt| is_refused(receipt.outcome)));
            }
            2 => assert!(self.orders.hear_roster(driver, bytes, clocks).is_err()),
            3 => assert!(self.orders.hear_revocations(driver, bytes, clocks).is_err()),
            _ => {
                let Ok(presentation) = serde_json::from_slice::<Presentation>(bytes) else {
                    return;
                };
                let event = self
                    .orders
                    .present(driver, &presentation, clocks, [0xee; 32]);
                assert!(matches!(event, GrantEvent::Refused { .. }), "{event:?}");
            }
        }
        assert!(
            self.driver.told.is_empty(),
            "noise told {:?}",
            self.driver.told
        );
    }

    /// Whom the robot believes is who was bound by their own key, under a grant of the policy key.
    fn judge_sitting(&self) {
        let Some(sitting) = self.orders.trust().session else {
            return;
        };
        assert!(
            self.shown.contains(&sitting.grant),
            "nobody issued {sitting:?}"
        );
        assert_eq!(sitting.person, cast::MIRA);
        assert_eq!(sitting.key, KeyId::of(&cast::page().verifying_key()));
    }

    fn judge_motion(&mut self) {
        let motion = self.driver.motion();
        let before_mps = std::mem::replace(&mut self.speed_mps, motion.speed_mps.abs());
        if !self.driver.is_in_hand() || motion.is_still() {
            return;
        }
        let tick_ms = self.clocks.tick_ms;
        assert!(
            self.orders.believes_somebody(),
            "{motion:?} of nobody who is believed"
        );
        assert!(self.may_be_armed, "{motion:?} and nobody armed it");
        assert!(!self.is_stopped, "{motion:?} of a robot that is stopped");
        let silent_ms = self.word.map(|said| tick_ms - said);
        let dead_man_ms = u64::from(Envelope::default().dead_man_ms);
        assert!(
            silent_ms.is_some_and(|silent| silent < dead_man_ms),
            "{motion:?} after {silent_ms:?} ms"
        );
        let held_for = self.held.map(|(at, _)| tick_ms - at);
        assert!(
            held_for.is_some_and(|held| held < u64::from(CONTROL_LASTS_MS)),
            "{motion:?} and nobody has control"
        );
        let room = self.ground.room(self.driver.at());
        assert!(room >= -1e-6, "{room} m into the bed");
        assert!(motion.speed_mps <= 0.9 + 1e-6 && motion.speed_mps >= -0.3 - 1e-6);
        let sitting = self.orders.trust().session;
        let grant = sitting.map(|sitting| sitting.grant);
        let cap = grant.and_then(|grant| self.caps.get(&grant).copied()?);
        // Above what the grant allows it may be while it brakes, and never gains.
        assert!(
            cap.is_none_or(|cap| self.speed_mps <= (f64::from(cap) / 1e3).max(before_mps) + 1e-6),
            "{motion:?} after {before_mps} m/s under a grant for {cap:?} mm/s"
        );
    }

    /// A target was given on: this true command asked for it, and it may be driven to.
    fn judge_told(&mut self, asked: Option<(Verb, bool)>, words: &str) {
        for verb in std::mem::take(&mut self.driver.told) {
            let (true_verb, is_true) = asked.unwrap_or((Verb::Stop, false));
            match verb {
                Verb::Stop => {}
                Verb::NavigateTo { x_m, y_m, .. } => {
                    assert!(is_true && true_verb == verb, "{verb:?} of nobody's");
                    assert!(!self.is_stopped, "a stopped robot was sent to a target");
                    assert!(self.ground.room([x_m, y_m]) >= 0.0, "{verb:?} in the bed");
                }
                Verb::ReleaseStop => {
                    assert!(is_true && true_verb == verb, "released by nobody");
                    assert!(!self.button.is_pressed && !words.trim().is_empty());
                    assert!(words.chars().count() <= MAX_NOTE_CHARS);
                    self.is_stopped = false;
                }
                Verb::ArmDrive => panic!("no driver is told to be armed"),
            }
        }
    }
}

fn journalling(input: &mut Input<'_>) -> Journalling {
    if input.byte() % 8 == 7 {
        Journalling::Fails
    } else {
        Journalling::Works
    }
}

const fn asks(twist: Twist) -> bool {
    twist.speed_mm_s != 0 || twist.turn_mrad_s != 0
}
