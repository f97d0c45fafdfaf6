//! Job × two robots × network, searched as a whole within bounds.
//!
//! Up, a robot's words are numbered, may come late or never, and the log takes them in their order and each once: that it does is
//! tested where it is done, in `spine`. Down, each robot has one ordered line that loses, delays and repeats what is sent. Deadlines may
//! come at any moment after what they wait for began.
//!
//! Each search states its bounds. Left out of all: questions to the requester, calls for help, access that fails, incidents that a robot
//! raises, and agents that start anew.

use std::hash::{Hash, Hasher};

use protocol::{
    RobotId, UnixMicros,
    job::{JobEvent, PhaseName, PlanStep, StepAction},
};
use stateright::{Checker as _, Model, Property};

use super::fixtures::{JUNIPER, REQUESTER, ROWAN, T0, leave, request, requested};
use crate::{
    Actor, ActorKind, DeadlineKind, Decision, Halt, Job, Phase, apply_all, assignment,
    check_invariants, deadlines, decide, lapse, movers,
    moves::{actor, sample},
};

mod machine;

use machine::{Machine, Told};

const ROBOTS: [RobotId; 2] = [JUNIPER, ROWAN];

/// Everything that there is at one moment.
#[derive(Debug, Clone, PartialEq)]
struct World {
    job: Job,
    robots: [Machine; 2],
    /// What was sent to each robot last.
    lines: [Option<Told>; 2],
    offers: u8,
    grants: u8,
    disturbances: u8,
    /// Whether a checkpoint or a number ever fell, or a robot was said to stand that had not said so.
    went_wrong: Option<&'static str>,
}

