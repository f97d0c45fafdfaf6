//! What a robot says: whether it moves the job. It is recorded in any case.

use protocol::{
    AccessId, ApprovalId, AssistId, RobotId, UnixMicros,
    assist::AssistQuestion,
    job::{EvidenceHash, IncidentKind, JobEvent},
};

use super::stop;
use crate::{
    bounds::{is_approval_sound, is_evidence_sound, is_inside, is_question_sound},
    job::{Access, Engaged, Halt, Job, Offer, Phase, StopsFor, Work},
    refusal::Inapplicable,
};

/// Whether the event of a robot that may say such things moves the job.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each event is what makes it complete"
)]
pub(super) fn check(
    job: &Job,
    event: &JobEvent,
    robot: RobotId,
    now: UnixMicros,
) -> Result<(), Inapplicable> {
    if job.phase.is_over() {
        return Err(Inapplicable::Over);
    }
    match event {
        JobEvent::ReservationConfirmed { epoch } => {
            holds(job, robot, *epoch)?;
            confirmed(job, now)
        }
        JobEvent::ReservationForfeited { epoch, .. } => {
            holds(job, robot, *epoch)?;
            forfeited(job)
        }
        JobEvent::Departed { epoch } => {
            holds(job, robot, *epoch)?;
            departed(job)
        }
        JobEvent::Arrived { epoch } => {
            works(job, robot, *epoch, |work| *work == Work::Travelling).map(drop)
        }
        JobEvent::AccessVerified { epoch, access } => {
            holds(job, robot, *epoch)?;
            access_verified(job, *access, now)
        }
        JobEvent::AccessFailed { epoch, access, .. } => {
            holds(job, robot, *epoch)?;
            at_the_door(job)?;
            plan_in_force(job, *access).map(drop)
        }
        JobEvent::ExecutionStarted { epoch } => {
            works(job, robot, *epoch, |work| *work == Work::AtSite)?;
            let_in(job, now)
        }
        JobEvent::CheckpointDone {
            epoch,
            number,
            left_out,
            evidence,
        } => {
            let engaged = works(job, robot, *epoch, |work| *work == Work::Executing)?;
            checkpoint(job, *number, evidence)?;
            let is_allowed = *left_out || !job.needs_approval() || was_approved(engaged);
            is_allowed.then_some(()).ok_or(Inapplicable::NotApproved)
        }
        JobEvent::ApprovalRequested {
            epoch,
            approval,
            words,
            answer_within_s,
        } => {
            let engaged = works(job, robot, *epoch, |work| *work == Work::Executing)?;
            approval_requested(engaged, *approval, words, *answer_within_s)
        }
        JobEvent::AssistRequested {
            assist,
            epoch,
            question,
        } => {
            holds(job, robot, epoch.ok_or(Inapplicable::EpochMissing)?)?;
            assist_requested(job, *assist, question)
        }
        JobEvent::SafeStateReached { epoch } => {
            holds(job, robot, *epoch)?;
            safe_state(job)
        }
        JobEvent::IncidentRaised { incident, epoch } => {
            holds(job, robot, epoch.ok_or(Inapplicable::EpochMissing)?)?;
            incident_raised(job, *incident)
        }
        JobEvent::WorkFinished { epoch } => {
            works(job, robot, *epoch, |work| *work == Work::Executing)?;
            all_steps_done(job)
        }
        // Not a robot's to say: its role is looked at before.
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
        | JobEvent::IncidentDecided { .. }
        | JobEvent::WorkAccepted {}
        | JobEvent::Cancelled {} => Err(Inapplicable::WrongPhase),
    }
}

/// Whether this robot acts under the present reservation.
fn holds(job: &Job, robot: RobotId, epoch: u64) -> Result<(), Inapplicable> {
    let holder = job.holder().ok_or(Inapplicable::NotTheHolder)?;
    if holder.robot != robot {
        return Err(Inapplicable::NotTheHolder);
    }
    if holder.epoch != epoch {
        return Err(Inapplicable::StaleEpoch);
    }
    Ok(())
}

/// Whether this robot may be at work, and at this work. Until it said that it stands, what it did counts.
fn works(
    job: &Job,
    robot: RobotId,
    epoch: u64,
    is_it: impl Fn(&Work) -> bool,
) -> Result<&Engaged, Inapplicable> {
    holds(job, robot, epoch)?;
    job.phase
        .engaged()
        .filter(|engaged| engaged.may_be_working() && is_it(&engaged.work))
        .ok_or(Inapplicable::WrongPhase)
}

fn confirmed(job: &Job, now: UnixMicros) -> Result<(), Inapplicable> {
    let Phase::Dispatching {
        offer: Some(Offer { acknowledge_by, .. }),
    } = job.phase
    else {
        return Err(Inapplicable::WrongPhase);
    };
    if now >= acknowledge_by {
        return Err(Inapplicable::TooLate);
    }
    Ok(())
}

const fn forfeited(job: &Job) -> Result<(), Inapplicable> {
    match job.phase {
        Phase::Dispatching { offer: Some(_) } | Phase::Reserved { .. } => Ok(()),
        Phase::Requested
        | Phase::Dispatching { offer: None }
        | Phase::Engaged(_)
        | Phase::Completed { .. }
        | Phase::Aborted { .. }
        | Phase::Cancelled { .. } => Err(Inapplicable::WrongPhase),
    }
}

