//! Everything that there is at one moment, and what can happen next.

use std::hash::{Hash, Hasher};

use protocol::{
    AccessId, RobotId, UnixMicros,
    assist::AssistReason,
    job::{JobEvent, PhaseName, PlanStep, StepAction},
};

use super::{
    bounds::{Bounds, Counts},
    machine::{Machine, Step},
    words::Told,
};
use crate::{
    Actor, ActorKind, DeadlineKind, Decision, Job, Work, apply_all, assignment, deadlines, decide,
    lapse, movers,
    moves::{actor, sample},
    tests::fixtures::{JUNIPER, REQUESTER, ROWAN, T0, leave, request, requested},
};

pub(super) const ROBOTS: [RobotId; 2] = [JUNIPER, ROWAN];

/// Whether the requester wants the step done that the robot is at. Kept apart from the job, to look at the job by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Consent {
    /// Nobody said so.
    Lacking,
    /// They said yes.
    Given,
    /// They took a yes back from a robot that may not have heard of it.
    TakenBack,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct World {
    pub(super) job: Job,
    pub(super) robots: [Machine; 2],
    /// How many of the words that each robot keeps the log holds.
    pub(super) held: [usize; 2],
    /// What was sent to each robot last.
    pub(super) lines: [Option<Told>; 2],
    pub(super) counts: Counts,
    pub(super) consent: Consent,
    /// What happened that never may.
    pub(super) went_wrong: Option<&'static str>,
}

impl Hash for World {
    fn hash<State: Hasher>(&self, state: &mut State) {
        // What never changes here is left out.
        let job = &self.job;
        let changes = (
            &job.phase,
            job.epoch,
            &job.access,
            job.checkpoint,
            job.window,
        );
        serde_json::to_vec(&changes).unwrap().hash(state);
        self.robots.hash(state);
        self.held.hash(state);
        self.lines.hash(state);
        self.counts.hash(state);
        self.consent.hash(state);
        self.went_wrong.hash(state);
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// People or the cloud propose something.
    Propose(Box<JobEvent>, Actor),
    /// A moment came.
    Lapse(DeadlineKind),
    /// The cloud sends a robot what it is to do.
    Send(usize),
    /// The line delivers what was sent last, maybe again.
    Receive(usize),
    /// The robot does the next thing.
    Go(usize),
    /// The robot gives the job back.
    Decline(usize),
    /// The robot finds the way in closed.
    FindClosed(usize),
    /// The robot says that something went wrong.
    Raise(usize),
    /// The robot's agent starts anew.
    Restart(usize),
    /// One of the words that the robot keeps arrives, maybe again.
    Arrive(usize, usize),
}

fn action(step: Step) -> StepAction {
    match step {
        Step::Plain => StepAction::Work { seconds: 1 },
        Step::Asks => StepAction::ApprovedWork {
            seconds: 1,
            words: "May I?".to_owned(),
            answer_within_s: 300,
        },
        Step::Unsure => StepAction::UnsureWork {
            seconds: 1,
            question: sample::question(AssistReason::Unsure),
        },
    }
}

/// What flows tell a robot: nothing any more once every step is done.
fn task(job: &Job) -> Option<(RobotId, Told)> {
    let work = job.phase.engaged().map(|engaged| &engaged.work);
    let (robot, assignment) = assignment(job)?;
    (!matches!(work, Some(Work::Verifying { .. }))).then(|| (robot, Told::of(&assignment)))
}

impl World {
    pub(super) fn begin(bounds: &Bounds) -> Self {
        let mut event = requested(&request());
        if let JobEvent::Requested { request, plan, .. } = &mut event {
            request.parameters.clear();
            plan.steps = (bounds.plan.iter())
                .map(|step| PlanStep {
                    title: "Work".to_owned(),
                    action: action(*step),
                })
                .collect();
        }
        let robot = Machine::idle(bounds.words);
        Self {
            job: apply_all(None, &[event], REQUESTER, T0).unwrap(),
            robots: [robot.clone(), robot],
            held: [0, 0],
            lines: [None, None],
            counts: Counts::default(),
            consent: Consent::Lacking,
            went_wrong: None,
        }
    }

    /// What people and the cloud may propose within the bounds.
    pub(super) fn proposals(&self, bounds: &Bounds) -> Vec<(JobEvent, Actor)> {
        let mut found = Vec::new();
        for (event, at) in sample::proposals(&self.job, self.fresh().0, T0) {
            if at != T0 || !self.counts.leave_room_for(bounds, &self.job, &event) {
                continue;
            }
            if let JobEvent::Assigned { .. } = event {
                // The robots are alike: it does not matter which of them comes first.
                let candidates = bounds.robots.min(usize::from(self.counts.offers) + 1);
                let assigned = (ROBOTS.iter().take(candidates))
                    .map(|robot| JobEvent::Assigned { robot: *robot });
                let by = actor(&self.job, ActorKind::Operator);
                found.extend(assigned.map(|event| (event, by)));
                continue;
            }
            let by = movers(&event)
                .iter()
                .filter(|kind| **kind != ActorKind::Robot);
            // Who pauses a job decides who lets it go on.
            let is_pause = matches!(event, JobEvent::Paused {});
            let by = by.take(if is_pause { 2 } else { 1 });
            found.extend(by.map(|kind| (event.clone(), actor(&self.job, *kind))));
        }
        found
    }

