//! What becomes of a job from any moment on when nothing more goes wrong: all words arrive, and everybody does what they are
//! asked for.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::Mutex,
};

use protocol::job::{IncidentDecision, JobEvent};

use super::{
    bounds::Bounds,
    world::{ROBOTS, World},
};
use crate::{
    Actor, ActorKind, decide,
    moves::{actor, sample},
    tests::fixtures::T0,
};

/// From the request to the acceptance it takes some thirty.
const MOST_ROUNDS: usize = 80;

/// More words than anybody says in that time.
const ALL_WORDS: usize = 100;

/// Worlds from which the job was done before. Two threads search.
#[derive(Debug, Default)]
pub(super) struct KnownGood(Mutex<HashSet<u64>>);

impl KnownGood {
    /// Whether the job is done in the end. A job that is over is none of anybody's business any more.
    pub(super) fn ends_well(&self, bounds: &Bounds, world: &World) -> bool {
        let mut world = world.clone();
        for robot in &mut world.robots {
            robot.most_words = ALL_WORDS;
        }
        let mut on_the_way = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let name = BuildHasherDefault::<DefaultHasher>::default().hash_one(&world);
            if world.job.phase.is_over() || self.0.lock().unwrap().contains(&name) {
                self.0.lock().unwrap().extend(on_the_way);
                return true;
            }
            on_the_way.push(name);
            let last = world.clone();
            world.goes_well(bounds);
            if world == last {
                return false;
            }
        }
        false
    }
}

impl World {
    /// One round: what was said arrives, people do what is theirs, robots hear of it and do what is next.
    fn goes_well(&mut self, bounds: &Bounds) {
        for robot in 0..ROBOTS.len() {
            while self.arrives(bounds, robot, self.held[robot]).is_some() {}
        }
        if let Some((event, by)) = self.wanted() {
            self.happens(&event, by, T0);
            if let JobEvent::AccessGranted { .. } = event {
                self.counts.grants += 1;
            }
        }
        for robot in 0..ROBOTS.len() {
            if let Some(told) = self.told(robot) {
                self.lines[robot] = Some(told);
                self.receives(robot);
            }
            self.robots[robot].goes_on(bounds.done_as());
        }
    }

    /// What a person, or the cloud, is waited for to do.
    fn wanted(&self) -> Option<(JobEvent, Actor)> {
        let by = |kind| actor(&self.job, kind);
        let proposed = sample::proposals(&self.job, self.fresh().0, T0);
        let mut wanted = proposed
            .into_iter()
            .map(|(event, _)| event)
            .filter(|event| self.leads_on(event));
        wanted.find_map(|event| {
            let kinds = [ActorKind::Requester, ActorKind::Operator, ActorKind::Cloud];
            let by = kinds
                .map(by)
                .into_iter()
                .find(|by| decide(Some(&self.job), &event, *by, T0).is_ok())?;
            let event = match event {
                JobEvent::Assigned { .. } => JobEvent::Assigned { robot: ROBOTS[0] },
                event => event,
            };
            Some((event, by))
        })
    }

    fn leads_on(&self, event: &JobEvent) -> bool {
        let engaged = self.job.phase.engaged();
        match event {
            JobEvent::Assigned { .. }
            | JobEvent::HeartbeatResumed {}
            | JobEvent::Resumed {}
            | JobEvent::ApprovalGranted { .. }
            | JobEvent::AssistClaimed { .. }
            | JobEvent::AssistStarted { .. }
            | JobEvent::AssistAnswered { .. }
            | JobEvent::WorkAccepted {} => true,
            JobEvent::IncidentDecided { decision } => *decision == IncidentDecision::Resume,
            JobEvent::AccessGranted { .. } => self.job.access.is_none(),
            JobEvent::AssistEnded { .. } => {
                let help = engaged.and_then(|engaged| engaged.open_help());
                help.is_some_and(|help| help.option.is_some())
            }
            _ => false,
        }
    }
}
