//! A gateway that turned against the house: it holds its own policy key, has seen everything that honest pages sent through it,
//! and says whatever it likes, as often and as late as it likes. Nothing moves but what an honest page signed, once and in time.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    command::SignedCommand,
    grant::Grant,
    sealed::{self, Kind},
};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};

use super::*;
use crate::trust::tests::cast::{miras_key, order, present_as, public, rostered};

const WORLDS: u64 = 400;

const STEPS: u32 = 80;

/// What honest people did, which all went through the gateway, and the robot that hears the gateway alone.
struct World {
    luck: Xoshiro256PlusPlus,
    clocks: Clocks,
    epoch: u64,
    robot: Orders,
    driver: Willing,
    told: usize,
    /// Orders as honest pages signed them, by the number that their target's x names, and in which sitting.
    signed: Vec<(SignedCommand, Order, u32)>,
    /// How often a page was bound, or the robot started anew: what was signed before then is over.
    sitting: u32,
    obeyed: BTreeSet<usize>,
    shown: Vec<Presentation>,
    grants: Vec<(Grant, [u8; 32])>,
    refusals: BTreeMap<&'static str, u32>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            luck: Xoshiro256PlusPlus::seed_from_u64(seed),
            clocks: NOW,
            epoch: EPOCH,
            robot: enrolled(),
            driver: Willing::default(),
            told: 0,
            signed: Vec::new(),
            sitting: 0,
            obeyed: BTreeSet::new(),
            shown: Vec::new(),
            grants: Vec::new(),
            refusals: BTreeMap::new(),
        }
    }

    fn any(&mut self, below: usize) -> usize {
        self.luck.random_range(0..below)
    }

    fn notice(&self, epoch: u64) -> ControlNotice {
        ControlNotice {
            epoch,
            held: Some(ControlSpan {
                seen_tick_ms: self.clocks.tick_ms,
                lasts_ms: CONTROL_LASTS_MS,
            }),
            is_let_go: false,
        }
    }

    /// An honest page binds a grant that the policy key issued to it.
    fn page_binds(&mut self) {
        // The gateway chooses the name, and may choose one again.
        let number = 1_000 + u128::try_from(self.any(3)).unwrap();
        let grant = grant(number, self.epoch, self.clocks.at);
        let nonce = self.robot.trust().nonce;
        let shown = presentation(&grant, nonce);
        self.shown.push(shown.clone());
        self.grants.push((grant.clone(), binding(&grant, nonce)));
        let notice = self.notice(self.epoch);
        self.robot.hear(&mut self.driver, &notice, self.clocks);
        self.sitting += 1;
        self.show(&shown);
    }

    /// An honest page gives a command. The gateway may send it on, now or later or never.
    fn page_signs(&mut self) {
        let Some(grant) = self.grants.last().cloned() else {
            return;
        };
        let number = self.signed.len();
        let sequence = u64::try_from(number).unwrap() + 1;
        let id = 10_000 + u128::try_from(number).unwrap();
        let bound = (&grant.0, grant.1);
        let mut command = command(id, bound, sequence, self.clocks.tick_ms);
        command.verb = target(number);
        let order = signed(&command);
        self.signed.push((command, order.clone(), self.sitting));
        if self.luck.random_bool(0.5) {
            self.order(&order);
        }
    }

    fn show(&mut self, shown: &Presentation) {
        let fresh = self.luck.random();
        if let GrantEvent::Refused { reason, .. } =
            (self.robot).present(&mut self.driver, shown, self.clocks, fresh)
        {
            *self.refusals.entry(reason.code()).or_default() += 1;
        }
    }

    /// The robot takes an order, and whatever it does then must be what an honest page signed.
    fn order(&mut self, order: &Order) {
        let receipt = (self.robot).take(&mut self.driver, order, self.clocks, Journalling::Works);
        if let Some(Receipt {
            outcome: Outcome::Refused { reason },
            ..
        }) = receipt
        {
            *self.refusals.entry(reason.code()).or_default() += 1;
        }
        let told = self.driver.told();
        for verb in &told[self.told..] {
            self.judge(*verb);
        }
        self.told = told.len();
    }

    fn judge(&mut self, verb: Verb) {
        let found = (self.signed.iter()).position(|(command, ..)| command.verb == verb);
        let number = found.expect("the robot moved, and nobody had signed that");
        assert!(self.obeyed.insert(number), "it moved twice for one command");
        let (command, _, sitting) = &self.signed[number];
        assert_eq!(*sitting, self.sitting, "it moved for an earlier sitting");
        let age_ms = self.clocks.tick_ms - command.seen_tick_ms;
        assert!(age_ms <= u64::from(command.valid_ms), "it moved late");
        assert_eq!(command.epoch, self.epoch, "it moved under an older epoch");
    }

    /// The gateway does something of its own.
    fn gateway_acts(&mut self) {
        match self.any(11) {
            0 => self.replays_an_order(),
            1 => self.alters_an_order(),
            2 => self.invents_an_order(),
            3 => self.replays_a_grant(),
            4 => self.issues_itself_a_grant(),
            5 => self.renews_for_itself(),
            6 => self.lies_about_who_steers(),
            7 => self.forges_a_roster(),
            8 => self.passes_control_on(),
            9 => self.restarts_the_robot(),
            _ => self.alters_a_grant(),
        }
    }

    fn replays_an_order(&mut self) {
        if !self.signed.is_empty() {
            let index = self.any(self.signed.len());
            let order = self.signed[index].1.clone();
            self.order(&order);
        }
    }

    fn alters_an_order(&mut self) {
        if self.signed.is_empty() {
            return;
        }
        let index = self.any(self.signed.len());
        let (command, ..) = self.signed[index].clone();
        let mut sealed = seal(Kind::Command, &command, &page());
        let at = self.any(sealed.len());
        sealed[at] ^= 1 << self.any(8);
        self.order(&Order::Signed {
            command: command.command,
            sealed: crate::trust::tests::cast::base64(&sealed),
        });
    }

    /// Under a grant that the robot may well believe, by every key that the gateway has.
    fn invents_an_order(&mut self) {
        let grant = self.grants.last().cloned();
        let (grant, binding) =
            grant.unwrap_or_else(|| (super::grant(1, self.epoch, self.clocks.at), [0; 32]));
        let id = self.luck.random::<u64>().into();
        let mut command = command(id, (&grant, binding), u64::MAX, self.clocks.tick_ms);
        command.verb = target(1_000_000);
        let key = [foreign(), policy()][self.any(2)].clone();
        self.order(&order(&command, &key));
        // And the command of an honest page with a target of its own, under that page's key's name.
        let mut sealed = seal(Kind::Command, &command, &key);
        let name = sealed::KeyId::of(&page().verifying_key()).0;
        let own = sealed::KeyId::of(&key.verifying_key()).0;
        let at = sealed.windows(32).position(|window| window == own).unwrap();
        sealed[at..at + 32].copy_from_slice(&name);
        self.order(&Order::Signed {
            command: command.command,
            sealed: crate::trust::tests::cast::base64(&sealed),
        });
    }

    fn replays_a_grant(&mut self) {
        if !self.shown.is_empty() {
            let index = self.any(self.shown.len());
            let shown = self.shown[index].clone();
            self.show(&shown);
        }
    }

    /// To the rostered person, for a page of its own, bound by whatever it has.
    fn issues_itself_a_grant(&mut self) {
        let own = Grant {
            session_key: public(&foreign()),
            ..super::grant(7, self.epoch, self.clocks.at)
        };
        let sealed = seal(Kind::Grant, &own, &policy());
        let nonce = self.robot.trust().nonce;
        let by = [foreign(), policy()][self.any(2)].clone();
        let mut shown = present_as(&sealed, own.session_key, JUNIPER, nonce, &by);
        if let Some(honest) = self.shown.last()
            && self.luck.random_bool(0.3)
        {
            shown.assertion.clone_from(&honest.assertion);
        }
        self.show(&shown);
        self.commands_of_its_own(&own);
    }

    fn renews_for_itself(&mut self) {
        let own = Grant {
            session_key: public(&foreign()),
            ..super::grant(8, self.epoch, self.clocks.at)
        };
        let shown = Presentation {
            passkey: None,
            grant: crate::trust::tests::cast::base64(&seal(Kind::Grant, &own, &policy())),
            assertion: None,
        };
        self.show(&shown);
        self.commands_of_its_own(&own);
    }

    fn commands_of_its_own(&mut self, grant: &Grant) {
        let id = self.luck.random::<u64>().into();
        let bound = (grant, binding(grant, self.robot.trust().nonce));
        let mut command = command(id, bound, 1, self.clocks.tick_ms);
        command.verb = target(2_000_000);
        self.order(&order(&command, &foreign()));
    }

    fn lies_about_who_steers(&mut self) {
        let epoch = self.epoch - u64::try_from(self.any(3)).unwrap();
        let notice = self.notice(epoch);
        self.robot.hear(&mut self.driver, &notice, self.clocks);
    }

    fn forges_a_list(&mut self) {
        let own = revocations(100, self.clocks.at);
        let sealed = seal(Kind::Revocations, &own, &foreign());
        let heard = self.robot.hear_revocations(&mut self.driver, &sealed, NOW);
        assert_eq!(heard, Err(NotBelieved::NotSigned));
    }

    fn forges_a_roster(&mut self) {
        self.forges_a_list();
        let mut own = roster(100, self.clocks.at);
        own.people[0].keys = vec![rostered(&foreign())];
        let key = [foreign(), policy()][self.any(2)].clone();
        let sealed = seal(Kind::Roster, &own, &key);
        let heard = self.robot.hear_roster(&mut self.driver, &sealed, NOW);
        assert_eq!(heard, Err(NotBelieved::NotSigned));
        // With a key of its own on no roster it binds what its policy key issues.
        let grant = super::grant(9, self.epoch, self.clocks.at);
        let sealed = seal(Kind::Grant, &grant, &policy());
        let nonce = self.robot.trust().nonce;
        let shown = present_as(&sealed, grant.session_key, JUNIPER, nonce, &foreign());
        self.show(&shown);
    }

    /// That it may do: it can deny, and it can let others have control.
    fn passes_control_on(&mut self) {
        self.epoch += 1;
        let notice = self.notice(self.epoch);
        self.robot.hear(&mut self.driver, &notice, self.clocks);
    }

    fn restarts_the_robot(&mut self) {
        let kept = self.robot.kept().clone();
        let pinned = Pinned {
            organisation: HOUSE,
            site: WING_B,
            robot: JUNIPER,
            root: Some(root_key()),
        };
        let trust = Trust::remembering(pinned, kept, self.luck.random());
        self.robot = Orders::remembering(
            self.robot.remembered(),
            trust,
            Safety::new(None, 0.26),
            (false, Gallery::default()),
        );
        // Its clock begins anew, and comes by every tick that was ever named.
        self.clocks.tick_ms = NOW.tick_ms;
        self.sitting += 1;
        let notice = self.notice(self.epoch);
        self.robot.hear(&mut self.driver, &notice, self.clocks);
    }

    fn alters_a_grant(&mut self) {
        if self.grants.is_empty() {
            return;
        }
        let index = self.any(self.grants.len());
        let (grant, _) = self.grants[index].clone();
        let mut sealed = seal(Kind::Grant, &grant, &policy());
        let at = self.any(sealed.len());
        sealed[at] ^= 1 << self.any(8);
        let nonce = self.robot.trust().nonce;
        let shown = present_as(&sealed, grant.session_key, JUNIPER, nonce, &miras_key());
        self.show(&shown);
    }

    fn passes(&mut self, ms: u64) {
        self.clocks.tick_ms += ms;
        self.clocks.at = self.clocks.at.plus(i64::try_from(ms).unwrap() * 1_000);
        let step = Duration::from_millis(ms);
        (self.robot).step(&mut self.driver, step, self.clocks, |_| false);
    }
}

