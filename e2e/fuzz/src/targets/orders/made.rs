//! Everything that can be made and sent to a robot: by whom, for what, as true or as false as the input has it.

use ed25519_dalek::SigningKey;
use protocol::{
    CommandId, GrantId, RobotId,
    command::{FrameSeen, Order, Outcome, SignedCommand, Verb},
    drive::{DriveCommand, Twist},
    grant::{Binding, Grant, GrantEvent, GrantedVerb, Place, Zone},
    sealed::{KeyId, Kind},
};
use uuid::Uuid;

use super::{EPOCH, World, asks, journalling};
use crate::{cast, input::Input};

/// What may be wrong with what a page says.
struct Word {
    /// Whether nothing is.
    is_true: bool,
    key: SigningKey,
    robot: RobotId,
    grant: GrantId,
    binding: [u8; 32],
    epoch: u64,
    sequence: u64,
    seen_tick_ms: u64,
    frame: Option<FrameSeen>,
    /// A byte that is changed on the way.
    flip: u8,
}

/// Where none was shown yet.
const NOBODYS: GrantId = GrantId(Uuid::nil());

fn numbered(number: u8) -> GrantId {
    GrantId(Uuid::from_u128(u128::from(number) + 1))
}

impl World {
    fn word(&mut self, input: &mut Input<'_>) -> Word {
        let faults = input.byte();
        let flaw = |number: u8| faults & 0xf == number;
        let is_by_page = !flaw(1);
        let robot = if flaw(2) {
            RobotId(Uuid::from_u128(99))
        } else {
            cast::JUNIPER
        };
        let place = usize::from(faults >> 4);
        let bound = self
            .bound
            .iter()
            .nth(place % self.bound.len().max(1))
            .copied();
        let (_, mut binding) = bound.unwrap_or((NOBODYS, [0; 32]));
        binding[7] ^= u8::from(flaw(3));
        let shown = self
            .shown
            .iter()
            .nth(place % self.shown.len().max(1))
            .copied();
        let grant = if flaw(4) {
            numbered(200)
        } else {
            shown.unwrap_or(NOBODYS)
        };
        self.sequence += 1;
        let sequence = if flaw(5) {
            u64::from(input.byte())
        } else {
            self.sequence
        };
        let late = u64::from(input.byte()) * 4;
        let age_ms = i64::from(input.byte()) * 4 - 20;
        let flip = if flaw(6) { input.byte() } else { 0 };
        Word {
            is_true: is_by_page && robot == cast::JUNIPER && flip == 0 && !flaw(3) && !flaw(4),
            key: if is_by_page {
                cast::page()
            } else {
                cast::foreign()
            },
            robot,
            grant,
            binding,
            epoch: EPOCH + u64::from(flaw(7)),
            sequence,
            seen_tick_ms: self.clocks.tick_ms - late,
            frame: (!flaw(8)).then(|| FrameSeen {
                camera: "head".to_owned(),
                captured_at: self.clocks.at.plus(-age_ms * 1_000),
                age_ms: 0,
                sha256: None,
            }),
            flip,
        }
    }

    pub(super) fn drive(&mut self, input: &mut Input<'_>) {
        let word = self.word(input);
        let twist = if input.coin() {
            Twist {
                speed_mm_s: input.between(-2_000, 2_000),
                turn_mrad_s: input.between(-3_000, 3_000),
            }
        } else {
            Twist::ZERO
        };
        let command = DriveCommand {
            robot: word.robot,
            grant: word.grant,
            binding: word.binding,
            epoch: word.epoch,
            sequence: word.sequence,
            seen_tick_ms: word.seen_tick_ms,
            frame: word.frame,
            twist,
        };
        let mut sealed = cast::seal(Kind::Drive, &command, &word.key);
        alter(&mut sealed, word.flip, input);
        if word.is_true && asks(twist) {
            self.word = Some(self.clocks.tick_ms);
        }
        let journalling = journalling(input);
        self.orders.drive(&[sealed], self.clocks, journalling);
        self.judge_told(None, "");
    }

