//! Why an event may not happen. Codes are frozen.

/// Why a proposal of a person or of the cloud was turned down, or one that its author may never make. The job is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// There is no such job.
    #[error("there is no such job")]
    JobUnknown,
    /// The id is another job's, or this one's already.
    #[error("the job was asked for already")]
    JobExists,
    /// Nothing more can become of the job.
    #[error("the job is already over")]
    JobOver,
    /// The actor's role may never do this.
    #[error("this role may not do that")]
    RoleNotAllowed,
    /// A requester acts on their own jobs only.
    #[error("the job is another requester's")]
    NotYourJob,
    /// The job does not stand where this is possible.
    #[error("the job is not in a phase that allows this")]
    WrongPhase,
    /// It names a reservation that is not the present one.
    #[error("the reservation is not the present one")]
    StaleEpoch,
    /// Only a robot acts under a reservation.
    #[error("only a robot speaks under a reservation")]
    EpochOutOfPlace,
    /// The cloud's proposal is not the one that follows.
    #[error("the reservation's number or time does not follow")]
    OfferUnsound,
    /// The plan is not the template's.
    #[error("the plan does not follow from the request")]
    PlanMismatch,
    /// There is no such template, or not in this version.
    #[error("there is no such template in this version")]
    TemplateUnknown,
    /// An answer to something that the template does not ask.
    #[error("the request answers what the template does not ask")]
    ParameterUnknown,
    /// A parameter without an answer.
    #[error("the request leaves {0} out")]
    ParameterMissing(&'static str),
    /// A parameter with an answer of another kind.
    #[error("the request answers {0} with another kind of value")]
    ParameterMistyped(&'static str),
    /// A parameter with an answer that is not allowed.
    #[error("the request answers {0} with a value that is not allowed")]
    ParameterOutOfBounds(&'static str),
    /// It ends before it begins.
    #[error("the window ends before it begins")]
    WindowEmpty,
    /// It is over, or began an age ago.
    #[error("the window is over already, or began too long ago")]
    WindowPast,
    /// Nobody can promise that.
    #[error("the window is more than 14 days ahead")]
    WindowTooFar,
    /// The window is not open now.
    #[error("the window of the leave to enter is not open")]
    OutsideWindow,
    /// Not the plan that is in force.
    #[error("this is not the leave to enter that is in force")]
    AccessUnknown,
    /// The id of the plan that is in force.
    #[error("the leave to enter was granted already")]
    AccessRepeated,
    /// The robot is inside under a verified plan.
    #[error("the robot is inside under another leave; take that back first")]
    AccessInUse,
    /// Its words are too many, too few, or its secret is no reference.
    #[error("the place must be named, and a secret must be a reference (vault://…)")]
    AccessUnsound,
    /// The robot must find the way in open under new leave first.
    #[error("the robot needs new leave to enter first")]
    AccessNotVerified,
    /// Not the question that is open, or not the answer that was given.
    #[error("there is no such question")]
    ApprovalUnknown,
    /// The time for it is over.
    #[error("the time for this is over")]
    TooLate,
    /// Its time has not come.
    #[error("the time for this has not come")]
    NotDueYet,
    /// Not the call that is open.
    #[error("there is no such open call for help")]
    AssistUnknown,
    /// One call at a time.
    #[error("a call for help is open already")]
    AssistOpen,
    /// Too many words or options.
    #[error("the question is too long or has too many options")]
    AssistUnsound,
    /// Another operator has it.
    #[error("another operator has the call")]
    AssistTaken,
    /// It must be claimed, or started, first.
    #[error("the call must be taken up first")]
    AssistNotTaken,
    /// It was answered.
    #[error("the question was answered already")]
    AssistAnswered,
    /// There is no such option.
    #[error("the question has no such option")]
    OptionUnknown,
    /// Not one beat may be owed, or it is not overdue.
    #[error("the policy does not make the robot overdue")]
    PolicyUnsound,
    /// The robot did not say that it stands.
    #[error("the robot has not reported that it stands")]
    StopUnconfirmed,
    /// A person is to decide what becomes of it.
    #[error("an incident is open; it must be decided first")]
    IncidentOpen,
}

impl Refusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::JobUnknown => "job_unknown",
            Self::JobExists => "job_exists",
            Self::JobOver => "job_over",
            Self::RoleNotAllowed => "role_not_allowed",
            Self::NotYourJob => "not_your_job",
            Self::WrongPhase => "wrong_phase",
            Self::StaleEpoch => "stale_epoch",
            Self::EpochOutOfPlace => "epoch_out_of_place",
            Self::OfferUnsound => "offer_unsound",
            Self::PlanMismatch => "plan_mismatch",
            Self::TemplateUnknown => "template_unknown",
            Self::ParameterUnknown => "parameter_unknown",
            Self::ParameterMissing(_) => "parameter_missing",
            Self::ParameterMistyped(_) => "parameter_mistyped",
            Self::ParameterOutOfBounds(_) => "parameter_out_of_bounds",
            Self::WindowEmpty => "window_empty",
            Self::WindowPast => "window_past",
            Self::WindowTooFar => "window_too_far",
            Self::OutsideWindow => "outside_window",
            Self::AccessUnknown => "access_unknown",
            Self::AccessRepeated => "access_repeated",
            Self::AccessInUse => "access_in_use",
            Self::AccessUnsound => "access_unsound",
            Self::AccessNotVerified => "access_not_verified",
            Self::ApprovalUnknown => "approval_unknown",
            Self::TooLate => "too_late",
            Self::NotDueYet => "not_due_yet",
            Self::AssistUnknown => "assist_unknown",
            Self::AssistOpen => "assist_open",
            Self::AssistUnsound => "assist_unsound",
            Self::AssistTaken => "assist_taken",
            Self::AssistNotTaken => "assist_not_taken",
            Self::AssistAnswered => "assist_answered",
            Self::OptionUnknown => "option_unknown",
            Self::PolicyUnsound => "policy_unsound",
            Self::StopUnconfirmed => "stop_unconfirmed",
            Self::IncidentOpen => "incident_open",
        }
    }
}

