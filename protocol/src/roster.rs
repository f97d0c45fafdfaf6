//! Who may steer an organisation's robots: the roster that its root key signs, and the list of what is believed no more.
//!
//! The root key is made and kept away from every gateway. A gateway hands the roster on; it can't add a line to it.

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::{
    GrantId, OrganisationId, PersonId, SiteId, UnixMicros,
    passkey::POINT_BYTES,
    sealed::{KeyId, byte_array, bytes32},
    views::{Role, RoleGrant},
};

/// People on one roster: with a key or two each it stays under a socket's largest frame.
pub const MAX_ROSTERED_PEOPLE: usize = 512;

/// Keys of one person: a desk, a laptop, a tablet, and room for the ones that they replace.
pub const MAX_KEYS_OF_PERSON: usize = 8;

/// Sites that passkeys of one roster are for: the gateway's, and the one that it had before.
pub const MAX_RELYING_PARTIES: usize = 4;

/// Addresses under which people reach one site.
pub const MAX_ORIGINS: usize = 4;

/// The longest name that a host may have (RFC 1035 §2.3.4).
pub const MAX_HOST_BYTES: usize = 253;

/// Such a name with a scheme before and a port behind.
pub const MAX_ORIGIN_BYTES: usize = 8 + MAX_HOST_BYTES + 6;

/// Lines of each part of a revocation list.
pub const MAX_REVOKED: usize = 1_024;

/// A roster lasts a year at most: somebody looks at it again.
const LONGEST_ROSTER_US: i64 = 366 * 86_400_000_000;

/// A list of revocations lasts two days at most: a stolen policy key is out of it when its roster is replaced, or then.
const LONGEST_LIST_US: i64 = 2 * 86_400_000_000;

/// Numbers above this leave no room for those that follow.
const HIGHEST_NUMBER: u64 = 1 << 48;

/// One sealed roster: [`MAX_ROSTERED_PEOPLE`] with a key and a role each are about 84 KiB, with a passkey beside it
/// some 400 people; base64 makes 120 KiB of them.
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
    /// The sites that their passkeys are for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relying_parties: Vec<RelyingParty>,
}

/// A site that passkeys are for: what they sign on any other proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RelyingParty {
    /// Its name, as authenticators know it: a host, `fleet.example`.
    pub id: String,
    /// The addresses of its pages, as browsers write them: `https://fleet.example`.
    pub origins: Vec<String>,
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
    /// Their passkeys, which are better kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<RosteredPasskey>,
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

/// A person's passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosteredPasskey {
    /// A point on P-256, compressed: what ES256 is checked with.
    #[serde(with = "byte_array")]
    pub public_key: [u8; POINT_BYTES],
    /// Which of the roster's sites it is for, counted from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub site: u8,
    /// Whether a demo put it on the roster by itself, so that nobody looked who holds it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_demo: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "that is how serde asks")]
const fn is_first(site: &u8) -> bool {
    *site == 0
}

impl RosteredPasskey {
    /// Its name.
    pub fn key(&self) -> KeyId {
        name_of_passkey(&self.public_key)
    }
}

/// What a roster says of a key, of whichever kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyMark {
    /// Its name.
    pub key: KeyId,
    /// How well it is kept.
    pub tier: KeyTier,
    /// Whether a demo put it there by itself.
    pub is_demo: bool,
}

/// How well a person's key is kept, the better the later. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyTier {
    /// In one browser's storage, not exportable: whoever uses that browser may use it.
    Browser,
    /// In an authenticator, which looks who uses it: a fingerprint, a face, a PIN.
    Passkey,
}

impl KeyTier {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Passkey => "passkey",
        }
    }

    /// The tier of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Browser, Self::Passkey]
            .into_iter()
            .find(|tier| tier.code() == code)
    }
}

/// The name of a key by its 32 public bytes.
pub fn name_of(public_key: &[u8; 32]) -> KeyId {
    use sha2::{Digest as _, Sha256};
    KeyId(Sha256::digest(public_key).into())
}

/// The name of a passkey by its compressed point.
pub fn name_of_passkey(public_key: &[u8; POINT_BYTES]) -> KeyId {
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
    /// A passkey that is none, or is for no site; or a site without a name or an address.
    #[error("the roster holds something that is no passkey of a site")]
    NoPasskey,
}

impl Roster {
    /// Whether it is one that everybody reads alike.
    pub fn check(&self) -> Result<(), RosterFlaw> {
        let is_large = self.people.len() > MAX_ROSTERED_PEOPLE
            || self.policy_keys.len() > MAX_KEYS_OF_PERSON
            || self.relying_parties.len() > MAX_RELYING_PARTIES
            || (self.people.iter()).any(|person| {
                person.keys.len() > MAX_KEYS_OF_PERSON || person.passkeys.len() > MAX_KEYS_OF_PERSON
            });
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
        let mut tiers =
            (self.people.iter()).flat_map(|person| person.keys.iter().map(|key| key.tier));
        let is_no_key = (keys.iter()).any(|key| VerifyingKey::from_bytes(key).is_err());
        // A key that signs by itself is none that an authenticator keeps.
        if is_no_key || tiers.any(|tier| tier != KeyTier::Browser) {
            return Err(RosterFlaw::NoKey);
        }
        let is_passkey = |passkey: &RosteredPasskey| {
            // Whether it lies on the curve shows when it is used: a point that does not never fits.
            matches!(passkey.public_key[0], 2 | 3)
                && usize::from(passkey.site) < self.relying_parties.len()
        };
        let mut passkeys = self.people.iter().flat_map(|person| &person.passkeys);
        if !self.relying_parties.iter().all(RelyingParty::is_sound) || !passkeys.all(is_passkey) {
            return Err(RosterFlaw::NoPasskey);
        }
        let passkeys = self.people.iter().flat_map(|person| &person.passkeys);
        let mut passkeys: Vec<_> = passkeys.map(|passkey| passkey.public_key).collect();
        keys.sort_unstable();
        passkeys.sort_unstable();
        let is_twice = people.windows(2).any(|pair| pair[0] == pair[1])
            || keys.windows(2).any(|pair| pair[0] == pair[1])
            || passkeys.windows(2).any(|pair| pair[0] == pair[1]);
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

impl RelyingParty {
    /// Whether it has a name and addresses within the bounds, in the letters that browsers write them with.
    fn is_sound(&self) -> bool {
        let is_plain = |text: &str, most: usize| {
            let mut bytes = text.bytes();
            (1..=most).contains(&text.len())
                && bytes.all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
        };
        is_plain(&self.id, MAX_HOST_BYTES)
            && (1..=MAX_ORIGINS).contains(&self.origins.len())
            && (self.origins.iter()).all(|origin| is_plain(origin, MAX_ORIGIN_BYTES))
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

    /// The passkey of this name.
    pub fn passkey(&self, key: KeyId) -> Option<&RosteredPasskey> {
        (self.passkeys.iter()).find(|rostered| rostered.key() == key)
    }

    /// All keys, of whichever kind.
    pub fn marks(&self) -> impl Iterator<Item = KeyMark> + '_ {
        let keys = self.keys.iter().map(|key| KeyMark {
            key: key.key(),
            tier: key.tier,
            is_demo: key.is_demo,
        });
        let passkeys = self.passkeys.iter().map(|passkey| KeyMark {
            key: passkey.key(),
            tier: KeyTier::Passkey,
            is_demo: passkey.is_demo,
        });
        keys.chain(passkeys)
    }

    /// What the roster says of the key of this name.
    pub fn mark(&self, key: KeyId) -> Option<KeyMark> {
        self.marks().find(|mark| mark.key == key)
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
