//! What the robot is told, and whom to call when nothing is heard of it.

use protocol::{
    RobotId,
    job::{Assignment, Directive},
};

use crate::job::{Engaged, Halt, Help, Job, Phase, Reservation};

/// What the robot that holds the job, or is offered it, is to do. Nobody is to do anything for a job that is over.
pub fn assignment(job: &Job) -> Option<(RobotId, Assignment)> {
    let directive = match &job.phase {
        Phase::Requested
        | Phase::Dispatching { offer: None }
        | Phase::Completed { .. }
        | Phase::Aborted { .. }
        | Phase::Cancelled { .. } => return None,
        Phase::Dispatching { offer: Some(_) } => Directive::Acknowledge,
        Phase::Reserved { .. } => Directive::Proceed,
        Phase::Engaged(engaged) => directive(engaged),
    };
    let holder = job.holder()?;
    Some((holder.robot, told(job, holder, directive)))
}

/// What the robot that held `before`, or was offered it, is to be told when it does so no longer.
pub fn release(before: &Job, after: &Job) -> Option<(RobotId, Assignment)> {
    let earlier = before.holder()?;
    if after.holder() == Some(earlier) {
        return None;
    }
    Some((earlier.robot, told(after, earlier, Directive::Release)))
}

/// Whether an operator is to be called because nothing is heard of the robot: the requester asked for that, and no call is open.
pub fn wants_cover(job: &Job) -> bool {
    job.request.operator_cover
        && job
            .phase
            .engaged()
            .is_some_and(|engaged| engaged.halt == Halt::Stalled && engaged.open_help().is_none())
}

const fn directive(engaged: &Engaged) -> Directive {
    match engaged.halt {
        Halt::None | Halt::Stalled => Directive::Proceed,
        Halt::Stopping { .. }
        | Halt::Incident {
            stop_confirmed: false,
        } => Directive::Stop,
        Halt::Paused
        | Halt::Incident {
            stop_confirmed: true,
        } => Directive::Hold,
    }
}

fn told(job: &Job, reservation: Reservation, directive: Directive) -> Assignment {
    let engaged = job
        .phase
        .engaged()
        .filter(|engaged| engaged.reservation == reservation);
    Assignment {
        job: job.id(),
        epoch: reservation.epoch,
        plan: job.plan.clone(),
        checkpoint: job.checkpoint,
        access: job.access.as_ref().map(|access| access.plan.clone()),
        approval: engaged.and_then(|engaged| engaged.verdict),
        assist: engaged
            .and_then(|engaged| engaged.help.as_ref())
            .map(Help::verdict),
        directive,
    }
}
