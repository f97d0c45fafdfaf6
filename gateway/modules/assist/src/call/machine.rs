//! What can become of a call: pure rules. An actor proposes the event itself; it may happen, or a refusal says why not.
//!
//! Calls live in their job's stream. Whether the job allows an event is the job's own rule, and asked apart.

use protocol::{
    AssistId, JobId, PersonId, RobotId, UnixMicros,
    assist::{AssistEnding, AssistPhase},
    job::JobEvent,
};

use super::{
    Call, CallActor, CallRefusal, Caller,
    event::{CallEvent, about_a_call},
    question,
};

const SECOND_US: i64 = 1_000_000;

/// Untaken for so long, a call rings wider. A robot that waits blocks a corridor and an appointment: a minute is what one
/// operator needs to notice and finish a sentence.
pub const ESCALATE_AFTER_US: i64 = 60 * SECOND_US;

/// Untaken for so long, a call is over: nobody is there, and the robot must find its own way to end the job safely.
pub const EXPIRE_AFTER_US: i64 = 10 * 60 * SECOND_US;

/// Who took a call and did not start within so long has forgotten it: it rings again. Longer than a browser takes to load
/// and a video to come, even on a bad line.
pub const START_WITHIN_US: i64 = 2 * 60 * SECOND_US;

/// People that a call rings at by name: a large control room. Beyond that it rings at everybody.
pub const MAX_OFFERED_PEOPLE: usize = 64;

/// Whether `proposed` may happen to `call`. Whose turn it is comes first, then where the call stands, then what is said.
pub fn decide_call(
    call: Option<&Call>,
    proposed: &JobEvent,
    actor: CallActor,
    now: UnixMicros,
) -> Result<(), CallRefusal> {
    let (assist, event) = about_a_call(proposed).ok_or(CallRefusal::NotAboutACall)?;
    let Some(call) = call else {
        return may_begin(event, actor);
    };
    if call.assist != assist {
        return Err(CallRefusal::CallUnknown);
    }
    may_follow(call, event, actor, now)
}

fn may_begin(event: CallEvent<'_>, actor: CallActor) -> Result<(), CallRefusal> {
    match event {
        CallEvent::Requested { caller, question } => {
            may_call(actor, caller)?;
            question::check(question)
        }
        CallEvent::Offered { .. }
        | CallEvent::Escalated
        | CallEvent::Claimed
        | CallEvent::Started
        | CallEvent::Answered { .. }
        | CallEvent::Ended { .. }
        | CallEvent::Expired => Err(CallRefusal::CallUnknown),
    }
}

fn may_follow(
    call: &Call,
    event: CallEvent<'_>,
    actor: CallActor,
    now: UnixMicros,
) -> Result<(), CallRefusal> {
    match event {
        CallEvent::Requested { .. } => Err(CallRefusal::AlreadyOpened),
        CallEvent::Offered { people } => {
            by_cloud(actor)?;
            may_offer(call, now)?;
            (people.len() <= MAX_OFFERED_PEOPLE)
                .then_some(())
                .ok_or(CallRefusal::TooManyPeople)
        }
        CallEvent::Escalated => {
            by_cloud(actor)?;
            in_phase(call, &[AssistPhase::Opened, AssistPhase::Offered])?;
            due(call.escalate_at, now)
        }
        CallEvent::Expired => {
            by_cloud(actor)?;
            may_expire(call, now)
        }
        CallEvent::Claimed => may_claim(call, by_operator(actor)?),
        CallEvent::Started => {
            by_claimer(call, by_operator(actor)?)?;
            in_phase(call, &[AssistPhase::Claimed])
        }
        CallEvent::Answered { option } => {
            by_claimer(call, by_operator(actor)?)?;
            in_phase(call, &[AssistPhase::Active])?;
            may_answer(call, option)
        }
        CallEvent::Ended { ending } => may_end(call, ending, actor),
    }
}

fn may_call(actor: CallActor, caller: Caller) -> Result<(), CallRefusal> {
    match (actor, caller) {
        (CallActor::Robot(_), Caller::Robot) | (CallActor::Cloud, Caller::Cloud) => Ok(()),
        (CallActor::Robot(_), Caller::Cloud)
        | (CallActor::Cloud, Caller::Robot)
        | (
            CallActor::Operator(_) | CallActor::Admin(_) | CallActor::Other,
            Caller::Robot | Caller::Cloud,
        ) => Err(CallRefusal::RoleNotAllowed),
    }
}

fn by_cloud(actor: CallActor) -> Result<(), CallRefusal> {
    match actor {
        CallActor::Cloud => Ok(()),
        CallActor::Operator(_) | CallActor::Admin(_) | CallActor::Robot(_) | CallActor::Other => {
            Err(CallRefusal::RoleNotAllowed)
        }
    }
}

/// Who may hand out rights must not also move robots: an admin helps only in the role of an operator.
fn by_operator(actor: CallActor) -> Result<PersonId, CallRefusal> {
    match actor {
        CallActor::Operator(person) => Ok(person),
        CallActor::Admin(_) | CallActor::Robot(_) | CallActor::Cloud | CallActor::Other => {
            Err(CallRefusal::RoleNotAllowed)
        }
    }
}

