//! The machine of a job as it is drawn: where it was, where it is, where it can go and who may move it. Asked of the rules
//! in `jobs`, so that the picture can't say anything else.

use jobs::{Actor, ActorKind, Decision, Job, Refusal, apply, decide};
use protocol::{
    PersonId, RobotId, UnixMicros,
    event::ActorEvent,
    job::{IncidentDecision, JobEvent, PhaseName},
    views::{JobView, Role},
};
use uuid::Uuid;

/// The way of a job to which nothing happens.
const TRUNK: [PhaseName; 8] = [
    PhaseName::Requested,
    PhaseName::Dispatching,
    PhaseName::Reserved,
    PhaseName::Travelling,
    PhaseName::AtSite,
    PhaseName::Executing,
    PhaseName::Verifying,
    PhaseName::Completed,
];

/// A job's history played again for drawing it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The job that the events make.
    pub job: Option<Job>,
    /// The phases that it went through, each once for every time that it was entered.
    pub visits: Vec<PhaseName>,
}

impl History {
    /// Plays one more event. What the rules don't allow moves nothing: whether a history was possible at all is for who
    /// verifies it.
    pub fn play(&mut self, event: &JobEvent, actor: Actor, at: UnixMicros) {
        if let Ok(Decision::Apply(_)) = decide(self.job.as_ref(), event, actor, at) {
            self.job = apply(self.job.take(), event, actor, at);
        }
        let phase = self.job.as_ref().map(Job::phase_name);
        if let Some(phase) = phase.filter(|phase| self.visits.last() != Some(phase)) {
            self.visits.push(phase);
        }
    }

    /// Who an event says it is from. Who it really is from, its signature says.
    pub fn claimed_actor(&self, event: &ActorEvent) -> Actor {
        let job = self.job.as_ref();
        match (event.acting_as, event.on_behalf_of, event.chain) {
            (Some(Role::Requester), on_behalf_of, _) => {
                let requester = job.map(|job| job.requester).or(on_behalf_of);
                Actor::Requester(requester.unwrap_or_else(|| requester_of(event)))
            }
            // Whoever answers a call is who took it, whether they signed one of the two themselves and not the other.
            (Some(Role::Operator | Role::Supervisor), on_behalf_of, _) => {
                let claimer = job.and_then(|job| job.open_help()?.operator());
                Actor::Operator(claimer.or(on_behalf_of).unwrap_or(PersonId(Uuid::nil())))
            }
            (Some(role), on_behalf_of, _) => {
                Actor::person(role, on_behalf_of.unwrap_or(PersonId(Uuid::nil())))
            }
            (None, _, None) => Actor::Cloud,
            (None, _, Some(_)) => {
                let robot = job.and_then(Job::robot);
                Actor::Robot(robot.unwrap_or(RobotId(Uuid::nil())))
            }
        }
    }
}

/// The first event names its author itself.
fn requester_of(event: &ActorEvent) -> PersonId {
    match &event.payload {
        protocol::event::Payload::Job(JobEvent::Requested { requester, .. }) => *requester,
        _ => PersonId(Uuid::nil()),
    }
}

/// A phase in the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneStep {
    /// Which.
    pub phase: PhaseName,
    /// How the job stands to it.
    pub standing: StepStanding,
    /// What interrupted it, and how often.
    pub arms: Vec<(PhaseName, usize)>,
}

/// How a job stands to a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStanding {
    /// It was there.
    Was,
    /// It is there.
    Is,
    /// It was interrupted there and can return.
    Held,
    /// It comes there if all goes well.
    Ahead,
    /// It will not come there.
    Never,
}

/// The lane of a job.
pub fn lane(job: &JobView, history: &History) -> Vec<LaneStep> {
    let phase = job.phase;
    let base_place = trunk_place(base(job, history));
    let is_on_trunk = trunk_place(phase).is_some();
    let was = |step: &PhaseName| history.visits.contains(step);
    let mut steps: Vec<LaneStep> = TRUNK
        .iter()
        .enumerate()
        .map(|(place, step)| {
            let standing = match base_place {
                Some(here) if place == here && is_on_trunk => StepStanding::Is,
                Some(here) if place == here => StepStanding::Held,
                Some(here) if place < here => StepStanding::Was,
                None if was(step) => StepStanding::Was,
                None if phase.is_over() => StepStanding::Never,
                Some(_) | None => StepStanding::Ahead,
            };
            LaneStep {
                phase: *step,
                standing,
                arms: arms(history, *step),
            }
        })
        .collect();
    if !is_on_trunk {
        let present = LaneStep {
            phase,
            standing: StepStanding::Is,
            arms: Vec::new(),
        };
        let after = base_place.unwrap_or(steps.len() - 1);
        let after = if phase.is_over() {
            // An end that was not the wished one stands behind what was reached.
            steps.retain(|step| step.standing != StepStanding::Never);
            steps.len()
        } else {
            after + 1
        };
        steps.insert(after, present);
    }
    steps
}

