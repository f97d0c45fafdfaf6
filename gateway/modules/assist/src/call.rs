//! A robot's call for a person's help: what it asks, who took it and until when somebody must act.

use protocol::{
    AssistId, JobId, PersonId, RobotId, UnixMicros,
    assist::{AssistPhase, AssistQuestion},
    views::Role,
};

mod event;
mod machine;
mod question;
mod refusal;
#[cfg(feature = "store")]
pub(crate) mod store;

pub use event::call_of;
pub use machine::{
    CallDeadline, ESCALATE_AFTER_US, EXPIRE_AFTER_US, MAX_OFFERED_PEOPLE, START_WITHIN_US,
    apply_call, call_due, decide_call, end_with_job, lapse_call,
};
pub use refusal::CallRefusal;

/// A call as it stands after the events so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub assist: AssistId,
    /// For which job.
    pub job: JobId,
    /// The robot that holds the job.
    pub robot: RobotId,
    /// Who wants help.
    pub caller: Caller,
    /// What is asked.
    pub question: AssistQuestion,
    /// Where it stands.
    pub phase: AssistPhase,
    /// When help was asked for.
    pub requested_at: UnixMicros,
    /// Untaken at this moment, it rings wider.
    pub escalate_at: UnixMicros,
    /// Untaken at this moment, it is over.
    pub expire_at: UnixMicros,
    /// Who alone may take it; anybody eligible when empty.
    pub offered_to: Vec<PersonId>,
    /// Who took it.
    pub operator: Option<PersonId>,
    /// When they did. Without a start soon after, it rings again.
    pub claimed_at: Option<UnixMicros>,
    /// What they answered: a place in the question's list, from 0.
    pub option: Option<u32>,
    /// When it was over.
    pub ended_at: Option<UnixMicros>,
    /// Count of events applied.
    pub version: u64,
}

/// Who asked for a person's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The robot itself.
    Robot,
    /// The gateway, for a robot of which nothing is heard.
    Cloud,
}

/// Who proposes something about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallActor {
    /// Somebody who watches and helps robots.
    Operator(PersonId),
    /// Somebody who runs the organisation.
    Admin(PersonId),
    /// The robot that holds the job.
    Robot(RobotId),
    /// The gateway, for itself.
    Cloud,
    /// Anybody else: they have no word in a call.
    Other,
}

impl CallActor {
    /// A person in one of their roles.
    pub const fn of(role: Role, person: PersonId) -> Self {
        match role {
            Role::Operator | Role::Supervisor => Self::Operator(person),
            Role::Admin => Self::Admin(person),
            Role::Requester | Role::Owner => Self::Other,
        }
    }
}
