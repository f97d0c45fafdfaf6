//! The rules of stopping, going on and ending, each by hand. Every cell is in the matrix.

use protocol::job::{AccessFailure, Directive, IncidentKind, JobEvent, PhaseName};
use uuid::Uuid;

use super::fixtures::{
    ADMIN, HOUR, OPERATOR, QUESTION, REQUESTER, ROBOT, SECOND, Story, T0, leave, missed, resume,
    trouble,
};
use crate::{Actor, DeadlineKind, Decision, Inapplicable, Refusal, assignment, deadlines, lapse};

const RESUMED: JobEvent = JobEvent::Resumed {};
const PAUSED: JobEvent = JobEvent::Paused {};
const CANCELLED: JobEvent = JobEvent::Cancelled {};

#[test]
fn a_yes_that_is_taken_back_stops_the_robot() {
    let yes = JobEvent::ApprovalGranted { approval: QUESTION };
    let back = JobEvent::ApprovalRevoked { approval: QUESTION };
    let allowed = Story::begin().executing().asking().and(&yes, REQUESTER);

    let stopping = allowed.and(&back, REQUESTER);

    assert_eq!(stopping.job.phase_name(), PhaseName::Stopping);
    assert_eq!(stopping.job.stops_for(), Some(PhaseName::Paused));
    let (_, told) = assignment(&stopping.job).unwrap();
    assert_eq!(told.directive, Directive::Stop);
    assert!(!told.approval.unwrap().is_granted);
    stopping.refuses(&back, REQUESTER, Refusal::ApprovalUnknown);
}

#[test]
fn only_the_robot_says_that_it_stands_and_silence_is_an_incident() {
    let stopping = Story::begin().executing().and(&PAUSED, OPERATOR);
    for event in [PAUSED, RESUMED, JobEvent::HeartbeatResumed {}, missed(T0)] {
        stopping.refuses(&event, Actor::Cloud, Refusal::WrongPhase);
    }
    let stands = JobEvent::SafeStateReached {
        epoch: stopping.epoch(),
    };
    for actor in [REQUESTER, OPERATOR, ADMIN, Actor::Cloud] {
        stopping.refuses(&stands, actor, Refusal::RoleNotAllowed);
    }
    let (kind, due) = deadlines(&stopping.job)[0];
    assert_eq!(
        (kind, due),
        (DeadlineKind::StopReport, T0.plus(10 * SECOND))
    );
    let silence = lapse(&stopping.job, kind, due).unwrap();
    stopping.refuses(&silence, Actor::Cloud, Refusal::NotDueYet);
    stopping.refuses(&silence, OPERATOR, Refusal::RoleNotAllowed);

    let incident = stopping.later(10 * SECOND).and(&silence, Actor::Cloud);

    assert_eq!(incident.job.phase_name(), PhaseName::Incident);
    incident.refuses(&resume(), OPERATOR, Refusal::StopUnconfirmed);
    let (_, told) = assignment(&incident.job).unwrap();
    assert_eq!(told.directive, Directive::Stop);
    let confirmed = incident.stands();
    confirmed.only_records(&stands, ROBOT, Inapplicable::NothingNew);
    let decided = confirmed.and(&resume(), OPERATOR);
    assert_eq!(decided.job.phase_name(), PhaseName::Paused);
}

#[test]
fn a_stopped_robot_goes_on_only_under_new_leave_that_it_verified() {
    let executing = Story::begin().executing().step_done();
    let paused = executing.and(&PAUSED, REQUESTER).stands();
    assert_eq!(paused.job.interrupted(), Some(PhaseName::Executing));
    assert_eq!(paused.job.access, None);
    paused.refuses(&RESUMED, OPERATOR, Refusal::AccessNotVerified);
    let old = JobEvent::AccessVerified {
        epoch: paused.epoch(),
        access: leave(1),
    };
    paused.only_records(&old, ROBOT, Inapplicable::AccessUnknown);
    let granted = paused.granted(2);
    assert_eq!(granted.job.phase_name(), PhaseName::Paused);
    granted.refuses(&RESUMED, OPERATOR, Refusal::AccessNotVerified);
    let verify = JobEvent::AccessVerified {
        epoch: granted.epoch(),
        access: leave(2),
    };

    let decided = granted.decide(&verify, ROBOT);
    let going = granted.verified(2);

    assert_eq!(decided, Ok(Decision::Apply(vec![verify, RESUMED])));
    assert_eq!(going.job.phase_name(), PhaseName::Executing);
    assert_eq!(going.job.checkpoint, 1);
}

