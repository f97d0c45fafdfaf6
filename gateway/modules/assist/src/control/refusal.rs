//! Why an act about who steers was turned down. Nothing was changed.

use protocol::{PersonId, limits::MAX_NOTE_CHARS};

/// The caller can act on it. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ControlRefusal {
    /// The role has no word in this.
    #[error("this is not for that role to do")]
    RoleNotAllowed,
    /// Somebody else steers the robot.
    #[error("{by} has control; ask for it")]
    HeldByAnother {
        /// Who.
        by: PersonId,
    },
    /// They steer it already.
    #[error("you have control already")]
    AlreadyYours,
    /// Nobody steers it: there is nobody to ask, and nothing to take over.
    #[error("nobody has control; take it")]
    NobodyHasControl,
    /// Only who steers may do this.
    #[error("you don't have control of this robot")]
    NotInControl,
    /// They steered under an epoch that is over.
    #[error("control passed on since; look who has it now")]
    EpochOver,
    /// Somebody else asked first and waits for the answer.
    #[error("{by} has asked and waits for the answer")]
    AskedAlready {
        /// Who.
        by: PersonId,
    },
    /// Nobody asks, or somebody else by now.
    #[error("nobody asks for control, or the question is too old")]
    NobodyAsks,
    /// The words are too long.
    #[error("at most {MAX_NOTE_CHARS} characters")]
    WordsTooLong,
    /// A take-over without a reason.
    #[error("say why you take over")]
    ReasonMissing,
    /// Who steers still has time to show that they are there.
    #[error("who has control still has time")]
    NotDueYet,
}

impl ControlRefusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RoleNotAllowed => "role_not_allowed",
            Self::HeldByAnother { .. } => "control_held",
            Self::AlreadyYours => "control_already_yours",
            Self::NobodyHasControl => "nobody_in_control",
            Self::NotInControl => "not_in_control",
            Self::EpochOver => "stale_epoch",
            Self::AskedAlready { .. } => "control_asked_already",
            Self::NobodyAsks => "nobody_asks",
            Self::WordsTooLong => "words_too_long",
            Self::ReasonMissing => "reason_missing",
            Self::NotDueYet => "not_due_yet",
        }
    }
}
