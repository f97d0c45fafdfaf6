//! A house with a root key, a policy key, an operator with a key on the roster, and a page of theirs: all that an honest gateway
//! and an honest page say, for tests that go on from there.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use protocol::{
    CommandId, GrantId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    command::{Order, SignedCommand, Verb},
    grant::{Assertion, Binding, Grant, GrantedVerb, Place, Presentation},
    roster::{KeyTier, PolicyKey, Revocations, Roster, RosteredKey, RosteredPerson},
    sealed::{self, Kind},
    views::{Role, RoleGrant},
};
use serde::Serialize;
use uuid::Uuid;

pub(crate) const HOUSE: OrganisationId = OrganisationId(Uuid::from_u128(1));
pub(crate) const WING_B: SiteId = SiteId(Uuid::from_u128(2));
pub(crate) const JUNIPER: RobotId = RobotId(Uuid::from_u128(14));
pub(crate) const MIRA: PersonId = PersonId(Uuid::from_u128(21));

/// Keys by what they are for.
pub(crate) fn root() -> SigningKey {
    SigningKey::from_bytes(&[0x52; 32])
}

pub(crate) fn policy() -> SigningKey {
    SigningKey::from_bytes(&[0x50; 32])
}

pub(crate) fn miras_key() -> SigningKey {
    SigningKey::from_bytes(&[0x4d; 32])
}

pub(crate) fn page() -> SigningKey {
    SigningKey::from_bytes(&[0x70; 32])
}

/// A key that nobody vouches for.
pub(crate) fn foreign() -> SigningKey {
    SigningKey::from_bytes(&[0xee; 32])
}

pub(crate) fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

pub(crate) fn rostered(key: &SigningKey) -> RosteredKey {
    RosteredKey {
        public_key: public(key),
        tier: KeyTier::Browser,
        is_demo: false,
    }
}

pub(crate) fn roster(number: u64, at: UnixMicros) -> Roster {
    Roster {
        relying_parties: Vec::new(),
        organisation: HOUSE,
        number,
        issued_at: at,
        expires_at: at.plus(90 * 86_400_000_000),
        policy_keys: vec![PolicyKey(public(&policy()))],
        people: vec![RosteredPerson {
            passkeys: Vec::new(),
            person: MIRA,
            roles: vec![RoleGrant {
                role: Role::Operator,
                site: Some(WING_B),
            }],
            keys: vec![rostered(&miras_key())],
        }],
    }
}

pub(crate) fn revocations(number: u64, at: UnixMicros) -> Revocations {
    Revocations {
        organisation: HOUSE,
        number,
        issued_at: at,
        expires_at: at.plus(3_600_000_000),
        keys: Vec::new(),
        people: Vec::new(),
        grants: Vec::new(),
    }
}

pub(crate) fn grant(number: u128, epoch: u64, at: UnixMicros) -> Grant {
    let at_s = at.0 / 1_000_000;
    Grant {
        grant: GrantId(Uuid::from_u128(number)),
        organisation: HOUSE,
        person: MIRA,
        place: Place::Robot(JUNIPER),
        not_before_s: at_s,
        expires_s: at_s + 600,
        session_key: public(&page()),
        epoch,
        verbs: GrantedVerb::ALL.into(),
        zone: None,
        speed_cap_mm_s: None,
        job: None,
    }
}

pub(crate) fn seal(kind: Kind, payload: &impl Serialize, key: &SigningKey) -> Vec<u8> {
    sealed::seal(kind, payload, key).unwrap()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// The operator's own key binds what the policy key issued.
pub(crate) fn presentation(grant: &Grant, nonce: [u8; 32]) -> Presentation {
    let sealed = seal(Kind::Grant, grant, &policy());
    present_as(&sealed, grant.session_key, JUNIPER, nonce, &miras_key())
}

pub(crate) fn present_as(
    sealed: &[u8],
    session_key: [u8; 32],
    robot: RobotId,
    nonce: [u8; 32],
    by: &SigningKey,
) -> Presentation {
    let binding = Binding {
        grant: sealed,
        session_key,
        robot,
        nonce,
    };
    let assertion = Assertion {
        challenge: binding.challenge().unwrap(),
    };
    Presentation {
        passkey: None,
        grant: base64(sealed),
        assertion: Some(base64(&seal(Kind::Assertion, &assertion, by))),
    }
}

/// The challenge with which the operator's key binds this grant.
pub(crate) fn binding(grant: &Grant, nonce: [u8; 32]) -> [u8; 32] {
    let sealed = seal(Kind::Grant, grant, &policy());
    let binding = Binding {
        grant: &sealed,
        session_key: grant.session_key,
        robot: JUNIPER,
        nonce,
    };
    binding.challenge().unwrap()
}

/// The page's next command, under a grant that was bound by this challenge.
pub(crate) fn command(
    number: u128,
    (grant, binding): (&Grant, [u8; 32]),
    sequence: u64,
    seen_tick_ms: u64,
) -> SignedCommand {
    SignedCommand {
        command: CommandId(Uuid::from_u128(number)),
        robot: JUNIPER,
        grant: grant.grant,
        binding,
        epoch: grant.epoch,
        sequence,
        seen_tick_ms,
        valid_ms: 300,
        frame: None,
        verb: Verb::NavigateTo {
            x_m: 1.0,
            y_m: 1.0,
            heading_rad: None,
        },
        words: String::new(),
    }
}

pub(crate) fn order(command: &SignedCommand, by: &SigningKey) -> Order {
    Order::Signed {
        command: command.command,
        sealed: base64(&seal(Kind::Command, command, by)),
    }
}

pub(crate) fn root_key() -> VerifyingKey {
    root().verifying_key()
}
