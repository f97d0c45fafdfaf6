//! What the gateway tells the robot that holds a job.

use serde::{Deserialize, Serialize};

use super::{AccessPlan, Plan};
use crate::{ApprovalId, AssistId, JobId};

/// What the robot that holds a job is to do, as a whole: sent whenever it changes and at the start of every session. The
/// robot compares it with what it does; a lost or repeated one changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Which job.
    pub job: JobId,
    /// Under which reservation.
    pub epoch: u64,
    /// The plan.
    pub plan: Plan,
    /// Highest checkpoint that is recorded.
    pub checkpoint: u32,
    /// Leave to enter, if any is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessPlan>,
    /// What the requester said to the robot's latest question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalVerdict>,
    /// What an operator said to the robot's latest call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assist: Option<AssistVerdict>,
    /// Whether to go on.
    pub directive: Directive,
}

/// What a robot is to do with the job that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directive {
    /// Answer whether it takes the job on.
    Acknowledge,
    /// Go on with it.
    Proceed,
    /// Come to a safe stand and say so.
    Stop,
    /// Stand; go on when told.
    Hold,
    /// It is over, or another's. Forget it.
    Release,
}

/// The answer to a question of the robot's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalVerdict {
    /// Which question.
    pub approval: ApprovalId,
    /// Whether it may.
    pub is_granted: bool,
}

/// How a call of the robot's stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssistVerdict {
    /// Which call.
    pub assist: AssistId,
    /// The option that the operator chose, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<u32>,
    /// Whether the call is over, so that the robot is on its own.
    pub is_over: bool,
}