#[test]
fn a_requester_who_stopped_the_robot_on_its_way_lets_it_go_on_by_granting_leave_anew() {
    let paused = Story::begin()
        .travelling()
        .granted(1)
        .and(&PAUSED, REQUESTER)
        .stands();

    let going = paused.clone().granted(2);
    let by_an_operator = paused.and(&RESUMED, OPERATOR);

    assert_eq!(going.job.phase_name(), PhaseName::Travelling);
    assert_eq!(by_an_operator.job.phase_name(), PhaseName::Travelling);
}

#[test]
fn a_robot_that_somebody_else_paused_does_not_go_on_by_the_requesters_leave_alone() {
    for actor in [OPERATOR, ADMIN, Actor::Cloud] {
        let travelling = Story::begin().travelling().granted(1);
        let on_its_way = travelling.and(&PAUSED, actor).stands().granted(2);
        let executing = Story::begin().executing();
        let inside = executing
            .and(&PAUSED, actor)
            .stands()
            .granted(2)
            .verified(2);

        for held in [on_its_way, inside] {
            assert_eq!(held.job.phase_name(), PhaseName::Paused);
            assert!(held.job.is_held());
            let going = held.and(&RESUMED, OPERATOR);
            assert_eq!(going.job.interrupted(), None);
            assert!(!going.job.is_held());
        }
    }
}

#[test]
fn an_operators_pause_counts_also_when_the_requester_paused_first() {
    let by_requester = Story::begin()
        .travelling()
        .granted(1)
        .and(&PAUSED, REQUESTER);
    by_requester.refuses(&PAUSED, REQUESTER, Refusal::WrongPhase);

    for held in [
        by_requester.clone().and(&PAUSED, OPERATOR).stands(),
        by_requester.stands().and(&PAUSED, OPERATOR),
    ] {
        assert!(held.job.is_held());
        held.refuses(&PAUSED, ADMIN, Refusal::WrongPhase);
        let granted = held.granted(2);
        assert_eq!(granted.job.phase_name(), PhaseName::Paused);
        granted.refuses(&RESUMED, Actor::Cloud, Refusal::RoleNotAllowed);
    }
}

#[test]
fn leave_that_is_revoked_or_runs_out_stops_a_robot_that_is_inside() {
    let executing = Story::begin().executing();
    let access = leave(1);
    let expired = JobEvent::AccessExpired { access };
    executing.refuses(&expired, Actor::Cloud, Refusal::NotDueYet);

    let revoked = executing
        .clone()
        .and(&JobEvent::AccessRevoked { access }, REQUESTER);
    let expired = executing.later(HOUR).and(&expired, Actor::Cloud);

    for stopping in [revoked, expired] {
        assert_eq!(stopping.job.phase_name(), PhaseName::Stopping);
        assert_eq!(stopping.job.access, None);
    }
}

#[test]
fn calling_off_is_immediate_until_the_robot_set_out_and_after_that_it_stops_first() {
    for story in [
        Story::begin(),
        Story::begin().offered(),
        Story::begin().reserved(),
        Story::begin().executing().paused(),
    ] {
        let after = story.and(&CANCELLED, REQUESTER);
        assert_eq!(after.job.phase_name(), PhaseName::Cancelled);
    }
    for story in [
        Story::begin().travelling(),
        Story::begin().executing(),
        Story::begin().at_site().stalled(),
        Story::begin().executing().stopping(),
    ] {
        let after = story.and(&CANCELLED, REQUESTER);
        assert_eq!(after.job.stops_for(), Some(PhaseName::Cancelled));
        assert_eq!(after.stands().job.phase_name(), PhaseName::Cancelled);
    }
}

#[test]
fn a_stop_is_only_ever_made_graver() {
    let stopping = Story::begin().executing().stopping();
    let report_by = deadlines(&stopping.job)[0];
    let cancelling = stopping.later(SECOND).cancelling();
    cancelling.refuses(&PAUSED, OPERATOR, Refusal::WrongPhase);
    let trouble = cancelling.in_trouble();
    trouble.refuses(&CANCELLED, OPERATOR, Refusal::IncidentOpen);

    assert_eq!(trouble.job.stops_for(), Some(PhaseName::Incident));
    assert_eq!(deadlines(&trouble.job)[0], report_by);
    let stands = trouble.stands();
    assert_eq!(stands.job.phase_name(), PhaseName::Incident);
    assert_eq!(stands.aborted().job.phase_name(), PhaseName::Aborted);
}

