//! Job × two robots × network, searched as a whole within bounds.
//!
//! People and the cloud do at any moment whatever the rules let them do. Up, a robot's words are numbered, may come late, again
//! or never, and the log takes each robot's in their order and each once: that it does is tested where it is done, in `spine`. Down,
//! each robot has one ordered line that loses, delays and repeats what is sent, and by which it also hears what the log holds.
//! Deadlines may come at any moment after what they wait for began. Robots are honest, but for those of one search that ask nobody;
//! their agents may start anew at any moment, and then know what they wrote down and nothing else.
//!
//! One search for each thing that can go wrong, as all of it together is more than can be looked at. Each states its bounds, and
//! must come across what it is about. Beside what must hold at every moment, from each moment on the job is done in the end once
//! nothing more goes wrong: no mishap, and no order of words, leaves it where nobody moves it.
//!
//! Left out of all: calls for help on the way, a person who drives the robot, work that fails, and more than one job. Robots of this
//! model say again what may have counted for nothing (`Said::doubt`). Incidents are a robot's to raise by the protocol; today's
//! agent raises none.

use std::collections::BTreeSet;

use stateright::{Checker as _, HasDiscoveries, Model, Property};

use super::fixtures::T0;
use crate::deadlines;

mod bounds;
mod claims;
mod good_will;
mod machine;
mod words;
mod world;

use bounds::Bounds;
use claims::Claims;
use good_will::KnownGood;
use machine::Step::{Asks, Plain, Unsure};
use world::{Act, World};

/// One search.
struct JobAndRobots {
    bounds: Bounds,
    /// What must be possible, lest the search looks at nothing.
    reaches: fn() -> Claims,
    known_good: KnownGood,
}

impl Model for JobAndRobots {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World::begin(&self.bounds)]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        let (bounds, counts) = (&self.bounds, &world.counts);
        let proposals = world.proposals(bounds).into_iter();
        acts.extend(proposals.map(|(event, by)| Act::Propose(Box::new(event), by)));
        let lapses = deadlines(&world.job).into_iter().map(|(kind, _)| kind);
        acts.extend(
            lapses
                .filter(|kind| counts.leave_room_for_lapse(bounds, *kind))
                .map(Act::Lapse),
        );
        for robot in 0..bounds.robots {
            acts.extend([
                Act::Send(robot),
                Act::Receive(robot),
                Act::Go(robot),
                Act::Decline(robot),
            ]);
            if counts.closed_doors < bounds.closed_doors {
                acts.push(Act::FindClosed(robot));
            }
            if counts.own_incidents < bounds.own_incidents {
                acts.push(Act::Raise(robot));
            }
            if counts.restarts < bounds.restarts {
                acts.push(Act::Restart(robot));
            }
            let kept = world.robots[robot].journal.len();
            acts.extend((0..kept).map(|place| Act::Arrive(robot, place)));
        }
    }

    fn next_state(&self, last: &World, act: Act) -> Option<World> {
        let mut world = last.clone();
        match act {
            Act::Propose(event, by) => {
                world.happens(&event, by, T0)?;
                world.counts.count(&self.bounds, &event);
            }
            Act::Lapse(kind) => {
                world.lapses(kind)?;
                world.counts.count_lapse(kind);
            }
            Act::Send(robot) => world.lines[robot] = Some(world.told(robot)?),
            Act::Receive(robot) => world.receives(robot)?,
            Act::Go(robot) => world.robots[robot].goes_on(self.bounds.done_as())?,
            Act::Decline(robot) => world.robots[robot].declines()?,
            Act::FindClosed(robot) => {
                world.robots[robot].finds_closed()?;
                world.counts.closed_doors += 1;
            }
            Act::Raise(robot) => {
                world.robots[robot].raises_incident()?;
                world.counts.own_incidents += 1;
            }
            Act::Restart(robot) => {
                world.robots[robot].restarts()?;
                world.counts.restarts += 1;
            }
            Act::Arrive(robot, place) => world.arrives(&self.bounds, robot, place)?,
        }
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = claims::what_must_hold();
        all.extend((self.reaches)());
        all
    }
}

