//! Who may steer: people's keys, the roster and grants, as the API shows them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    GrantId, OrganisationId, PersonId,
    grant::{GrantBounds, GrantedVerb, RobotTrust},
    roster::KeyTier,
    views::RoleGrant,
};

/// Whom a robot believes, in its own words of this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrustView {
    /// Whether it pinned a root key when it was enrolled. Without one it moves at nobody's wish.
    pub has_root: bool,
    /// The number of its roster; 0 for none.
    pub roster: u64,
    /// The number of its list of what is believed no more; 0 for none.
    pub revocations: u64,
    /// Whose commands it obeys; absent while nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<TrustedPageView>,
    /// What grant it last said no to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedGrantView>,
}

/// The page whose commands a robot obeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrustedPageView {
    /// Under which grant.
    pub grant: GrantId,
    /// Whose.
    pub person: PersonId,
    /// The page's key, hex.
    pub key: String,
    /// Under which epoch of control.
    pub epoch: u64,
}

/// A grant that a robot did not believe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefusedGrantView {
    /// Which, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The frozen code of why.
    pub code: String,
    /// In words.
    pub words: String,
}

impl From<&RobotTrust> for TrustView {
    fn from(trust: &RobotTrust) -> Self {
        Self {
            has_root: trust.root.is_some(),
            roster: trust.roster,
            revocations: trust.revocations,
            session: trust.session.map(|session| TrustedPageView {
                grant: session.grant,
                person: session.person,
                key: session.key.to_string(),
                epoch: session.epoch,
            }),
            refused: trust.refused.map(|refused| RefusedGrantView {
                grant: refused.grant,
                code: refused.reason.code().to_owned(),
                words: refused.reason.words().to_owned(),
            }),
        }
    }
}

/// Body of `POST /api/v1/session/person-keys`: offers a key for the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OfferPersonKey {
    /// Base64 of the [`crate::grant::PersonKeyProof`], sealed by the key.
    pub proof: String,
    /// The key (32 bytes), base64.
    pub public_key: String,
    /// How well it is kept.
    pub tier: KeyTier,
}

/// A person's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonKeyView {
    /// Its name: SHA-256 of it, hex. Its first 16 digits are what people compare.
    pub key: String,
    /// How well it is kept.
    pub tier: KeyTier,
    /// Whether it is on the latest roster.
    pub is_rostered: bool,
    /// Whether a demo put it there by itself.
    pub is_demo: bool,
    /// When it was offered.
    #[serde(with = "time::serde::rfc3339")]
    pub offered_at: OffsetDateTime,
}

/// A challenge for an authenticator, good for one answer within minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasskeyChallengeView {
    /// Its id, to be named in the answer.
    pub challenge: uuid::Uuid,
    /// For `navigator.credentials`, as `PublicKeyCredential.parse…OptionsFromJSON` reads it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub options: serde_json::Value,
}

/// Body of `POST /api/v1/session/passkeys`: what an authenticator made of the challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddPasskey {
    /// Which challenge it answers.
    pub challenge: uuid::Uuid,
    /// What its person calls it.
    pub name: String,
    /// The credential, as `PublicKeyCredential.toJSON` writes it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub credential: serde_json::Value,
}

/// Body of `POST /api/v1/session/passkey` and `…/passkey/proof`: what a passkey signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// Which challenge it answers.
    pub challenge: uuid::Uuid,
    /// The credential, as `PublicKeyCredential.toJSON` writes it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub credential: serde_json::Value,
}

/// A person's passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasskeyView {
    /// Its name: SHA-256 of its public key, hex. Its first 16 digits are what people compare.
    pub key: String,
    /// What its person calls it.
    pub name: String,
    /// What its authenticator knows it by, base64url.
    pub credential: String,
    /// The site that it is for.
    pub relying_party: String,
    /// Whether it is on the latest roster.
    pub is_rostered: bool,
    /// Whether a demo put it there by itself.
    pub is_demo: bool,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
    /// When somebody last signed in with it.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub used_at: Option<OffsetDateTime>,
}

/// The latest roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosterView {
    /// Whose.
    pub organisation: OrganisationId,
    /// Its number.
    pub number: u64,
    /// The root key that signed it (32 bytes), base64.
    pub root: String,
    /// As the root sealed it, base64.
    pub sealed: String,
    /// When it was signed.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// From then on it admits nobody.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// The people.
    pub people: Vec<RosteredPersonView>,
}

/// Somebody on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosteredPersonView {
    /// Who.
    pub person: PersonId,
    /// Their name, as the gateway knows it.
    pub name: String,
    /// What they may do, and where.
    pub roles: Vec<RoleGrant>,
    /// Their keys.
    pub keys: Vec<RosteredKeyView>,
}

/// A key on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RosteredKeyView {
    /// Its name: SHA-256 of it, hex.
    pub key: String,
    /// How well it is kept.
    pub tier: KeyTier,
    /// Whether a demo put it there by itself.
    pub is_demo: bool,
}

/// Body of `POST /api/v1/robots/{robot}/grants`: asks for leave to steer with a session key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantAsk {
    /// Under which epoch of control.
    pub epoch: u64,
    /// The session key (32 bytes), base64: what commands will be signed with.
    pub public_key: String,
    /// Base64 of a [`crate::event::SessionKeyProof`], sealed by the session key.
    pub proof: String,
    /// Your rostered key that will bind the grant, hex; absent to renew one that the robot believes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_by: Option<String>,
    /// No more than this is granted; a renewal asks for the same again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_more_than: Option<GrantBounds>,
}

/// A grant that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantView {
    /// Its id.
    pub grant: GrantId,
    /// As the policy key sealed it, base64. Show it to the robot with an assertion of your rostered key.
    pub sealed: String,
    /// The robot's nonce just now, hex: the assertion names it.
    pub nonce: String,
    /// Under which epoch of control.
    pub epoch: u64,
    /// What it allows.
    pub verbs: Vec<GrantedVerb>,
    /// Its end.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}
