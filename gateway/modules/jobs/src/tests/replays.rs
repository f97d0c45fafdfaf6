//! What a replay finds.

use protocol::{
    RobotId, UnixMicros,
    event::{ActorEvent, Payload},
    job::{JobEvent, PhaseName},
};
use uuid::Uuid;

use super::fixtures::{JUNIPER, OPERATOR, REQUESTER, ROBOT, SECOND, T0, request, requested};
use crate::{
    Actor, Inapplicable, Refusal,
    replay::{Impossible, Step, Why, play, play_signed},
};

fn step(event: JobEvent, actor: Actor, seconds: i64) -> Step<JobEvent> {
    Step {
        event,
        actor,
        recorded_at: T0.plus(seconds * SECOND),
    }
}

/// A job up to a robot on its way.
fn history() -> Vec<Step<JobEvent>> {
    let epoch = 1;
    vec![
        step(requested(&request()), REQUESTER, 0),
        step(JobEvent::Assigned { robot: JUNIPER }, OPERATOR, 1),
        step(
            JobEvent::ReservationProposed {
                robot: JUNIPER,
                epoch,
                acknowledge_by: T0.plus(11 * SECOND),
            },
            Actor::Cloud,
            1,
        ),
        step(JobEvent::ReservationConfirmed { epoch }, ROBOT, 2),
        step(JobEvent::Departed { epoch }, ROBOT, 3),
    ]
}

fn why(history: Vec<Step<JobEvent>>) -> Impossible {
    play(history).unwrap_err()
}

#[test]
fn a_possible_history_makes_its_job() {
    let job = play(history()).unwrap().job.unwrap();

    assert_eq!(job.phase_name(), PhaseName::Travelling);
    assert_eq!((job.version, job.updated_at), (5, T0.plus(3 * SECOND)));
    assert_eq!(play::<JobEvent>([]).unwrap().job, None);
}

#[test]
fn what_was_recorded_and_moved_nothing_is_named_with_its_reason() {
    let mut history = history();
    history.insert(4, step(JobEvent::Departed { epoch: 0 }, ROBOT, 3));

    let played = play(history).unwrap();

    assert_eq!(played.recorded_only, [(4, Inapplicable::StaleEpoch)]);
    assert_eq!(played.job.unwrap().version, 5);
}

#[test]
fn the_first_entry_that_was_not_possible_is_named() {
    let mut dropped = history();
    dropped.remove(0);
    let mut by_another = history();
    by_another[1].actor = Actor::Owner(protocol::PersonId(Uuid::nil()));
    let mut swapped = history();
    swapped.swap(2, 3);
    let mut consequence_dropped = history();
    consequence_dropped.remove(2);
    let mut cut_before_it = history();
    cut_before_it.truncate(2);
    let mut twice = history();
    twice.push(step(requested(&request()), REQUESTER, 4));

    let owed = Why::Owed("reservation.proposed");
    for (history, index, expected) in [
        (dropped, 0, Refusal::JobUnknown.into()),
        (by_another, 1, Refusal::RoleNotAllowed.into()),
        (swapped, 2, owed),
        (consequence_dropped, 2, owed),
        (cut_before_it, 2, owed),
        (twice, 5, Refusal::JobExists.into()),
    ] {
        let impossible = why(history);
        assert_eq!((impossible.index, impossible.why), (index, expected));
    }
}

#[test]
fn a_robot_that_did_not_have_the_job_moves_it_in_no_history() {
    let mut history = history();
    for step in &mut history[3..] {
        step.actor = Actor::Robot(RobotId(Uuid::nil()));
    }

    let played = play(history).unwrap();

    assert_eq!(played.job.unwrap().phase_name(), PhaseName::Dispatching);
    assert_eq!(played.recorded_only.len(), 2);
}

#[test]
fn an_event_that_is_no_jobs_has_no_place_in_a_jobs_stream() {
    let foreign = ActorEvent {
        stream: "job/1".to_owned(),
        chain: None,
        on_behalf_of: None,
        acting_as: None,
        payload: Payload::PersonAdded {
            person: protocol::PersonId(Uuid::nil()),
        },
    };
    let first = ActorEvent {
        payload: Payload::Job(requested(&request())),
        ..foreign.clone()
    };
    let stream: [(&ActorEvent, Actor, UnixMicros); 2] =
        [(&first, REQUESTER, T0), (&foreign, Actor::Cloud, T0)];

    let impossible = play_signed(stream).unwrap_err();

    assert_eq!((impossible.index, impossible.why), (1, Why::Foreign));
}
