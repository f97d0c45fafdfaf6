//! What lets a person steer a robot: a *grant* of the gateway's policy key, bound by an *assertion* of the person's own rostered
//! key to one page's session key and one robot's fresh nonce. Then that page's signed commands move the robot, and nobody else's.
//!
//! A grant is a CWT (RFC 8392) with proof of possession (`cnf`, RFC 8747). Docs: `docs/grants.md`.

mod claims;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    GrantId, JobId, OrganisationId, PersonId, RobotId, SiteId,
    command::Verb,
    deterministic::{self, CborFailure},
    passkey::{POINT_BYTES, PasskeyAssertion},
    sealed::{KeyId, byte_array, byte_string, bytes32},
};

/// A grant is worth nothing after this long; presence renews it.
pub const GRANT_LASTS_S: i64 = 600;

/// However often it is renewed, the person's own key has to speak again after a shift.
pub const SITTING_LASTS_MS: u64 = 12 * 60 * 60 * 1_000;

/// What one grant allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `cti`.
    pub grant: GrantId,
    /// `iss`: on behalf of which organisation the policy key speaks.
    pub organisation: OrganisationId,
    /// `sub`: to whom.
    pub person: PersonId,
    /// `aud`: which robots.
    pub place: Place,
    /// `nbf`, seconds since 1970.
    pub not_before_s: i64,
    /// `exp`, seconds since 1970; at most [`GRANT_LASTS_S`] later.
    pub expires_s: i64,
    /// `cnf`: the page's key. Only what it signs is a command under this grant.
    pub session_key: [u8; 32],
    /// The epoch of control.
    pub epoch: u64,
    /// What.
    pub verbs: BTreeSet<GrantedVerb>,
    /// Where to; anywhere when absent.
    pub zone: Option<Zone>,
    /// How fast at most, millimetres a second; as fast as the robot may when absent.
    pub speed_cap_mm_s: Option<u32>,
    /// For which job; for none when absent.
    pub job: Option<JobId>,
}

/// Which robots a grant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One.
    Robot(RobotId),
    /// Every one of a site.
    Site(SiteId),
}

impl Place {
    /// Whether it is for this robot, which works there.
    pub fn covers(self, robot: RobotId, site: SiteId) -> bool {
        match self {
            Self::Robot(granted) => granted == robot,
            Self::Site(granted) => granted == site,
        }
    }
}

/// A verb as a grant names it. A stop needs no grant. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantedVerb {
    /// Drive to a place.
    NavigateTo,
    /// Drive by hand.
    Drive,
    /// Release a stop.
    ReleaseStop,
}

impl GrantedVerb {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::NavigateTo, Self::Drive, Self::ReleaseStop];

    /// What must be granted for this; nothing for a stop.
    pub const fn of(verb: &Verb) -> Option<Self> {
        match verb {
            Verb::NavigateTo { .. } => Some(Self::NavigateTo),
            Verb::ArmDrive => Some(Self::Drive),
            Verb::ReleaseStop => Some(Self::ReleaseStop),
            Verb::Stop => None,
        }
    }
}

/// A rectangle of the map that targets must lie in, millimetres east and north of its origin, edges included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Zone {
    /// West edge.
    pub west_mm: i64,
    /// South edge.
    pub south_mm: i64,
    /// East edge.
    pub east_mm: i64,
    /// North edge.
    pub north_mm: i64,
}

impl Zone {
    /// What lies in both. It may be empty: then nothing is in it.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self {
            west_mm: self.west_mm.max(other.west_mm),
            south_mm: self.south_mm.max(other.south_mm),
            east_mm: self.east_mm.min(other.east_mm),
            north_mm: self.north_mm.min(other.north_mm),
        }
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.west_mm > self.east_mm || self.south_mm > self.north_mm
    }

    /// Whether a point, in metres, lies in it. What is no number lies nowhere.
    pub fn holds(self, x_m: f64, y_m: f64) -> bool {
        let between = |low_mm: i64, at_m: f64, high_mm: i64| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a map's millimetres are far below 2^52"
            )]
            let (low_m, high_m) = (low_mm as f64 / 1_000.0, high_mm as f64 / 1_000.0);
            low_m <= at_m && at_m <= high_m
        };
        between(self.west_mm, x_m, self.east_mm) && between(self.south_mm, y_m, self.north_mm)
    }

    /// Whether all of it lies in `other`.
    pub const fn is_within(self, other: Self) -> bool {
        self.is_empty()
            || (self.west_mm >= other.west_mm
                && self.south_mm >= other.south_mm
                && self.east_mm <= other.east_mm
                && self.north_mm <= other.north_mm)
    }
}

