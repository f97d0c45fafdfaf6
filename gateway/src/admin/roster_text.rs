//! Rosters as text: the one line that is carried to where the root key is kept and back, and what people read before they sign.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use protocol::{
    UnixMicros, deterministic,
    roster::{KeyMark, MAX_ROSTER_BYTES, Roster, name_of},
    sealed::{self, KeyId, Kind, Unverified},
    views::RoleGrant,
};
use time::OffsetDateTime;

use super::{error::AdminError, robots::minute, table::table};

/// Means what comes on the standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// The largest roster as base64, twice: whatever line breaks a mail put into it.
const MAX_TEXT_BYTES: u64 = MAX_ROSTER_BYTES as u64 / 3 * 4 * 2;

/// What a line of base64 turned out to be.
#[derive(Debug)]
pub(super) enum Carried {
    /// A roster that nobody signed yet.
    Draft(Roster),
    /// One that is said to be signed.
    Sealed(Vec<u8>, Unverified<Roster>),
}

impl Carried {
    /// Reads it from a file or, for `-`, from the standard input.
    pub(super) fn read(path: &Path) -> Result<Self, AdminError> {
        Self::parse(&text_of(path)?)
    }

    /// Line breaks and spaces may have come into it on the way.
    fn parse(text: &str) -> Result<Self, AdminError> {
        let text: String = text.split_ascii_whitespace().collect();
        let bytes = BASE64_STANDARD
            .decode(text)
            .map_err(|_no_base64| unreadable("it is not the base64 that roster-draft prints"))?;
        if let Ok(read) = sealed::unverified(Kind::Roster, &bytes) {
            return Ok(Self::Sealed(bytes, read));
        }
        deterministic::from_slice(&bytes)
            .map(Self::Draft)
            .map_err(|_shape| unreadable("what the base64 holds is neither a draft nor signed"))
    }

    pub(super) const fn roster(&self) -> &Roster {
        match self {
            Self::Draft(roster) => roster,
            Self::Sealed(_, read) => &read.payload,
        }
    }

    /// Who signed it, in words; checked where the root is known.
    pub(super) fn signature(&self, root: Option<&VerifyingKey>) -> String {
        match (self, root) {
            (Self::Draft(_), _) => "not signed: a draft".to_owned(),
            (Self::Sealed(_, read), None) => format!(
                "says it is by {}; not checked, --root PUBLIC_KEY does",
                digits(read.key)
            ),
            (Self::Sealed(_, read), Some(root)) => match read.verify(root) {
                Ok(()) => format!("by {}, checked", digits(read.key)),
                Err(failure) => format!("NOT by {}: {failure}", digits(KeyId::of(root))),
            },
        }
    }
}

fn unreadable(why: &str) -> AdminError {
    AdminError::Unclear(format!("the roster can't be read: {why}"))
}

fn text_of(path: &Path) -> Result<String, AdminError> {
    let failed = |source| AdminError::File {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let read = if path == Path::new(STANDARD_INPUT) {
        let input = io::stdin().lock();
        input.take(MAX_TEXT_BYTES).read_to_string(&mut text)
    } else {
        let file = File::open(path).map_err(failed)?;
        file.take(MAX_TEXT_BYTES).read_to_string(&mut text)
    };
    read.map_err(failed)?;
    Ok(text)
}

/// One line that carries these bytes.
pub(super) fn line(bytes: &[u8]) -> String {
    format!("{}\n", BASE64_STANDARD.encode(bytes))
}

/// A public key as root-make prints it.
pub(super) fn public_key(typed: &str) -> Result<[u8; 32], AdminError> {
    BASE64_STANDARD
        .decode(typed.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            AdminError::Unclear(format!(
                "{typed:?} is no public key: root-make prints one, 32 bytes in base64"
            ))
        })
}

/// What people compare of a key's name: 16 digits, as the person sees them in their console.
pub(super) fn digits(key: KeyId) -> String {
    let groups: Vec<String> = key.0.chunks(2).take(4).map(hex::encode).collect();
    groups.join(" ")
}

/// How well a key is kept, and whether anybody looked who holds it.
pub(super) fn tier(key: KeyMark) -> String {
    let mark = if key.is_demo { " (demo)" } else { "" };
    format!("{}{mark}", key.tier.code())
}