    pub(super) fn command(&mut self, input: &mut Input<'_>) {
        let word = self.word(input);
        let words = ["", "the way is clear", " "][usize::from(input.byte() % 3)].to_owned();
        let verb = verb(input);
        let number = u128::from(self.sequence);
        let command = SignedCommand {
            command: CommandId(Uuid::from_u128(number)),
            robot: word.robot,
            grant: word.grant,
            binding: word.binding,
            epoch: word.epoch,
            sequence: word.sequence,
            seen_tick_ms: word.seen_tick_ms,
            valid_ms: u32::from(input.u16()),
            frame: word.frame,
            verb,
            words,
        };
        let mut sealed = cast::seal(Kind::Command, &command, &word.key);
        alter(&mut sealed, word.flip, input);
        let order = Order::Signed {
            command: command.command,
            sealed: cast::base64(&sealed),
        };
        let journalling = journalling(input);
        let receipt = self
            .orders
            .take(&mut self.driver, &order, self.clocks, journalling);
        let is_accepted = receipt.is_some_and(|receipt| receipt.outcome == Outcome::Accepted);
        assert!(!is_accepted || word.is_true, "{command:?} was accepted");
        if is_accepted && verb == Verb::ArmDrive {
            self.may_be_armed = true;
            self.word = None;
        }
        self.judge_told(Some((verb, word.is_true)), &command.words);
        if is_accepted && verb == Verb::Stop {
            self.has_to_stand();
        }
    }

    /// A grant of somebody's, bound by somebody, for some page.
    pub(super) fn present(&mut self, input: &mut Input<'_>) {
        let faults = input.byte();
        let flaw = |number: u8| faults & 0xf == number;
        let grant = self.grant(input, flaw(9));
        let by = if flaw(1) {
            cast::foreign()
        } else {
            cast::policy()
        };
        let sealed = cast::seal(Kind::Grant, &grant, &by);
        let nonce = if flaw(2) {
            [0x55; 32]
        } else {
            self.orders.trust().nonce
        };
        let binder = if flaw(3) {
            cast::foreign()
        } else {
            cast::miras_key()
        };
        let robot = if flaw(4) {
            RobotId(Uuid::from_u128(99))
        } else {
            cast::JUNIPER
        };
        // The page is what the operator bound, whatever key the grant has.
        let session_key = cast::public(&cast::page());
        let mut presentation = cast::present_as(&sealed, session_key, robot, nonce, &binder);
        let renews = flaw(5) || flaw(6);
        if renews {
            presentation.assertion = None;
        }
        let is_bound = !(flaw(1) || flaw(2) || flaw(3) || flaw(4) || renews);
        let binding = Binding {
            grant: &sealed,
            session_key,
            robot,
            nonce,
        };
        let is_of_page = grant.session_key == cast::public(&cast::page());
        if is_bound && is_of_page {
            self.bound
                .insert((grant.grant, binding.challenge().unwrap()));
        }
        if !flaw(1) && is_of_page && grant.person == cast::MIRA {
            self.shown.insert(grant.grant);
        }
        self.nonces = self.nonces.wrapping_add(1);
        let fresh = [self.nonces; 32];
        let event = (self.orders).present(&mut self.driver, &presentation, self.clocks, fresh);
        let is_accepted = matches!(event, GrantEvent::Accepted { .. });
        assert!(!is_accepted || is_of_page, "another page was believed");
        assert!(!is_accepted || is_bound || renews, "{grant:?} was believed");
        if is_accepted {
            self.caps.insert(grant.grant, grant.speed_cap_mm_s);
        }
        self.judge_told(None, "");
    }

