//! The rules of cases as the verifier of bundles asks for them.

use ledger::verify::{self, Replay, ReplayFault, ReplayedEvent};
use protocol::{CaseId, event::Payload};

use crate::{
    Actor,
    replay::{Step, replay},
};

/// Plays the streams of cases again.
#[derive(Debug, Clone, Copy, Default)]
pub struct CaseRules;

/// What the names of cases' streams begin with.
const PREFIX: &str = "case/";

impl Replay for CaseRules {
    fn stream_prefix(&self) -> &'static str {
        PREFIX
    }

    fn replay(
        &mut self,
        stream: &str,
        events: &[ReplayedEvent<'_>],
    ) -> Result<String, ReplayFault> {
        let id = stream.strip_prefix(PREFIX);
        let case: CaseId = id
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| fault(0, "its stream is named after no case"))?;
        let steps = events
            .iter()
            .enumerate()
            .map(|(index, event)| step(event).map_err(|why| fault(index, why)))
            .collect::<Result<Vec<_>, _>>()?;
        let played = replay(case, steps).map_err(|illegal| {
            let index = usize::try_from(illegal.number - 1).unwrap_or(usize::MAX);
            fault(index, &illegal.refusal.to_string())
        })?;
        let case = played.ok_or_else(|| fault(0, "no case comes of it"))?;
        Ok(case.phase.word().to_owned())
    }
}

fn step<'event>(event: &ReplayedEvent<'event>) -> Result<Step<'event>, &'static str> {
    let Payload::Case(what) = event.payload else {
        return Err("it is no event of a case");
    };
    let actor = match (event.actor, event.acting_as) {
        (verify::Actor::Cloud, None) => Actor::Cloud,
        (verify::Actor::Person(person) | verify::Actor::CloudFor(person), Some(role)) => {
            Actor::of(role, person)
        }
        (verify::Actor::Person(_) | verify::Actor::CloudFor(_), None) => {
            return Err("it does not say in which role its actor acts");
        }
        (verify::Actor::Cloud, Some(_)) => return Err("its actor has no roles"),
        (verify::Actor::Robot(_), _) => return Err("robots have no say in a case"),
    };
    Ok(Step {
        event: what,
        actor,
        at: event.recorded_at,
    })
}

fn fault(index: usize, why: &str) -> ReplayFault {
    let why = why.to_owned();
    ReplayFault { index, why }
}