fn by_claimer(call: &Call, person: PersonId) -> Result<(), CallRefusal> {
    if call.phase.is_over() {
        return Err(CallRefusal::CallOver);
    }
    match call.operator {
        Some(operator) if operator == person => Ok(()),
        Some(_) => Err(CallRefusal::NotTheClaimer),
        None => Err(CallRefusal::WrongPhase),
    }
}

fn in_phase(call: &Call, allowed: &[AssistPhase]) -> Result<(), CallRefusal> {
    if allowed.contains(&call.phase) {
        return Ok(());
    }
    Err(if call.phase.is_over() {
        CallRefusal::CallOver
    } else {
        CallRefusal::WrongPhase
    })
}

fn due(at: UnixMicros, now: UnixMicros) -> Result<(), CallRefusal> {
    (at <= now).then_some(()).ok_or(CallRefusal::NotDueYet)
}

/// Once when it was opened, and again when who took it did nothing.
fn may_offer(call: &Call, now: UnixMicros) -> Result<(), CallRefusal> {
    match (call.phase, call.claimed_at) {
        (AssistPhase::Opened, _) => Ok(()),
        (AssistPhase::Claimed, Some(claimed_at)) => due(claimed_at.plus(START_WITHIN_US), now),
        (
            AssistPhase::Offered
            | AssistPhase::Escalated
            | AssistPhase::Claimed
            | AssistPhase::Active,
            _,
        ) => Err(CallRefusal::WrongPhase),
        (AssistPhase::Resolved | AssistPhase::GivenUp | AssistPhase::Expired, _) => {
            Err(CallRefusal::CallOver)
        }
    }
}

fn may_claim(call: &Call, person: PersonId) -> Result<(), CallRefusal> {
    if let (AssistPhase::Claimed | AssistPhase::Active, Some(by)) = (call.phase, call.operator) {
        return Err(CallRefusal::AlreadyClaimed { by });
    }
    in_phase(call, &[AssistPhase::Offered, AssistPhase::Escalated])?;
    (call.offered_to.is_empty() || call.offered_to.contains(&person))
        .then_some(())
        .ok_or(CallRefusal::NotOfferedHere)
}

fn may_answer(call: &Call, option: u32) -> Result<(), CallRefusal> {
    if call.option.is_some() {
        return Err(CallRefusal::AlreadyAnswered);
    }
    let is_there = usize::try_from(option).is_ok_and(|option| option < call.question.options.len());
    is_there.then_some(()).ok_or(CallRefusal::OptionUnknown)
}

/// What a robot asked for rings its full time. What the cloud asked for on its behalf is over when the robot is back, and
/// a call that somebody took when they are gone.
fn may_expire(call: &Call, now: UnixMicros) -> Result<(), CallRefusal> {
    match (call.phase, call.caller) {
        (AssistPhase::Opened | AssistPhase::Offered | AssistPhase::Escalated, Caller::Robot) => {
            due(call.expire_at, now)
        }
        (AssistPhase::Opened | AssistPhase::Offered | AssistPhase::Escalated, Caller::Cloud)
        | (AssistPhase::Claimed | AssistPhase::Active, Caller::Robot | Caller::Cloud) => Ok(()),
        (
            AssistPhase::Resolved | AssistPhase::GivenUp | AssistPhase::Expired,
            Caller::Robot | Caller::Cloud,
        ) => Err(CallRefusal::CallOver),
    }
}

/// The claimer ends what they began, and may hand back what they did not begin. The cloud ends a call that the job no
/// longer needs.
fn may_end(call: &Call, ending: AssistEnding, actor: CallActor) -> Result<(), CallRefusal> {
    match (actor, ending) {
        (CallActor::Operator(person), AssistEnding::Resolved) => {
            by_claimer(call, person)?;
            in_phase(call, &[AssistPhase::Active])
        }
        (CallActor::Operator(person), AssistEnding::GivenUp) => by_claimer(call, person),
        (CallActor::Cloud, AssistEnding::Resolved | AssistEnding::GivenUp) => in_phase(
            call,
            &[
                AssistPhase::Opened,
                AssistPhase::Offered,
                AssistPhase::Escalated,
                AssistPhase::Claimed,
                AssistPhase::Active,
            ],
        ),
        (
            CallActor::Admin(_) | CallActor::Robot(_) | CallActor::Other,
            AssistEnding::Resolved | AssistEnding::GivenUp,
        ) => Err(CallRefusal::RoleNotAllowed),
    }
}

