//! Whether a proposed event may happen. What it changes is in `apply`.

use protocol::{
    UnixMicros,
    job::{JobEvent, JobRequest, Plan},
};

use crate::{
    actor::Actor,
    bounds::check_window,
    job::Job,
    refusal::{Inapplicable, Refusal},
    roles::movers,
    template,
};

mod consequence;
mod fact;
mod help;
mod stop;
mod wish;

/// What becomes of a proposal that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It happens. First the proposed event itself, then what the cloud adds in the same transaction.
    Apply(Vec<JobEvent>),
    /// A robot said it, so it is recorded; it moves nothing.
    RecordOnly(Inapplicable),
}

/// Turns a proposal into what happens, or says why it may not.
///
/// `now` is the moment that the event is recorded at: whoever replays the log has no other.
pub fn decide(
    job: Option<&Job>,
    proposed: &JobEvent,
    actor: Actor,
    now: UnixMicros,
) -> Result<Decision, Refusal> {
    if !movers(proposed).contains(&actor.kind()) {
        return Err(Refusal::RoleNotAllowed);
    }
    let Some(job) = job else {
        return begin(proposed, actor, now);
    };
    match actor {
        Actor::Robot(robot) => {
            if let Err(why) = fact::check(job, proposed, robot, now) {
                return Ok(Decision::RecordOnly(why));
            }
        }
        Actor::Requester(person) => {
            if person != job.requester {
                return Err(Refusal::NotYourJob);
            }
            wish::check(job, proposed, actor, now)?;
        }
        Actor::Operator(_) | Actor::Owner(_) | Actor::Admin(_) | Actor::Cloud => {
            wish::check(job, proposed, actor, now)?;
        }
    }
    let mut events = vec![proposed.clone()];
    events.extend(consequence::of(job, proposed, actor, now));
    Ok(Decision::Apply(events))
}

fn begin(proposed: &JobEvent, actor: Actor, now: UnixMicros) -> Result<Decision, Refusal> {
    let JobEvent::Requested {
        request,
        plan,
        requester,
    } = proposed
    else {
        return Err(Refusal::JobUnknown);
    };
    if actor != Actor::Requester(*requester) {
        return Err(Refusal::NotYourJob);
    }
    check_request(request, plan, now)?;
    Ok(Decision::Apply(vec![proposed.clone()]))
}

fn check_request(request: &JobRequest, plan: &Plan, now: UnixMicros) -> Result<(), Refusal> {
    check_window(request.window, now)?;
    if template::plan(request)? != *plan {
        return Err(Refusal::PlanMismatch);
    }
    Ok(())
}
