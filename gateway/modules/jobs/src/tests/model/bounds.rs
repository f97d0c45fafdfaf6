//! How far a search goes.

use protocol::job::JobEvent;

use super::machine::Step;
use crate::{ActorKind, DeadlineKind, Job, movers};

/// What there is, and how much of it may happen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) robots: usize,
    pub(super) plan: &'static [Step],
    /// What robots take the plan for that ask nobody, whatever it says.
    pub(super) taken_for: Option<&'static [Step]>,
    /// Of each robot, on their way at a time.
    pub(super) words: usize,
    /// Whether robots hear late that the log holds a word, so that it arrives again. Otherwise they know at once.
    pub(super) are_words_repeated: bool,
    /// Whether the log takes a word again that it holds. It does not; there is a search for what that would do.
    pub(super) is_log_forgetful: bool,
    pub(super) offers: u8,
    pub(super) grants: u8,
    /// Whether requesters also grant leave where other leave is in force.
    pub(super) is_leave_replaced: bool,
    /// Pauses, stalls, revocations, incidents, losses, reschedulings, cancellations and deadlines in all.
    pub(super) disturbances: u8,
    /// Calls that the cloud makes for a robot of which nothing is heard.
    pub(super) calls: u8,
    /// Times that a robot finds the way in closed.
    pub(super) closed_doors: u8,
    /// Incidents that robots raise.
    pub(super) own_incidents: u8,
    /// Agents that start anew.
    pub(super) restarts: u8,
}

impl Bounds {
    /// One robot that does this and meets with nothing.
    pub(super) const fn quiet(plan: &'static [Step]) -> Self {
        Self {
            robots: 1,
            plan,
            taken_for: None,
            words: 2,
            are_words_repeated: false,
            is_log_forgetful: false,
            offers: 1,
            grants: 1,
            is_leave_replaced: false,
            disturbances: 0,
            calls: 0,
            closed_doors: 0,
            own_incidents: 0,
            restarts: 0,
        }
    }

    /// The plan as the robots do it.
    pub(super) fn done_as(&self) -> &'static [Step] {
        self.taken_for.unwrap_or(self.plan)
    }
}

/// How much has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Counts {
    pub(super) offers: u8,
    pub(super) grants: u8,
    pub(super) disturbances: u8,
    pub(super) calls: u8,
    pub(super) closed_doors: u8,
    pub(super) own_incidents: u8,
    pub(super) restarts: u8,
}

/// What an event takes up.
enum Takes<'a> {
    /// Nothing: it leads on, and how often is bounded by something else.
    Nothing,
    /// One of these, of so many.
    One(&'a mut u8, u8),
    /// More than there is: it is not looked at, or not by those who propose it here.
    TooMuch,
}

impl Counts {
    fn takes(&mut self, bounds: &Bounds, event: &JobEvent) -> Takes<'_> {
        match event {
            JobEvent::Assigned { .. } => Takes::One(&mut self.offers, bounds.offers),
            JobEvent::AccessGranted { .. } => Takes::One(&mut self.grants, bounds.grants),
            JobEvent::AssistRequested { epoch: None, .. } => {
                Takes::One(&mut self.calls, bounds.calls)
            }
            JobEvent::HeartbeatResumed {}
            | JobEvent::Resumed {}
            | JobEvent::IncidentDecided { .. }
            | JobEvent::WorkAccepted {}
            | JobEvent::ApprovalGranted { .. }
            | JobEvent::ApprovalDenied { .. }
            | JobEvent::ApprovalRevoked { .. }
            | JobEvent::AssistOffered { .. }
            | JobEvent::AssistClaimed { .. }
            | JobEvent::AssistStarted { .. }
            | JobEvent::AssistAnswered { .. }
            | JobEvent::AssistEnded { .. }
            | JobEvent::AssistExpired { .. } => Takes::Nothing,
            JobEvent::IncidentRaised { epoch: None, .. }
            | JobEvent::Paused {}
            | JobEvent::Cancelled {}
            | JobEvent::HeartbeatMissed { .. }
            | JobEvent::AccessRevoked { .. }
            | JobEvent::Rescheduled { .. }
            | JobEvent::RobotLost { .. } => Takes::One(&mut self.disturbances, bounds.disturbances),
            _ => Takes::TooMuch,
        }
    }

    /// Whether the search looks at the event, and may do so once more.
    pub(super) fn leave_room_for(mut self, bounds: &Bounds, job: &Job, event: &JobEvent) -> bool {
        let is_grant = matches!(event, JobEvent::AccessGranted { .. });
        if is_grant && job.access.is_some() && !bounds.is_leave_replaced {
            return false;
        }
        if movers(event) == [ActorKind::Robot] {
            return false;
        }
        match self.takes(bounds, event) {
            Takes::Nothing => true,
            Takes::One(count, most) => *count < most,
            Takes::TooMuch => false,
        }
    }

    pub(super) fn count(&mut self, bounds: &Bounds, event: &JobEvent) {
        if let Takes::One(count, _) = self.takes(bounds, event) {
            *count += 1;
        }
    }

    /// That a question is not answered in time is one of its answers, and no disturbance.
    pub(super) fn leave_room_for_lapse(self, bounds: &Bounds, kind: DeadlineKind) -> bool {
        kind == DeadlineKind::Approval || self.disturbances < bounds.disturbances
    }

    pub(super) fn count_lapse(&mut self, kind: DeadlineKind) {
        if kind != DeadlineKind::Approval {
            self.disturbances += 1;
        }
    }
}
