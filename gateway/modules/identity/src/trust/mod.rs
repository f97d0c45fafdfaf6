//! Who may steer: the organisation's root key, people's keys, the rosters that the root signs and the lists of what is believed
//! no more. The gateway keeps and hands out what others signed; nothing here can add a line to a roster.

#[cfg(feature = "store")]
pub(crate) mod store;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use ed25519_dalek::{SigningKey, VerifyingKey};
use protocol::{
    OrganisationId, PersonId,
    passkey::POINT_BYTES,
    roster::{
        KeyTier, MAX_ORIGINS, MAX_RELYING_PARTIES, MAX_ROSTER_BYTES, RelyingParty, Revocations,
        Roster, RosteredKey, RosteredPasskey, RosteredPerson, name_of, name_of_passkey,
    },
    sealed::{self, Kind, SealFailure},
    views::Role,
};
use time::OffsetDateTime;

use crate::{Person, Refusal};

/// A key of a person's own, which is to go on the roster or is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonKey {
    /// Its name.
    pub key: sealed::KeyId,
    /// The key.
    pub public_key: PublicKey,
    /// Whose.
    pub person: PersonId,
    /// When it was offered.
    pub offered_at: OffsetDateTime,
}

impl PersonKey {
    /// How well it is kept.
    pub const fn tier(&self) -> KeyTier {
        match self.public_key {
            PublicKey::Browser(_) => KeyTier::Browser,
            PublicKey::Passkey(..) => KeyTier::Passkey,
        }
    }
}

/// The public half of a person's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519, in a browser's storage.
    Browser([u8; 32]),
    /// A compressed point on P-256, and the site that its authenticator keeps it for.
    Passkey([u8; POINT_BYTES], RelyingParty),
}

impl PublicKey {
    /// Its name.
    pub fn name(&self) -> sealed::KeyId {
        match self {
            Self::Browser(key) => name_of(key),
            Self::Passkey(point, _) => name_of_passkey(point),
        }
    }
}

/// A challenge is answered while its person looks at the browser's prompt.
pub const PASSKEY_CHALLENGE_LASTS: time::Duration = time::Duration::minutes(5);

/// A person's passkey, with what its sign-ins are checked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its name.
    pub key: sealed::KeyId,
    /// Whose.
    pub person: PersonId,
    /// What its authenticator knows it by.
    pub credential_id: Vec<u8>,
    /// What its person calls it.
    pub name: String,
    /// The host that it is for.
    pub relying_party: String,
    /// As the library that checks sign-ins keeps it.
    pub credential: serde_json::Value,
    /// When it was added.
    pub added_at: OffsetDateTime,
    /// When somebody last signed in with it.
    pub used_at: Option<OffsetDateTime>,
}

/// Sites that the passkeys of these keys are for, by name, each with the addresses that its passkeys were added under. As many as
/// a roster holds; where there are more, those that were added last.
pub(crate) fn sites_of(keys: &[PersonKey]) -> Vec<RelyingParty> {
    let mut latest: Vec<&PersonKey> = keys.iter().collect();
    latest.sort_by_key(|key| (Reverse(key.offered_at), key.key));
    let mut sites = BTreeMap::<&str, BTreeSet<&String>>::new();
    for key in latest {
        let PublicKey::Passkey(_, site) = &key.public_key else {
            continue;
        };
        let has_room = sites.len() < MAX_RELYING_PARTIES;
        if !has_room && !sites.contains_key(site.id.as_str()) {
            continue;
        }
        let origins = sites.entry(&site.id).or_default();
        for origin in &site.origins {
            if origins.len() < MAX_ORIGINS {
                origins.insert(origin);
            }
        }
    }
    (sites.into_iter())
        .map(|(id, origins)| RelyingParty {
            id: id.to_owned(),
            origins: origins.into_iter().cloned().collect(),
        })
        .collect()
}

/// A person's key for a list that also shows those that are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPersonKey {
    /// The key.
    pub key: PersonKey,
    /// When it was removed.
    pub removed_at: Option<OffsetDateTime>,
}

/// A roster as it is handed out. It was verified when it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRoster {
    /// As the root sealed it.
    pub sealed: Vec<u8>,
    /// What it says.
    pub roster: Roster,
}

/// A list of what is believed no more, as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRevocations {
    /// As a policy key sealed it.
    pub sealed: Vec<u8>,
    /// What it says.
    pub revocations: Revocations,
}

/// Whether anybody looks who holds the keys before the root signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftMark {
    /// Somebody compares each key with what its holder sees.
    Checked,
    /// Nobody does: it is a demo, and robots and people are told so.
    Demo,
}

