//! Robots on a site's roster, and the tokens that their agents show.

#[cfg(feature = "store")]
pub(crate) mod store;

use protocol::{OrganisationId, RobotId, SiteId, TokenId, sealed::KeyId, views::TokenView};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

/// A robot on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robot {
    /// Its id.
    pub robot: RobotId,
    /// The name that people gave it; no other robot of the organisation has it.
    pub name: String,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Its site.
    pub site: SiteId,
    /// The site's name.
    pub site_name: String,
    /// The key that it signs with; absent until its agent enrolled.
    pub public_key: Option<[u8; 32]>,
    /// When it was last connected, as far as that was noted.
    pub seen_at: Option<OffsetDateTime>,
}

impl Robot {
    /// The name of its key.
    pub fn key_id(&self) -> Option<KeyId> {
        self.public_key.as_ref().map(key_id)
    }
}

/// The name of a key of which only the bytes are known.
pub(crate) fn key_id(public_key: &[u8; 32]) -> KeyId {
    KeyId(Sha256::digest(public_key).into())
}

/// A robot behind a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RobotSignIn {
    /// Which robot.
    pub robot: Robot,
    /// Under which token.
    pub token: TokenId,
}

/// A robot's token, by its public name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RobotToken {
    /// Its id.
    pub token: TokenId,
    /// When it was made.
    pub issued_at: OffsetDateTime,
    /// When it was last used, to the minute.
    pub used_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

impl From<RobotToken> for TokenView {
    fn from(token: RobotToken) -> Self {
        Self {
            token: token.token,
            secret: None,
            issued_at: token.issued_at,
            revoked_at: token.revoked_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    #[test]
    fn a_key_is_named_as_its_envelopes_name_it() {
        let key = SigningKey::from_bytes(&[5; 32]).verifying_key();

        assert_eq!(key_id(key.as_bytes()), KeyId::of(&key));
    }
}