/// The phase of the trunk that the job is in, or was when it was interrupted. An end is none.
fn base(job: &JobView, history: &History) -> PhaseName {
    let named = job.interrupted.unwrap_or(job.phase);
    if named.is_over() || trunk_place(named).is_some() {
        return named;
    }
    // A robot that stalls while it is helped returns to being helped; what it is helped with, its history tells.
    let visits = history.visits.iter().rev();
    let latest = visits.copied().find(|visit| trunk_place(*visit).is_some());
    latest.unwrap_or(PhaseName::Executing)
}

/// Where a phase stands on the trunk.
fn trunk_place(phase: PhaseName) -> Option<usize> {
    TRUNK.iter().position(|step| *step == phase)
}

/// What interrupted a step: the phases off the trunk that were entered after it, before the next step.
fn arms(history: &History, step: PhaseName) -> Vec<(PhaseName, usize)> {
    let mut arms: Vec<(PhaseName, usize)> = Vec::new();
    let mut base = None;
    for visit in &history.visits {
        if trunk_place(*visit).is_some() {
            base = Some(*visit);
        } else if base == Some(step) && !visit.is_over() {
            match arms.iter_mut().find(|(phase, _)| phase == visit) {
                Some((_, count)) => *count += 1,
                None => arms.push((*visit, 1)),
            }
        }
    }
    arms
}

/// A way that the job can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where it leads to; absent where the phase stays.
    pub to: Option<PhaseName>,
    /// By which events, in their frozen names.
    pub kinds: Vec<&'static str>,
    /// Who may cause one of them.
    pub who: Vec<&'static str>,
}

/// Where the job can go, in the order of a job's life; what leaves the phase as it is comes last.
pub fn ways(job: &Job, now: UnixMicros) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    for found in jobs::moves(job, now) {
        let place = ways.iter().position(|way| way.to == found.to);
        let place = place.unwrap_or_else(|| {
            ways.push(Way {
                to: found.to,
                kinds: Vec::new(),
                who: Vec::new(),
            });
            ways.len() - 1
        });
        let way = &mut ways[place];
        if !way.kinds.contains(&found.kind) {
            way.kinds.push(found.kind);
        }
        for actor in found.actors {
            if !way.who.contains(&actor.word()) {
                way.who.push(actor.word());
            }
        }
    }
    ways.sort_by_key(|way| (way.to.is_none(), way.to));
    ways
}

/// What a person can do to a job from its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Choose its robot.
    Assign,
    /// Have the robot stop and keep the job.
    Pause,
    /// Let it go on.
    Resume,
    /// Decide after an incident: go on.
    DecideResume,
    /// Decide after an incident: end it.
    DecideAbort,
    /// Say that something went wrong.
    RaiseIncident,
    /// Say that the robot is gone, so that another takes over.
    MarkLost,
    /// Be content with the work.
    Accept,
    /// Call it off.
    Cancel,
}

impl Deed {
    /// Every deed, in the order in which they are offered: what takes something away comes last.
    const EVERY: [Self; 9] = [
        Self::Assign,
        Self::Accept,
        Self::Resume,
        Self::DecideResume,
        Self::Pause,
        Self::RaiseIncident,
        Self::DecideAbort,
        Self::MarkLost,
        Self::Cancel,
    ];

