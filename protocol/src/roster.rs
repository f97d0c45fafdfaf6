//! Who may steer an organisation's robots: the roster that its root key signs, and the list of what is believed no more.
//!
//! The root key is made and kept away from every gateway. A gateway hands the roster on; it can't add a line to it.

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::{
    GrantId, OrganisationId, PersonId, SiteId, UnixMicros,
    sealed::{KeyId, bytes32},
    views::{Role, RoleGrant},
};

/// People on one roster: with a key or two each it stays under a socket's largest frame.
pub const MAX_ROSTERED_PEOPLE: usize = 512;

/// Keys of one person: a desk, a laptop, a tablet, and room for the ones that they replace.
pub const MAX_KEYS_OF_PERSON: usize = 8;

/// Lines of each part of a revocation list.
pub const MAX_REVOKED: usize = 1_024;

/// A roster lasts a year at most: somebody looks at it again.
const LONGEST_ROSTER_US: i64 = 366 * 86_400_000_000;

/// A list of revocations lasts two days at most: a stolen policy key is out of it when its roster is replaced, or then.
const LONGEST_LIST_US: i64 = 2 * 86_400_000_000;

/// Numbers above this leave no room for those that follow.
const HIGHEST_NUMBER: u64 = 1 << 48;

/// One sealed roster: [`MAX_ROSTERED_PEOPLE`] with a key and a role each are about 84 KiB; base64 makes 112 KiB of them.
pub const MAX_ROSTER_BYTES: usize = 90 * 1024;

/// Who may steer, as the root key says it. Sealed as [`crate::sealed::Kind::Roster`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// Whose robots.
    pub organisation: OrganisationId,
    /// Rises with every roster: a robot never goes back to a lower one.
    pub number: u64,
    /// When it was signed.
    pub issued_at: UnixMicros,
    /// From then on it admits nobody.
    pub expires_at: UnixMicros,
    /// Keys that may issue grants to the people below, and revoke.
    pub policy_keys: Vec<PolicyKey>,
    /// The people.
    pub people: Vec<RosteredPerson>,
}

/// A gateway's key that the root trusts to say which of the rostered people may do what just now. It can't add anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyKey(#[serde(with = "bytes32")] pub [u8; 32]);

/// One person on the roster. Nameless: robots need no names, and people may ask to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosteredPerson {
    /// Who.
    pub person: PersonId,
    /// What they may do, and where.
    pub roles: Vec<RoleGrant>,
    /// What they sign with.
    pub keys: Vec<RosteredKey>,
}

/// A person's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosteredKey {
    /// Ed25519.
    #[serde(with = "bytes32")]
    pub public_key: [u8; 32],
    /// How well it is kept.
    pub tier: KeyTier,
    /// Whether a demo put it on the roster by itself, so that nobody looked who holds it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_demo: bool,
}

impl RosteredKey {
    /// Its name.
    pub fn key(&self) -> KeyId {
        name_of(&self.public_key)
    }
}

/// How well a person's key is kept. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyTier {
    /// In one browser's storage, not exportable: whoever uses that browser may use it.
    Browser,
}

impl KeyTier {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Browser => "browser",
        }
    }

    /// The tier of a code.
    pub fn parse(code: &str) -> Option<Self> {
        (code == Self::Browser.code()).then_some(Self::Browser)
    }
}

/// The name of a key by its 32 public bytes.
pub fn name_of(public_key: &[u8; 32]) -> KeyId {
    use sha2::{Digest as _, Sha256};
    KeyId(Sha256::digest(public_key).into())
}

/// Why a roster can't be used whoever signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RosterFlaw {
    /// More people, keys or bytes than the bounds above.
    #[error("the roster is larger than a robot takes")]
    TooLarge,
    /// It ends before it begins.
    #[error("the roster ends before it was signed")]
    Backwards,
    /// It lasts longer, or has a higher number, than anybody signs in good faith: robots could never be given another.
    #[error("the roster lasts longer than a year, or has a number beyond counting")]
    Boundless,
    /// Somebody, or a key, stands there twice: what they may do would depend on who reads it.
    #[error("the roster names somebody or a key twice")]
    Twice,
    /// Something that is no key stands where one should.
    #[error("the roster holds something that is no Ed25519 key")]
    NoKey,
}

