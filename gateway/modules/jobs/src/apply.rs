//! What an event changes. Whether it may happen is in `decide`.

use protocol::{
    UnixMicros,
    job::{IncidentDecision, IncidentKind, JobEvent},
};

use crate::{
    actor::{Actor, ActorKind},
    job::{Engaged, Halt, Job, Offer, Phase, Reservation, StopsFor, Work},
};

mod access;
mod help;
mod stop;

/// Applies what [`decide`](crate::decide()) let happen: total, and it does not ask again. `at` is the moment that the event was
/// recorded at. A job that is over stays as it is.
#[must_use]
pub fn apply(job: Option<Job>, event: &JobEvent, actor: Actor, at: UnixMicros) -> Option<Job> {
    let Some(mut job) = job else {
        return begun(event, at);
    };
    if !job.phase.is_over() && change(&mut job, event, actor, at).is_some() {
        job.version += 1;
        // A clock that was set back does not make the job older than it was.
        job.updated_at = job.updated_at.max(at);
    }
    Some(job)
}

/// Applies what was decided: the first event is its actor's, the others are the cloud's.
#[must_use]
pub fn apply_all(
    job: Option<Job>,
    events: &[JobEvent],
    actor: Actor,
    at: UnixMicros,
) -> Option<Job> {
    let by = std::iter::once(actor).chain(std::iter::repeat(Actor::Cloud));
    events
        .iter()
        .zip(by)
        .fold(job, |job, (event, actor)| apply(job, event, actor, at))
}

fn begun(event: &JobEvent, at: UnixMicros) -> Option<Job> {
    let JobEvent::Requested {
        request,
        plan,
        requester,
    } = event
    else {
        return None;
    };
    Some(Job {
        requester: *requester,
        window: request.window,
        request: request.clone(),
        plan: plan.clone(),
        phase: Phase::Requested,
        epoch: 0,
        access: None,
        checkpoint: 0,
        requested_at: at,
        updated_at: at,
        version: 1,
    })
}

/// Changes the job, or nothing at all when the event does not fit.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each event is what makes it complete"
)]
fn change(job: &mut Job, event: &JobEvent, actor: Actor, at: UnixMicros) -> Option<()> {
    match event {
        JobEvent::Requested { .. } => None,
        JobEvent::Assigned { .. } => dispatch(job),
        JobEvent::ReservationProposed {
            robot,
            epoch,
            acknowledge_by,
        } => offer(
            job,
            Reservation {
                robot: *robot,
                epoch: *epoch,
            },
            *acknowledge_by,
        ),
        JobEvent::ReservationConfirmed { .. } => reserve(job),
        JobEvent::ReservationForfeited { .. } => forfeit(job),
        JobEvent::RobotLost { .. } => free(job),
        JobEvent::Rescheduled { window } => {
            free(job)?;
            job.window = *window;
            Some(())
        }
        JobEvent::Departed { .. } => depart(job),
        JobEvent::Arrived { .. } => work(job, Work::AtSite),
        JobEvent::AccessGranted { plan } => {
            access::grant(job, plan);
            Some(())
        }
        JobEvent::AccessVerified { access, .. } => access::verify(job, *access),
        JobEvent::AccessFailed { access, .. } => access::end(job, *access),
        JobEvent::AccessRevoked { access } => access::revoke(job, *access, at),
        JobEvent::AccessExpired { access } => access::expire(job, *access, at),
        JobEvent::ExecutionStarted { .. } => work(job, Work::Executing),
        JobEvent::CheckpointDone { number, .. } => {
            // A yes is for one step, the one that was asked about.
            job.phase.engaged_mut()?.forget_verdict();
            job.checkpoint = *number;
            Some(())
        }
        JobEvent::ApprovalRequested {
            approval,
            words,
            answer_within_s,
            ..
        } => access::ask(job, *approval, words, *answer_within_s, at),
        JobEvent::ApprovalGranted { approval } => access::answer(job, *approval, true),
        JobEvent::ApprovalDenied { approval } | JobEvent::ApprovalTimedOut { approval } => {
            access::answer(job, *approval, false)
        }
        JobEvent::ApprovalRevoked { approval } => access::take_back(job, *approval, at),
        JobEvent::AssistRequested {
            assist,
            epoch,
            question,
        } => help::call(job, *assist, *epoch, question),
        JobEvent::AssistOffered { assist, .. } => help::ring(job, *assist),
        JobEvent::AssistEscalated { assist } => help::open(job, *assist).map(drop),
        JobEvent::AssistClaimed { assist } => help::claim(job, *assist, actor),
        JobEvent::AssistStarted { assist } => help::start(job, *assist, actor),
        JobEvent::AssistAnswered { assist, option } => help::answer(job, *assist, *option),
        JobEvent::AssistEnded { assist, .. } | JobEvent::AssistExpired { assist } => {
            help::end(job, *assist)
        }
        JobEvent::HeartbeatMissed { .. } => halt(job, Halt::Stalled),
        JobEvent::HeartbeatResumed {} => halt(job, Halt::None),
        JobEvent::Resumed {} => {
            stop::release(job.phase.engaged_mut()?, at);
            halt(job, Halt::None)
        }
        JobEvent::Paused {} => {
            if job.phase.engaged()?.is_active() {
                stop::begin(job, StopsFor::Paused, at)?;
            }
            if actor.kind() != ActorKind::Requester {
                job.phase.engaged_mut()?.is_held = true;
            }
            Some(())
        }
        JobEvent::SafeStateReached { .. } => stop::reached(job),
        JobEvent::IncidentRaised { incident, .. } => raise(job, *incident, at),
        JobEvent::IncidentDecided { decision } => match decision {
            IncidentDecision::Resume => stop::go_on(job, at),
            IncidentDecision::Abort => stop::abort(job),
        },
        JobEvent::WorkFinished { .. } => access::finish(job, at),
        JobEvent::WorkAccepted {} => complete(job),
        JobEvent::Cancelled {} => stop::cancel(job, at),
    }
}

