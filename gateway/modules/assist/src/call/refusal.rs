//! Why an act on a call was turned down. Nothing was changed.

use protocol::{
    PersonId,
    limits::{MAX_ASSIST_OPTIONS, MAX_TEXT_CHARS},
};

use super::MAX_OFFERED_PEOPLE;

/// The caller can act on it. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallRefusal {
    /// The event is about something else in the job's life.
    #[error("the event is not about a call for help")]
    NotAboutACall,
    /// There is no such call, or it is another one.
    #[error("there is no such call")]
    CallUnknown,
    /// The id is another call's.
    #[error("the call was opened already")]
    AlreadyOpened,
    /// The role has no word in this.
    #[error("this is not for that role to do")]
    RoleNotAllowed,
    /// Somebody was first.
    #[error("the call was taken by {by}")]
    AlreadyClaimed {
        /// Who.
        by: PersonId,
    },
    /// The call rings at others.
    #[error("the call does not ring here")]
    NotOfferedHere,
    /// Only who took the call may do this.
    #[error("only the operator who took the call may do this")]
    NotTheClaimer,
    /// The call is not where this can happen.
    #[error("the call is not in a phase that allows this")]
    WrongPhase,
    /// Nothing more can become of the call.
    #[error("the call is over")]
    CallOver,
    /// Somebody still has time to act.
    #[error("somebody still has time to act")]
    NotDueYet,
    /// The question was answered; the robot acts on the first answer.
    #[error("the question was answered already")]
    AlreadyAnswered,
    /// The question has no such option.
    #[error("the question has no such option")]
    OptionUnknown,
    /// No words, no camera, or an option that says nothing.
    #[error("the question, its camera or an option is empty")]
    QuestionEmpty,
    /// Longer than anybody reads while a robot waits.
    #[error(
        "a question has up to {MAX_TEXT_CHARS} characters, and its options and its camera fewer"
    )]
    QuestionTooLong,
    /// More than there are digit keys.
    #[error("the question has more than {MAX_ASSIST_OPTIONS} options")]
    TooManyOptions,
    /// More people than can be rung at once.
    #[error("the call is offered to more than {MAX_OFFERED_PEOPLE} people by name")]
    TooManyPeople,
}

impl CallRefusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAboutACall => "not_about_a_call",
            Self::CallUnknown => "call_unknown",
            Self::AlreadyOpened => "call_already_opened",
            Self::RoleNotAllowed => "role_not_allowed",
            Self::AlreadyClaimed { .. } => "already_claimed",
            Self::NotOfferedHere => "not_offered_here",
            Self::NotTheClaimer => "not_the_claimer",
            Self::WrongPhase => "wrong_phase",
            Self::CallOver => "call_over",
            Self::NotDueYet => "not_due_yet",
            Self::AlreadyAnswered => "already_answered",
            Self::OptionUnknown => "option_unknown",
            Self::QuestionEmpty => "question_empty",
            Self::QuestionTooLong => "question_too_long",
            Self::TooManyOptions => "too_many_options",
            Self::TooManyPeople => "too_many_people",
        }
    }
}
