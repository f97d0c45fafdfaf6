//! Where a job can go from where it stands, and who may move it: asked of `decide`, so that it can't say anything else.

use protocol::{
    PersonId, RobotId, UnixMicros,
    job::{JobEvent, PhaseName},
};
use uuid::Uuid;

use crate::{
    actor::{Actor, ActorKind},
    apply::apply_all,
    decide::{Decision, decide},
    job::{Help, Job},
};

pub(crate) mod sample;

/// One way that a job can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The event's frozen name.
    pub kind: &'static str,
    /// Where it leads to; absent when the phase stays.
    pub to: Option<PhaseName>,
    /// Who may do it.
    pub actors: Vec<ActorKind>,
}

/// Every way that the job can go from where it stands. What only the clock does is in it before its time.
pub fn moves(job: &Job, now: UnixMicros) -> Vec<Move> {
    let mut found: Vec<Move> = Vec::new();
    for (event, at) in sample::proposals(job, sample::UNUSED, now) {
        let possible = ActorKind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, leads_to(job, &event, actor(job, kind), at)?)));
        for (kind, phase) in possible {
            let to = (phase != job.phase_name()).then_some(phase);
            let same = found
                .iter_mut()
                .find(|known| known.kind == event.kind() && known.to == to);
            match same {
                Some(known) if known.actors.contains(&kind) => {}
                Some(known) => known.actors.push(kind),
                None => found.push(Move {
                    kind: event.kind(),
                    to,
                    actors: vec![kind],
                }),
            }
        }
    }
    found
}

fn leads_to(job: &Job, event: &JobEvent, actor: Actor, at: UnixMicros) -> Option<PhaseName> {
    let Ok(Decision::Apply(events)) = decide(Some(job), event, actor, at) else {
        return None;
    };
    Some(apply_all(Some(job.clone()), &events, actor, at)?.phase_name())
}

/// Somebody of this kind who may do what such ones may do with this job.
pub(crate) fn actor(job: &Job, kind: ActorKind) -> Actor {
    let somebody = PersonId(Uuid::nil());
    match kind {
        ActorKind::Requester => Actor::Requester(job.requester),
        ActorKind::Operator => {
            let claimer = job.open_help().and_then(Help::operator);
            Actor::Operator(claimer.unwrap_or(somebody))
        }
        ActorKind::Owner => Actor::Owner(somebody),
        ActorKind::Admin => Actor::Admin(somebody),
        ActorKind::Robot => Actor::Robot(job.robot().unwrap_or(RobotId(Uuid::nil()))),
        ActorKind::Cloud => Actor::Cloud,
    }
}
