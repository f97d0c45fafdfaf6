//! Passkeys: what a person's authenticator signs where it binds a grant, and how a robot checks that by itself.
//!
//! An assertion is that of W3C Web Authentication, Level 3, §7.2. Who checks one needs the feature `passkeys`; the console, which
//! only carries them, is built without it.

use serde::{Deserialize, Serialize};

use crate::{grant::Binding, roster::RelyingParty, sealed::KeyId};

#[cfg(feature = "passkeys")]
mod check;
#[cfg(test)]
#[cfg(feature = "passkeys")]
mod tests;

/// What browsers write of an assertion is under 300 bytes; the rest is for keys of it that nobody knows yet.
pub const MAX_CLIENT_DATA_BYTES: usize = 2_048;

/// Thirty-seven bytes, and what extensions an authenticator adds unasked.
pub const MAX_AUTHENTICATOR_DATA_BYTES: usize = 1_024;

/// Two numbers of 32 bytes in DER.
pub const MAX_SIGNATURE_BYTES: usize = 72;

/// The longest name that a credential may have (`WebAuthn` §4).
pub const MAX_CREDENTIAL_ID_BYTES: usize = 1_023;

/// Bytes of a point on P-256: whether y is odd, and x (SEC 1 §2.3.3).
pub const POINT_BYTES: usize = 33;

/// Bytes of the challenge of a sign-in. A page that is given another length to sign, signs nothing.
pub const SIGN_IN_CHALLENGE_BYTES: usize = 32;

/// Stands before what binds a grant, so that no challenge of a sign-in, which the gateway chooses, is ever one that a robot takes.
const BINDS: &[u8] = b"nooterra binds a grant\0";

/// The challenge that a passkey signs to bind a grant: [`Binding::challenge`] under a mark of its own.
pub fn binding_challenge(challenge: &[u8; 32]) -> Vec<u8> {
    [BINDS, challenge].concat()
}

/// What a passkey signed to bind a grant, as an authenticator gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PasskeyAssertion {
    /// The passkey's name: SHA-256 of its public key, hex.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: KeyId,
    /// `authenticatorData`, base64.
    pub authenticator_data: String,
    /// `clientDataJSON`, base64.
    pub client_data: String,
    /// The signature over both, base64 of DER.
    pub signature: String,
}

/// Why an assertion binds nothing. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFlaw {
    /// Not base64, longer than any, cut short, not JSON, or JSON in a form that no browser writes.
    #[error("what the passkey signed can't be read")]
    Unreadable,
    /// Made for something else than showing that a passkey is there.
    #[error("the passkey signed for something else")]
    AnotherType,
    /// Another grant, page, robot or nonce, or no grant at all but a sign-in.
    #[error("the passkey signed another challenge")]
    AnotherChallenge,
    /// On a page of another site, or within another's page.
    #[error("the passkey was used on a page of another site")]
    AnotherOrigin,
    /// The authenticator made it for another site.
    #[error("the passkey signed for another site")]
    AnotherRelyingParty,
    /// Nobody touched the authenticator.
    #[error("nobody was at the authenticator")]
    NobodyPresent,
    /// It did not look who it was.
    #[error("the authenticator did not look who used it")]
    Unverified,
    /// By another key, or altered since.
    #[error("it was not signed by this passkey")]
    BadSignature,
}

impl AssertionFlaw {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Unreadable,
        Self::AnotherType,
        Self::AnotherChallenge,
        Self::AnotherOrigin,
        Self::AnotherRelyingParty,
        Self::NobodyPresent,
        Self::Unverified,
        Self::BadSignature,
    ];

    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::AnotherType => "another_type",
            Self::AnotherChallenge => "another_challenge",
            Self::AnotherOrigin => "another_origin",
            Self::AnotherRelyingParty => "another_relying_party",
            Self::NobodyPresent => "nobody_present",
            Self::Unverified => "unverified",
            Self::BadSignature => "bad_signature",
        }
    }
}

/// Who has to have signed what, and where.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'facts> {
    /// The passkey: a compressed point on P-256.
    pub public_key: &'facts [u8; POINT_BYTES],
    /// The site that it is for.
    pub relying_party: &'facts RelyingParty,
    /// What binds the grant.
    pub binding: &'facts Binding<'facts>,
}
