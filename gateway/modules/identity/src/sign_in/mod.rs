//! How people prove who they are: sign-in links, browser sessions, tokens for scripts.

#[cfg(feature = "store")]
pub(crate) mod store;

use protocol::{PersonId, TokenId, sealed::KeyId, views::TokenView};
use time::{Duration, OffsetDateTime};

use crate::Person;

/// A session nobody used for so long is over: a shift has ended.
pub const SESSION_IDLE: Duration = Duration::hours(8);

/// No session lasts longer, however busy: the next shift signs in for itself.
pub const SESSION_LASTS: Duration = Duration::hours(24);

/// What gives or takes a way in asks that somebody showed who they are within this.
pub const PROOF_IS_FRESH: Duration = Duration::minutes(5);

/// How often a sign-in link works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkUses {
    /// So many times.
    Limited(u16),
    /// Until it expires. For demos only.
    Reusable,
}

/// A person behind a browser's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSignIn {
    /// Who.
    pub person: Person,
    /// When the session ends if it is used until then.
    pub expires_at: OffsetDateTime,
    /// When they last showed who they are: at the sign-in, or by a passkey since.
    pub proven_at: OffsetDateTime,
    /// The passkey that opened it; nothing for a link.
    pub passkey: Option<KeyId>,
}

impl SessionSignIn {
    /// Whether they showed who they are so lately that they may give or take ways in.
    pub fn is_fresh(&self, now: OffsetDateTime) -> bool {
        now - self.proven_at <= PROOF_IS_FRESH
    }
}

/// A key that a browser signs with while a sign-in lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// Its name.
    pub key: KeyId,
    /// The key.
    pub public_key: [u8; 32],
    /// Whose.
    pub person: PersonId,
    /// The hash of the sign-in's secret.
    pub session_hash: Vec<u8>,
    /// Nothing is believed under it from then on.
    pub expires_at: OffsetDateTime,
}

/// A person behind a script's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSignIn {
    /// Who.
    pub person: Person,
    /// Under which token.
    pub token: TokenId,
}

/// A person's token for scripts, by its public name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub token: TokenId,
    /// When it was made.
    pub issued_at: OffsetDateTime,
    /// When it was last used, to the minute.
    pub used_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            token: token.token,
            secret: None,
            issued_at: token.issued_at,
            revoked_at: token.revoked_at,
        }
    }
}
