//! Bearer secrets: `nt_<kind>_<32 random bytes>`. Shown once, kept as SHA-256, found by that hash.
//!
//! A look-up by hash leaks no timing of the secret: whoever guesses doesn't choose the hash's bytes.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What a secret opens. Part of its text, so that one kind never passes as another, and a leaked one can be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A sign-in link.
    Link,
    /// A browser's session.
    Session,
    /// A person's scripts.
    Api,
    /// A robot's agent.
    Robot,
}

impl SecretKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Link => "nt_link_",
            Self::Session => "nt_session_",
            Self::Api => "nt_api_",
            Self::Robot => "nt_robot_",
        }
    }
}

/// Random bytes in a secret: 256 bits can't be guessed, so the hash needs no salt and no stretching.
const SECRET_BYTES: usize = 32;

/// A secret that was just made. Can be shown, never printed by accident.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret with these random bytes.
    pub fn new(kind: SecretKind, random: &[u8; SECRET_BYTES]) -> Self {
        let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(random));
        Self(Zeroizing::new(format!(
            "{}{}",
            kind.prefix(),
            text.as_str()
        )))
    }

    /// The text, for the one who is to have it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret's text: what the tables hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of `text` if it has the form of a secret of this kind.
    pub fn of(kind: SecretKind, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(kind.prefix())?;
        let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?);
        (bytes.len() == SECRET_BYTES).then(|| hash(text))
    }

    /// The hash that a table keeps.
    #[cfg(feature = "store")]
    pub(crate) const fn kept(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretHash(…)")
    }
}

fn hash(text: &str) -> SecretHash {
    SecretHash(Sha256::digest(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [SecretKind; 4] = [
        SecretKind::Link,
        SecretKind::Session,
        SecretKind::Api,
        SecretKind::Robot,
    ];

    #[test]
    fn a_secret_is_recognised_as_its_own_kind_and_as_no_other() {
        for made in KINDS {
            let secret = Secret::new(made, &[7; 32]);
            for asked in KINDS {
                let found = SecretHash::of(asked, secret.expose());
                assert_eq!(found, (made == asked).then(|| secret.hash()));
            }
        }
    }

    #[test]
    fn text_that_is_no_secret_is_turned_away_unhashed() {
        let whole = Secret::new(SecretKind::Api, &[7; 32]);
        let whole = whole.expose();
        for text in [
            "",
            "nt_api_",
            "nt_api_AAAA",
            &whole[..whole.len() - 1],
            &format!("{whole}A"),
            &format!(" {whole}"),
        ] {
            assert_eq!(SecretHash::of(SecretKind::Api, text), None, "{text}");
        }
    }

    #[test]
    fn secrets_and_their_hashes_are_not_printed() {
        let secret = Secret::new(SecretKind::Robot, &[7; 32]);

        assert_eq!(
            format!("{secret:?} {:?}", secret.hash()),
            "Secret(…) SecretHash(…)"
        );
    }
}