    fn grant(&mut self, input: &mut Input<'_>, is_of_another: bool) -> Grant {
        self.presented = self.presented.wrapping_add(1);
        let own = cast::grant(u128::from(self.presented), EPOCH, self.clocks.at);
        let mut odd = Input::new(input.block());
        if odd.is_empty() {
            return own;
        }
        let verbs = odd.byte();
        let all = GrantedVerb::ALL.into_iter().enumerate();
        let late_s = i64::from(odd.i32() % 1_000);
        Grant {
            place: match odd.byte() % 8 {
                0 => Place::Site(cast::WING_B),
                1 => Place::Robot(RobotId(Uuid::from_u128(99))),
                _ => own.place,
            },
            not_before_s: own.not_before_s + late_s,
            expires_s: own.expires_s + late_s + i64::from(odd.byte() % 4) * 300,
            session_key: if is_of_another {
                cast::public(&cast::foreign())
            } else {
                own.session_key
            },
            epoch: EPOCH + u64::from(odd.byte() % 4 / 3),
            verbs: all
                .filter(|(place, _)| verbs & (1 << place) == 0)
                .map(|(_, verb)| verb)
                .collect(),
            zone: odd.coin().then(|| Zone {
                west_mm: i64::from(odd.between(-5_000, 5_000)),
                south_mm: i64::from(odd.between(-5_000, 5_000)),
                east_mm: i64::from(odd.between(-5_000, 5_000)),
                north_mm: i64::from(odd.between(-5_000, 5_000)),
            }),
            speed_cap_mm_s: odd.coin().then(|| odd.u32()),
            ..own
        }
    }

    pub(super) fn roster(&mut self, input: &mut Input<'_>) {
        let mut roster = cast::roster(u64::from(input.byte()), self.clocks.at);
        let without = input.byte() % 4;
        match without {
            0 => roster.people.clear(),
            1 => roster.people[0].keys[0] = cast::rostered(&cast::foreign()),
            2 => roster.policy_keys.clear(),
            _ => {}
        }
        let by = [cast::root(), cast::foreign(), cast::policy()];
        let signer = usize::from(input.byte() % 3);
        let sealed = cast::seal(Kind::Roster, &roster, &by[signer]);
        let heard = (self.orders).hear_roster(&mut self.driver, &sealed, self.clocks);
        assert!(heard.is_err() || signer == 0, "a roster of another key");
        if heard.is_ok() && without < 3 {
            assert!(
                !self.orders.believes_somebody(),
                "who is off the roster is believed"
            );
        }
        self.judge_told(None, "");
    }

    pub(super) fn revoke(&mut self, input: &mut Input<'_>) {
        let mut list = cast::revocations(u64::from(input.byte()), self.clocks.at);
        let whom = input.byte() % 5;
        match whom {
            0 => list.people.push(cast::MIRA),
            1 => list.keys.push(KeyId::of(&cast::page().verifying_key())),
            2 => list
                .keys
                .push(KeyId::of(&cast::miras_key().verifying_key())),
            3 => list.grants.extend(self.shown.iter().copied()),
            _ => {}
        }
        let by = [cast::policy(), cast::foreign(), cast::miras_key()];
        let signer = usize::from(input.byte() % 3);
        let sealed = cast::seal(Kind::Revocations, &list, &by[signer]);
        let heard = (self.orders).hear_revocations(&mut self.driver, &sealed, self.clocks);
        assert!(heard.is_err() || signer == 0, "a list of another key");
        if heard.is_ok() && whom < 4 {
            assert!(
                !self.orders.believes_somebody(),
                "who was revoked is believed"
            );
        }
        self.judge_told(None, "");
    }
}

fn alter(sealed: &mut [u8], flip: u8, input: &mut Input<'_>) {
    if flip != 0 {
        let place = usize::from(input.u16()) % sealed.len();
        sealed[place] ^= flip;
    }
}

fn verb(input: &mut Input<'_>) -> Verb {
    match input.byte() % 8 {
        0..=2 => Verb::ArmDrive,
        3 | 4 => Verb::ReleaseStop,
        5 => Verb::Stop,
        6 => Verb::NavigateTo {
            x_m: input.f64(),
            y_m: input.f64(),
            heading_rad: input.coin().then(|| input.f64()),
        },
        _ => Verb::NavigateTo {
            x_m: f64::from(input.between(-6_000, 6_000)) / 1_000.0,
            y_m: f64::from(input.between(-6_000, 6_000)) / 1_000.0,
            heading_rad: None,
        },
    }
}
