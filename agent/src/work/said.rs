//! What the robot has said of its job under one reservation: the part of its state that a restart must not lose.

use protocol::{AccessId, ApprovalId, AssistId, JobId, job::JobEvent};

/// The sum of the robot's words on one job under one reservation. Read back from the journal at a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that was said or not, and any may be missing from an older journal"
)]
pub struct Said {
    /// Of which job.
    pub job: JobId,
    /// Under which reservation.
    pub epoch: u64,
    /// That it takes the job on.
    pub is_confirmed: bool,
    /// That it gives the reservation back.
    pub is_forfeited: bool,
    /// That it is on its way.
    pub is_departed: bool,
    /// That it is at the door.
    pub is_arrived: bool,
    /// The leave to enter that it found good last.
    pub verified: Option<AccessId>,
    /// The leave to enter that it found no good last.
    pub failed: Option<AccessId>,
    /// That it began with the steps.
    pub is_started: bool,
    /// The last step that it ended.
    pub checkpoint: u32,
    /// Its question to the requester about the step that it is at.
    pub approval: Option<ApprovalId>,
    /// Its latest call for help with the step that it is at, or with getting to the place.
    pub assist: Option<AssistId>,
    /// That it asked that question since it last stood for a stop, or found other leave good.
    pub has_asked: bool,
    /// The same of that call.
    pub has_called: bool,
    /// The number of the event that said it stands safe, last.
    pub safe_state: Option<u64>,
    /// That every step is done.
    pub is_finished: bool,
}

impl Said {
    /// Nothing yet.
    pub const fn nothing(job: JobId, epoch: u64) -> Self {
        Self {
            job,
            epoch,
            is_confirmed: false,
            is_forfeited: false,
            is_departed: false,
            is_arrived: false,
            verified: None,
            failed: None,
            is_started: false,
            checkpoint: 0,
            approval: None,
            assist: None,
            has_asked: false,
            has_called: false,
            safe_state: None,
            is_finished: false,
        }
    }

    /// Whether it is about this job under this reservation.
    pub fn is_of(&self, job: JobId, epoch: u64) -> bool {
        self.job == job && self.epoch == epoch
    }

    /// Whether the robot has something to do or to wait for.
    pub const fn is_open(&self) -> bool {
        !self.is_finished && !self.is_forfeited
    }

    /// Adds the event that has this number in the robot's own chain.
    pub fn note(&mut self, number: u64, event: &JobEvent) {
        match event {
            JobEvent::ReservationConfirmed { .. } => self.is_confirmed = true,
            JobEvent::ReservationForfeited { .. } => self.is_forfeited = true,
            JobEvent::Departed { .. } => self.is_departed = true,
            JobEvent::Arrived { .. } => {
                self.is_arrived = true;
                self.assist = None;
                self.has_called = false;
            }
            JobEvent::AccessVerified { access, .. } => {
                self.verified = Some(*access);
                self.doubt();
            }
            JobEvent::AccessFailed { access, .. } => self.failed = Some(*access),
            JobEvent::ExecutionStarted { .. } => self.is_started = true,
            JobEvent::CheckpointDone { number, .. } => {
                self.checkpoint = self.checkpoint.max(*number);
                self.leave_questions_behind();
            }
            JobEvent::ApprovalRequested { approval, .. } => {
                self.approval = Some(*approval);
                self.has_asked = true;
            }
            JobEvent::AssistRequested { assist, .. } => {
                self.assist = Some(*assist);
                self.has_called = true;
            }
            JobEvent::SafeStateReached { .. } => {
                self.safe_state = Some(number);
                self.doubt();
            }
            JobEvent::WorkFinished { .. } => self.is_finished = true,
            // What others say comes with the assignment.
            JobEvent::Requested { .. }
            | JobEvent::Assigned { .. }
            | JobEvent::ReservationProposed { .. }
            | JobEvent::RobotLost { .. }
            | JobEvent::Rescheduled { .. }
            | JobEvent::AccessGranted { .. }
            | JobEvent::AccessRevoked { .. }
            | JobEvent::AccessExpired { .. }
            | JobEvent::ApprovalGranted { .. }
            | JobEvent::ApprovalDenied { .. }
            | JobEvent::ApprovalTimedOut { .. }
            | JobEvent::ApprovalRevoked { .. }
            | JobEvent::AssistOffered { .. }
            | JobEvent::AssistClaimed { .. }
            | JobEvent::AssistStarted { .. }
            | JobEvent::AssistAnswered { .. }
            | JobEvent::AssistEnded { .. }
            | JobEvent::AssistEscalated { .. }
            | JobEvent::AssistExpired { .. }
            | JobEvent::HeartbeatMissed { .. }
            | JobEvent::HeartbeatResumed {}
            | JobEvent::Paused {}
            | JobEvent::Resumed {}
            | JobEvent::IncidentRaised { .. }
            | JobEvent::IncidentDecided { .. }
            | JobEvent::WorkAccepted {}
            | JobEvent::Cancelled {} => {}
        }
    }