/// What a grant lets its holder do, without whose it is: what attenuation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Which robots; none when two that exclude each other were intersected.
    pub places: Option<Place>,
    /// From when, seconds since 1970.
    pub not_before_s: i64,
    /// Until when, seconds since 1970.
    pub expires_s: i64,
    /// What.
    pub verbs: BTreeSet<GrantedVerb>,
    /// Where to; anywhere when absent.
    pub zone: Option<Zone>,
    /// How fast at most, millimetres a second; without a bound when absent.
    pub speed_cap_mm_s: Option<u32>,
}

impl Allowance {
    /// What both allow, for a robot of `site`: no more than either, whoever asks for what.
    #[must_use]
    pub fn intersect(&self, other: &Self, site_of: impl Fn(RobotId) -> Option<SiteId>) -> Self {
        let places = match (self.places, other.places) {
            (Some(Place::Robot(robot)), Some(Place::Site(site)))
            | (Some(Place::Site(site)), Some(Place::Robot(robot))) => {
                (site_of(robot) == Some(site)).then_some(Place::Robot(robot))
            }
            (one, two) => one.filter(|_| one == two),
        };
        Self {
            places,
            not_before_s: self.not_before_s.max(other.not_before_s),
            expires_s: self.expires_s.min(other.expires_s),
            verbs: self.verbs.intersection(&other.verbs).copied().collect(),
            zone: match (self.zone, other.zone) {
                (Some(one), Some(two)) => Some(one.intersect(two)),
                (one, two) => one.or(two),
            },
            speed_cap_mm_s: match (self.speed_cap_mm_s, other.speed_cap_mm_s) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
        }
    }

    /// Whether it allows nothing that `parent` does not.
    pub fn is_within(&self, parent: &Self, site_of: impl Fn(RobotId) -> Option<SiteId>) -> bool {
        let is_there = match (self.places, parent.places) {
            (None, _) => true,
            (Some(Place::Robot(robot)), Some(Place::Site(site))) => site_of(robot) == Some(site),
            (child, parent) => child == parent,
        };
        let is_zone_within = match (self.zone, parent.zone) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(child), Some(parent)) => child.is_within(parent),
        };
        let is_slower = match (self.speed_cap_mm_s, parent.speed_cap_mm_s) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(child), Some(parent)) => child <= parent,
        };
        is_there
            && is_zone_within
            && is_slower
            && self.not_before_s >= parent.not_before_s
            && self.expires_s <= parent.expires_s
            && self.verbs.is_subset(&parent.verbs)
    }

    /// Whether it allows this, for a robot of a site, at this time.
    pub fn allows(&self, robot: RobotId, site: SiteId, verb: &Verb, at_s: i64) -> bool {
        let Some(granted) = GrantedVerb::of(verb) else {
            return true;
        };
        let is_in_zone = match (*verb, self.zone) {
            (Verb::NavigateTo { x_m, y_m, .. }, Some(zone)) => zone.holds(x_m, y_m),
            (_, _) => true,
        };
        self.places.is_some_and(|place| place.covers(robot, site))
            && (self.not_before_s..self.expires_s).contains(&at_s)
            && self.verbs.contains(&granted)
            && is_in_zone
    }
}

impl Grant {
    /// What it allows.
    pub fn allowance(&self) -> Allowance {
        Allowance {
            places: Some(self.place),
            not_before_s: self.not_before_s,
            expires_s: self.expires_s,
            verbs: self.verbs.clone(),
            zone: self.zone,
            speed_cap_mm_s: self.speed_cap_mm_s,
        }
    }

    /// How long it lasts, seconds; nothing when that is more than a grant may, or less than nothing.
    pub fn lasts_s(&self) -> Option<u64> {
        let lasts = self.expires_s.checked_sub(self.not_before_s)?;
        (lasts <= GRANT_LASTS_S)
            .then(|| u64::try_from(lasts).ok())
            .flatten()
    }

