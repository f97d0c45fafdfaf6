//! A job's history played again: it must have been possible, and it makes the same job. Believes no event; who signed what is
//! proven before.

use std::{borrow::Borrow, collections::VecDeque};

use protocol::{
    UnixMicros,
    event::{ActorEvent, Payload},
    job::JobEvent,
};

use crate::{
    actor::Actor,
    apply::apply,
    decide::{Decision, decide},
    job::Job,
    refusal::{Inapplicable, Refusal},
};

/// One entry of a job's stream: what was signed, by whom, and when it was recorded.
#[derive(Debug, Clone)]
pub struct Step<Event> {
    /// What happened; [`JobEvent`], or a reference to one.
    pub event: Event,
    /// Who signed it, in which role.
    pub actor: Actor,
    /// The entry's moment.
    pub recorded_at: UnixMicros,
}

/// The first entry that could not have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {index} of the stream can't have happened: {why}")]
pub struct Impossible {
    /// Its place in the stream, from 0.
    pub index: usize,
    /// Why.
    pub why: Why,
}

/// Why an entry can't have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is no event of a job.
    #[error("it is no event of a job")]
    Foreign,
    /// The rules forbid it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The entry before it has a consequence that is recorded with it, and this is another event.
    #[error("{0} must stand here")]
    Owed(&'static str),
}

/// A history that was possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The job that it makes; none of an empty history.
    pub job: Option<Job>,
    /// The entries that moved nothing, by their place, and why.
    pub recorded_only: Vec<(usize, Inapplicable)>,
}

/// Plays what was signed; the payload of every entry must be a job's.
pub fn play_signed<'a>(
    stream: impl IntoIterator<Item = (&'a ActorEvent, Actor, UnixMicros)>,
) -> Result<Played, Impossible> {
    let mut player = Player::default();
    for (event, actor, recorded_at) in stream {
        let Payload::Job(event) = &event.payload else {
            return Err(player.stops_at(Why::Foreign));
        };
        player.step(event, actor, recorded_at)?;
    }
    player.finish()
}

/// Plays a stream from its first entry on.
pub fn play<Event: Borrow<JobEvent>>(
    stream: impl IntoIterator<Item = Step<Event>>,
) -> Result<Played, Impossible> {
    let mut player = Player::default();
    for step in stream {
        player.step(step.event.borrow(), step.actor, step.recorded_at)?;
    }
    player.finish()
}

/// Where a replay stands.
#[derive(Debug, Default)]
struct Player {
    job: Option<Job>,
    index: usize,
    /// What the cloud must add next, by name.
    owed: VecDeque<&'static str>,
    recorded_only: Vec<(usize, Inapplicable)>,
}

impl Player {
    const fn stops_at(&self, why: Why) -> Impossible {
        Impossible {
            index: self.index,
            why,
        }
    }

    fn step(
        &mut self,
        event: &JobEvent,
        actor: Actor,
        recorded_at: UnixMicros,
    ) -> Result<(), Impossible> {
        let owed = self.owed.pop_front();
        if let Some(kind) = owed
            && (event.kind() != kind || actor != Actor::Cloud)
        {
            return Err(self.stops_at(Why::Owed(kind)));
        }
        match decide(self.job.as_ref(), event, actor, recorded_at)
            .map_err(|refusal| self.stops_at(refusal.into()))?
        {
            Decision::Apply(events) => {
                self.owed.extend(events[1..].iter().map(JobEvent::kind));
                self.job = apply(self.job.take(), event, actor, recorded_at);
            }
            Decision::RecordOnly(why) => self.recorded_only.push((self.index, why)),
        }
        self.index += 1;
        Ok(())
    }

    /// What is recorded with an entry can't be missing behind it.
    fn finish(self) -> Result<Played, Impossible> {
        if let Some(kind) = self.owed.front() {
            return Err(self.stops_at(Why::Owed(kind)));
        }
        Ok(Played {
            job: self.job,
            recorded_only: self.recorded_only,
        })
    }
}
