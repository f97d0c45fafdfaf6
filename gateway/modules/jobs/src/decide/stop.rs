//! What people and the cloud may say of stopping, going on and ending.

use protocol::{
    UnixMicros,
    job::{IncidentDecision, IncidentKind},
};

use crate::{
    actor::{Actor, ActorKind},
    job::{Engaged, Halt, Job, Phase, StopsFor, Work},
    refusal::Refusal,
};

/// Whether an incident is something new there.
pub(super) const fn can_become_incident(halt: Halt) -> bool {
    match halt {
        Halt::None
        | Halt::Stalled
        | Halt::Paused
        | Halt::Stopping {
            then: StopsFor::Paused | StopsFor::Cancelled,
            ..
        } => true,
        Halt::Stopping {
            then: StopsFor::Incident,
            ..
        }
        | Halt::Incident { .. } => false,
    }
}

fn engaged(job: &Job) -> Result<&Engaged, Refusal> {
    job.phase.engaged().ok_or(Refusal::WrongPhase)
}

pub(super) fn active(job: &Job) -> Result<&Engaged, Refusal> {
    engaged(job).and_then(|engaged| {
        engaged
            .is_active()
            .then_some(engaged)
            .ok_or(Refusal::WrongPhase)
    })
}

/// Whoever else than the requester wants a robot to stand has it stand by their own word, also where the requester paused it
/// first.
pub(super) fn paused(job: &Job, actor: Actor) -> Result<(), Refusal> {
    let engaged = engaged(job)?;
    let can_be_held = actor.kind() != ActorKind::Requester && engaged.can_be_held();
    (engaged.is_active() || can_be_held)
        .then_some(())
        .ok_or(Refusal::WrongPhase)
}

pub(super) fn resumed(job: &Job, actor: Actor, now: UnixMicros) -> Result<(), Refusal> {
    let engaged = engaged(job)?;
    if engaged.halt != Halt::Paused {
        return Err(Refusal::WrongPhase);
    }
    if engaged.is_held && actor.kind() == ActorKind::Cloud {
        return Err(Refusal::RoleNotAllowed);
    }
    if !engaged.work.needs_access() {
        return Ok(());
    }
    if !job.is_access_verified() {
        return Err(Refusal::AccessNotVerified);
    }
    job.is_let_in(now)
        .then_some(())
        .ok_or(Refusal::OutsideWindow)
}

pub(super) fn incident_raised(
    job: &Job,
    incident: IncidentKind,
    actor: Actor,
    now: UnixMicros,
) -> Result<(), Refusal> {
    let engaged = engaged(job)?;
    if incident == IncidentKind::StopUnconfirmed {
        return silence(engaged.halt, actor, now);
    }
    can_become_incident(engaged.halt)
        .then_some(())
        .ok_or(Refusal::IncidentOpen)
}

/// That a robot did not report that it stands is the clock's to say.
fn silence(halt: Halt, actor: Actor, now: UnixMicros) -> Result<(), Refusal> {
    if actor != Actor::Cloud {
        return Err(Refusal::RoleNotAllowed);
    }
    match halt {
        Halt::Stopping { report_by, .. } => due(report_by, now),
        Halt::None | Halt::Stalled | Halt::Paused | Halt::Incident { .. } => {
            Err(Refusal::WrongPhase)
        }
    }
}

pub(super) fn incident_decided(job: &Job, decision: IncidentDecision) -> Result<(), Refusal> {
    let Halt::Incident { stop_confirmed } = engaged(job)?.halt else {
        return Err(Refusal::WrongPhase);
    };
    match decision {
        IncidentDecision::Abort => Ok(()),
        IncidentDecision::Resume => stop_confirmed.then_some(()).ok_or(Refusal::StopUnconfirmed),
    }
}

pub(super) fn work_accepted(job: &Job, actor: Actor, now: UnixMicros) -> Result<(), Refusal> {
    let engaged = engaged(job)?;
    let Work::Verifying { accept_by } = engaged.work else {
        return Err(Refusal::WrongPhase);
    };
    if actor.kind() == ActorKind::Cloud {
        active(job)?;
        return due(accept_by, now);
    }
    // The robot stands and the work is done: the requester can be content.
    (engaged.is_active() || engaged.halt == Halt::Paused)
        .then_some(())
        .ok_or(Refusal::WrongPhase)
}

pub(super) const fn cancelled(job: &Job) -> Result<(), Refusal> {
    match &job.phase {
        Phase::Requested | Phase::Dispatching { .. } | Phase::Reserved { .. } => Ok(()),
        Phase::Engaged(engaged) => match engaged.halt {
            Halt::None
            | Halt::Stalled
            | Halt::Paused
            | Halt::Stopping {
                then: StopsFor::Paused,
                ..
            } => Ok(()),
            Halt::Stopping {
                then: StopsFor::Cancelled,
                ..
            } => Err(Refusal::WrongPhase),
            Halt::Stopping {
                then: StopsFor::Incident,
                ..
            }
            | Halt::Incident { .. } => Err(Refusal::IncidentOpen),
        },
        Phase::Completed { .. } | Phase::Aborted { .. } | Phase::Cancelled { .. } => {
            Err(Refusal::JobOver)
        }
    }
}

/// Whether a moment has come.
pub(super) fn due(at: UnixMicros, now: UnixMicros) -> Result<(), Refusal> {
    (now >= at).then_some(()).ok_or(Refusal::NotDueYet)
}