#[test]
fn after_an_incident_the_robot_goes_on_where_its_leave_still_holds_and_waits_where_not() {
    let incident = Story::begin().executing().incident();

    let at_once = incident.clone().and(&resume(), OPERATOR);
    let an_hour_later = incident.later(HOUR).and(&resume(), OPERATOR);

    assert_eq!(at_once.job.phase_name(), PhaseName::Executing);
    assert_eq!(an_hour_later.job.phase_name(), PhaseName::Paused);
    let travelling = Story::begin().travelling().incident();
    let going = travelling.and(&resume(), ADMIN);
    assert_eq!(going.job.phase_name(), PhaseName::Travelling);
}

#[test]
fn what_a_robot_finds_at_the_door_before_it_hears_of_an_incident_counts() {
    let at_the_door = Story::begin().at_site().granted(1);
    for halted in [at_the_door.clone().in_trouble(), at_the_door.incident()] {
        let let_in = halted.clone().verified(1);
        let failed = JobEvent::AccessFailed {
            epoch: halted.epoch(),
            access: leave(1),
            reason: AccessFailure::DoorClosed,
        };

        let shut_out = halted.and(&failed, ROBOT);

        assert!(let_in.job.is_access_verified());
        assert_eq!(shut_out.job.access, None);
        assert_eq!(let_in.job.interrupted(), Some(PhaseName::AtSite));
    }
    let wants_leave = Story::begin().at_site().stopping().granted(2);
    let verify = JobEvent::AccessVerified {
        epoch: wants_leave.epoch(),
        access: leave(2),
    };
    wants_leave.only_records(&verify, ROBOT, Inapplicable::WrongPhase);
}

#[test]
fn a_robot_that_is_done_before_it_hears_of_a_stop_has_nothing_left_to_stop() {
    let done = Story::begin().executing().all_done();
    for (into, phase) in [
        (Story::stopping as fn(Story) -> Story, PhaseName::Paused),
        (Story::cancelling, PhaseName::Cancelled),
        (Story::in_trouble, PhaseName::Incident),
        (Story::silent, PhaseName::Incident),
    ] {
        let stopping = into(done.clone());
        let finish = JobEvent::WorkFinished {
            epoch: stopping.epoch(),
        };

        let after = stopping.and(&finish, ROBOT);

        assert_eq!(after.job.phase_name(), phase);
        assert_eq!(deadlines(&after.job), []);
        if phase == PhaseName::Incident {
            let decided = after.and(&resume(), OPERATOR);
            assert_eq!(decided.job.phase_name(), PhaseName::Verifying);
        }
    }
}

#[test]
fn anybody_raises_an_incident_but_only_under_the_number_that_is_theirs() {
    let executing = Story::begin().executing();
    let owner = Actor::Owner(protocol::PersonId(Uuid::nil()));
    for actor in [REQUESTER, OPERATOR, owner, ADMIN, Actor::Cloud] {
        let after = executing.clone().and(&trouble(None), actor);
        assert_eq!(after.job.stops_for(), Some(PhaseName::Incident));
        let numbered = trouble(Some(executing.epoch()));
        executing.refuses(&numbered, actor, Refusal::EpochOutOfPlace);
    }
    let by_the_robot = trouble(Some(executing.epoch()));
    let after = executing.clone().and(&by_the_robot, ROBOT);
    assert_eq!(after.job.stops_for(), Some(PhaseName::Incident));
    let silence = JobEvent::IncidentRaised {
        incident: IncidentKind::StopUnconfirmed,
        epoch: Some(executing.epoch()),
    };
    executing.only_records(&silence, ROBOT, Inapplicable::WrongPhase);
    let stranger = Actor::Requester(protocol::PersonId(Uuid::nil()));
    executing.refuses(&trouble(None), stranger, Refusal::NotYourJob);
}

#[test]
fn a_requester_has_the_whole_time_to_look_at_the_work_again_once_a_pause_is_over() {
    let finished = Story::begin().executing().finished();
    let first = finished.job.accept_by().unwrap();
    for (halt, go_on) in [(PAUSED, RESUMED), (trouble(None), resume())] {
        let long_after = finished
            .clone()
            .and(&halt, OPERATOR)
            .later(30 * 24 * HOUR)
            .and(&go_on, OPERATOR);

        let again = long_after.job.accept_by().unwrap();

        assert_eq!(again, first.plus(30 * 24 * HOUR));
        let accepted = JobEvent::WorkAccepted {};
        long_after.refuses(&accepted, Actor::Cloud, Refusal::NotDueYet);
        assert_eq!(
            lapse(&long_after.job, DeadlineKind::Acceptance, first),
            None
        );
        let due = lapse(&long_after.job, DeadlineKind::Acceptance, again);
        assert_eq!(due, Some(accepted));
    }
}