impl DraftMark {
    /// Somebody's line on a roster with these sites: only the roles that let them steer, and no line for who has none, or no key.
    pub fn line(
        self,
        person: &Person,
        keys: &[PersonKey],
        sites: &[RelyingParty],
    ) -> Option<RosteredPerson> {
        let roles: Vec<_> = (person.roles.iter().copied())
            .filter(|grant| match grant.role {
                Role::Operator | Role::Supervisor => true,
                Role::Requester | Role::Owner | Role::Admin => false,
            })
            .collect();
        let is_demo = self == Self::Demo;
        let mut line = RosteredPerson {
            person: person.person,
            roles,
            keys: Vec::new(),
            passkeys: Vec::new(),
        };
        for key in keys.iter().filter(|key| key.person == person.person) {
            match &key.public_key {
                PublicKey::Browser(public_key) => line.keys.push(RosteredKey {
                    public_key: *public_key,
                    tier: KeyTier::Browser,
                    is_demo,
                }),
                PublicKey::Passkey(public_key, site) => {
                    let place = sites.iter().position(|known| known.id == site.id);
                    if let Some(site) = place.and_then(|place| u8::try_from(place).ok()) {
                        line.passkeys.push(RosteredPasskey {
                            public_key: *public_key,
                            site,
                            is_demo,
                        });
                    }
                }
            }
        }
        let has_key = !line.keys.is_empty() || !line.passkeys.is_empty();
        (!line.roles.is_empty() && has_key).then_some(line)
    }
}

/// These 32 bytes as a key that somebody can have signed with. One of small order is none: its signatures fit many messages.
pub fn usable_key(public_key: &[u8; 32]) -> Result<VerifyingKey, Refusal> {
    VerifyingKey::from_bytes(public_key)
        .ok()
        .filter(|key| !key.is_weak())
        .ok_or(Refusal::NotAKey)
}

/// The roster in `sealed` if the root signed it, for this organisation, and robots can go by it now.
pub fn open_roster(
    sealed: &[u8],
    organisation: OrganisationId,
    root: &VerifyingKey,
    now: OffsetDateTime,
) -> Result<Roster, Refusal> {
    if sealed.len() > MAX_ROSTER_BYTES {
        return Err(Refusal::RosterTooLarge);
    }
    let roster: Roster =
        sealed::open(Kind::Roster, sealed, root).map_err(|failure| match failure {
            SealFailure::Malformed | SealFailure::WrongKind | SealFailure::Payload(_) => {
                Refusal::RosterUnreadable
            }
            SealFailure::WrongKey | SealFailure::BadSignature => Refusal::RosterNotByRoot,
        })?;
    if roster.organisation != organisation {
        return Err(Refusal::RosterOfAnother);
    }
    roster.check()?;
    if i128::from(roster.expires_at.0) * 1_000 <= now.unix_timestamp_nanos() {
        return Err(Refusal::RosterExpired);
    }
    Ok(roster)
}

/// `roster` under the root key, if it is one that robots take.
pub fn seal_roster(roster: &Roster, root: &SigningKey) -> Result<Vec<u8>, Refusal> {
    roster.check()?;
    let sealed = sealed::seal(Kind::Roster, roster, root)
        .map_err(|_unwritable| Refusal::RosterUnreadable)?;
    (sealed.len() <= MAX_ROSTER_BYTES)
        .then_some(sealed)
        .ok_or(Refusal::RosterTooLarge)
}