/// Applies a fact. Total: an event that was recorded always applies; one that is not about this call changes nothing.
#[must_use]
pub fn apply_call(
    call: Option<Call>,
    job: JobId,
    robot: RobotId,
    event: &JobEvent,
    actor: CallActor,
    at: UnixMicros,
) -> Option<Call> {
    let Some((assist, event)) = about_a_call(event) else {
        return call;
    };
    let Some(call) = call else {
        return opened(assist, job, robot, event, at);
    };
    if call.assist != assist {
        return Some(call);
    }
    let version = call.version + 1;
    let moved = match event {
        CallEvent::Requested { .. } => call,
        CallEvent::Offered { people } => offered(call, people, at),
        CallEvent::Escalated => Call {
            phase: AssistPhase::Escalated,
            offered_to: Vec::new(),
            ..call
        },
        CallEvent::Claimed => Call {
            phase: AssistPhase::Claimed,
            operator: person(actor),
            claimed_at: Some(at),
            ..call
        },
        CallEvent::Started => Call {
            phase: AssistPhase::Active,
            ..call
        },
        CallEvent::Answered { option } => Call {
            option: Some(option),
            ..call
        },
        CallEvent::Ended { ending } => Call {
            phase: ended(&call, ending),
            ended_at: Some(at),
            ..call
        },
        CallEvent::Expired => Call {
            phase: AssistPhase::Expired,
            ended_at: Some(at),
            ..call
        },
    };
    Some(Call { version, ..moved })
}

fn opened(
    assist: AssistId,
    job: JobId,
    robot: RobotId,
    event: CallEvent<'_>,
    at: UnixMicros,
) -> Option<Call> {
    match event {
        CallEvent::Requested { caller, question } => Some(Call {
            assist,
            job,
            robot,
            caller,
            question: question.clone(),
            phase: AssistPhase::Opened,
            requested_at: at,
            escalate_at: at.plus(ESCALATE_AFTER_US),
            expire_at: at.plus(EXPIRE_AFTER_US),
            offered_to: Vec::new(),
            operator: None,
            claimed_at: None,
            option: None,
            ended_at: None,
            version: 1,
        }),
        CallEvent::Offered { .. }
        | CallEvent::Escalated
        | CallEvent::Claimed
        | CallEvent::Started
        | CallEvent::Answered { .. }
        | CallEvent::Ended { .. }
        | CallEvent::Expired => None,
    }
}

/// Ends a call whose job ended, or went to another robot, before somebody had helped. The event that did so is the job's.
#[must_use]
pub fn end_with_job(call: Call, at: UnixMicros) -> Call {
    if call.phase.is_over() {
        return call;
    }
    Call {
        phase: AssistPhase::Expired,
        ended_at: Some(at),
        version: call.version + 1,
        ..call
    }
}

/// A call that rings again is new to whom it rings at: they get the same time as the first.
fn offered(call: Call, people: &[PersonId], at: UnixMicros) -> Call {
    let is_again = call.claimed_at.is_some();
    let since = if is_again { at } else { call.requested_at };
    Call {
        phase: AssistPhase::Offered,
        escalate_at: since.plus(ESCALATE_AFTER_US),
        expire_at: since.plus(EXPIRE_AFTER_US),
        offered_to: people.to_vec(),
        operator: None,
        claimed_at: None,
        ..call
    }
}

/// A call that nobody took was not given up by anybody: the job ended first.
const fn ended(call: &Call, ending: AssistEnding) -> AssistPhase {
    match (ending, call.operator) {
        (AssistEnding::Resolved, _) => AssistPhase::Resolved,
        (AssistEnding::GivenUp, Some(_)) => AssistPhase::GivenUp,
        (AssistEnding::GivenUp, None) => AssistPhase::Expired,
    }
}

const fn person(actor: CallActor) -> Option<PersonId> {
    match actor {
        CallActor::Operator(person) | CallActor::Admin(person) => Some(person),
        CallActor::Robot(_) | CallActor::Cloud | CallActor::Other => None,
    }
}

/// What happens to a call when nobody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDeadline {
    /// It rings wider.
    Escalate,
    /// It is over.
    Expire,
    /// Who took it did not start: it rings again.
    OfferAgain,
}

/// What happens next if nobody acts, and when. None while somebody helps and when it is over.
pub fn call_due(call: &Call) -> Option<(CallDeadline, UnixMicros)> {
    match call.phase {
        AssistPhase::Opened | AssistPhase::Offered => {
            Some((CallDeadline::Escalate, call.escalate_at))
        }
        AssistPhase::Escalated => Some((CallDeadline::Expire, call.expire_at)),
        AssistPhase::Claimed => call
            .claimed_at
            .map(|claimed_at| (CallDeadline::OfferAgain, claimed_at.plus(START_WITHIN_US))),
        AssistPhase::Active
        | AssistPhase::Resolved
        | AssistPhase::GivenUp
        | AssistPhase::Expired => None,
    }
}

/// The event that the cloud owes by `now`, if any. After a long silence there may be another one due behind it.
pub fn lapse_call(call: &Call, now: UnixMicros) -> Option<JobEvent> {
    let (deadline, at) = call_due(call)?;
    let assist = call.assist;
    (at <= now).then_some(match deadline {
        CallDeadline::Escalate => JobEvent::AssistEscalated { assist },
        CallDeadline::Expire => JobEvent::AssistExpired { assist },
        CallDeadline::OfferAgain => JobEvent::AssistOffered {
            assist,
            people: Vec::new(),
        },
    })
}

#[cfg(test)]
mod tests;
