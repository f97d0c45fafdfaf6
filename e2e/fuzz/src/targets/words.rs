//! Short texts in addresses and headers, and the first bytes of pictures: what is read is written as the same.

use gateway::http::fuzzed::is_own_origin;
use identity::{Secret, SecretHash, SecretKind};
use protocol::{CommandId, case::CaseKind, job::PhaseName, roster::KeyTier, views::Role};
use spine::Position;
use trust::{CaseCursor, PictureType};

use crate::{Seed, Target};

pub(crate) const TARGET: Target = Target {
    name: "words",
    run,
    seeds,
    longest: 256,
};

fn run(data: &[u8]) -> bool {
    let picture = PictureType::of_content(data);
    if let Some(kind) = picture {
        assert_eq!(PictureType::parse(kind.word()), Some(kind));
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return picture.is_some();
    };
    let position = text.parse::<Position>().ok();
    if let Some(position) = position {
        assert_eq!(position.to_string(), text);
    }
    let cursor = text.parse::<CaseCursor>().ok();
    if let Some(cursor) = cursor {
        assert_eq!(cursor.to_string().parse::<CaseCursor>().ok(), Some(cursor));
    }
    let id = text.parse::<CommandId>().ok();
    if let Some(id) = id {
        assert_eq!(id.to_string().parse::<CommandId>().ok(), Some(id));
    }
    let is_known = picture.is_some() || position.is_some() || cursor.is_some() || id.is_some();
    is_known | is_secret(text) | is_code(text) | is_own_origin(data)
}

/// Of one kind at most, and never as short as to be guessed.
fn is_secret(text: &str) -> bool {
    let kinds = [
        SecretKind::Link,
        SecretKind::Session,
        SecretKind::Api,
        SecretKind::Robot,
    ];
    let found = kinds
        .iter()
        .filter(|kind| SecretHash::of(**kind, text).is_some());
    let count = found.count();
    assert!(count <= 1 && (count == 0 || text.len() >= 43));
    count == 1
}

fn is_code(text: &str) -> bool {
    let tier = KeyTier::parse(text);
    assert!(tier.is_none_or(|tier| tier.code() == text));
    tier.is_some()
        || Role::parse(text).is_some()
        || PhaseName::parse(text).is_some()
        || CaseKind::parse(text).is_some()
}

fn seeds() -> Vec<Seed> {
    let robot = Secret::new(SecretKind::Robot, &[7; 32]);
    let link = Secret::new(SecretKind::Link, &[8; 32]);
    let texts: [(&str, &[u8]); 13] = [
        ("position", b"7-9"),
        (
            "highest position",
            b"18446744073709551615-9223372036854775807",
        ),
        (
            "cursor",
            b"-3_1700000000000000_00000000-0000-0000-0000-000000000003",
        ),
        ("id", b"00000000-0000-0000-0000-000000000007"),
        ("id in braces", b"{00000000-0000-0000-0000-000000000007}"),
        ("robot token", robot.expose().as_bytes()),
        ("link", link.expose().as_bytes()),
        ("tier", b"passkey"),
        ("role", b"supervisor"),
        ("jpeg", b"\xff\xd8\xff\xe0"),
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("webp", b"RIFF\x10\0\0\0WEBPVP8 "),
        ("origin", b"https://fleet.example:8443"),
    ];
    texts.map(|(name, bytes)| Seed::new(name, bytes)).into()
}