impl Hash for World {
    fn hash<State: Hasher>(&self, state: &mut State) {
        // What never changes here is left out.
        let job = &self.job;
        let changes = (&job.phase, job.epoch, &job.access, job.checkpoint);
        serde_json::to_vec(&changes).unwrap().hash(state);
        self.robots.hash(state);
        self.lines.hash(state);
        (self.offers, self.grants, self.disturbances).hash(state);
        self.went_wrong.hash(state);
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Act {
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
    /// One of the robot's words that the log does not hold arrives.
    Arrive(usize, usize),
}

/// How far a search goes.
struct JobAndRobots {
    robots: usize,
    steps: u32,
    /// Of each robot, on their way at a time.
    words: usize,
    offers: u8,
    grants: u8,
    /// Pauses, stalls, revocations, incidents, losses, cancellations and deadlines in all.
    disturbances: u8,
    /// What must be possible, lest the search looks at nothing.
    reaches: fn() -> Vec<Property<JobAndRobots>>,
}

impl World {
    fn begin(steps: u32, words: usize) -> Self {
        let mut event = requested(&request());
        if let JobEvent::Requested { request, plan, .. } = &mut event {
            request.parameters.clear();
            plan.steps = vec![
                PlanStep {
                    title: "Work".to_owned(),
                    action: StepAction::Photograph,
                };
                usize::try_from(steps).unwrap()
            ];
        }
        Self {
            job: apply_all(None, &[event], REQUESTER, T0).unwrap(),
            robots: [Machine::idle(words), Machine::idle(words)],
            lines: [None, None],
            offers: 0,
            grants: 0,
            disturbances: 0,
            went_wrong: None,
        }
    }

    /// What people and the cloud may propose within the bounds.
    fn proposals(&self, bounds: &JobAndRobots, acts: &mut Vec<Act>) {
        let new = leave(u128::from(self.grants)).0;
        for (event, at) in sample::proposals(&self.job, new, T0) {
            if at != T0 || !self.is_within(bounds, &event) {
                continue;
            }
            let by = movers(&event)
                .iter()
                .copied()
                .find(|kind| *kind != ActorKind::Robot);
            let Some(by) = by.map(|kind| actor(&self.job, kind)) else {
                continue;
            };
            if let JobEvent::Assigned { .. } = event {
                // The robots are alike: it does not matter which of them comes first.
                let candidates = bounds.robots.min(usize::from(self.offers) + 1);
                for robot in ROBOTS.into_iter().take(candidates) {
                    let assigned = JobEvent::Assigned { robot };
                    acts.push(Act::Propose(Box::new(assigned), by));
                }
                continue;
            }
            acts.push(Act::Propose(Box::new(event), by));
        }
    }

    /// Whether the model looks at it, and may do so once more.
    fn is_within(&self, bounds: &JobAndRobots, event: &JobEvent) -> bool {
        match event {
            JobEvent::Assigned { .. } => self.offers < bounds.offers,
            JobEvent::AccessGranted { .. } => {
                self.grants < bounds.grants && self.job.access.is_none()
            }
            JobEvent::HeartbeatResumed {}
            | JobEvent::Resumed {}
            | JobEvent::IncidentDecided { .. }
            | JobEvent::WorkAccepted {} => true,
            JobEvent::IncidentRaised { epoch: None, .. }
            | JobEvent::Paused {}
            | JobEvent::Cancelled {}
            | JobEvent::HeartbeatMissed { .. }
            | JobEvent::AccessRevoked { .. }
            | JobEvent::RobotLost { .. } => self.disturbances < bounds.disturbances,
            _ => false,
        }
    }

    fn count(&mut self, event: &JobEvent) {
        match event {
            JobEvent::Assigned { .. } => self.offers += 1,
            JobEvent::AccessGranted { .. } => self.grants += 1,
            JobEvent::HeartbeatResumed {}
            | JobEvent::Resumed {}
            | JobEvent::IncidentDecided { .. }
            | JobEvent::WorkAccepted {} => {}
            _ => self.disturbances += 1,
        }
    }

    /// Lets it happen, if it may. Time stands still in what it leaves, so that the same thing twice is the same world.
    fn happens(&mut self, event: &JobEvent, by: Actor, now: UnixMicros) -> Option<()> {
        let Ok(Decision::Apply(events)) = decide(Some(&self.job), event, by, now) else {
            return None;
        };
        let mut after = apply_all(Some(self.job.clone()), &events, by, T0)?;
        let stood = self.job.phase_name() == PhaseName::Stopping
            && matches!(after.phase_name(), PhaseName::Paused | PhaseName::Cancelled);
        if stood && !matches!(event, JobEvent::SafeStateReached { .. }) {
            self.went_wrong = Some("only the robot says that it stands");
        }
        if after.checkpoint < self.job.checkpoint || after.epoch < self.job.epoch {
            self.went_wrong = Some("checkpoints and numbers never fall");
        }
        after.version = 1;
        self.job = after;
        Some(())
    }

    /// What the cloud would send to the robot now.
    fn told(&self, robot: usize) -> Option<Told> {
        match assignment(&self.job) {
            Some((holder, assignment)) if holder == ROBOTS[robot] => Some(Told::of(&assignment)),
            _ => {
                let epoch = self.robots[robot].epoch;
                (epoch > 0).then(|| Told::release(epoch))
            }
        }
    }
}

impl Model for JobAndRobots {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World::begin(self.steps, self.words)]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        world.proposals(self, acts);
        if world.disturbances < self.disturbances {
            acts.extend(
                deadlines(&world.job)
                    .into_iter()
                    .map(|(kind, _)| Act::Lapse(kind)),
            );
        }
        for robot in 0..self.robots {
            acts.extend([
                Act::Send(robot),
                Act::Receive(robot),
                Act::Go(robot),
                Act::Decline(robot),
            ]);
            let on_their_way = world.robots[robot].journal.len();
            acts.extend((0..on_their_way).map(|number| Act::Arrive(robot, number)));
        }
    }

    fn next_state(&self, last: &World, act: Act) -> Option<World> {
        let mut world = last.clone();
        match act {
            Act::Propose(event, by) => {
                world.happens(&event, by, T0)?;
                world.count(&event);
            }
            Act::Lapse(kind) => {
                let due = deadlines(&world.job)
                    .into_iter()
                    .find(|(known, _)| *known == kind)?
                    .1;
                let event = lapse(&world.job, kind, due)?;
                world.happens(&event, Actor::Cloud, due)?;
                world.disturbances += 1;
            }
            Act::Send(robot) => world.lines[robot] = Some(world.told(robot)?),
            Act::Receive(robot) => {
                let told = world.lines[robot]?;
                world.robots[robot].hears(told)?;
            }
            Act::Go(robot) => world.robots[robot].goes_on(self.steps)?,
            Act::Decline(robot) => world.robots[robot].declines()?,
            // The log holds the numbers before: it takes the next one and nothing else.
            Act::Arrive(_, number) if number > 0 => return None,
            Act::Arrive(robot, _) => {
                let event = world.robots[robot].journal.remove(0).event();
                // Recorded in any case; what does not fit moves nothing.
                world.happens(&event, Actor::Robot(ROBOTS[robot]), T0);
            }
        }
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = what_must_hold();
        all.extend((self.reaches)());
        all
    }
}