/// Why what a robot says is recorded and moves nothing. It is a fact that the robot said so, hence no refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Inapplicable {
    /// Nothing more can become of the job.
    #[error("the job is already over")]
    Over,
    /// Another robot holds the job, or none.
    #[error("the robot does not hold the job")]
    NotTheHolder,
    /// It speaks under a reservation that is not the present one.
    #[error("the reservation is not the present one")]
    StaleEpoch,
    /// A robot must say under which reservation it speaks.
    #[error("the robot did not say under which reservation")]
    EpochMissing,
    /// The job does not stand where this is possible.
    #[error("the job is not in a phase that this fits")]
    WrongPhase,
    /// It came after its time.
    #[error("it came after its time")]
    TooLate,
    /// It is so already.
    #[error("it is so already")]
    NothingNew,
    /// Not the next step of the plan, or not the last one yet.
    #[error("it is out of the plan's order")]
    OutOfOrder,
    /// Too many words, options or pictures, or a span that is too short or too long.
    #[error("it is beyond the bounds")]
    OutOfBounds,
    /// Not the plan that is in force.
    #[error("this is not the leave to enter that is in force")]
    AccessUnknown,
    /// Nothing may be executed without.
    #[error("the leave to enter is not verified under this reservation")]
    AccessNotVerified,
    /// The plan's window is not open.
    #[error("the window of the leave to enter is not open")]
    OutsideWindow,
    /// A step that the requester has to allow, and has not.
    #[error("the requester did not allow this step")]
    NotApproved,
    /// One call at a time.
    #[error("a call for help is open already")]
    AssistOpen,
}

impl Inapplicable {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Over => "job_over",
            Self::NotTheHolder => "not_the_holder",
            Self::StaleEpoch => "stale_epoch",
            Self::EpochMissing => "epoch_missing",
            Self::WrongPhase => "wrong_phase",
            Self::TooLate => "too_late",
            Self::NothingNew => "nothing_new",
            Self::OutOfOrder => "out_of_order",
            Self::OutOfBounds => "out_of_bounds",
            Self::AccessUnknown => "access_unknown",
            Self::AccessNotVerified => "access_not_verified",
            Self::OutsideWindow => "outside_window",
            Self::NotApproved => "not_approved",
            Self::AssistOpen => "assist_open",
        }
    }
}
