//! Why a complaint, or an act on a case, was turned down. Nothing was changed.

use protocol::limits::{MAX_CASE_PICTURES, MAX_PICTURE_BYTES, MAX_TEXT_CHARS};

use crate::machine::{MAX_FROZEN_FILES, OPERATOR_RULES_UP_TO};

/// The caller can act on it. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such case.
    #[error("there is no such case")]
    CaseUnknown,
    /// The id is another case's.
    #[error("the case was opened already")]
    AlreadyOpened,
    /// The event names a case that is not its stream's.
    #[error("the event names another case than its stream does")]
    WrongCase,
    /// The role has no word in this.
    #[error("this is not for that role to do")]
    RoleNotAllowed,
    /// Only who filed it may do this.
    #[error("only the requester whose case it is may do this")]
    NotTheRequester,
    /// Who complains does not judge the complaint, whatever their roles.
    #[error("nobody judges a complaint of their own")]
    OwnCase,
    /// The case is not where this can happen.
    #[error("the case is not in a phase that allows this")]
    WrongPhase,
    /// Nothing more can become of the case.
    #[error("the case is over")]
    CaseOver,
    /// It takes an admin.
    #[error(
        "an operator rules up to severity {OPERATOR_RULES_UP_TO}; beyond that it takes an admin"
    )]
    TooGraveForOperator,
    /// Severity goes from 1 to 5.
    #[error("the severity is not from 1 to 5")]
    SeverityOutOfRange,
    /// The job's record is empty.
    #[error("there is no entry to freeze")]
    NothingFrozen,
    /// More files than a plan can name.
    #[error("more than {MAX_FROZEN_FILES} files")]
    TooManyFiles,
    /// The job goes on; it has other ways to say that something is wrong.
    #[error("the job is not over yet")]
    JobNotOver,
    /// Somebody else asked for the job.
    #[error("only who asked for the job may complain about it")]
    NotYourJob,
    /// A complaint or a reason of no words.
    #[error("the words are missing")]
    WordsEmpty,
    /// Longer than anybody reads.
    #[error("the words are longer than {MAX_TEXT_CHARS} characters")]
    WordsTooLong,
    /// Words with characters that can't be shown or kept.
    #[error("the words have characters that can't be shown")]
    WordsUnprintable,
    /// The event was signed over other words.
    #[error("the words are not those that the event was signed over")]
    WordsDoNotMatch,
    /// More pictures than are looked at.
    #[error("more than {MAX_CASE_PICTURES} pictures")]
    TooManyPictures,
    /// One name for two pictures.
    #[error("two pictures have the same name")]
    PictureRepeated,
    /// Only these media types are shown in a browser, and nothing that could hold a script.
    #[error("a picture is neither image/jpeg nor image/png nor image/webp")]
    MediaTypeUnknown,
    /// The content says otherwise than its media type.
    #[error("a picture is not of the media type that it claims")]
    PictureNotItsType,
    /// A picture larger than a good photograph.
    #[error("a picture is larger than {} KiB", MAX_PICTURE_BYTES / 1024)]
    PictureTooLarge,
    /// The event names other pictures than those that came.
    #[error("the pictures are not those that the event names")]
    PicturesDoNotMatch,
}

impl Refusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CaseUnknown => "case_unknown",
            Self::AlreadyOpened => "case_already_opened",
            Self::WrongCase => "wrong_case",
            Self::RoleNotAllowed => "role_not_allowed",
            Self::NotTheRequester => "not_the_requester",
            Self::OwnCase => "own_case",
            Self::WrongPhase => "wrong_phase",
            Self::CaseOver => "case_over",
            Self::TooGraveForOperator => "too_grave_for_operator",
            Self::SeverityOutOfRange => "severity_out_of_range",
            Self::NothingFrozen => "nothing_frozen",
            Self::TooManyFiles => "too_many_files",
            Self::JobNotOver => "job_not_over",
            Self::NotYourJob => "not_your_job",
            Self::WordsEmpty => "words_empty",
            Self::WordsTooLong => "words_too_long",
            Self::WordsUnprintable => "words_unprintable",
            Self::WordsDoNotMatch => "words_do_not_match",
            Self::TooManyPictures => "too_many_pictures",
            Self::PictureRepeated => "picture_repeated",
            Self::MediaTypeUnknown => "media_type_unknown",
            Self::PictureNotItsType => "picture_not_its_type",
            Self::PictureTooLarge => "picture_too_large",
            Self::PicturesDoNotMatch => "pictures_do_not_match",
        }
    }
}