/// Looks at everything within the bounds.
fn search(bounds: Bounds, reaches: fn() -> Claims) {
    let model = JobAndRobots {
        bounds,
        reaches,
        known_good: KnownGood::default(),
    };
    let checker = model.checker().threads(2).spawn_bfs().join();

    checker.assert_properties();
    assert!(checker.is_done(), "the search was cut short");
    let worlds = checker.unique_state_count();
    assert!(worlds > 10_000, "only {worlds} worlds");
}

#[test]
fn one_robot_in_trouble_breaks_nothing_that_must_hold() {
    let bounds = Bounds {
        grants: 3,
        disturbances: 3,
        ..Bounds::quiet(&[Plain, Plain])
    };
    search(bounds, claims::with_one_robot);
}

#[test]
fn two_robots_one_after_the_other_break_nothing_that_must_hold() {
    let bounds = Bounds {
        robots: 2,
        words: 1,
        offers: 2,
        grants: 2,
        disturbances: 1,
        restarts: 1,
        ..Bounds::quiet(&[Plain])
    };
    search(bounds, claims::with_two_robots);
}

#[test]
fn questions_and_every_answer_to_them_break_nothing_that_must_hold() {
    let bounds = Bounds {
        grants: 2,
        disturbances: 1,
        ..Bounds::quiet(&[Asks, Plain])
    };
    search(bounds, claims::with_questions);
}

#[test]
fn a_robot_that_asks_nobody_has_no_step_done_that_needs_a_yes() {
    let bounds = Bounds {
        grants: 2,
        disturbances: 2,
        taken_for: Some(&[Plain, Plain]),
        ..Bounds::quiet(&[Asks, Plain])
    };
    search(bounds, claims::without_a_question);
}

#[test]
fn calls_for_help_and_every_end_of_them_break_nothing_that_must_hold() {
    let bounds = Bounds {
        grants: 2,
        disturbances: 1,
        calls: 1,
        ..Bounds::quiet(&[Unsure])
    };
    search(bounds, claims::with_calls);
}

#[test]
fn ways_in_that_are_closed_break_nothing_that_must_hold() {
    let bounds = Bounds {
        grants: 4,
        disturbances: 2,
        closed_doors: 2,
        ..Bounds::quiet(&[Plain])
    };
    search(bounds, claims::with_closed_doors);
}

#[test]
fn a_robots_own_incidents_break_nothing_that_must_hold() {
    let bounds = Bounds {
        grants: 2,
        disturbances: 2,
        own_incidents: 2,
        ..Bounds::quiet(&[Plain])
    };
    search(bounds, claims::with_own_incidents);
}

#[test]
fn agents_that_start_anew_break_nothing_that_must_hold() {
    let bounds = Bounds {
        grants: 2,
        disturbances: 1,
        restarts: 2,
        ..Bounds::quiet(&[Asks, Unsure])
    };
    search(bounds, claims::with_restarts);
}

#[test]
fn leave_that_replaces_leave_breaks_nothing_that_must_hold() {
    let bounds = Bounds {
        grants: 3,
        is_leave_replaced: true,
        disturbances: 1,
        restarts: 1,
        ..Bounds::quiet(&[Plain, Plain])
    };
    search(bounds, claims::with_replaced_leave);
}

#[test]
fn words_that_arrive_again_break_nothing_that_must_hold() {
    let bounds = Bounds {
        words: 3,
        are_words_repeated: true,
        grants: 2,
        disturbances: 2,
        ..Bounds::quiet(&[Plain])
    };
    search(bounds, claims::with_repetition);
}

/// That the log takes each number once is tested in `spine`; this is what depends on it.
#[test]
fn a_log_that_took_a_word_twice_would_show_a_moving_robot_as_standing() {
    let bounds = Bounds {
        words: 3,
        are_words_repeated: true,
        is_log_forgetful: true,
        grants: 2,
        disturbances: 2,
        ..Bounds::quiet(&[Plain])
    };
    let model = JobAndRobots {
        bounds,
        reaches: Vec::new,
        known_good: KnownGood::default(),
    };
    let broken = BTreeSet::from([claims::STANDS]);

    let checker = model
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf(broken))
        .spawn_bfs()
        .join();

    assert!(checker.discovery(claims::STANDS).is_some());
}