    /// Whether holding `self` on top of `first` lets nobody do more than before, but for longer: what a renewal is.
    pub fn renews(&self, first: &Self) -> bool {
        let same_time = |grant: &Self| Allowance {
            not_before_s: 0,
            expires_s: 0,
            ..grant.allowance()
        };
        self.person == first.person
            && self.session_key == first.session_key
            && self.organisation == first.organisation
            && self.epoch == first.epoch
            && self.job == first.job
            && same_time(self).is_within(&same_time(first), |_robot| None)
    }
}

/// What somebody asks to be granted no more than: who needs less than they could have, asks for less.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantBounds {
    /// These verbs; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbs: Option<BTreeSet<GrantedVerb>>,
    /// Targets in there; anywhere when absent. Under a zone nobody drives by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// So fast, millimetres a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_cap_mm_s: Option<u32>,
    /// While the robot is at this job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
}

impl Grant {
    /// The same, where `bounds` allow it as well.
    #[must_use]
    pub fn within(self, bounds: &GrantBounds) -> Self {
        let allowed = Allowance {
            verbs: (bounds.verbs.clone()).unwrap_or_else(|| GrantedVerb::ALL.into()),
            zone: bounds.zone,
            speed_cap_mm_s: bounds.speed_cap_mm_s,
            ..self.allowance()
        };
        let both = self.allowance().intersect(&allowed, |_same_place| None);
        Self {
            verbs: both.verbs,
            zone: both.zone,
            speed_cap_mm_s: both.speed_cap_mm_s,
            job: self.job.or(bounds.job),
            ..self
        }
    }
}

/// What a person's key signs to bind a grant: SHA-256 of the deterministic CBOR of this. It is a passkey's challenge, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding<'bytes> {
    /// The sealed grant.
    #[serde(with = "byte_string")]
    pub grant: &'bytes [u8],
    /// The page's key.
    #[serde(with = "bytes32")]
    pub session_key: [u8; 32],
    /// The robot that is asked to believe it.
    pub robot: RobotId,
    /// That robot's nonce: it is good for one assertion.
    #[serde(with = "bytes32")]
    pub nonce: [u8; 32],
}

impl Binding<'_> {
    /// The challenge.
    pub fn challenge(&self) -> Result<[u8; 32], CborFailure> {
        Ok(Sha256::digest(deterministic::to_vec(self)?).into())
    }
}

/// Sealed as [`crate::sealed::Kind::Assertion`] by a person's rostered key: "that page steers that robot in my name".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// [`Binding::challenge`].
    #[serde(with = "bytes32")]
    pub challenge: [u8; 32],
}

/// Sealed as [`crate::sealed::Kind::PersonKey`] by a person's new key: proves possession, for this person only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonKeyProof {
    /// Whose it is to be.
    pub person: PersonId,
}

/// A grant as a robot is shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    /// The sealed grant, base64.
    pub grant: String,
    /// The sealed assertion, base64. Absent for a grant that renews one which was bound before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<String>,
    /// What a passkey signed instead of it. Never both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<Box<PasskeyAssertion>>,
}

impl Presentation {
    /// Whether a key of the person's binds it; otherwise it renews.
    pub const fn is_bound(&self) -> bool {
        self.assertion.is_some() || self.passkey.is_some()
    }
}

/// Why a robot did not believe a grant. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantRefusal {
    /// The robot was enrolled without its organisation's root key.
    NoRoot,
    /// It holds no roster that the root signed.
    NoRoster,
    /// Its roster is past its time.
    RosterExpired,
    /// It has no list of revocations that is in its time.
    RevocationsExpired,
    /// What came can't be read.
    Unreadable,
    /// It was not signed by a policy key of the roster.
    NotByPolicy,
    /// It is for another robot, site or organisation.
    AnotherRobot,
    /// It is past its time, or lasts longer than any may.
    Expired,
    /// Its epoch of control is over.
    StaleEpoch,
    /// The person is not on the roster, or may not steer here.
    NotRostered,
    /// The key that bound it is not one of that person's.
    KeyNotRostered,
    /// The signature that binds it does not match: it was made for another grant, page, robot or nonce.
    NotBound,
    /// The person, the key or the grant was revoked.
    Revoked,
    /// Without an assertion it renews nothing that the robot knows.
    NotARenewal,
    /// It narrows what may be done in a way that this robot can't enforce.
    Unenforceable,
    /// The robot's clock is behind the roster or the list that it holds.
    ClockBehind,
    /// The passkey that binds it was used on another site.
    AnotherSite,
    /// The authenticator did not look who used it, or nobody was there.
    Unverified,
}

