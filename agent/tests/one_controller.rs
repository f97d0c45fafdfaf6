//! Whoever claims, asks, hands over, takes over, vanishes or comes back, in whatever order the robot hears of it: two people
//! never steer it. The rules of the gateway, the robot's own memory, and between them a network that loses, repeats,
//! delays and reorders.

#![expect(clippy::unwrap_used, reason = "a test that can't look has failed")]

use std::collections::BTreeMap;

use agent::authority::Authority;
use assist::{
    Control, ControlActor, Seat, apply_control, decide_control, lapse_control, notice,
    renew_control,
};
use protocol::{
    PersonId, RobotId, UnixMicros,
    control::{ControlEnding, ControlEvent, ControlNotice},
    limits::CONTROL_LASTS_MS,
    sealed::KeyId,
};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};
use uuid::Uuid;

/// As many as the design asks for, in well under a second each thousand.
const INTERLEAVINGS: u64 = 10_000;

const STEPS: u32 = 160;

/// Three people, the first two with a page that they loaded again.
const SEATS: [(u128, u8); 5] = [(1, 1), (1, 2), (2, 3), (2, 4), (3, 5)];

fn seat(index: usize) -> Seat {
    let (person, key) = SEATS[index];
    Seat {
        person: PersonId(Uuid::from_u128(person)),
        key: Some(KeyId([key; 32])),
    }
}

