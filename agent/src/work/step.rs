//! What the robot should be doing about one step of its plan, once it may be at it.

use std::time::Duration;

use protocol::{
    ApprovalId, AssistId,
    job::{JobEvent, StepAction},
};
use uuid::Uuid;

use super::{
    held::{Aim, Held, Photo},
    want::{MOST_TRIES, Want},
};

/// How the call for help with the step stands.
enum Help {
    NotAsked,
    Awaited,
    Given,
    InVain,
}

impl Help {
    fn with(held: &Held) -> Self {
        if held.said.assist.is_none() {
            return Self::NotAsked;
        }
        let verdict = held.verdict(&held.assignment);
        match verdict.map(|verdict| (verdict.option, verdict.is_over)) {
            None if !held.said.has_called => Self::NotAsked,
            None | Some((None, false)) => Self::Awaited,
            Some((Some(_), _)) => Self::Given,
            Some((None, true)) => Self::InVain,
        }
    }
}

/// How the question to the requester stands.
enum Permission {
    NotAsked,
    Awaited,
    Given,
    Denied,
}

impl Permission {
    fn of(held: &Held) -> Self {
        let Some(question) = held.said.approval else {
            return Self::NotAsked;
        };
        let verdict = held.assignment.approval;
        match verdict.filter(|verdict| verdict.approval == question) {
            None if !held.said.has_asked => Self::NotAsked,
            None => Self::Awaited,
            Some(verdict) if verdict.is_granted => Self::Given,
            Some(_) => Self::Denied,
        }
    }
}

/// What is wanted; what has to be named is named `fresh`.
pub(super) fn want(held: &Held, action: &StepAction, fresh: Uuid) -> Want {
    let is_awaited = matches!(Help::with(held), Help::Awaited);
    if !held.step.is_at_spot && held.tries >= MOST_TRIES && !is_awaited {
        return end(held, true);
    }
    match action {
        StepAction::Work { seconds } => labour(held, *seconds),
        StepAction::UnsureWork { seconds, question } => match Help::with(held) {
            Help::NotAsked if held.is_line_taken() => at_spot(held, Want::Wait),
            Help::NotAsked => {
                let call = JobEvent::AssistRequested {
                    assist: held.said.assist.unwrap_or(AssistId(fresh)),
                    epoch: Some(held.said.epoch),
                    question: question.clone(),
                };
                at_spot(held, Want::Say(call))
            }
            Help::Awaited => Want::Wait,
            Help::Given => labour(held, *seconds),
            Help::InVain => end(held, true),
        },
        StepAction::ApprovedWork {
            seconds,
            words,
            answer_within_s,
        } => match Permission::of(held) {
            Permission::NotAsked => {
                let question = JobEvent::ApprovalRequested {
                    epoch: held.said.epoch,
                    approval: held.said.approval.unwrap_or(ApprovalId(fresh)),
                    words: words.clone(),
                    answer_within_s: *answer_within_s,
                };
                at_spot(held, Want::Say(question))
            }
            Permission::Awaited => Want::Wait,
            Permission::Given => labour(held, *seconds),
            Permission::Denied => end(held, true),
        },
        StepAction::Photograph => match &held.step.photo {
            Photo::Untaken => at_spot(held, Want::Photograph),
            Photo::Asked(_) => Want::Labour,
            Photo::Taken(_) => end(held, false),
            Photo::Failed => end(held, true),
        },
    }
}

fn labour(held: &Held, seconds: u32) -> Want {
    let is_done = held.step.worked >= Duration::from_secs(u64::from(seconds));
    at_spot(
        held,
        if is_done {
            end(held, false)
        } else {
            Want::Labour
        },
    )
}

/// What is wanted at the step's spot, or to get there first.
fn at_spot(held: &Held, there: Want) -> Want {
    match held.spot() {
        Some(target) if !held.step.is_at_spot => Want::Drive {
            aim: Aim::Spot,
            target,
        },
        Some(_) | None => there,
    }
}

/// Says what the step came to.
fn end(held: &Held, left_out: bool) -> Want {
    let evidence = match &held.step.photo {
        Photo::Taken(hash) => vec![hash.clone()],
        Photo::Untaken | Photo::Asked(_) | Photo::Failed => Vec::new(),
    };
    Want::Say(JobEvent::CheckpointDone {
        epoch: held.said.epoch,
        number: held.step.number,
        left_out,
        evidence,
    })
}