    /// The name of what is new.
    pub(super) fn fresh(&self) -> AccessId {
        leave(u128::from(self.counts.grants + self.counts.calls))
    }

    pub(super) fn lapses(&mut self, kind: DeadlineKind) -> Option<()> {
        let (_, due) = deadlines(&self.job)
            .into_iter()
            .find(|(known, _)| *known == kind)?;
        let event = lapse(&self.job, kind, due)?;
        self.happens(&event, Actor::Cloud, due)
    }

    /// Lets it happen, if it may. Time stands still in what it leaves, so that the same thing twice is the same world.
    pub(super) fn happens(&mut self, event: &JobEvent, by: Actor, now: UnixMicros) -> Option<()> {
        let Ok(Decision::Apply(events)) = decide(Some(&self.job), event, by, now) else {
            return None;
        };
        let mut after = apply_all(Some(self.job.clone()), &events, by, T0)?;
        self.look_at(event, &after);
        after.version = 1;
        self.job = after;
        Some(())
    }

    /// What must hold between a job and what became of it.
    fn look_at(&mut self, event: &JobEvent, after: &Job) {
        let before = &self.job;
        let stood = before.phase_name() == PhaseName::Stopping
            && matches!(after.phase_name(), PhaseName::Paused | PhaseName::Cancelled);
        let is_robots_word = matches!(
            event,
            JobEvent::SafeStateReached { .. } | JobEvent::WorkFinished { .. }
        );
        if stood && !is_robots_word {
            self.went_wrong = Some("only the robot says that it stands, or that it is done");
        }
        if after.checkpoint < before.checkpoint || after.epoch < before.epoch {
            self.went_wrong = Some("checkpoints and numbers never fall");
        }
        match event {
            JobEvent::CheckpointDone { left_out, .. } => {
                if after.checkpoint != before.checkpoint + 1 {
                    self.went_wrong = Some("checkpoints rise one by one");
                }
                if before.needs_approval() && !left_out && self.consent == Consent::Lacking {
                    self.went_wrong = Some("a step that needs a yes is done with one");
                }
                self.consent = Consent::Lacking;
            }
            JobEvent::ApprovalGranted { .. } => self.consent = Consent::Given,
            JobEvent::ApprovalRevoked { .. } => self.consent = Consent::TakenBack,
            JobEvent::ApprovalRequested { .. } => self.consent = Consent::Lacking,
            _ => {}
        }
        let is_told = after
            .phase
            .engaged()
            .is_none_or(|engaged| !engaged.may_be_working());
        if is_told && self.consent == Consent::TakenBack {
            self.consent = Consent::Lacking;
        }
    }

    /// What the cloud would send to the robot now.
    pub(super) fn told(&self, robot: usize) -> Option<Told> {
        let machine = &self.robots[robot];
        let told = match task(&self.job) {
            Some((holder, told)) if holder == ROBOTS[robot] => told,
            _ => {
                let epoch = machine.epoch;
                (epoch > 0).then(|| Told::release(epoch))?
            }
        };
        let held = self.held[robot];
        Some(Told {
            held,
            is_stand_held: machine.is_stand_held(held),
            ..told
        })
    }

    /// The line delivers what was sent last. It stays on the line, but for what the robot need not hear twice.
    pub(super) fn receives(&mut self, robot: usize) -> Option<()> {
        let told = self.lines[robot].as_mut()?;
        let delivered = *told;
        told.held = 0;
        told.is_stand_held = false;
        self.held[robot] -= delivered.held;
        self.robots[robot].hears(delivered);
        Some(())
    }

    /// A word of the robot's reaches the log, which takes the numbers of each robot in their order and each once.
    pub(super) fn arrives(&mut self, bounds: &Bounds, robot: usize, place: usize) -> Option<()> {
        let word = *self.robots[robot].journal.get(place)?;
        let is_new = place == self.held[robot];
        if place > self.held[robot] || (!is_new && !bounds.is_log_forgetful) {
            return None;
        }
        // Recorded in any case; what does not fit moves nothing.
        self.happens(&word.event(), Actor::Robot(ROBOTS[robot]), T0);
        if is_new && bounds.are_words_repeated {
            self.held[robot] += 1;
        } else if is_new {
            self.robots[robot].journal.remove(place);
        }
        Some(())
    }
}