    /// The frozen name of its event.
    const fn kind(self) -> &'static str {
        match self {
            Self::Assign => "job.assigned",
            Self::Pause => "job.paused",
            Self::Resume => "job.resumed",
            Self::DecideResume | Self::DecideAbort => "incident.decided",
            Self::RaiseIncident => "incident.raised",
            Self::MarkLost => "robot.lost",
            Self::Accept => "work.accepted",
            Self::Cancel => "job.cancelled",
        }
    }

    /// The words on its button.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Assign => "Assign robot",
            Self::Pause => "Pause job",
            Self::Resume => "Resume job",
            Self::DecideResume => "Decide: go on",
            Self::DecideAbort => "Decide: end job",
            Self::RaiseIncident => "Raise incident",
            Self::MarkLost => "Mark robot lost",
            Self::Accept => "Accept work",
            Self::Cancel => "Cancel job",
        }
    }

    /// What it takes away, where it does: asked before it is done.
    pub const fn takes_away(self) -> Option<&'static str> {
        match self {
            Self::MarkLost => Some(
                "The robot loses the job and another one has to be found. Its own word counts no more, even if it comes back.",
            ),
            Self::Cancel => Some(
                "The job ends and can't be taken up again. A robot that is at it stops first, and only the robot reports that.",
            ),
            Self::DecideAbort => Some("The job ends here and can't be taken up again."),
            Self::RaiseIncident => {
                Some("The robot is told to stop, and a person decides what becomes of the job.")
            }
            Self::Assign | Self::Pause | Self::Resume | Self::DecideResume | Self::Accept => None,
        }
    }

    /// The event, for deeds that need nothing more to be said.
    pub const fn event(self, job: &JobView) -> Option<JobEvent> {
        match self {
            Self::Assign | Self::RaiseIncident => None,
            Self::Pause => Some(JobEvent::Paused {}),
            Self::Resume => Some(JobEvent::Resumed {}),
            Self::DecideResume => Some(JobEvent::IncidentDecided {
                decision: IncidentDecision::Resume,
            }),
            Self::DecideAbort => Some(JobEvent::IncidentDecided {
                decision: IncidentDecision::Abort,
            }),
            Self::MarkLost => Some(JobEvent::RobotLost { epoch: job.epoch }),
            Self::Accept => Some(JobEvent::WorkAccepted {}),
            Self::Cancel => Some(JobEvent::Cancelled {}),
        }
    }

    /// Whether it leads from here to where it wants to.
    fn fits(self, to: Option<PhaseName>) -> bool {
        match self {
            Self::DecideAbort => to == Some(PhaseName::Aborted),
            Self::DecideResume => to != Some(PhaseName::Aborted),
            Self::Assign
            | Self::Pause
            | Self::Resume
            | Self::RaiseIncident
            | Self::MarkLost
            | Self::Accept
            | Self::Cancel => true,
        }
    }
}

/// What a person with these roles can do now, each in the first of the roles that allows it.
pub fn deeds(job: &Job, roles: &[Role], now: UnixMicros) -> Vec<(Deed, Role)> {
    let moves = jobs::moves(job, now);
    let allowed = |deed: Deed| {
        let role = roles.iter().copied().find(|role| {
            let fitting = moves.iter().filter(|way| way.kind == deed.kind());
            fitting
                .filter(|way| deed.fits(way.to))
                .any(|way| way.actors.contains(&kind_of(*role)))
        })?;
        Some((deed, role))
    };
    Deed::EVERY.into_iter().filter_map(allowed).collect()
}

/// What a job whose robot stands waits for, for those who may let it go on.
pub fn waits_for(job: &Job, roles: &[Role], now: UnixMicros) -> Option<&'static str> {
    let stands = job.phase_name() == PhaseName::Paused;
    let may_resume =
        (roles.iter()).any(|role| matches!(role, Role::Operator | Role::Supervisor | Role::Admin));
    if !stands || !may_resume || job.accept_by().is_some() {
        return None;
    }
    let operator = Actor::Operator(job.requester);
    Some(
        match decide(Some(job), &JobEvent::Resumed {}, operator, now) {
            Ok(_) => "The robot stands. It goes on when you resume the job.",
            Err(Refusal::OutsideWindow) => {
                "The robot stands. The leave that it has is for another time."
            }
            Err(_needs_leave) if job.access.is_none() => {
                "The robot stands. Before it can go on, the requester has to let it in anew."
            }
            Err(_unverified) => {
                "The robot stands. Before it can go on, it has to find the way in open."
            }
        },
    )
}

const fn kind_of(role: Role) -> ActorKind {
    match role {
        Role::Operator | Role::Supervisor => ActorKind::Operator,
        Role::Requester => ActorKind::Requester,
        Role::Owner => ActorKind::Owner,
        Role::Admin => ActorKind::Admin,
    }
}

#[cfg(test)]
mod tests;
