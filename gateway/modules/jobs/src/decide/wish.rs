//! What people and the cloud propose: whether it may happen.

use protocol::{
    AccessId, ApprovalId, UnixMicros,
    job::{AccessPlan, ForfeitReason, HeartbeatPolicy, JobEvent, Window},
};

use super::{
    help,
    stop::{self, active, due},
};
use crate::{
    actor::Actor,
    bounds::{ACKNOWLEDGE_WITHIN_MICROS, check_access, check_window, is_overdue},
    job::{Halt, Job, Offer, Phase, Question, Work},
    refusal::Refusal,
};

/// Whether the proposal of an actor whose role may make such ones may happen now.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each event is what makes it complete"
)]
pub(super) fn check(
    job: &Job,
    event: &JobEvent,
    actor: Actor,
    now: UnixMicros,
) -> Result<(), Refusal> {
    if job.phase.is_over() {
        return Err(Refusal::JobOver);
    }
    match event {
        JobEvent::Requested { .. } => Err(Refusal::JobExists),
        JobEvent::Assigned { .. } => assignable(job),
        JobEvent::ReservationProposed {
            epoch,
            acknowledge_by,
            ..
        } => proposed(job, *epoch, *acknowledge_by, now),
        JobEvent::ReservationForfeited { epoch, reason } => forfeited(job, *epoch, *reason, now),
        JobEvent::RobotLost { epoch } => robot_lost(job, *epoch),
        JobEvent::Rescheduled { window } => rescheduled(job, *window, now),
        JobEvent::AccessGranted { plan } => access_granted(job, plan, now),
        JobEvent::AccessRevoked { access } => plan_in_force(job, *access).map(drop),
        JobEvent::AccessExpired { access } => access_expired(job, *access, now),
        JobEvent::ApprovalGranted { approval } | JobEvent::ApprovalDenied { approval } => {
            answered(job, *approval, now)
        }
        JobEvent::ApprovalTimedOut { approval } => {
            due(open_question(job, *approval)?.answer_by, now)
        }
        JobEvent::ApprovalRevoked { approval } => approval_revoked(job, *approval),
        JobEvent::AssistRequested {
            assist,
            epoch,
            question,
        } => help::requested(job, *assist, *epoch, question),
        JobEvent::AssistOffered { assist, .. } => help::not_begun(job, *assist),
        JobEvent::AssistEscalated { assist } | JobEvent::AssistClaimed { assist } => {
            help::untaken(job, *assist)
        }
        JobEvent::AssistExpired { assist } => help::open(job, *assist).map(drop),
        JobEvent::AssistStarted { assist } => help::started(job, *assist, actor),
        JobEvent::AssistAnswered { assist, option } => help::answered(job, *assist, *option, actor),
        JobEvent::AssistEnded { assist, .. } => help::taken(job, *assist, actor).map(drop),
        JobEvent::HeartbeatMissed { policy, last_heard } => {
            heartbeat_missed(job, *policy, *last_heard, now)
        }
        JobEvent::HeartbeatResumed {} => stalled(job),
        JobEvent::Paused {} => stop::paused(job, actor),
        JobEvent::Resumed {} => stop::resumed(job, actor, now),
        JobEvent::IncidentRaised { epoch: Some(_), .. } => Err(Refusal::EpochOutOfPlace),
        JobEvent::IncidentRaised {
            incident,
            epoch: None,
        } => stop::incident_raised(job, *incident, actor, now),
        JobEvent::IncidentDecided { decision } => stop::incident_decided(job, *decision),
        JobEvent::WorkAccepted {} => stop::work_accepted(job, actor, now),
        JobEvent::Cancelled {} => stop::cancelled(job),
        // Only a robot's to say: the role is looked at before.
        JobEvent::ReservationConfirmed { .. }
        | JobEvent::Departed { .. }
        | JobEvent::Arrived { .. }
        | JobEvent::AccessVerified { .. }
        | JobEvent::AccessFailed { .. }
        | JobEvent::ExecutionStarted { .. }
        | JobEvent::CheckpointDone { .. }
        | JobEvent::ApprovalRequested { .. }
        | JobEvent::SafeStateReached { .. }
        | JobEvent::WorkFinished { .. } => Err(Refusal::RoleNotAllowed),
    }
}

const fn assignable(job: &Job) -> Result<(), Refusal> {
    match job.phase {
        Phase::Requested | Phase::Dispatching { offer: None } => Ok(()),
        Phase::Dispatching { offer: Some(_) }
        | Phase::Reserved { .. }
        | Phase::Engaged(_)
        | Phase::Completed { .. }
        | Phase::Aborted { .. }
        | Phase::Cancelled { .. } => Err(Refusal::WrongPhase),
    }
}

