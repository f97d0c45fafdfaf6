//! Random jobs that check the machine against itself: what is proposed at every step is drawn from a seed, well-formed or not,
//! and after every step what must hold is looked at. The same seed walks the same way.

use std::collections::BTreeMap;

use protocol::{
    ApprovalId, JobId, PersonId, RobotId, SiteId, UnixMicros,
    job::{
        IncidentDecision, JobEvent, JobRequest, ParameterValue, PhaseName, TemplateName, Window,
    },
};
use uuid::Uuid;

use crate::{
    actor::{Actor, ActorKind},
    apply::apply_all,
    assignment::assignment,
    deadline::{deadlines, lapse},
    decide::{Decision, decide},
    invariant::check_invariants,
    job::Job,
    moves::{actor, sample},
    refusal::{Inapplicable, Refusal},
    replay::{self, Step},
    roles::movers,
    template::{self, Parameter, ParameterKind, Template},
};

mod random;

use random::Random;

/// A job that was moved this often has been everywhere; the next one begins.
const MOST_ENTRIES: usize = 200;

/// Where the walk's clock starts.
const START: UnixMicros = UnixMicros(1_800_000_000_000_000);

const SECOND: u64 = 1_000_000;
const DAY: i64 = 24 * 3_600_000_000;

/// One proposal of a walk and what became of it.
#[derive(Debug, Clone)]
pub struct Taken {
    /// What was proposed.
    pub event: JobEvent,
    /// By whom.
    pub actor: Actor,
    /// When.
    pub at: UnixMicros,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a proposal.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It happened, and these events with it.
    Applied {
        /// The job that it happened to; none when it began one.
        before: Option<Box<Job>>,
        /// Everything that is recorded.
        events: Vec<JobEvent>,
        /// The job that it makes.
        after: Box<Job>,
    },
    /// It was recorded and moved nothing.
    Recorded(Inapplicable),
    /// It was turned down.
    Refused(Refusal),
}

/// How far a walk came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events applied.
    pub transitions: u64,
    /// Proposals that were recorded only.
    pub recorded: u64,
    /// Proposals that were turned down.
    pub refused: u64,
    /// Jobs that came to an end and were replayed.
    pub jobs: u64,
    /// How often each phase was entered or stayed in.
    pub phases: BTreeMap<PhaseName, u64>,
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, transition {transition}: {claim}")]
pub struct Fault {
    /// The walk that finds it again.
    pub seed: u64,
    /// How many events were applied before.
    pub transition: u64,
    /// What does not hold.
    pub claim: String,
}

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    seed: u64,
    random: Random,
    job: Option<Job>,
    now: UnixMicros,
    /// Proposals between which no time passes, and how many of them are left at this moment.
    burst: u32,
    left_at_once: u32,
    history: Vec<Step<JobEvent>>,
    /// What was not proposed yet to the job as it stands.
    untried: Vec<(JobEvent, UnixMicros)>,
    tally: Tally,
}

/// Walks until so many events were applied.
pub fn run(seed: u64, transitions: u64) -> Result<Tally, Fault> {
    let mut walk = Walk::new(seed);
    while walk.tally.transitions < transitions {
        walk.step()?;
    }
    Ok(walk.tally)
}

impl Walk {
    /// A walk that begins with a new job.
    pub fn new(seed: u64) -> Self {
        Self::in_bursts(seed, 1)
    }

