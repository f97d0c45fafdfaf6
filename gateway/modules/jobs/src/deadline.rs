//! What happens by itself when a moment has come. Follows from where the job stands alone.

use protocol::{
    UnixMicros,
    job::{ForfeitReason, IncidentKind, JobEvent},
};

use crate::job::{Engaged, Halt, Job, Offer, Phase, Work};

/// What a moment is the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadlineKind {
    /// The robot's time to take the job on.
    Acknowledge,
    /// The requester's time to answer.
    Approval,
    /// The leave to enter.
    AccessExpiry,
    /// The robot's time to say that it stands.
    StopReport,
    /// The requester's time to look at the work.
    Acceptance,
    /// The time in which the job was to be done, before a robot sets out.
    Window,
}

impl DeadlineKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Acknowledge,
        Self::Approval,
        Self::AccessExpiry,
        Self::StopReport,
        Self::Acceptance,
        Self::Window,
    ];

    /// The frozen word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Approval => "approval",
            Self::AccessExpiry => "access_expiry",
            Self::StopReport => "stop_report",
            Self::Acceptance => "acceptance",
            Self::Window => "window",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The moments that the job waits for, at most one of each kind.
pub fn deadlines(job: &Job) -> Vec<(DeadlineKind, UnixMicros)> {
    DeadlineKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, waits_for(job, kind)?.0)))
        .collect()
}

/// What the cloud is to propose because this moment has come; nothing when it has not, or when the job no longer waits.
pub fn lapse(job: &Job, kind: DeadlineKind, now: UnixMicros) -> Option<JobEvent> {
    let (due, event) = waits_for(job, kind)?;
    (due <= now).then_some(event)
}

fn waits_for(job: &Job, kind: DeadlineKind) -> Option<(UnixMicros, JobEvent)> {
    match kind {
        DeadlineKind::Acknowledge => acknowledge(job),
        DeadlineKind::Approval => {
            let question = job.question()?;
            let approval = question.approval;
            Some((question.answer_by, JobEvent::ApprovalTimedOut { approval }))
        }
        DeadlineKind::AccessExpiry => {
            let plan = &job.access.as_ref()?.plan;
            let access = plan.access;
            Some((plan.window.until, JobEvent::AccessExpired { access }))
        }
        DeadlineKind::StopReport => stop_report(job.phase.engaged()?),
        DeadlineKind::Acceptance => acceptance(job.phase.engaged()?),
        DeadlineKind::Window => window(job),
    }
}

const fn acknowledge(job: &Job) -> Option<(UnixMicros, JobEvent)> {
    let Phase::Dispatching { offer: Some(offer) } = job.phase else {
        return None;
    };
    let Offer {
        reservation,
        acknowledge_by,
    } = offer;
    Some((
        acknowledge_by,
        JobEvent::ReservationForfeited {
            epoch: reservation.epoch,
            reason: ForfeitReason::NotAcknowledged,
        },
    ))
}

/// Work that nobody took in its time is not wanted any more. A robot that set out finishes, late or not.
const fn window(job: &Job) -> Option<(UnixMicros, JobEvent)> {
    match job.phase {
        Phase::Requested | Phase::Dispatching { .. } | Phase::Reserved { .. } => {
            Some((job.window.until, JobEvent::Cancelled {}))
        }
        Phase::Engaged(_)
        | Phase::Completed { .. }
        | Phase::Aborted { .. }
        | Phase::Cancelled { .. } => None,
    }
}

const fn stop_report(engaged: &Engaged) -> Option<(UnixMicros, JobEvent)> {
    let Halt::Stopping { report_by, .. } = engaged.halt else {
        return None;
    };
    Some((
        report_by,
        JobEvent::IncidentRaised {
            incident: IncidentKind::StopUnconfirmed,
            epoch: None,
        },
    ))
}

/// Who paused the job said something, so their silence means nothing while it is paused.
fn acceptance(engaged: &Engaged) -> Option<(UnixMicros, JobEvent)> {
    let Work::Verifying { accept_by } = engaged.work else {
        return None;
    };
    engaged
        .is_active()
        .then_some((accept_by, JobEvent::WorkAccepted {}))
}
