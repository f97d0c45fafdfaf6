//! What must hold at every moment of every search, and what each search must come across, lest it looks at nothing.

use protocol::job::PhaseName;
use stateright::Property;

use super::{
    JobAndRobots,
    words::Word,
    world::{Consent, ROBOTS, World},
};
use crate::{Caller, Halt, Help, Job, Phase, check_invariants};

/// What a word taken twice would break.
pub(super) const STANDS: &str = "a robot that is shown as standing stands";

pub(super) type Claims = Vec<Property<JobAndRobots>>;

pub(super) fn what_must_hold() -> Claims {
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
            "who is shown as having the job took it on under the present number",
            |_, world: &World| {
                let is_offer = world.job.phase_name() == PhaseName::Dispatching;
                let holder = world.job.holder().filter(|_| !is_offer);
                holder.is_none_or(|holder| {
                    (0..ROBOTS.len())
                        .filter(|robot| ROBOTS[*robot] == holder.robot)
                        .all(|robot| world.robots[robot].has_taken_on(holder.epoch))
                })
            },
        ),
        Property::always(STANDS, |_, world: &World| {
            !is_shown_standing(&world.job) || !holder_moves(world)
        }),
        Property::always("nothing went wrong on the way", |_, world: &World| {
            world.went_wrong.is_none()
        }),
        Property::always("no step is done that no robot did", |_, world: &World| {
            let done = world.robots.iter().map(|robot| robot.done).max();
            Some(world.job.checkpoint) <= done
        }),
        Property::always(
            "once nothing more goes wrong the job is done",
            |model: &JobAndRobots, world: &World| {
                let are_honest = model.bounds.taken_for.is_none();
                !are_honest || model.known_good.ends_well(&model.bounds, world)
            },
        ),
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

fn has_halt(world: &World, halt: Halt) -> bool {
    let engaged = world.job.phase.engaged();
    engaged.is_some_and(|engaged| engaged.halt == halt)
}