/// Everything that a roster says. It names nobody: robots need no names, so whoever signs compares ids and digits with what
/// roster-draft showed beside the names.
pub(super) fn shown(roster: &Roster, signature: &str) -> String {
    let mut text = head(roster, signature);
    let rows = roster.people.iter().flat_map(|person| {
        let roles: Vec<String> = person.roles.iter().map(role).collect();
        person.marks().map(move |key| {
            [
                person.person.to_string(),
                roles.join(", "),
                tier(key),
                digits(key.key),
            ]
        })
    });
    text.push_str(&table(["PERSON", "ROLES", "TIER", "KEY"], rows));
    text
}

fn role(grant: &RoleGrant) -> String {
    match grant.site {
        None => grant.role.word().to_owned(),
        Some(site) => format!("{} at {site}", grant.role.word()),
    }
}

/// What a roster says of itself, line by line.
pub(super) fn head(roster: &Roster, signature: &str) -> String {
    let policy = (roster.policy_keys.iter()).map(|key| ("policy key", digits(name_of(&key.0))));
    let facts = [
        ("organisation", roster.organisation.to_string()),
        ("number", roster.number.to_string()),
        ("signature", signature.to_owned()),
        ("from", moment(roster.issued_at)),
        ("until", moment(roster.expires_at)),
    ];
    let mut text = String::new();
    let sites = (roster.relying_parties.iter()).map(|site| {
        let words = format!("{} at {}", site.id, site.origins.join(", "));
        ("passkeys of", words)
    });
    for (what, words) in facts.into_iter().chain(policy).chain(sites) {
        // Writing into a string can't fail.
        let _written = writeln!(text, "{what:<14}{words}");
    }
    text
}

/// A roster's moment, in UTC.
pub(super) fn moment(at: UnixMicros) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000).map_or_else(
        |_beyond| format!("{} microseconds since 1970", at.0),
        minute,
    )
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use protocol::{
        OrganisationId, PersonId,
        roster::{KeyTier, PolicyKey, RosteredKey, RosteredPerson},
        views::Role,
    };
    use uuid::Uuid;

    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn roster() -> Roster {
        Roster {
            relying_parties: Vec::new(),
            organisation: OrganisationId(Uuid::from_u128(1)),
            number: 3,
            issued_at: UnixMicros(1_767_254_400_000_000),
            expires_at: UnixMicros(i64::MAX),
            policy_keys: vec![PolicyKey(key(90).verifying_key().to_bytes())],
            people: vec![RosteredPerson {
                passkeys: Vec::new(),
                person: PersonId(Uuid::from_u128(2)),
                roles: vec![RoleGrant {
                    role: Role::Operator,
                    site: None,
                }],
                keys: vec![RosteredKey {
                    public_key: key(1).verifying_key().to_bytes(),
                    tier: KeyTier::Browser,
                    is_demo: true,
                }],
            }],
        }
    }

    #[test]
    fn a_roster_survives_the_way_there_and_back_in_a_mail() {
        let draft = line(&deterministic::to_vec(&roster()).unwrap());
        let sealed = line(&sealed::seal(Kind::Roster, &roster(), &key(100)).unwrap());
        let wrapped = sealed.replace('A', "A\r\n  ");
        let root = key(100).verifying_key();

        let draft = Carried::parse(&draft).unwrap();
        let sealed = Carried::parse(&wrapped).unwrap();

        assert_eq!(draft.roster(), &roster());
        assert_eq!(sealed.roster(), &roster());
        assert!(draft.signature(Some(&root)).starts_with("not signed"));
        assert!(sealed.signature(None).contains("not checked"));
        assert!(sealed.signature(Some(&root)).ends_with(", checked"));
        let other = key(101).verifying_key();
        assert!(sealed.signature(Some(&other)).starts_with("NOT by"));
        assert!(Carried::parse("?").is_err());
        assert!(Carried::parse(&line(b"roster")).is_err());
    }

    #[test]
    fn everything_that_a_roster_says_is_shown() {
        let text = shown(&roster(), "not signed");

        let policy = digits(KeyId::of(&key(90).verifying_key()));
        let hers = digits(KeyId::of(&key(1).verifying_key()));
        assert_eq!(hers.len(), 19);
        for words in [
            "organisation  00000000-0000-0000-0000-000000000001",
            "number        3",
            "signature     not signed",
            "from          2026-01-01 08:00Z",
            "until         9223372036854775807 microseconds since 1970",
            &format!("policy key    {policy}"),
            "00000000-0000-0000-0000-000000000002  operator  browser (demo)",
            &hers,
        ] {
            assert!(text.contains(words), "{words:?} is not in\n{text}");
        }
    }
}