fn what_must_hold() -> Vec<Property<JobAndRobots>> {
    vec![
        Property::always("what holds of every job holds", |_, world: &World| {
            check_invariants(&world.job).is_ok()
        }),
        Property::always(
            "nothing is executed without leave verified under the present number",
            |_, world: &World| {
                world.job.phase_name() != PhaseName::Executing || world.job.is_access_verified()
            },
        ),
        Property::always(
            "two robots never act under one number",
            |_, world: &World| {
                let [one, other] = world.robots.each_ref().map(|robot| robot.epoch);
                one == 0 || one != other
            },
        ),
        Property::always(
            "only the holder acts under the present number",
            |_, world: &World| {
                let Some(holder) = world.job.holder() else {
                    return true;
                };
                (0..ROBOTS.len()).all(|robot| {
                    world.robots[robot].epoch != holder.epoch || ROBOTS[robot] == holder.robot
                })
            },
        ),
        Property::always(
            "a robot that is shown as standing stands",
            |_, world: &World| !is_shown_standing(&world.job) || !holder_moves(world),
        ),
        Property::always("nothing went wrong on the way", |_, world: &World| {
            world.went_wrong.is_none()
        }),
        Property::always("no step is done that no robot did", |_, world: &World| {
            let done = world.robots.iter().map(|robot| robot.done).max();
            Some(world.job.checkpoint) <= done
        }),
    ]
}

fn is_shown_standing(job: &Job) -> bool {
    job.phase
        .engaged()
        .is_some_and(|engaged| !engaged.may_be_working())
}

fn holder_moves(world: &World) -> bool {
    let holder = world.job.holder().map(|holder| holder.robot);
    (0..ROBOTS.len())
        .filter(|robot| Some(ROBOTS[*robot]) == holder)
        .any(|robot| world.robots[robot].is_moving)
}

fn completes(world: &World) -> bool {
    world.job.phase_name() == PhaseName::Completed
}

/// One robot, and much that goes wrong.
fn with_one_robot() -> Vec<Property<JobAndRobots>> {
    vec![
        Property::sometimes("a job is completed", |_, world: &World| completes(world)),
        Property::sometimes("a job is completed after a stop", |_, world: &World| {
            completes(world) && world.grants == 2
        }),
        Property::sometimes("silence becomes an incident", |_, world: &World| {
            world.job.phase.engaged().is_some_and(|engaged| {
                engaged.halt
                    == Halt::Incident {
                        stop_confirmed: false,
                    }
            })
        }),
        Property::sometimes("a job is aborted", |_, world: &World| {
            matches!(world.job.phase, Phase::Aborted { .. })
        }),
        Property::sometimes("a job is called off after a stop", |_, world: &World| {
            matches!(world.job.phase, Phase::Cancelled { .. }) && world.job.epoch == 1
        }),
    ]
}

/// Two robots, one after the other.
fn with_two_robots() -> Vec<Property<JobAndRobots>> {
    vec![Property::sometimes(
        "another robot completes what one began",
        |_, world: &World| {
            completes(world)
                && world
                    .robots
                    .iter()
                    .all(|robot| robot.done == world.job.checkpoint)
        },
    )]
}

fn search(model: JobAndRobots) {
    let checker = model.checker().threads(2).spawn_bfs().join();

    checker.assert_properties();
    assert!(checker.is_done(), "the search was cut short");
    let worlds = checker.unique_state_count();
    assert!(worlds > 10_000, "only {worlds} worlds");
}

#[test]
fn one_robot_in_trouble_breaks_nothing_that_must_hold() {
    search(JobAndRobots {
        robots: 1,
        steps: 2,
        words: 2,
        offers: 1,
        grants: 3,
        disturbances: 3,
        reaches: with_one_robot,
    });
}

#[test]
fn two_robots_one_after_the_other_break_nothing_that_must_hold() {
    search(JobAndRobots {
        robots: 2,
        steps: 1,
        words: 1,
        offers: 2,
        grants: 2,
        disturbances: 1,
        reaches: with_two_robots,
    });
}
