//! Claims about the policy: who gets a grant, and what everybody else hears.

use protocol::{
    JobId,
    roster::{KeyTier, PolicyKey, RosteredKey, RosteredPerson},
    views::{Role, RoleGrant},
};
use uuid::Uuid;

use super::*;
use crate::control::{Holder, Seat};

const NOW: UnixMicros = UnixMicros(1_700_000_000_000_000);
const MIRA: PersonId = PersonId(Uuid::from_u128(21));
const TOBI: PersonId = PersonId(Uuid::from_u128(22));
const WING_B: SiteId = SiteId(Uuid::from_u128(2));
const PAGE: [u8; 32] = [0x70; 32];
const ROOT: KeyId = KeyId([0x52; 32]);
const EPOCH: u64 = 41;

const JUNIPER: GrantedRobot = GrantedRobot {
    robot: RobotId(Uuid::from_u128(14)),
    organisation: OrganisationId(Uuid::from_u128(1)),
    site: WING_B,
};

/// A policy key, as its point.
fn policy() -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(&[1; 32])
        .verifying_key()
        .to_bytes()
}

fn control(person: PersonId, key: Option<KeyId>) -> Control {
    Control {
        epoch: EPOCH,
        holder: Some(Holder {
            seat: Seat { person, key },
            since: NOW.plus(-1),
            until: NOW.plus(1),
        }),
        ..Control::never(JUNIPER.robot)
    }
}

fn roster() -> Roster {
    Roster {
        relying_parties: Vec::new(),
        organisation: JUNIPER.organisation,
        number: 3,
        issued_at: NOW.plus(-1),
        expires_at: NOW.plus(1),
        policy_keys: vec![PolicyKey(policy())],
        people: vec![RosteredPerson {
            passkeys: Vec::new(),
            person: MIRA,
            roles: vec![RoleGrant {
                role: Role::Operator,
                site: Some(WING_B),
            }],
            keys: vec![RosteredKey {
                public_key: [4; 32],
                tier: KeyTier::Browser,
                is_demo: false,
            }],
        }],
    }
}

fn trust() -> RobotTrust {
    RobotTrust {
        nonce: [0; 32],
        root: Some(ROOT),
        roster: 3,
        revocations: 1,
        session: None,
        refused: None,
    }
}

/// What there is, which a case changes.
#[derive(Clone)]
struct World {
    may_command: bool,
    control: Control,
    root: Option<KeyId>,
    policy_key: KeyId,
    roster: Option<Roster>,
    keys: Vec<KeyId>,
    trust: Option<RobotTrust>,
    wish: GrantWish,
}

fn world() -> World {
    let key = name_of(&[4; 32]);
    World {
        may_command: true,
        control: control(MIRA, Some(name_of(&PAGE))),
        root: Some(ROOT),
        policy_key: name_of(&policy()),
        roster: Some(roster()),
        keys: vec![key],
        trust: Some(trust()),
        wish: GrantWish {
            person: MIRA,
            epoch: EPOCH,
            session_key: PAGE,
            bound_by: Some(key),
            bounds: GrantBounds::default(),
        },
    }
}

impl World {
    fn decide(&self) -> Result<Grant, GrantDenial> {
        let facts = GrantFacts {
            may_command: self.may_command,
            control: &self.control,
            root: self.root,
            policy_key: self.policy_key,
            list: 1,
            roster: self.roster.as_ref(),
            keys: &self.keys,
            trust: self.trust.as_ref(),
        };
        let id = GrantId(Uuid::from_u128(7));
        decide_grant(&self.wish, &JUNIPER, &facts, id, NOW)
    }
}

#[test]
fn who_steers_and_is_rostered_gets_this_robot_for_ten_minutes() {
    let grant = world().decide().unwrap();

    assert_eq!(grant.place, Place::Robot(JUNIPER.robot));
    assert_eq!((grant.person, grant.session_key), (MIRA, PAGE));
    assert_eq!(grant.lasts_s(), Some(600));
    assert_eq!(grant.epoch, EPOCH);
}

