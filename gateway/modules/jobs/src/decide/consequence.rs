//! What the cloud adds to an event in the same transaction.

use protocol::{UnixMicros, job::JobEvent};

use crate::{
    actor::Actor,
    apply::apply,
    bounds::ACKNOWLEDGE_WITHIN_MICROS,
    job::{Caller, Halt, Help, HelpStage, Job, Work},
};

/// What follows from `event`, which may happen to `job`.
pub(super) fn of(job: &Job, event: &JobEvent, actor: Actor, now: UnixMicros) -> Option<JobEvent> {
    match event {
        JobEvent::Assigned { robot } => Some(JobEvent::ReservationProposed {
            robot: *robot,
            epoch: job.epoch + 1,
            acknowledge_by: now.plus(ACKNOWLEDGE_WITHIN_MICROS),
        }),
        JobEvent::AccessVerified { .. }
        | JobEvent::AccessGranted { .. }
        | JobEvent::SafeStateReached { .. } => {
            is_let_in_anew(&apply(Some(job.clone()), event, actor, now)?)
                .then_some(JobEvent::Resumed {})
        }
        JobEvent::HeartbeatResumed {} => untaken_call_of_the_cloud(job),
        JobEvent::Requested { .. }
        | JobEvent::ReservationProposed { .. }
        | JobEvent::ReservationConfirmed { .. }
        | JobEvent::ReservationForfeited { .. }
        | JobEvent::RobotLost { .. }
        | JobEvent::Rescheduled { .. }
        | JobEvent::Departed { .. }
        | JobEvent::Arrived { .. }
        | JobEvent::AccessFailed { .. }
        | JobEvent::AccessRevoked { .. }
        | JobEvent::AccessExpired { .. }
        | JobEvent::ExecutionStarted { .. }
        | JobEvent::CheckpointDone { .. }
        | JobEvent::ApprovalRequested { .. }
        | JobEvent::ApprovalGranted { .. }
        | JobEvent::ApprovalDenied { .. }
        | JobEvent::ApprovalTimedOut { .. }
        | JobEvent::ApprovalRevoked { .. }
        | JobEvent::AssistRequested { .. }
        | JobEvent::AssistOffered { .. }
        | JobEvent::AssistClaimed { .. }
        | JobEvent::AssistStarted { .. }
        | JobEvent::AssistAnswered { .. }
        | JobEvent::AssistEnded { .. }
        | JobEvent::AssistEscalated { .. }
        | JobEvent::AssistExpired { .. }
        | JobEvent::HeartbeatMissed { .. }
        | JobEvent::Paused {}
        | JobEvent::Resumed {}
        | JobEvent::IncidentRaised { .. }
        | JobEvent::IncidentDecided { .. }
        | JobEvent::WorkFinished { .. }
        | JobEvent::WorkAccepted {}
        | JobEvent::Cancelled {} => None,
    }
}

/// Whether a robot that stands was given new leave, and nobody but the requester had it stand. At a door it must have found the
/// way in open; on its way it can't, and there the leave itself is the requester's word that it may go on: the stop took the
/// earlier one away.
fn is_let_in_anew(job: &Job) -> bool {
    let Some(engaged) = job.phase.engaged() else {
        return false;
    };
    let is_let_in = match engaged.work {
        Work::Travelling => job.access.is_some(),
        Work::AtSite | Work::Executing | Work::AwaitingApproval(_) => job.is_access_verified(),
        Work::Verifying { .. } => false,
    };
    engaged.halt == Halt::Paused && !engaged.is_held && is_let_in
}

/// Nobody needs to help a robot that is back, unless somebody is at it: its own next question must find the line free.
fn untaken_call_of_the_cloud(job: &Job) -> Option<JobEvent> {
    let help = job.open_help()?;
    let Help {
        caller: Caller::Cloud,
        stage: HelpStage::Called,
        assist,
        ..
    } = *help
    else {
        return None;
    };
    Some(JobEvent::AssistExpired { assist })
}