impl Roster {
    /// Whether it is one that everybody reads alike.
    pub fn check(&self) -> Result<(), RosterFlaw> {
        let is_large = self.people.len() > MAX_ROSTERED_PEOPLE
            || self.policy_keys.len() > MAX_KEYS_OF_PERSON
            || (self.people.iter()).any(|person| person.keys.len() > MAX_KEYS_OF_PERSON);
        if is_large {
            return Err(RosterFlaw::TooLarge);
        }
        if self.expires_at <= self.issued_at {
            return Err(RosterFlaw::Backwards);
        }
        let is_boundless = self.expires_at.since(self.issued_at) > LONGEST_ROSTER_US
            || self.number > HIGHEST_NUMBER;
        if is_boundless {
            return Err(RosterFlaw::Boundless);
        }
        let mut people: Vec<_> = self.people.iter().map(|person| person.person).collect();
        people.sort_unstable();
        let mut keys: Vec<[u8; 32]> = self.policy_keys.iter().map(|key| key.0).collect();
        keys.extend(self.people.iter().flat_map(RosteredPerson::public_keys));
        if (keys.iter()).any(|key| VerifyingKey::from_bytes(key).is_err()) {
            return Err(RosterFlaw::NoKey);
        }
        keys.sort_unstable();
        let is_twice = people.windows(2).any(|pair| pair[0] == pair[1])
            || keys.windows(2).any(|pair| pair[0] == pair[1]);
        if is_twice {
            return Err(RosterFlaw::Twice);
        }
        Ok(())
    }

    /// Somebody on it.
    pub fn person(&self, person: PersonId) -> Option<&RosteredPerson> {
        self.people.iter().find(|line| line.person == person)
    }

    /// The policy key of this name.
    pub fn policy_key(&self, key: KeyId) -> Option<VerifyingKey> {
        (self.policy_keys.iter())
            .find(|policy| name_of(&policy.0) == key)
            .and_then(|policy| VerifyingKey::from_bytes(&policy.0).ok())
    }
}

impl RosteredPerson {
    fn public_keys(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        self.keys.iter().map(|key| key.public_key)
    }

    /// The key of this name.
    pub fn key(&self, key: KeyId) -> Option<&RosteredKey> {
        self.keys.iter().find(|rostered| rostered.key() == key)
    }

    /// Whether they may steer robots at `site`. Frozen with the roster's format: robots and gateways answer alike.
    pub fn may_steer_at(&self, site: SiteId) -> bool {
        self.roles.iter().any(|grant| {
            matches!(grant.role, Role::Operator | Role::Supervisor)
                && grant.site.is_none_or(|there| there == site)
        })
    }
}

/// What is believed no more. Sealed as [`crate::sealed::Kind::Revocations`] by a policy key: who may only deny may say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// Whose.
    pub organisation: OrganisationId,
    /// Rises with every list: a robot never goes back to a lower one.
    pub number: u64,
    /// When it was signed.
    pub issued_at: UnixMicros,
    /// From then on a robot that has no newer one lets nobody begin.
    pub expires_at: UnixMicros,
    /// People's keys, and keys of pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyId>,
    /// People.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonId>,
    /// Grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<GrantId>,
}

impl Revocations {
    /// Whether it is within the bounds.
    pub fn is_sound(&self) -> bool {
        let lasts_us = self.expires_at.since(self.issued_at);
        (1..=LONGEST_LIST_US).contains(&lasts_us)
            && self.number <= HIGHEST_NUMBER
            && [self.keys.len(), self.people.len(), self.grants.len()]
                .into_iter()
                .all(|lines| lines <= MAX_REVOKED)
    }
}