#[test]
fn a_script_that_steers_gets_a_grant_for_whatever_key_it_proved() {
    let world = World {
        control: control(MIRA, None),
        ..world()
    };
    assert!(world.decide().is_ok());
}

#[test]
fn a_renewal_names_no_key() {
    let mut renewing = world();
    renewing.wish.bound_by = None;
    renewing.keys.clear();
    assert!(renewing.decide().is_ok());
}

/// How a case differs, and the code of what it is denied as.
type Change = (&'static str, fn(&mut World));

#[test]
fn everybody_else_gets_none_and_hears_why() {
    let cases: [Change; 16] = [
        ("role_missing", |world| world.may_command = false),
        ("control_held", |world| world.control = control(TOBI, None)),
        ("not_in_control", |world| world.control.holder = None),
        ("stale_epoch", |world| world.wish.epoch = EPOCH - 1),
        ("another_page", |world| world.wish.session_key = [0x71; 32]),
        ("no_root", |world| world.root = None),
        ("no_roster", |world| world.roster = None),
        ("roster_expired", |world| {
            world.roster.as_mut().unwrap().expires_at = NOW;
        }),
        ("not_rostered", |world| {
            world.roster.as_mut().unwrap().people.clear();
        }),
        ("not_rostered", |world| {
            let roles = &mut world.roster.as_mut().unwrap().people[0].roles;
            roles[0].site = Some(SiteId(Uuid::from_u128(3)));
        }),
        ("key_not_rostered", |world| {
            world.wish.bound_by = Some(KeyId([9; 32]));
        }),
        ("key_not_rostered", |world| world.keys.clear()),
        ("policy_not_rostered", |world| {
            world.policy_key = KeyId([9; 32]);
        }),
        ("robot_behind", |world| {
            world.trust.as_mut().unwrap().revocations = 0;
        }),
        ("robot_offline", |world| world.trust = None),
        ("robot_behind", |world| {
            world.trust.as_mut().unwrap().roster = 2;
        }),
    ];
    for (code, change) in cases {
        let mut world = world();
        change(&mut world);
        assert_eq!(world.decide().unwrap_err().code(), code);
    }
    for root in [None, Some(KeyId([0x53; 32]))] {
        let mut world = world();
        world.trust.as_mut().unwrap().root = root;
        assert_eq!(world.decide(), Err(GrantDenial::RobotWithoutRoot));
    }
}

#[test]
fn who_asks_for_less_gets_no_more_and_who_asks_for_nothing_gets_nothing() {
    let whole = world().decide().unwrap();
    let zone = Zone {
        west_mm: 0,
        south_mm: 0,
        east_mm: 4_000,
        north_mm: 3_000,
    };
    let job = JobId(Uuid::from_u128(3));
    let less = GrantBounds {
        verbs: Some([GrantedVerb::NavigateTo].into()),
        zone: Some(zone),
        speed_cap_mm_s: Some(300),
        job: Some(job),
    };
    let mut asked = world();
    asked.wish.bounds = less;

    let granted = asked.decide().unwrap();

    assert_eq!(granted.verbs, [GrantedVerb::NavigateTo].into());
    assert_eq!(
        (granted.zone, granted.speed_cap_mm_s, granted.job),
        (Some(zone), Some(300), Some(job))
    );
    let is_within = (granted.allowance()).is_within(&whole.allowance(), |_robot| None);
    assert!(is_within);
    let nothing = GrantBounds {
        verbs: Some([].into()),
        ..GrantBounds::default()
    };
    let nowhere = GrantBounds {
        zone: Some(Zone {
            west_mm: 4_001,
            ..zone
        }),
        ..GrantBounds::default()
    };
    for bounds in [nothing, nowhere] {
        asked.wish.bounds = bounds;
        assert_eq!(asked.decide(), Err(GrantDenial::NothingLeft));
    }
}