impl GrantRefusal {
    /// Every one.
    pub const ALL: [Self; 18] = [
        Self::NoRoot,
        Self::NoRoster,
        Self::RosterExpired,
        Self::RevocationsExpired,
        Self::Unreadable,
        Self::NotByPolicy,
        Self::AnotherRobot,
        Self::Expired,
        Self::StaleEpoch,
        Self::NotRostered,
        Self::KeyNotRostered,
        Self::NotBound,
        Self::Revoked,
        Self::NotARenewal,
        Self::Unenforceable,
        Self::ClockBehind,
        Self::AnotherSite,
        Self::Unverified,
    ];

    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoRoot => "no_root",
            Self::NoRoster => "no_roster",
            Self::RosterExpired => "roster_expired",
            Self::RevocationsExpired => "revocations_expired",
            Self::Unreadable => "unreadable",
            Self::NotByPolicy => "not_by_policy",
            Self::AnotherRobot => "another_robot",
            Self::Expired => "expired",
            Self::StaleEpoch => "stale_epoch",
            Self::NotRostered => "not_rostered",
            Self::KeyNotRostered => "key_not_rostered",
            Self::NotBound => "not_bound",
            Self::Revoked => "revoked",
            Self::NotARenewal => "not_a_renewal",
            Self::Unenforceable => "unenforceable",
            Self::ClockBehind => "clock_behind",
            Self::AnotherSite => "another_site",
            Self::Unverified => "unverified",
        }
    }

    /// In words, for who asked.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoRoot => {
                "the robot was enrolled without the organisation's root key; enrol it again"
            }
            Self::NoRoster => "the robot has no roster yet",
            Self::RosterExpired => {
                "the robot's roster is past its time; the root key has to sign a new one"
            }
            Self::RevocationsExpired => "the robot has not heard for too long who was revoked",
            Self::Unreadable => "the robot can't read the grant",
            Self::NotByPolicy => "the grant was not issued by a policy key of the roster",
            Self::AnotherRobot => "the grant is for another robot",
            Self::Expired => "the grant is past its time",
            Self::StaleEpoch => "control had passed on",
            Self::NotRostered => "the roster does not let you steer here",
            Self::KeyNotRostered => "the key is not on the robot's roster",
            Self::NotBound => "the grant was bound to something else",
            Self::Revoked => "you, your key or the grant was revoked",
            Self::NotARenewal => "the robot knows no grant that this one renews",
            Self::Unenforceable => "the grant has bounds that this robot can't keep yet",
            Self::ClockBehind => "the robot's clock is wrong: it is behind its own roster",
            Self::AnotherSite => "the passkey was used on another site than the roster names",
            Self::Unverified => "the authenticator did not look who used the passkey",
        }
    }
}

/// What a robot says of what it trusts: after its hello and at every change. Its nonce is what the next assertion must name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotTrust {
    /// Good for one assertion, in this run of the agent.
    #[serde(with = "bytes32")]
    pub nonce: [u8; 32],
    /// The root key that it pinned; absent for one that was enrolled without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<KeyId>,
    /// The number of its roster; 0 for none.
    pub roster: u64,
    /// The number of its list of revocations; 0 for none. This acknowledges it.
    pub revocations: u64,
    /// Whose commands it obeys; absent while nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<OpenSession>,
    /// What it last said no to, in this run of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedGrant>,
}

/// Whose commands a robot obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSession {
    /// Under which grant.
    pub grant: GrantId,
    /// Whose.
    pub person: PersonId,
    /// The page's key.
    pub key: KeyId,
    /// Under which epoch of control.
    pub epoch: u64,
}

