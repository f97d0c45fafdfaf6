//! What the API shows: JSON for people and scripts, never what is signed.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    CommandId, OrganisationId, PersonId, RobotId, SiteId, TokenId,
    command::{Fate, Verb},
    console_socket::Link,
    robot::{Advert, Telemetry},
};

mod receipt;
mod trust;
mod work;

pub use receipt::*;
pub use trust::*;
pub use work::*;

/// What a person may do. Roles add up; each is given for one site or for the whole organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Watches and helps robots.
    Operator,
    /// An operator who runs a shift: may also take control of a robot from another.
    Supervisor,
    /// Books work.
    Requester,
    /// Supplies robots.
    Owner,
    /// Enrols robots, grants roles, sees the events.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Operator,
        Self::Supervisor,
        Self::Requester,
        Self::Owner,
        Self::Admin,
    ];

    /// The frozen word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Requester => "requester",
            Self::Owner => "owner",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A role and where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// The site, or absent for every site of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// The person's organisation.
    pub organisation: OrganisationId,
    /// The organisation's name.
    pub organisation_name: String,
    /// What the person may do.
    pub roles: Vec<RoleGrant>,
    /// When the sign-in ends.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Whether this is a demo installation, where people sign in by link.
    pub is_demo: bool,
    /// The passkey that opened the sign-in, by its name; absent for a link or a bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<String>,
}

/// Body of `POST /api/v1/session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// The secret from a sign-in link.
    pub link: String,
}

/// Whether a robot is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Presence {
    /// Connected and talking.
    Online {
        /// Since when.
        #[serde(with = "time::serde::rfc3339")]
        since: OffsetDateTime,
    },
    /// Not connected.
    Offline {
        /// Since when; absent when it was never seen.
        #[serde(with = "time::serde::rfc3339::option")]
        since: Option<OffsetDateTime>,
    },
}

/// A robot as the console and the API show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RobotView {
    /// Its id.
    pub robot: RobotId,
    /// The name that people gave it.
    pub name: String,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Its site.
    pub site: SiteId,
    /// The site's name.
    pub site_name: String,
    /// Whether it is there.
    pub presence: Presence,
    /// What it is and can; absent until it first connected to this gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advert: Option<Advert>,
    /// Its latest state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// Its link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Whom it trusts, in its own words; absent until it said so in its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustView>,
}

/// A command and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandView {
    /// Its id.
    pub command: CommandId,
    /// To whom.
    pub robot: RobotId,
    /// What.
    #[serde(flatten)]
    pub verb: Verb,
    /// Who asked.
    pub issued_by: PersonId,
    /// Their name.
    pub issued_by_name: String,
    /// When it was recorded.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// Where it stands.
    #[serde(flatten)]
    pub fate: Fate,
    /// When the robot first answered.
    #[serde(with = "time::serde::rfc3339::option")]
    pub answered_at: Option<OffsetDateTime>,
    /// When it was over.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
}

/// What became of a stop of a whole site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SiteStopView {
    /// The stops that are recorded and sent.
    pub stopped: Vec<CommandView>,
    /// Robots of the site that could not be told.
    pub not_reached: Vec<NotReachedView>,
}

/// A robot that could not be told to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotReachedView {
    /// Its id.
    pub robot: RobotId,
    /// Its name.
    pub name: String,
    /// Frozen code: why not.
    pub code: String,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Give this as `cursor` to get the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A recorded event, opened for reading. The bytes that count are in `entry`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// Position for `Last-Event-ID` and `cursor`.
    pub position: String,
    /// "robot/0190…".
    pub stream: String,
    /// Its place in the stream, from 1.
    pub stream_number: u64,
    /// "command.issued".
    pub kind: String,
    /// Key that the actor signed with, hex.
    pub actor_key: String,
    /// When the gateway recorded it.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// What happened, as JSON.
    pub payload: serde_json::Value,
    /// Hash of the entry, hex: what the next entry of the stream names as its predecessor.
    pub entry_hash: String,
    /// The signed entry (`COSE_Sign1`), base64.
    pub entry: String,
}

/// The keys that the log's checkpoints and entries are checked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogKeysView {
    /// The log's name: the first line of its checkpoints.
    pub origin: String,
    /// The log's key as signed notes have it, `name+id+key`.
    pub log: String,
    /// The public key (32 bytes) that entries are signed with, base64.
    pub gateway: String,
    /// Its id, hex.
    pub gateway_id: String,
}

/// Proof that a later state of the log begins with an earlier one (RFC 9162, section 2.1.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsistencyView {
    /// Events of the earlier state.
    pub from: u64,
    /// Events of the later state.
    pub to: u64,
    /// Hashes (32 bytes each), base64.
    pub hashes: Vec<String>,
}

/// A problem as RFC 9457 has it, with a frozen `code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `https://nooterra.dev/problems/<code>`; a name, not an address to fetch.
    #[serde(rename = "type")]
    pub kind: String,
    /// In few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Frozen; what scripts decide on.
    pub code: String,
    /// For people; may change.
    pub detail: String,
}

/// Something that does not work as it should, and what that means for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Degradation {
    /// "redis", "postgres", "log".
    pub part: String,
    /// What is lost and what still works, in one line.
    pub words: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// Body of `POST /api/v1/robots/enrolment`, under a robot's bearer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// Base64 of the [`crate::event::EnrolmentProof`], sealed by the robot's own key.
    pub proof: String,
    /// The robot's public key (32 bytes), base64.
    pub public_key: String,
}

/// Answer to an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolmentView {
    /// Which robot the token is for.
    pub robot: RobotId,
    /// Its name.
    pub name: String,
    /// The gateway's public key (32 bytes), base64.
    pub gateway_key: String,
    /// Whose robot it is.
    pub organisation: OrganisationId,
    /// Where it works.
    pub site: SiteId,
    /// The organisation's root key (32 bytes), base64, as the gateway knows it; absent where none was named. An agent that was
    /// told the key pins what it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// A robot's token by its public name; the secret is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    /// Its id.
    pub token: TokenId,
    /// The secret, only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
}
