//! Calls of robots for a person's help, in the words that cross a wire. The rules are in `assist`.

use serde::{Deserialize, Serialize};

/// What a robot wants to know of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssistQuestion {
    /// Why it asks. Frozen words.
    pub reason: AssistReason,
    /// In words: "How should I hold the mug?"
    pub words: String,
    /// What it proposes; the operator picks one. Empty when it only wants to be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The camera that shows it: "head". Empty where none does.
    pub camera: String,
}

/// Why help is wanted. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssistReason {
    /// It is not sure enough of what it is about to do.
    Unsure,
    /// It can't find a way.
    Blocked,
    /// Nothing is heard of it.
    Stalled,
    /// A person asked for it.
    Asked,
}

/// How a call ended. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssistEnding {
    /// The robot can go on.
    Resolved,
    /// The operator could not help.
    GivenUp,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssistPhase {
    /// Asked for; rings nowhere yet.
    Opened,
    /// Rings.
    Offered,
    /// Nobody took it in time; rings wider.
    Escalated,
    /// An operator took it.
    Claimed,
    /// The operator is helping.
    Active,
    /// Helped.
    Resolved,
    /// The operator could not help.
    GivenUp,
    /// Nobody took it at all, or the job ended first.
    Expired,
}

impl AssistPhase {
    /// Every phase, in the order of a call's life.
    pub const ALL: [Self; 8] = [
        Self::Opened,
        Self::Offered,
        Self::Escalated,
        Self::Claimed,
        Self::Active,
        Self::Resolved,
        Self::GivenUp,
        Self::Expired,
    ];

    /// The frozen word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Offered => "offered",
            Self::Escalated => "escalated",
            Self::Claimed => "claimed",
            Self::Active => "active",
            Self::Resolved => "resolved",
            Self::GivenUp => "given_up",
            Self::Expired => "expired",
        }
    }

    /// The phase of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.word() == word)
    }

    /// Whether nothing more can become of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::GivenUp | Self::Expired)
    }
}