/// A grant that a robot did not believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedGrant {
    /// Which, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// Why not.
    pub reason: GrantRefusal,
}

/// Something happened to what lets a person steer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum GrantEvent {
    /// An organisation's root key was named. In its own stream; so is every roster.
    #[serde(rename = "root.named")]
    RootNamed {
        /// The key.
        #[serde(with = "bytes32")]
        public_key: [u8; 32],
    },
    /// The root signed a roster and it was given out.
    #[serde(rename = "roster.published")]
    RosterPublished {
        /// Its number.
        number: u64,
        /// SHA-256 of the sealed roster.
        #[serde(with = "bytes32")]
        sha256: [u8; 32],
        /// Its end.
        expires_at: crate::UnixMicros,
    },
    /// A list of what is believed no more was given out. In the organisation's stream.
    #[serde(rename = "revocations.published")]
    RevocationsPublished {
        /// Its number.
        number: u64,
        /// SHA-256 of the sealed list.
        #[serde(with = "bytes32")]
        sha256: [u8; 32],
    },
    /// A person's browser proved a key that is to go on the roster. In the person's stream.
    #[serde(rename = "person.key_offered")]
    PersonKeyOffered {
        /// Whose.
        person: PersonId,
        /// Its name.
        key: KeyId,
        /// Ed25519.
        #[serde(with = "bytes32")]
        public_key: [u8; 32],
        /// How well it is kept.
        tier: crate::roster::KeyTier,
    },
    /// A person's authenticator proved a passkey that is to go on the roster. In the person's stream.
    #[serde(rename = "person.passkey_added")]
    PasskeyAdded {
        /// Whose.
        person: PersonId,
        /// Its name.
        key: KeyId,
        /// A point on P-256, compressed.
        #[serde(with = "byte_array")]
        public_key: [u8; POINT_BYTES],
        /// The site that it is for.
        relying_party: String,
    },
    /// A person's key is not to be believed any more. In the person's stream.
    #[serde(rename = "person.key_removed")]
    PersonKeyRemoved {
        /// Whose.
        person: PersonId,
        /// Its name.
        key: KeyId,
    },
    /// The gateway's policy let a person steer. In the robot's stream.
    #[serde(rename = "grant.issued")]
    Issued {
        /// Which grant.
        grant: GrantId,
        /// To whom.
        person: PersonId,
        /// The page's key.
        session_key: KeyId,
        /// Under which epoch of control.
        epoch: u64,
        /// SHA-256 of the sealed grant.
        #[serde(with = "bytes32")]
        sha256: [u8; 32],
        /// Its end, seconds since 1970.
        expires_s: i64,
    },
    /// The gateway's policy did not let a person steer. In the robot's stream.
    #[serde(rename = "grant.denied")]
    Denied {
        /// Whom.
        person: PersonId,
        /// The frozen code of why.
        code: String,
    },
    /// A robot obeys the holder of a grant from here on. Signed by the robot, as the next one is.
    #[serde(rename = "grant.accepted")]
    Accepted {
        /// Which grant.
        grant: GrantId,
        /// Whose.
        person: PersonId,
        /// The page's key.
        session_key: KeyId,
        /// The person's key that bound it, now or at the first of the grants that this one renews.
        bound_by: KeyId,
        /// Under which epoch of control.
        epoch: u64,
        /// The number of the roster that the robot went by.
        roster: u64,
    },
    /// A robot did not believe a grant.
    #[serde(rename = "grant.refused")]
    Refused {
        /// Which, as far as it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
        /// Why not.
        reason: GrantRefusal,
    },
}

impl GrantEvent {
    /// The frozen name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RootNamed { .. } => "root.named",
            Self::RosterPublished { .. } => "roster.published",
            Self::RevocationsPublished { .. } => "revocations.published",
            Self::PersonKeyOffered { .. } => "person.key_offered",
            Self::PasskeyAdded { .. } => "person.passkey_added",
            Self::PersonKeyRemoved { .. } => "person.key_removed",
            Self::Issued { .. } => "grant.issued",
            Self::Denied { .. } => "grant.denied",
            Self::Accepted { .. } => "grant.accepted",
            Self::Refused { .. } => "grant.refused",
        }
    }
}