    /// They were about the step before.
    const fn leave_questions_behind(&mut self) {
        self.approval = None;
        self.assist = None;
        self.has_asked = false;
        self.has_called = false;
    }

    /// What was said of the work may have come when the robot was to stop, or when the leave that it went by had ended, and counted
    /// for nothing. It is said again, under the same names, and the next step is the one that the gateway holds to be next.
    const fn doubt(&mut self) {
        self.is_started = false;
        self.checkpoint = 0;
        self.has_asked = false;
        self.has_called = false;
        self.is_finished = false;
    }
}

/// Under which reservation the robot says this; `None` for what a robot does not say.
pub const fn epoch_of(event: &JobEvent) -> Option<u64> {
    match event {
        JobEvent::ReservationConfirmed { epoch }
        | JobEvent::ReservationForfeited { epoch, .. }
        | JobEvent::Departed { epoch }
        | JobEvent::Arrived { epoch }
        | JobEvent::AccessVerified { epoch, .. }
        | JobEvent::AccessFailed { epoch, .. }
        | JobEvent::ExecutionStarted { epoch }
        | JobEvent::CheckpointDone { epoch, .. }
        | JobEvent::ApprovalRequested { epoch, .. }
        | JobEvent::SafeStateReached { epoch }
        | JobEvent::WorkFinished { epoch } => Some(*epoch),
        JobEvent::AssistRequested { epoch, .. } => *epoch,
        JobEvent::Requested { .. }
        | JobEvent::Assigned { .. }
        | JobEvent::ReservationProposed { .. }
        | JobEvent::RobotLost { .. }
        | JobEvent::Rescheduled { .. }
        | JobEvent::AccessGranted { .. }
        | JobEvent::AccessRevoked { .. }
        | JobEvent::AccessExpired { .. }
        | JobEvent::ApprovalGranted { .. }
        | JobEvent::ApprovalDenied { .. }
        | JobEvent::ApprovalTimedOut { .. }
        | JobEvent::ApprovalRevoked { .. }
        | JobEvent::AssistOffered { .. }
        | JobEvent::AssistClaimed { .. }
        | JobEvent::AssistStarted { .. }
        | JobEvent::AssistAnswered { .. }
        | JobEvent::AssistEnded { .. }
        | JobEvent::AssistEscalated { .. }
        | JobEvent::AssistExpired { .. }
        | JobEvent::HeartbeatMissed { .. }
        | JobEvent::HeartbeatResumed {}
        | JobEvent::Paused {}
        | JobEvent::Resumed {}
        | JobEvent::IncidentRaised { .. }
        | JobEvent::IncidentDecided { .. }
        | JobEvent::WorkAccepted {}
        | JobEvent::Cancelled {} => None,
    }
}
