//! What of a job's history is about a call.

use protocol::{
    AssistId, PersonId,
    assist::{AssistEnding, AssistQuestion},
    job::JobEvent,
};

use super::Caller;

/// An event about a call, without the call's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallEvent<'a> {
    Requested {
        caller: Caller,
        question: &'a AssistQuestion,
    },
    Offered {
        people: &'a [PersonId],
    },
    Escalated,
    Claimed,
    Started,
    Answered {
        option: u32,
    },
    Ended {
        ending: AssistEnding,
    },
    Expired,
}

/// The call that an event of a job is about, if it is about one.
pub fn call_of(event: &JobEvent) -> Option<AssistId> {
    about_a_call(event).map(|(assist, _)| assist)
}

/// The event as one about a call; none for every other event of a job.
pub(crate) fn about_a_call(event: &JobEvent) -> Option<(AssistId, CallEvent<'_>)> {
    match event {
        JobEvent::AssistRequested {
            assist,
            epoch,
            question,
        } => {
            let caller = match epoch {
                Some(_) => Caller::Robot,
                None => Caller::Cloud,
            };
            Some((*assist, CallEvent::Requested { caller, question }))
        }
        JobEvent::AssistOffered { assist, people } => {
            Some((*assist, CallEvent::Offered { people }))
        }
        JobEvent::AssistEscalated { assist } => Some((*assist, CallEvent::Escalated)),
        JobEvent::AssistClaimed { assist } => Some((*assist, CallEvent::Claimed)),
        JobEvent::AssistStarted { assist } => Some((*assist, CallEvent::Started)),
        JobEvent::AssistAnswered { assist, option } => {
            Some((*assist, CallEvent::Answered { option: *option }))
        }
        JobEvent::AssistEnded { assist, ending } => {
            Some((*assist, CallEvent::Ended { ending: *ending }))
        }
        JobEvent::AssistExpired { assist } => Some((*assist, CallEvent::Expired)),
        JobEvent::Requested { .. }
        | JobEvent::Assigned { .. }
        | JobEvent::ReservationProposed { .. }
        | JobEvent::ReservationConfirmed { .. }
        | JobEvent::ReservationForfeited { .. }
        | JobEvent::RobotLost { .. }
        | JobEvent::Rescheduled { .. }
        | JobEvent::Departed { .. }
        | JobEvent::Arrived { .. }
        | JobEvent::AccessGranted { .. }
        | JobEvent::AccessVerified { .. }
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
        | JobEvent::HeartbeatMissed { .. }
        | JobEvent::HeartbeatResumed {}
        | JobEvent::Paused {}
        | JobEvent::SafeStateReached { .. }
        | JobEvent::Resumed {}
        | JobEvent::IncidentRaised { .. }
        | JobEvent::IncidentDecided { .. }
        | JobEvent::WorkFinished { .. }
        | JobEvent::WorkAccepted {}
        | JobEvent::Cancelled {} => None,
    }
}