    /// The same, with so many proposals at a time between which no time passes by itself.
    pub fn in_bursts(seed: u64, burst: u32) -> Self {
        Self {
            burst,
            left_at_once: 0,
            seed,
            random: Random::new(seed),
            job: None,
            now: START,
            history: Vec::new(),
            untried: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// How far it came.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Proposes one event and looks at what becomes of it.
    pub fn step(&mut self) -> Result<Taken, Fault> {
        self.pass_time();
        let (event, actor, at) = self.proposal();
        let outcome = match decide(self.job.as_ref(), &event, actor, at) {
            Ok(Decision::Apply(events)) => self.happens(events, actor, at)?,
            Ok(Decision::RecordOnly(why)) => {
                self.remember(event.clone(), actor, at);
                self.tally.recorded += 1;
                Outcome::Recorded(why)
            }
            Err(refusal) => {
                self.tally.refused += 1;
                Outcome::Refused(refusal)
            }
        };
        self.begin_anew_at_the_end()?;
        Ok(Taken {
            event,
            actor,
            at,
            outcome,
        })
    }

    fn happens(
        &mut self,
        events: Vec<JobEvent>,
        actor: Actor,
        at: UnixMicros,
    ) -> Result<Outcome, Fault> {
        let before = self.job.take();
        let Some(after) = apply_all(before.clone(), &events, actor, at) else {
            return Err(self.fault("an event that may happen makes a job"));
        };
        self.untried.clear();
        self.now = self.now.max(at);
        let by = std::iter::once(actor).chain(std::iter::repeat(Actor::Cloud));
        for (event, by) in events.iter().zip(by) {
            self.remember(event.clone(), by, at);
            self.tally.transitions += 1;
        }
        *self.tally.phases.entry(after.phase_name()).or_default() += 1;
        self.job = Some(after.clone());
        self.look_at(before.as_ref(), &after)?;
        Ok(Outcome::Applied {
            before: before.map(Box::new),
            events,
            after: Box::new(after),
        })
    }

    fn remember(&mut self, event: JobEvent, actor: Actor, recorded_at: UnixMicros) {
        self.history.push(Step {
            event,
            actor,
            recorded_at,
        });
    }

    fn fault(&self, claim: &str) -> Fault {
        Fault {
            seed: self.seed,
            transition: self.tally.transitions,
            claim: format!("{claim}: {:?}", self.job),
        }
    }

    /// What must hold of a job, and of the one that it was before.
    fn look_at(&self, before: Option<&Job>, after: &Job) -> Result<(), Fault> {
        check_invariants(after).map_err(|claim| self.fault(claim))?;
        if let Some(before) = before {
            self.look_at_both(before, after)?;
        }
        if assignment(after).is_some() != after.holder().is_some() {
            return Err(self.fault("a robot is told what to do exactly while it has the job"));
        }
        for (kind, due) in deadlines(after) {
            let too_early = lapse(after, kind, due.plus(-1));
            let in_time =
                lapse(after, kind, due).map(|event| decide(Some(after), &event, Actor::Cloud, due));
            if too_early.is_some() || !matches!(in_time, Some(Ok(Decision::Apply(_)))) {
                return Err(self.fault("what a moment brings may happen from that moment on"));
            }
        }
        Ok(())
    }

    fn look_at_both(&self, before: &Job, after: &Job) -> Result<(), Fault> {
        if after.checkpoint < before.checkpoint || after.epoch < before.epoch {
            return Err(self.fault("checkpoints and numbers never fall"));
        }
        if after.version <= before.version {
            return Err(self.fault("what happens is counted"));
        }
        let is_robots_word = self.history.iter().rev().take(2).any(|step| {
            matches!(
                step.event,
                JobEvent::SafeStateReached { .. } | JobEvent::WorkFinished { .. }
            )
        });
        let stood = before.phase_name() == PhaseName::Stopping
            && matches!(after.phase_name(), PhaseName::Paused | PhaseName::Cancelled);
        if stood && !is_robots_word {
            return Err(self.fault("only the robot says that it stands, or that it is done"));
        }
        Ok(())
    }

    fn begin_anew_at_the_end(&mut self) -> Result<(), Fault> {
        let is_over = self.job.as_ref().is_some_and(|job| job.phase.is_over());
        if !is_over && self.history.len() < MOST_ENTRIES {
            return Ok(());
        }
        let history = std::mem::take(&mut self.history);
        let played = replay::play(history).map_err(|impossible| {
            self.fault(&format!("what happened was possible: {impossible}"))
        })?;
        if played.job != self.job {
            return Err(self.fault("the same events make the same job"));
        }
        self.job = None;
        self.untried.clear();
        self.tally.jobs += 1;
        Ok(())
    }

    fn pass_time(&mut self) {
        if self.left_at_once > 0 {
            self.left_at_once -= 1;
            return;
        }
        self.left_at_once = self.burst.saturating_sub(1);
        let micros = match self.random.below(100) {
            0 => self.random.below(3_600 * SECOND),
            1..=5 => self.random.below(20 * SECOND),
            _ => self.random.below(SECOND / 5),
        };
        self.now = self.now.plus(i64::try_from(micros).unwrap_or(0));
    }

    fn proposal(&mut self) -> (JobEvent, Actor, UnixMicros) {
        let new = self.random.id();
        let Some(job) = &self.job else {
            return self.request(new);
        };
        if self.untried.is_empty() {
            self.untried = sample::proposals(job, new, self.now);
            // Drawn evenly, nearly no job would get anywhere: most of what can happen throws one back.
            if self.random.below(4) != 0 {
                self.untried.retain(|(event, _)| leads_on(job, event));
            }
        }
        let drawn = self.random.index(self.untried.len());
        let (event, at) = self.untried.swap_remove(drawn);
        let event = self.bend(event);
        let actor = self.somebody(&event);
        let at = if self.random.below(20) == 0 {
            self.now
        } else {
            at.max(self.now)
        };
        (event, actor, at)
    }

    fn request(&mut self, new: Uuid) -> (JobEvent, Actor, UnixMicros) {
        let requester = PersonId(Uuid::from_u128(21));
        let template = &template::all()[self.random.index(template::all().len())];
        let request = filled_in(template, JobId(new), self.now);
        let Ok(plan) = template::plan(&request) else {
            return (JobEvent::Paused {}, Actor::Cloud, self.now);
        };
        let event = JobEvent::Requested {
            request,
            plan,
            requester,
        };
        (event, Actor::Requester(requester), self.now)
    }

    /// One in ten proposals is a little wrong: an old number, a step too far, another's id.
    fn bend(&mut self, mut event: JobEvent) -> JobEvent {
        if self.random.below(10) != 0 {
            return event;
        }
        let off = 1 + self.random.below(2);
        match &mut event {
            JobEvent::ReservationProposed { epoch, .. }
            | JobEvent::ReservationConfirmed { epoch }
            | JobEvent::ReservationForfeited { epoch, .. }
            | JobEvent::RobotLost { epoch }
            | JobEvent::Departed { epoch }
            | JobEvent::Arrived { epoch }
            | JobEvent::AccessVerified { epoch, .. }
            | JobEvent::AccessFailed { epoch, .. }
            | JobEvent::ExecutionStarted { epoch }
            | JobEvent::SafeStateReached { epoch }
            | JobEvent::WorkFinished { epoch } => *epoch = epoch.saturating_sub(off),
            JobEvent::AssistRequested { epoch, .. } | JobEvent::IncidentRaised { epoch, .. } => {
                *epoch = epoch.map_or(Some(off), |epoch| epoch.checked_sub(off));
            }
            JobEvent::CheckpointDone { number, .. } => *number += u32::from(off == 1) * 2,
            JobEvent::AssistAnswered { option, .. } => *option += 2,
            JobEvent::Rescheduled { window } => window.until = window.from,
            JobEvent::AccessGranted { plan } => {
                plan.secret = Some("the key is under the mat".to_owned());
            }
            JobEvent::ApprovalRequested {
                answer_within_s, ..
            } => *answer_within_s = 0,
            JobEvent::ApprovalGranted { approval }
            | JobEvent::ApprovalDenied { approval }
            | JobEvent::ApprovalTimedOut { approval }
            | JobEvent::ApprovalRevoked { approval } => *approval = ApprovalId(Uuid::nil()),
            JobEvent::HeartbeatMissed { policy, .. } => policy.missed_beats = 0,
            JobEvent::Requested { .. }
            | JobEvent::Assigned { .. }
            | JobEvent::AccessRevoked { .. }
            | JobEvent::AccessExpired { .. }
            | JobEvent::AssistOffered { .. }
            | JobEvent::AssistClaimed { .. }
            | JobEvent::AssistStarted { .. }
            | JobEvent::AssistEnded { .. }
            | JobEvent::AssistEscalated { .. }
            | JobEvent::AssistExpired { .. }
            | JobEvent::HeartbeatResumed {}
            | JobEvent::Paused {}
            | JobEvent::Resumed {}
            | JobEvent::IncidentDecided { .. }
            | JobEvent::WorkAccepted {}
            | JobEvent::Cancelled {} => {}
        }
        event
    }

    /// Mostly somebody who may; now and then anybody, or another of the kind.
    fn somebody(&mut self, event: &JobEvent) -> Actor {
        let allowed = movers(event);
        let kind = if self.random.below(10) == 0 {
            ActorKind::ALL[self.random.index(ActorKind::ALL.len())]
        } else {
            allowed[self.random.index(allowed.len())]
        };
        let stranger = self.random.id();
        let is_stranger = self.random.below(20) == 0;
        match (kind, &self.job) {
            (ActorKind::Requester, _) if is_stranger => Actor::Requester(PersonId(stranger)),
            (ActorKind::Operator, _) if is_stranger => Actor::Operator(PersonId(stranger)),
            (ActorKind::Robot, _) if is_stranger => Actor::Robot(RobotId(stranger)),
            (kind, Some(job)) => actor(job, kind),
            (_, None) => Actor::Cloud,
        }
    }
}

/// Whether it takes a job nearer to its completion, from wherever it stands.
const fn leads_on(job: &Job, event: &JobEvent) -> bool {
    if let JobEvent::AccessGranted { .. } = event {
        return job.access.is_none();
    }
    matches!(
        event,
        JobEvent::Assigned { .. }
            | JobEvent::ReservationConfirmed { .. }
            | JobEvent::Departed { .. }
            | JobEvent::Arrived { .. }
            | JobEvent::AccessVerified { .. }
            | JobEvent::ExecutionStarted { .. }
            | JobEvent::CheckpointDone { .. }
            | JobEvent::ApprovalGranted { .. }
            | JobEvent::ApprovalDenied { .. }
            | JobEvent::AssistClaimed { .. }
            | JobEvent::AssistStarted { .. }
            | JobEvent::AssistEnded { .. }
            | JobEvent::HeartbeatResumed {}
            | JobEvent::SafeStateReached { .. }
            | JobEvent::Resumed {}
            | JobEvent::IncidentDecided {
                decision: IncidentDecision::Resume
            }
            | JobEvent::WorkFinished { .. }
    )
}

/// The template's form, answered with whatever it takes.
pub(crate) fn filled_in(template: &Template, job: JobId, now: UnixMicros) -> JobRequest {
    let answer = |parameter: &Parameter| match parameter.kind {
        ParameterKind::Place => ParameterValue::Text("Room 3".to_owned()),
        ParameterKind::Text { .. } => ParameterValue::Text("A glass of water".to_owned()),
        ParameterKind::Number { max, .. } => ParameterValue::Number(max),
        ParameterKind::Choice { options } => {
            ParameterValue::Text(options.first().map_or("", |(word, _)| word).to_owned())
        }
        ParameterKind::Flag => ParameterValue::Flag(true),
    };
    JobRequest {
        job,
        site: SiteId(Uuid::from_u128(11)),
        template: TemplateName {
            name: template.name.to_owned(),
            version: template.version,
        },
        parameters: template
            .parameters
            .iter()
            .map(|parameter| (parameter.name.to_owned(), answer(parameter)))
            .collect(),
        window: Window {
            from: now,
            until: now.plus(DAY),
        },
        operator_cover: true,
    }
}
