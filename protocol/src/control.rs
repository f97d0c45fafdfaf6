//! Who steers a robot: one person at a time, under an epoch that only rises. The rules are in `assist`; these are the words.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{PersonId, RobotId, sealed::KeyId, views::Role};

/// Something happened to who steers a robot. Recorded in the robot's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind")]
pub enum ControlEvent {
    /// An operator takes a robot that nobody steers.
    #[serde(rename = "control.claimed")]
    Claimed {},
    /// An operator asks who steers the robot to hand it over.
    #[serde(rename = "control.requested")]
    Requested {
        /// Why, in words; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        words: String,
    },
    /// Who asked does not want it any more.
    #[serde(rename = "control.withdrawn")]
    Withdrawn {},
    /// Who steers keeps the robot.
    #[serde(rename = "control.declined")]
    Declined {
        /// To whom it says no. Somebody else may have asked meanwhile.
        to: PersonId,
        /// Why, in words; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        words: String,
    },
    /// Who steers gives the robot to who asked for it.
    #[serde(rename = "control.handed_over")]
    HandedOver {
        /// To whom. Somebody else may have asked meanwhile.
        to: PersonId,
        /// What the other should know; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// A supervisor takes the robot from who steers it.
    #[serde(rename = "control.taken_over")]
    TakenOver {
        /// Under which epoch it was steered when they decided that. It may have passed on meanwhile.
        epoch: u64,
        /// Why, in words. Goes in the log.
        reason: String,
    },
    /// Who steers lets go: the robot is on its own again.
    #[serde(rename = "control.released")]
    Released {},
    /// From here on this person steers, under this epoch, and nobody under an older one. Said by the cloud, with the event that
    /// led to it.
    #[serde(rename = "control.granted")]
    Granted {
        /// Higher than every one before it for this robot.
        epoch: u64,
        /// Who.
        person: PersonId,
        /// The key of the page that they steer from; absent for scripts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        key: Option<KeyId>,
    },
    /// Nobody steers any more, without a word of who did.
    #[serde(rename = "control.ended")]
    Ended {
        /// Which epoch is over.
        epoch: u64,
        /// Why.
        cause: ControlEnding,
    },
}

impl ControlEvent {
    /// The frozen name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Claimed {} => "control.claimed",
            Self::Requested { .. } => "control.requested",
            Self::Withdrawn {} => "control.withdrawn",
            Self::Declined { .. } => "control.declined",
            Self::HandedOver { .. } => "control.handed_over",
            Self::TakenOver { .. } => "control.taken_over",
            Self::Released {} => "control.released",
            Self::Granted { .. } => "control.granted",
            Self::Ended { .. } => "control.ended",
        }
    }
}

/// Why somebody steers no more who did not let go. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ControlEnding {
    /// Their page was not heard any more, or nobody sat before it.
    Absent,
    /// Their sign-in ended.
    SignedOut,
    /// They lost the right to steer robots there.
    RightLost,
}

/// What last happened to who steers a robot. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ControlTurn {
    /// Somebody took it; nobody had it.
    Claimed,
    /// Who had it gave it to who asked.
    HandedOver,
    /// A supervisor took it.
    TakenOver,
    /// Who had it let go.
    Released,
    /// Who has it said no to who asked.
    Declined,
    /// Who had it was not heard any more.
    Absent,
    /// Who had it signed out.
    SignedOut,
    /// Who had it lost the right.
    RightLost,
}

impl ControlTurn {
    /// Every one of them.
    pub const ALL: [Self; 8] = [
        Self::Claimed,
        Self::HandedOver,
        Self::TakenOver,
        Self::Released,
        Self::Declined,
        Self::Absent,
        Self::SignedOut,
        Self::RightLost,
    ];

    /// The frozen word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::HandedOver => "handed_over",
            Self::TakenOver => "taken_over",
            Self::Released => "released",
            Self::Declined => "declined",
            Self::Absent => "absent",
            Self::SignedOut => "signed_out",
            Self::RightLost => "right_lost",
        }
    }

    /// The turn of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|turn| turn.word() == word)
    }
}

/// Who steers a robot, as consoles and the API show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControlView {
    /// Which robot.
    pub robot: RobotId,
    /// The latest epoch; 0 before the first.
    pub epoch: u64,
    /// Who steers it; absent while nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<ControlHolderView>,
    /// Who asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<ControlRequestView>,
    /// What last happened; absent before anything did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<ControlTurnView>,
    /// Count of changes: the higher one is the newer.
    pub version: u64,
}

/// Who steers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControlHolderView {
    /// The person.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// The key of the page that they steer from, hex; absent for scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// Who asks to steer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControlRequestView {
    /// The person.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// The key of the page that they ask from, hex; absent for scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why, in words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Unanswered at this moment, it is over.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
}

/// What last happened, and who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControlTurnView {
    /// What.
    pub turn: ControlTurn,
    /// Who did it, or who was steering when it ended by itself.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// The note, the reason or the answer; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Body of `POST /api/v1/robots/{robot}/control/events`: the event, either sealed by the caller's session key or, for
/// scripts, to be recorded on their behalf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ControlAct {
    /// For callers without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<ControlEvent>,
    /// The sealed event, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// In which role, for callers without a key; the first that they hold there when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_as: Option<Role>,
}

/// Body of `PUT /api/v1/robots/{robot}/control/presence`: who steers is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ControlPresence {
    /// Under which epoch they steer.
    pub epoch: u64,
}

/// What a robot is told of who steers it. It believes a higher epoch over a lower one, whoever says so, and never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlNotice {
    /// The latest epoch.
    pub epoch: u64,
    /// Until when somebody steers under it; absent once that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<ControlSpan>,
    /// Whether it is over because who steered let go: then the robot goes on with its own business, whatever they had done.
    #[serde(default)]
    pub is_let_go: bool,
}

/// How long a robot may be steered, by its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlSpan {
    /// The latest tick of the robot's clock that the gateway had seen: a notice that was long under way is worth less.
    pub seen_tick_ms: u64,
    /// How long from that tick on, milliseconds, at most [`crate::limits::CONTROL_LASTS_MS`].
    pub lasts_ms: u32,
}
