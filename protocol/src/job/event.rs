//! Everything that can happen to a job.

#![cfg_attr(
    feature = "openapi",
    expect(
        clippy::large_stack_arrays,
        reason = "the derived schema of an enum this large builds one, once, at start"
    )
)]

use serde::{Deserialize, Serialize};

use super::{
    AccessFailure, AccessPlan, EvidenceHash, ForfeitReason, HeartbeatPolicy, IncidentDecision,
    IncidentKind, JobRequest, Plan, Window,
};
use crate::{
    AccessId, ApprovalId, AssistId, PersonId, RobotId, UnixMicros,
    assist::{AssistEnding, AssistQuestion},
};

/// Everything that can happen to a job, recorded in the stream `job/<id>`. What a robot says carries the epoch of the
/// reservation that it acts under: an older one is recorded and moves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind")]
pub enum JobEvent {
    /// Somebody asked for work.
    #[serde(rename = "job.requested")]
    Requested {
        /// What.
        request: JobRequest,
        /// What follows from it, so that nobody needs the template to know what was agreed.
        plan: Plan,
        /// Who.
        requester: PersonId,
    },
    /// A robot was chosen by a person.
    #[serde(rename = "job.assigned")]
    Assigned {
        /// Which.
        robot: RobotId,
    },
    /// The job was offered to the robot.
    #[serde(rename = "reservation.proposed")]
    ReservationProposed {
        /// To whom.
        robot: RobotId,
        /// The fencing number: one more than the job's last.
        epoch: u64,
        /// Unacknowledged at this moment, it frees itself.
        acknowledge_by: UnixMicros,
    },
    /// The robot takes it on.
    #[serde(rename = "reservation.confirmed")]
    ReservationConfirmed {
        /// Under which reservation.
        epoch: u64,
    },
    /// The robot won't or can't, or never answered.
    #[serde(rename = "reservation.forfeited")]
    ReservationForfeited {
        /// Which reservation.
        epoch: u64,
        /// Why.
        reason: ForfeitReason,
    },
    /// The robot is gone; another must take over.
    #[serde(rename = "robot.lost")]
    RobotLost {
        /// Which reservation ends.
        epoch: u64,
    },
    /// The job goes to another time, and to another robot if need be.
    #[serde(rename = "job.rescheduled")]
    Rescheduled {
        /// The new time.
        window: Window,
    },
    /// The robot is on its way.
    #[serde(rename = "robot.departed")]
    Departed {
        /// Under which reservation.
        epoch: u64,
    },
    /// The robot is at the place's door.
    #[serde(rename = "robot.arrived")]
    Arrived {
        /// Under which reservation.
        epoch: u64,
    },
    /// The requester lets the robot in.
    #[serde(rename = "access.granted")]
    AccessGranted {
        /// Where and when.
        plan: AccessPlan,
    },
    /// The robot found the way in open under this plan.
    #[serde(rename = "access.verified")]
    AccessVerified {
        /// Under which reservation.
        epoch: u64,
        /// Which plan.
        access: AccessId,
    },
    /// The robot did not get in.
    #[serde(rename = "access.failed")]
    AccessFailed {
        /// Under which reservation.
        epoch: u64,
        /// Which plan.
        access: AccessId,
        /// Why.
        reason: AccessFailure,
    },
    /// The requester takes the leave back. A request: that the robot stopped, only the robot says.
    #[serde(rename = "access.revoked")]
    AccessRevoked {
        /// Which plan.
        access: AccessId,
    },
    /// The plan's window closed while the robot was at work.
    #[serde(rename = "access.expired")]
    AccessExpired {
        /// Which plan.
        access: AccessId,
    },
    /// The robot begins with the plan's steps.
    #[serde(rename = "execution.started")]
    ExecutionStarted {
        /// Under which reservation.
        epoch: u64,
    },
    /// A step is done, or was left out because it was not allowed.
    #[serde(rename = "checkpoint.done")]
    CheckpointDone {
        /// Under which reservation.
        epoch: u64,
        /// Strictly rising, 1 for the plan's first step.
        number: u32,
        /// Whether the step was left out.
        #[serde(default, skip_serializing_if = "is_false")]
        left_out: bool,
        /// What proves it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<EvidenceHash>,
    },
    /// The robot asks the requester.
    #[serde(rename = "approval.requested")]
    ApprovalRequested {
        /// Under which reservation.
        epoch: u64,
        /// Which question.
        approval: ApprovalId,
        /// In words.
        words: String,
        /// How long the answer may take, seconds. No answer means no.
        answer_within_s: u32,
    },
    /// Yes, this once.
    #[serde(rename = "approval.granted")]
    ApprovalGranted {
        /// Which question.
        approval: ApprovalId,
    },
    /// No.
    #[serde(rename = "approval.denied")]
    ApprovalDenied {
        /// Which question.
        approval: ApprovalId,
    },
    /// No answer came in time.
    #[serde(rename = "approval.timed_out")]
    ApprovalTimedOut {
        /// Which question.
        approval: ApprovalId,
    },
    /// The requester takes a yes back.
    #[serde(rename = "approval.revoked")]
    ApprovalRevoked {
        /// Which question.
        approval: ApprovalId,
    },
    /// A person's help is wanted.
    #[serde(rename = "assist.requested")]
    AssistRequested {
        /// Which call. Absent epoch means that the cloud calls.
        assist: AssistId,
        /// Under which reservation, if the robot calls.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<u64>,
        /// What is asked.
        question: AssistQuestion,
    },
    /// The call rings at these people.
    #[serde(rename = "assist.offered")]
    AssistOffered {
        /// Which call.
        assist: AssistId,
        /// At whom; everybody eligible when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        people: Vec<PersonId>,
    },
    /// An operator takes the call.
    #[serde(rename = "assist.claimed")]
    AssistClaimed {
        /// Which call.
        assist: AssistId,
    },
    /// The operator sees what the robot sees and is helping.
    #[serde(rename = "assist.started")]
    AssistStarted {
        /// Which call.
        assist: AssistId,
    },
    /// The operator answers the robot's question.
    #[serde(rename = "assist.answered")]
    AssistAnswered {
        /// Which call.
        assist: AssistId,
        /// The option chosen: its place in the question's list, from 0.
        option: u32,
    },
    /// The robot is on its own again.
    #[serde(rename = "assist.ended")]
    AssistEnded {
        /// Which call.
        assist: AssistId,
        /// How it ended.
        ending: AssistEnding,
    },
    /// Nobody took the call in time: it rings wider.
    #[serde(rename = "assist.escalated")]
    AssistEscalated {
        /// Which call.
        assist: AssistId,
    },
    /// Nobody took the call at all.
    #[serde(rename = "assist.expired")]
    AssistExpired {
        /// Which call.
        assist: AssistId,
    },
    /// The robot's beats stopped coming.
    #[serde(rename = "heartbeat.missed")]
    HeartbeatMissed {
        /// The policy that judged it.
        policy: HeartbeatPolicy,
        /// When it was last heard.
        last_heard: UnixMicros,
    },
    /// The beats are back.
    #[serde(rename = "heartbeat.resumed")]
    HeartbeatResumed {},
    /// Somebody wants the robot to stop and keep the job.
    #[serde(rename = "job.paused")]
    Paused {},
    /// The robot stands still and holds nothing that could fall. A fact: only the robot says it.
    #[serde(rename = "safe_state.reached")]
    SafeStateReached {
        /// Under which reservation.
        epoch: u64,
    },
    /// The robot may go on, under new leave.
    #[serde(rename = "job.resumed")]
    Resumed {},
    /// Something went wrong beyond the ordinary.
    #[serde(rename = "incident.raised")]
    IncidentRaised {
        /// What.
        incident: IncidentKind,
        /// Under which reservation, if the robot says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<u64>,
    },
    /// What is to become of the job.
    #[serde(rename = "incident.decided")]
    IncidentDecided {
        /// That.
        decision: IncidentDecision,
    },
    /// Every step is done.
    #[serde(rename = "work.finished")]
    WorkFinished {
        /// Under which reservation.
        epoch: u64,
    },
    /// The requester is content, or said nothing in the time for it.
    #[serde(rename = "work.accepted")]
    WorkAccepted {},
    /// The job is called off.
    #[serde(rename = "job.cancelled")]
    Cancelled {},
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl JobEvent {
    /// The frozen name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "job.requested",
            Self::Assigned { .. } => "job.assigned",
            Self::ReservationProposed { .. } => "reservation.proposed",
            Self::ReservationConfirmed { .. } => "reservation.confirmed",
            Self::ReservationForfeited { .. } => "reservation.forfeited",
            Self::RobotLost { .. } => "robot.lost",
            Self::Rescheduled { .. } => "job.rescheduled",
            Self::Departed { .. } => "robot.departed",
            Self::Arrived { .. } => "robot.arrived",
            Self::AccessGranted { .. } => "access.granted",
            Self::AccessVerified { .. } => "access.verified",
            Self::AccessFailed { .. } => "access.failed",
            Self::AccessRevoked { .. } => "access.revoked",
            Self::AccessExpired { .. } => "access.expired",
            Self::ExecutionStarted { .. } => "execution.started",
            Self::CheckpointDone { .. } => "checkpoint.done",
            Self::ApprovalRequested { .. } => "approval.requested",
            Self::ApprovalGranted { .. } => "approval.granted",
            Self::ApprovalDenied { .. } => "approval.denied",
            Self::ApprovalTimedOut { .. } => "approval.timed_out",
            Self::ApprovalRevoked { .. } => "approval.revoked",
            Self::AssistRequested { .. } => "assist.requested",
            Self::AssistOffered { .. } => "assist.offered",
            Self::AssistClaimed { .. } => "assist.claimed",
            Self::AssistStarted { .. } => "assist.started",
            Self::AssistAnswered { .. } => "assist.answered",
            Self::AssistEnded { .. } => "assist.ended",
            Self::AssistEscalated { .. } => "assist.escalated",
            Self::AssistExpired { .. } => "assist.expired",
            Self::HeartbeatMissed { .. } => "heartbeat.missed",
            Self::HeartbeatResumed {} => "heartbeat.resumed",
            Self::Paused {} => "job.paused",
            Self::SafeStateReached { .. } => "safe_state.reached",
            Self::Resumed {} => "job.resumed",
            Self::IncidentRaised { .. } => "incident.raised",
            Self::IncidentDecided { .. } => "incident.decided",
            Self::WorkFinished { .. } => "work.finished",
            Self::WorkAccepted {} => "work.accepted",
            Self::Cancelled {} => "job.cancelled",
        }
    }
}