fn proposed(
    job: &Job,
    epoch: u64,
    acknowledge_by: UnixMicros,
    now: UnixMicros,
) -> Result<(), Refusal> {
    let Phase::Dispatching { offer: None } = job.phase else {
        return Err(Refusal::WrongPhase);
    };
    let is_in_time = now < acknowledge_by && acknowledge_by <= now.plus(ACKNOWLEDGE_WITHIN_MICROS);
    (job.epoch.checked_add(1) == Some(epoch) && is_in_time)
        .then_some(())
        .ok_or(Refusal::OfferUnsound)
}

fn forfeited(job: &Job, epoch: u64, reason: ForfeitReason, now: UnixMicros) -> Result<(), Refusal> {
    let Phase::Dispatching { offer: Some(offer) } = job.phase else {
        return Err(Refusal::WrongPhase);
    };
    let Offer {
        reservation,
        acknowledge_by,
    } = offer;
    if reservation.epoch != epoch {
        return Err(Refusal::StaleEpoch);
    }
    // Every other reason is the robot's own to give.
    if reason != ForfeitReason::NotAcknowledged {
        return Err(Refusal::OfferUnsound);
    }
    due(acknowledge_by, now)
}

/// From the moment that a robot has the job to its acceptance, but not while it is to say that it stands: it must say so, or
/// somebody must go and look.
fn robot_lost(job: &Job, epoch: u64) -> Result<(), Refusal> {
    let can_be_lost = match &job.phase {
        Phase::Reserved { .. } => true,
        Phase::Engaged(engaged) => engaged.is_active() || engaged.halt == Halt::Paused,
        Phase::Requested
        | Phase::Dispatching { .. }
        | Phase::Completed { .. }
        | Phase::Aborted { .. }
        | Phase::Cancelled { .. } => false,
    };
    if !can_be_lost {
        return Err(Refusal::WrongPhase);
    }
    let present = job.holder().map(|reservation| reservation.epoch);
    (present == Some(epoch))
        .then_some(())
        .ok_or(Refusal::StaleEpoch)
}

fn rescheduled(job: &Job, window: Window, now: UnixMicros) -> Result<(), Refusal> {
    let can_wait = match &job.phase {
        Phase::Reserved { .. } => true,
        Phase::Engaged(engaged) => match engaged.halt {
            Halt::None => engaged.work == Work::Travelling,
            Halt::Paused => true,
            Halt::Stalled | Halt::Stopping { .. } | Halt::Incident { .. } => false,
        },
        Phase::Requested
        | Phase::Dispatching { .. }
        | Phase::Completed { .. }
        | Phase::Aborted { .. }
        | Phase::Cancelled { .. } => false,
    };
    if !can_wait {
        return Err(Refusal::WrongPhase);
    }
    check_window(window, now)
}

fn access_granted(job: &Job, plan: &AccessPlan, now: UnixMicros) -> Result<(), Refusal> {
    let work = job.phase.engaged().map(|engaged| &engaged.work);
    if let Some(Work::Verifying { .. }) = work {
        return Err(Refusal::WrongPhase);
    }
    if job.is_access_verified() {
        return Err(Refusal::AccessInUse);
    }
    if plan_in_force(job, plan.access).is_ok() {
        return Err(Refusal::AccessRepeated);
    }
    check_access(plan, now)
}

fn plan_in_force(job: &Job, id: AccessId) -> Result<&AccessPlan, Refusal> {
    job.access
        .as_ref()
        .map(|access| &access.plan)
        .filter(|plan| plan.access == id)
        .ok_or(Refusal::AccessUnknown)
}

fn access_expired(job: &Job, id: AccessId, now: UnixMicros) -> Result<(), Refusal> {
    due(plan_in_force(job, id)?.window.until, now)
}

fn open_question(job: &Job, approval: ApprovalId) -> Result<&Question, Refusal> {
    job.question()
        .filter(|question| question.approval == approval)
        .ok_or(Refusal::ApprovalUnknown)
}

fn answered(job: &Job, approval: ApprovalId, now: UnixMicros) -> Result<(), Refusal> {
    let question = open_question(job, approval)?;
    active(job)?;
    (now < question.answer_by)
        .then_some(())
        .ok_or(Refusal::TooLate)
}

/// A yes can be taken back wherever the robot may still act on it.
fn approval_revoked(job: &Job, approval: ApprovalId) -> Result<(), Refusal> {
    job.phase
        .engaged()
        .and_then(|engaged| engaged.verdict)
        .filter(|verdict| verdict.approval == approval && verdict.is_granted)
        .map(drop)
        .ok_or(Refusal::ApprovalUnknown)
}

fn heartbeat_missed(
    job: &Job,
    policy: HeartbeatPolicy,
    last_heard: UnixMicros,
    now: UnixMicros,
) -> Result<(), Refusal> {
    if active(job)?.halt == Halt::Stalled {
        return Err(Refusal::WrongPhase);
    }
    is_overdue(policy, last_heard, now)
        .then_some(())
        .ok_or(Refusal::PolicyUnsound)
}

fn stalled(job: &Job) -> Result<(), Refusal> {
    (active(job)?.halt == Halt::Stalled)
        .then_some(())
        .ok_or(Refusal::WrongPhase)
}
