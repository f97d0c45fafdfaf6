//! Who may ever do what, whatever the phase.

use protocol::job::JobEvent;

use crate::actor::ActorKind;

/// The kinds of actors that may cause this event at all. A requester only ever on a job of their own.
pub const fn movers(event: &JobEvent) -> &'static [ActorKind] {
    use ActorKind::{Admin, Cloud, Operator, Owner, Requester, Robot};
    match event {
        JobEvent::Requested { .. }
        | JobEvent::AccessGranted { .. }
        | JobEvent::AccessRevoked { .. }
        | JobEvent::ApprovalGranted { .. }
        | JobEvent::ApprovalDenied { .. }
        | JobEvent::ApprovalRevoked { .. } => &[Requester],
        JobEvent::Assigned { .. } | JobEvent::IncidentDecided { .. } => &[Operator, Admin],
        JobEvent::ReservationProposed { .. }
        | JobEvent::AccessExpired { .. }
        | JobEvent::ApprovalTimedOut { .. }
        | JobEvent::AssistOffered { .. }
        | JobEvent::AssistEscalated { .. }
        | JobEvent::AssistExpired { .. }
        | JobEvent::HeartbeatMissed { .. }
        | JobEvent::HeartbeatResumed {} => &[Cloud],
        JobEvent::ReservationConfirmed { .. }
        | JobEvent::Departed { .. }
        | JobEvent::Arrived { .. }
        | JobEvent::AccessVerified { .. }
        | JobEvent::AccessFailed { .. }
        | JobEvent::ExecutionStarted { .. }
        | JobEvent::CheckpointDone { .. }
        | JobEvent::ApprovalRequested { .. }
        | JobEvent::SafeStateReached { .. }
        | JobEvent::WorkFinished { .. } => &[Robot],
        JobEvent::ReservationForfeited { .. } | JobEvent::AssistRequested { .. } => &[Robot, Cloud],
        JobEvent::RobotLost { .. } | JobEvent::Rescheduled { .. } | JobEvent::Resumed {} => {
            &[Operator, Admin, Cloud]
        }
        JobEvent::AssistClaimed { .. }
        | JobEvent::AssistStarted { .. }
        | JobEvent::AssistAnswered { .. }
        | JobEvent::AssistEnded { .. } => &[Operator],
        JobEvent::Paused {} | JobEvent::Cancelled {} => &[Requester, Operator, Admin, Cloud],
        JobEvent::IncidentRaised { .. } => &[Requester, Operator, Owner, Admin, Robot, Cloud],
        JobEvent::WorkAccepted {} => &[Requester, Cloud],
    }
}
