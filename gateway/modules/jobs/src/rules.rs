//! The rules of jobs as the verifier of bundles asks for them.

use ledger::verify::{self, Replay, ReplayFault, ReplayedEvent};
use protocol::{
    event::Payload,
    job::{JobEvent, job_stream},
};

use crate::{
    actor::Actor,
    replay::{Played, Step, play},
};

/// Plays the streams of jobs again.
#[derive(Debug, Clone, Copy, Default)]
pub struct JobRules;

impl Replay for JobRules {
    fn stream_prefix(&self) -> &'static str {
        "job/"
    }

    fn replay(
        &mut self,
        stream: &str,
        events: &[ReplayedEvent<'_>],
    ) -> Result<String, ReplayFault> {
        let steps = events
            .iter()
            .enumerate()
            .map(|(index, event)| {
                step(event).map_err(|why| ReplayFault {
                    index,
                    why: why.to_owned(),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let played = play(steps).map_err(|impossible| ReplayFault {
            index: impossible.index,
            why: impossible.why.to_string(),
        })?;
        end(stream, &played)
    }
}

fn step<'event>(event: &ReplayedEvent<'event>) -> Result<Step<&'event JobEvent>, &'static str> {
    let Payload::Job(what) = event.payload else {
        return Err("it is no event of a job");
    };
    let actor = match (event.actor, event.acting_as) {
        (verify::Actor::Cloud, None) => Actor::Cloud,
        (verify::Actor::Robot(robot), None) => Actor::Robot(robot),
        (verify::Actor::Person(person) | verify::Actor::CloudFor(person), Some(role)) => {
            Actor::person(role, person)
        }
        (verify::Actor::Person(_) | verify::Actor::CloudFor(_), None) => {
            return Err("it does not say in which role its actor acts");
        }
        (verify::Actor::Cloud | verify::Actor::Robot(_), Some(_)) => {
            return Err("its actor has no roles");
        }
    };
    Ok(Step {
        event: what,
        actor,
        recorded_at: event.recorded_at,
    })
}

fn end(stream: &str, played: &Played) -> Result<String, ReplayFault> {
    let job = played.job.as_ref().ok_or_else(|| ReplayFault {
        index: 0,
        why: "no job comes of it".to_owned(),
    })?;
    if job_stream(job.id()) != stream {
        return Err(ReplayFault {
            index: 0,
            why: "it asks for another job than its stream is named after".to_owned(),
        });
    }
    let word = job.phase_name().word();
    Ok(match played.recorded_only.len() {
        0 => word.to_owned(),
        1 => format!("{word}, 1 event recorded without effect"),
        many => format!("{word}, {many} events recorded without effect"),
    })
}

#[cfg(test)]
mod tests {
    use protocol::{PersonId, UnixMicros, views::Role};
    use uuid::Uuid;

    use super::*;

    fn replayed(payload: &Payload, actor: verify::Actor, role: Option<Role>) -> ReplayedEvent<'_> {
        ReplayedEvent {
            stream_number: 1,
            recorded_at: UnixMicros(1),
            actor,
            acting_as: role,
            payload,
        }
    }

    #[test]
    fn an_actor_without_the_role_that_they_need_is_refused() {
        let person = PersonId(Uuid::from_u128(1));
        let paused = Payload::Job(JobEvent::Paused {});
        let opened = Payload::SessionOpened {
            person,
            passkey: None,
        };
        let operator = Some(Role::Operator);

        for (payload, actor, role, why) in [
            (
                &opened,
                verify::Actor::Cloud,
                None,
                "it is no event of a job",
            ),
            (
                &paused,
                verify::Actor::CloudFor(person),
                None,
                "it does not say in which role its actor acts",
            ),
            (
                &paused,
                verify::Actor::Cloud,
                operator,
                "its actor has no roles",
            ),
        ] {
            let fault = JobRules
                .replay("job/1", &[replayed(payload, actor, role)])
                .unwrap_err();

            assert_eq!((fault.index, fault.why.as_str()), (0, why));
        }
        let first = [replayed(&paused, verify::Actor::Person(person), operator)];
        assert_eq!(JobRules.replay("job/1", &first).unwrap_err().index, 0);
        assert!(JobRules.replay("job/1", &[]).is_err());
    }
}