fn raise(job: &mut Job, incident: IncidentKind, at: UnixMicros) -> Option<()> {
    match incident {
        IncidentKind::StopUnconfirmed => stop::unconfirmed(job),
        IncidentKind::HumanContact
        | IncidentKind::PropertyDamage
        | IncidentKind::PrivacyViolation
        | IncidentKind::RobotStuck
        | IncidentKind::Other => stop::begin(job, StopsFor::Incident, at),
    }
}

fn dispatch(job: &mut Job) -> Option<()> {
    let (Phase::Requested | Phase::Dispatching { offer: None }) = job.phase else {
        return None;
    };
    job.phase = Phase::Dispatching { offer: None };
    Some(())
}

fn offer(job: &mut Job, reservation: Reservation, acknowledge_by: UnixMicros) -> Option<()> {
    let Phase::Dispatching { offer: None } = job.phase else {
        return None;
    };
    job.epoch = reservation.epoch;
    job.phase = Phase::Dispatching {
        offer: Some(Offer {
            reservation,
            acknowledge_by,
        }),
    };
    Some(())
}

fn reserve(job: &mut Job) -> Option<()> {
    let Phase::Dispatching {
        offer: Some(Offer { reservation, .. }),
    } = job.phase
    else {
        return None;
    };
    job.phase = Phase::Reserved { reservation };
    Some(())
}

/// The robot never set out, so leave to enter that was granted ahead of it stays for the next one.
fn forfeit(job: &mut Job) -> Option<()> {
    let (Phase::Dispatching { offer: Some(_) } | Phase::Reserved { .. }) = job.phase else {
        return None;
    };
    job.epoch += 1;
    job.phase = Phase::Dispatching { offer: None };
    Some(())
}

/// The robot loses the job, and with it everything that was about this robot.
fn free(job: &mut Job) -> Option<()> {
    let (Phase::Reserved { .. } | Phase::Engaged(_)) = job.phase else {
        return None;
    };
    job.epoch += 1;
    job.access = None;
    job.phase = Phase::Dispatching { offer: None };
    Some(())
}

fn depart(job: &mut Job) -> Option<()> {
    let Phase::Reserved { reservation } = job.phase else {
        return None;
    };
    job.phase = Phase::Engaged(Engaged {
        reservation,
        work: Work::Travelling,
        halt: Halt::None,
        is_held: false,
        verdict: None,
        is_taken_back: false,
        help: None,
    });
    Some(())
}

/// Goes on to another piece of work, whatever keeps the robot from going on with it.
fn work(job: &mut Job, work: Work) -> Option<()> {
    job.phase.engaged_mut()?.work = work;
    Some(())
}

fn halt(job: &mut Job, halt: Halt) -> Option<()> {
    job.phase.engaged_mut()?.halt = halt;
    Some(())
}

fn complete(job: &mut Job) -> Option<()> {
    let reservation = job.phase.engaged()?.reservation;
    job.access = None;
    job.phase = Phase::Completed { reservation };
    Some(())
}