/// One robot, and much that goes wrong.
pub(super) fn with_one_robot() -> Claims {
    vec![
        Property::sometimes("a job is completed", |_, world: &World| completes(world)),
        Property::sometimes("a job is completed after a stop", |_, world: &World| {
            completes(world) && world.counts.grants == 2
        }),
        Property::sometimes("silence becomes an incident", |_, world: &World| {
            let stop_confirmed = false;
            has_halt(world, Halt::Incident { stop_confirmed })
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
pub(super) fn with_two_robots() -> Claims {
    vec![
        Property::sometimes(
            "another robot completes what one began",
            |_, world: &World| {
                let has_done = |robot: &super::machine::Machine| robot.done == world.job.checkpoint;
                completes(world) && world.robots.iter().all(has_done)
            },
        ),
        Property::sometimes(
            "an agent that started anew completes it",
            |_, world: &World| completes(world) && world.counts.restarts == 1,
        ),
        Property::sometimes(
            "a word under an old number comes when another robot is at work",
            |_, world: &World| {
                world.job.phase_name() == PhaseName::Executing
                    && (world.robots.iter()).any(|robot| {
                        robot
                            .journal
                            .iter()
                            .any(|word| word.epoch() < world.job.epoch)
                    })
            },
        ),
    ]
}

/// Questions to the requester.
pub(super) fn with_questions() -> Claims {
    vec![
        Property::sometimes("a step is worked at with a yes", |_, world: &World| {
            is_at_an_asked_step(world) && world.consent == Consent::Given
        }),
        Property::sometimes(
            "a yes is taken back while the step is worked at",
            |_, world: &World| is_at_an_asked_step(world) && world.consent == Consent::TakenBack,
        ),
        Property::sometimes("without a yes a step is left out", |_, world: &World| {
            is_said(world, |word| matches!(word, Word::LeftOut(..)))
        }),
        Property::sometimes("a question stands over a stop", |_, world: &World| {
            has_halt(world, Halt::Paused) && world.job.question().is_some()
        }),
        Property::sometimes("a job with a question is completed", |_, world: &World| {
            completes(world)
        }),
    ]
}

fn is_at_an_asked_step(world: &World) -> bool {
    holder_moves(world)
        && world.job.needs_approval()
        && world.job.phase_name() != PhaseName::Travelling
}

fn is_said(world: &World, is_it: impl Fn(&Word) -> bool) -> bool {
    (world.robots.iter()).any(|robot| robot.journal.iter().any(&is_it))
}

/// Robots that ask nobody.
pub(super) fn without_a_question() -> Claims {
    vec![Property::sometimes(
        "a step that needs a yes is said to be done without one",
        |_, world: &World| {
            world.job.phase_name() == PhaseName::Executing
                && world.consent == Consent::Lacking
                && is_said(world, |word| matches!(word, Word::Done(..)))
        },
    )]
}

fn help(world: &World) -> Option<Help> {
    world.job.phase.engaged()?.help
}

/// Calls for help.
pub(super) fn with_calls() -> Claims {
    vec![
        Property::sometimes("an answer lets the robot go on", |_, world: &World| {
            let is_answered = help(world).is_some_and(|help| help.option.is_some());
            is_answered && holder_moves(world)
        }),
        Property::sometimes(
            "nobody helps and the step is left out",
            |_, world: &World| is_said(world, |word| matches!(word, Word::LeftOut(..))),
        ),
        Property::sometimes(
            "a robot is helped while it is to stop",
            |_, world: &World| {
                let engaged = world.job.phase.engaged();
                engaged.is_some_and(|engaged| engaged.is_helped() && !engaged.is_active())
            },
        ),
        Property::sometimes(
            "somebody helps a robot of which nothing is heard",
            |_, world: &World| {
                let called = help(world).is_some_and(|help| help.caller == Caller::Cloud);
                called && world.job.interrupted() == Some(PhaseName::Assisted)
            },
        ),
        Property::sometimes("a job with a call is completed", |_, world: &World| {
            completes(world)
        }),
    ]
}

/// Ways in that are closed.
pub(super) fn with_closed_doors() -> Claims {
    vec![
        Property::sometimes(
            "a robot finds the way in closed and then open",
            |_, world: &World| completes(world) && world.counts.closed_doors == 2,
        ),
        Property::sometimes(
            "new leave to go on is found no good where the robot stands",
            |_, world: &World| {
                has_halt(world, Halt::Paused)
                    && is_said(world, |word| matches!(word, Word::Failed(..)))
            },
        ),
    ]
}

/// Leave that takes the place of other leave.
pub(super) fn with_replaced_leave() -> Claims {
    vec![
        Property::sometimes(
            "a robot finds leave good that is in force no more",
            |_, world: &World| {
                let access = world.job.access.as_ref();
                let in_force = access.map(|access| access.plan.access);
                in_force.is_some()
                    && is_said(
                        world,
                        |word| matches!(word, Word::Verified(_, access) if Some(*access) != in_force),
                    )
            },
        ),
        Property::sometimes("a job is completed by the latest", |_, world: &World| {
            completes(world) && world.counts.grants == 3
        }),
    ]
}

/// Incidents that a robot raises.
pub(super) fn with_own_incidents() -> Claims {
    vec![
        Property::sometimes(
            "a job is completed after all that went wrong",
            |_, world: &World| completes(world) && world.counts.own_incidents == 2,
        ),
        Property::sometimes(
            "a robot that was told to stop says why else it should",
            |_, world: &World| {
                world.job.phase_name() == PhaseName::Stopping
                    && is_said(world, |word| matches!(word, Word::Trouble(_)))
            },
        ),
        Property::sometimes("a job is aborted", |_, world: &World| {
            matches!(world.job.phase, Phase::Aborted { .. })
        }),
    ]
}

/// Agents that start anew.
pub(super) fn with_restarts() -> Claims {
    vec![
        Property::sometimes("a job is completed all the same", |_, world: &World| {
            completes(world) && world.counts.restarts == 2
        }),
        Property::sometimes(
            "a robot that started anew is told to stop and does not know it yet",
            |_, world: &World| {
                world.job.phase_name() == PhaseName::Stopping
                    && world.counts.restarts > 0
                    && world.robots[0].epoch == 0
            },
        ),
        Property::sometimes(
            "it started anew before the log holds that it stands",
            |_, world: &World| {
                world.robots[0].epoch == 0 && is_said(world, |word| matches!(word, Word::Stands(_)))
            },
        ),
        Property::sometimes("its questions outlive it", |_, world: &World| {
            world.robots[0].epoch == 0 && world.job.question().is_some()
        }),
    ]
}

/// Words that arrive again.
pub(super) fn with_repetition() -> Claims {
    vec![
        Property::sometimes(
            "that it stands is held, goes on, and may come again",
            |_, world: &World| {
                let held = &world.robots[0].journal[..world.held[0]];
                let is_standing = held.iter().any(|word| matches!(word, Word::Stands(_)));
                is_standing && world.job.phase_name() == PhaseName::Executing
            },
        ),
        Property::sometimes("a job is completed", |_, world: &World| completes(world)),
    ]
}