const fn departed(job: &Job) -> Result<(), Inapplicable> {
    match job.phase {
        Phase::Reserved { .. } => Ok(()),
        Phase::Requested
        | Phase::Dispatching { .. }
        | Phase::Engaged(_)
        | Phase::Completed { .. }
        | Phase::Aborted { .. }
        | Phase::Cancelled { .. } => Err(Inapplicable::WrongPhase),
    }
}

/// A robot tries a door when it waits at it, or when it stands and was given new leave; not while it is to stop for want of leave.
/// A stop for an incident takes no leave from it: what it says of the leave in force before it stands counts. A person has to end the
/// incident all the same before anything goes on.
fn at_the_door(job: &Job) -> Result<(), Inapplicable> {
    let engaged = job.phase.engaged().ok_or(Inapplicable::WrongPhase)?;
    // Told to hold, a robot can't tell an incident from a pause: it looks at new leave where it stands.
    let stands = !engaged.may_be_working();
    let wants_leave = matches!(
        engaged.halt,
        Halt::Stopping {
            then: StopsFor::Paused | StopsFor::Cancelled,
            ..
        }
    );
    let is_there = match engaged.work {
        Work::AtSite => !wants_leave,
        Work::Executing | Work::AwaitingApproval(_) => stands,
        Work::Travelling | Work::Verifying { .. } => false,
    };
    is_there.then_some(()).ok_or(Inapplicable::WrongPhase)
}

fn plan_in_force(job: &Job, id: AccessId) -> Result<&Access, Inapplicable> {
    job.access
        .as_ref()
        .filter(|access| access.plan.access == id)
        .ok_or(Inapplicable::AccessUnknown)
}

fn access_verified(job: &Job, id: AccessId, now: UnixMicros) -> Result<(), Inapplicable> {
    at_the_door(job)?;
    let access = plan_in_force(job, id)?;
    if job.is_access_verified() {
        return Err(Inapplicable::NothingNew);
    }
    if !is_inside(access.plan.window, now) {
        return Err(Inapplicable::OutsideWindow);
    }
    Ok(())
}

fn let_in(job: &Job, now: UnixMicros) -> Result<(), Inapplicable> {
    if !job.is_access_verified() {
        return Err(Inapplicable::AccessNotVerified);
    }
    if !job.is_let_in(now) {
        return Err(Inapplicable::OutsideWindow);
    }
    Ok(())
}

fn checkpoint(job: &Job, number: u32, evidence: &[EvidenceHash]) -> Result<(), Inapplicable> {
    let steps = u32::try_from(job.plan.steps.len()).unwrap_or(u32::MAX);
    if job.checkpoint.checked_add(1) != Some(number) || number > steps {
        return Err(Inapplicable::OutOfOrder);
    }
    if !is_evidence_sound(evidence) {
        return Err(Inapplicable::OutOfBounds);
    }
    Ok(())
}

/// Whether the requester allowed what the robot asked for last. Until the robot stands, it may have done what it was allowed
/// before it heard that the yes was taken back.
fn was_approved(engaged: &Engaged) -> bool {
    engaged
        .verdict
        .is_some_and(|verdict| verdict.is_granted || engaged.is_taken_back)
}

fn all_steps_done(job: &Job) -> Result<(), Inapplicable> {
    let steps = u32::try_from(job.plan.steps.len()).unwrap_or(u32::MAX);
    (job.checkpoint == steps)
        .then_some(())
        .ok_or(Inapplicable::OutOfOrder)
}

fn approval_requested(
    engaged: &Engaged,
    approval: ApprovalId,
    words: &str,
    answer_within_s: u32,
) -> Result<(), Inapplicable> {
    if engaged
        .verdict
        .is_some_and(|last| last.approval == approval)
    {
        return Err(Inapplicable::NothingNew);
    }
    if !is_approval_sound(words, answer_within_s) {
        return Err(Inapplicable::OutOfBounds);
    }
    Ok(())
}

fn assist_requested(
    job: &Job,
    assist: AssistId,
    question: &AssistQuestion,
) -> Result<(), Inapplicable> {
    let engaged = job
        .phase
        .engaged()
        .filter(|engaged| engaged.is_active())
        .ok_or(Inapplicable::WrongPhase)?;
    if engaged.help.is_some_and(|last| last.assist == assist) {
        return Err(Inapplicable::NothingNew);
    }
    if engaged.open_help().is_some() {
        return Err(Inapplicable::AssistOpen);
    }
    if !is_question_sound(question) {
        return Err(Inapplicable::OutOfBounds);
    }
    Ok(())
}

fn safe_state(job: &Job) -> Result<(), Inapplicable> {
    let engaged = job.phase.engaged().ok_or(Inapplicable::WrongPhase)?;
    match engaged.halt {
        Halt::Stopping { .. }
        | Halt::Incident {
            stop_confirmed: false,
        } => Ok(()),
        Halt::Paused
        | Halt::Incident {
            stop_confirmed: true,
        } => Err(Inapplicable::NothingNew),
        Halt::None | Halt::Stalled => Err(Inapplicable::WrongPhase),
    }
}

fn incident_raised(job: &Job, incident: IncidentKind) -> Result<(), Inapplicable> {
    // That nothing was heard of a robot is not the robot's to say.
    if incident == IncidentKind::StopUnconfirmed {
        return Err(Inapplicable::WrongPhase);
    }
    let engaged = job.phase.engaged().ok_or(Inapplicable::WrongPhase)?;
    stop::can_become_incident(engaged.halt)
        .then_some(())
        .ok_or(Inapplicable::NothingNew)
}