/// A target that says which command it is of.
fn target(number: usize) -> Verb {
    Verb::NavigateTo {
        x_m: f64::from(u32::try_from(number).unwrap()),
        y_m: 0.0,
        heading_rad: None,
    }
}

#[test]
fn a_hostile_gateway_moves_nothing_that_nobody_signed_for_now() {
    let mut obeyed = 0;
    let mut refusals = BTreeMap::<&str, u32>::new();
    for seed in 0..WORLDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            match world.any(6) {
                0 => world.page_binds(),
                1 | 2 => world.page_signs(),
                _ => world.gateway_acts(),
            }
            let ms = [0, 10, 100, 400][world.any(4)];
            world.passes(ms);
        }
        obeyed += world.obeyed.len();
        for (code, times) in world.refusals {
            *refusals.entry(code).or_default() += times;
        }
    }
    // The honest people got somewhere, and each attack met what stands against it.
    assert!(obeyed > 1_000, "{obeyed}");
    for code in [
        "not_signed",
        "no_grant",
        "out_of_sequence",
        "stale",
        "not_bound",
        "not_a_renewal",
        "key_not_rostered",
        "not_by_policy",
        "stale_epoch",
    ] {
        assert!(refusals.contains_key(code), "{code}: {refusals:?}");
    }
}