#[cfg(test)]
mod tests {
    use protocol::{SiteId, UnixMicros, roster::RosterFlaw, views::RoleGrant};
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 8:00 UTC);
    const NOW_MICROS: i64 = 1_767_254_400_000_000;
    const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));
    const MIRA: PersonId = PersonId(Uuid::from_u128(21));
    const WING_A: SiteId = SiteId(Uuid::from_u128(11));

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn roster() -> Roster {
        Roster {
            relying_parties: Vec::new(),
            organisation: LINDEN,
            number: 1,
            issued_at: UnixMicros(NOW_MICROS - 1),
            expires_at: UnixMicros(NOW_MICROS + 1),
            policy_keys: Vec::new(),
            people: Vec::new(),
        }
    }

    fn opened(sealed: &[u8]) -> Result<Roster, Refusal> {
        open_roster(sealed, LINDEN, &key(1).verifying_key(), NOW)
    }

    #[test]
    fn a_roster_is_believed_only_from_the_root_for_its_robots_in_its_time() {
        let of = |change: fn(&mut Roster)| {
            let mut roster = roster();
            change(&mut roster);
            sealed::seal(Kind::Roster, &roster, &key(1)).unwrap()
        };
        let mut altered = of(|_as_it_is| {});
        *altered.last_mut().unwrap() ^= 1;
        let large = vec![0; MAX_ROSTER_BYTES + 1];

        assert_eq!(opened(&of(|_as_it_is| {})), Ok(roster()));
        for (sealed, refusal) in [
            (
                sealed::seal(Kind::Roster, &roster(), &key(2)).unwrap(),
                Refusal::RosterNotByRoot,
            ),
            (altered, Refusal::RosterNotByRoot),
            (
                sealed::seal(Kind::Event, &roster(), &key(1)).unwrap(),
                Refusal::RosterUnreadable,
            ),
            (
                sealed::seal(Kind::Roster, &7, &key(1)).unwrap(),
                Refusal::RosterUnreadable,
            ),
            (Vec::new(), Refusal::RosterUnreadable),
            (large, Refusal::RosterTooLarge),
            (
                of(|roster| roster.organisation = OrganisationId(Uuid::from_u128(2))),
                Refusal::RosterOfAnother,
            ),
            (
                of(|roster| roster.issued_at = roster.expires_at),
                Refusal::RosterFlawed(RosterFlaw::Backwards),
            ),
            (
                of(|roster| roster.expires_at = UnixMicros(NOW_MICROS)),
                Refusal::RosterExpired,
            ),
        ] {
            assert_eq!(opened(&sealed), Err(refusal));
        }
    }

    #[test]
    fn a_roster_that_no_robot_takes_is_not_sealed() {
        let mut backwards = roster();
        backwards.expires_at = backwards.issued_at;

        let sealed = seal_roster(&backwards, &key(1));

        assert_eq!(sealed, Err(RosterFlaw::Backwards.into()));
        assert!(opened(&seal_roster(&roster(), &key(1)).unwrap()).is_ok());
    }

    #[test]
    fn only_who_steers_gets_a_line_and_only_with_what_lets_them() {
        let grant = |role, site| RoleGrant { role, site };
        let person = |roles: &[RoleGrant]| Person {
            person: MIRA,
            name: "Mira".to_owned(),
            organisation: LINDEN,
            organisation_name: "Linden".to_owned(),
            roles: roles.to_vec(),
        };
        let held = |person, seed| PersonKey {
            key: sealed::KeyId::of(&key(seed).verifying_key()),
            public_key: PublicKey::Browser(key(seed).verifying_key().to_bytes()),
            person,
            offered_at: NOW,
        };
        let (hers, anothers) = (held(MIRA, 3), held(PersonId(Uuid::from_u128(22)), 4));
        let operator = person(&[
            grant(Role::Admin, None),
            grant(Role::Operator, Some(WING_A)),
        ]);
        let admin = person(&[grant(Role::Admin, None), grant(Role::Requester, None)]);

        let line = DraftMark::Demo
            .line(&operator, &[anothers.clone(), hers.clone()], &[])
            .unwrap();

        assert_eq!(line.roles, [grant(Role::Operator, Some(WING_A))]);
        assert_eq!(line.keys.len(), 1);
        assert_eq!(line.keys[0].key(), hers.key);
        assert!(line.keys[0].is_demo);
        assert_eq!(DraftMark::Checked.line(&operator, &[anothers], &[]), None);
        assert_eq!(DraftMark::Checked.line(&admin, &[hers], &[]), None);
    }

    #[test]
    fn passkeys_stand_on_a_roster_under_the_site_that_they_are_for() {
        let site = |id: &str, origin: &str| RelyingParty {
            id: id.to_owned(),
            origins: vec![origin.to_owned()],
        };
        let passkey = |seed: u8, site| PersonKey {
            key: sealed::KeyId([seed; 32]),
            public_key: PublicKey::Passkey([seed; POINT_BYTES], site),
            person: MIRA,
            offered_at: NOW,
        };
        let keys = [
            passkey(2, site("fleet.example", "https://fleet.example")),
            passkey(3, site("fleet.example", "https://fleet.example:8443")),
            passkey(2, site("before.example", "https://before.example")),
        ];
        let operator = Person {
            person: MIRA,
            name: "Mira".to_owned(),
            organisation: LINDEN,
            organisation_name: "Linden".to_owned(),
            roles: vec![RoleGrant {
                role: Role::Operator,
                site: None,
            }],
        };

        let sites = sites_of(&keys);
        let line = DraftMark::Checked.line(&operator, &keys, &sites).unwrap();

        let fleet = ["https://fleet.example", "https://fleet.example:8443"];
        assert_eq!(sites[0], site("before.example", "https://before.example"));
        assert_eq!(
            (sites[1].id.as_str(), &sites[1].origins[..]),
            ("fleet.example", &fleet.map(str::to_owned)[..])
        );
        let places: Vec<u8> = line.passkeys.iter().map(|passkey| passkey.site).collect();
        assert_eq!(places, [1, 1, 0]);
        assert!(line.keys.is_empty());
        // More than a roster holds: those that were added last.
        let many: Vec<PersonKey> = (0..9_i64)
            .map(|number| PersonKey {
                offered_at: NOW + time::Duration::days(number),
                ..passkey(2, site(&format!("{number}.example"), "https://one.example"))
            })
            .collect();
        let kept: Vec<String> = sites_of(&many).into_iter().map(|site| site.id).collect();
        assert_eq!(kept, ["5.example", "6.example", "7.example", "8.example"]);
    }

    #[test]
    fn bytes_with_which_one_signature_fits_many_messages_are_no_key() {
        let mut identity = [0; 32];
        identity[0] = 1;

        assert_eq!(usable_key(&identity).err(), Some(Refusal::NotAKey));
        assert_eq!(usable_key(&[2; 32]).err(), Some(Refusal::NotAKey));
        assert!(usable_key(key(1).verifying_key().as_bytes()).is_ok());
    }
}