/// Everything at one moment.
struct World {
    luck: Xoshiro256PlusPlus,
    now_ms: u64,
    control: Control,
    robot: Authority,
    /// When the robot's present run of the agent began: its clock starts there.
    began_ms: u64,
    /// The latest tick that the gateway saw.
    seen_tick_ms: u64,
    notices: Vec<ControlNotice>,
    /// Who was told that they steer under which epoch; pages keep believing it.
    granted: BTreeMap<u64, Seat>,
    /// When who steers under an epoch was last heard of at the gateway.
    present_ms: BTreeMap<u64, u64>,
    admitted: Vec<(u64, Seat)>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            luck: Xoshiro256PlusPlus::seed_from_u64(seed),
            now_ms: 1_000,
            control: Control::never(RobotId(Uuid::from_u128(14))),
            robot: Authority::default(),
            began_ms: 0,
            seen_tick_ms: 0,
            notices: Vec::new(),
            granted: BTreeMap::new(),
            present_ms: BTreeMap::new(),
            admitted: Vec::new(),
        }
    }

    fn tick_ms(&self) -> u64 {
        self.now_ms - self.began_ms
    }

    fn at(&self) -> UnixMicros {
        UnixMicros(i64::try_from(self.now_ms).unwrap() * 1_000)
    }

    /// What the gateway tells the robot, as the flows do after each change.
    fn notify(&mut self) {
        let notice = notice(&self.control, Some(self.seen_tick_ms), self.at());
        self.notices.extend(notice);
    }

    fn act(&mut self, event: &ControlEvent, actor: ControlActor) {
        let at = self.at();
        let Ok(consequence) = decide_control(&self.control, event, actor, at) else {
            return;
        };
        self.control = apply_control(self.control.clone(), event, actor, at);
        if let Some(grant) = consequence {
            self.control = apply_control(self.control.clone(), &grant, ControlActor::Cloud, at);
            let holder = self.control.holder.unwrap();
            let before = self.granted.insert(self.control.epoch, holder.seat);
            assert_eq!(before, None, "an epoch was given out twice");
            self.present_ms.insert(self.control.epoch, self.now_ms);
        }
        self.notify();
    }

    fn renew(&mut self, seat: Seat) {
        let epochs: Vec<u64> = self.epochs_of(seat);
        for epoch in epochs {
            if let Ok(renewed) = renew_control(&self.control, seat.person, epoch, self.at()) {
                self.control = renewed;
                self.present_ms.insert(epoch, self.now_ms);
                self.notify();
            }
        }
    }

    fn epochs_of(&self, seat: Seat) -> Vec<u64> {
        let granted = self.granted.iter().filter(|(_, holder)| **holder == seat);
        granted.map(|(epoch, _)| *epoch).collect()
    }

    /// A page sends an order under an epoch that it was ever given; the robot hears it now.
    fn order(&mut self, seat: Seat) {
        for epoch in self.epochs_of(seat) {
            if self.robot.admit(Some(epoch), self.tick_ms()).is_ok() {
                let gone_ms = self.present_ms[&epoch] + u64::from(CONTROL_LASTS_MS);
                assert!(self.now_ms < gone_ms, "somebody steers who is long gone");
                self.admitted.push((epoch, seat));
            }
        }
    }

    /// The agent starts again, with what it kept and another clock. Notices come by a session, which ends with it.
    fn restart_agent(&mut self) {
        self.robot = Authority::remembering(self.robot.remembered());
        self.began_ms = self.now_ms;
        self.seen_tick_ms = 0;
        self.notices.clear();
        self.notify();
    }

    /// Some notice that is under way reaches the robot.
    fn deliver(&mut self) {
        if self.notices.is_empty() {
            return;
        }
        let index = self.luck.random_range(0..self.notices.len());
        let notice = self.notices[index];
        // Half of them come again later.
        if self.luck.random_bool(0.5) {
            self.notices.remove(index);
        }
        let tick_ms = self.tick_ms();
        let _change = self.robot.hear(&notice, tick_ms);
    }

    fn step(&mut self) {
        let chosen = self.luck.random_range(0..SEATS.len());
        let seat = seat(chosen);
        let actor = if seat.person == PersonId(Uuid::from_u128(3)) {
            ControlActor::Supervisor(seat)
        } else {
            ControlActor::Operator(seat)
        };
        match self.luck.random_range(0..17) {
            0 | 1 => self.act(&ControlEvent::Claimed {}, actor),
            2 => {
                let words = String::new();
                self.act(&ControlEvent::Requested { words }, actor);
            }
            3 => {
                let asks = self.control.request.as_ref();
                let to = asks.map_or(seat.person, |asks| asks.seat.person);
                let note = String::new();
                self.act(&ControlEvent::HandedOver { to, note }, actor);
            }
            4 => {
                let over = ControlEvent::TakenOver {
                    epoch: self.control.epoch,
                    reason: "nobody answers".to_owned(),
                };
                self.act(&over, actor);
            }
            5 => self.act(&ControlEvent::Released {}, actor),
            6 => self.renew(seat),
            7 => {
                if let Some(ended) = lapse_control(&self.control, self.at()) {
                    self.act(&ended, ControlActor::Cloud);
                }
            }
            8 => {
                let ended = ControlEvent::Ended {
                    epoch: self.control.epoch,
                    cause: ControlEnding::RightLost,
                };
                self.act(&ended, ControlActor::Cloud);
            }
            9 => self.now_ms += self.luck.random_range(1..5_000),
            10 => self.seen_tick_ms = self.tick_ms(),
            // The link breaks: what was under way is lost, and the gateway says anew who steers.
            11 => {
                self.notices.clear();
                self.notify();
            }
            12 => self.restart_agent(),
            13 | 14 => self.deliver(),
            _ => self.order(seat),
        }
    }
}

#[test]
fn two_people_never_steer_one_robot() {
    let mut orders = 0;
    let mut handed_on = 0;
    for seed in 0..INTERLEAVINGS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        for pair in world.admitted.windows(2) {
            let ((before, one), (after, other)) = (pair[0], pair[1]);
            assert!(
                before <= after,
                "seed {seed}: an older epoch moved the robot"
            );
            handed_on += u32::from(one != other);
        }
        orders += world.admitted.len();
    }
    // Else it would only have shown that nobody ever steers.
    assert!(orders > 10_000, "{orders}");
    assert!(handed_on > 100, "{handed_on}");
}
