//! The rules that matter most, each by hand. Every cell is in the matrix.

use protocol::{
    job::{AccessFailure, Directive, EvidenceHash, ForfeitReason, JobEvent, PhaseName, Window},
    limits::MAX_CHECKPOINT_EVIDENCE,
};
use uuid::Uuid;

use super::fixtures::{
    ADMIN, CALL, HOUR, JUNIPER, OPERATOR, OTHER_OPERATOR, QUESTION, REQUESTER, ROBOT, ROWAN,
    SECOND, Story, T0, call, checkpoint, ended, leave, missed, request, requested, trouble,
};
use crate::{
    Actor, DeadlineKind, Decision, Inapplicable, Refusal, assignment, decide, lapse, moves,
    release, wants_cover,
};

const PAUSED: JobEvent = JobEvent::Paused {};

#[test]
fn a_job_is_asked_for_by_its_requester_with_the_plan_that_follows() {
    let request = request();
    let event = requested(&request);
    let stranger = Actor::Requester(protocol::PersonId(Uuid::nil()));
    let mut other_plan = event.clone();
    if let JobEvent::Requested { plan, .. } = &mut other_plan {
        plan.steps.pop();
    }

    let by_a_stranger = decide(None, &event, stranger, T0);
    let with_another_plan = decide(None, &other_plan, REQUESTER, T0);
    let by_an_operator = decide(None, &event, OPERATOR, T0);

    assert_eq!(by_a_stranger, Err(Refusal::NotYourJob));
    assert_eq!(with_another_plan, Err(Refusal::PlanMismatch));
    assert_eq!(by_an_operator, Err(Refusal::RoleNotAllowed));
    assert_eq!(
        decide(None, &PAUSED, REQUESTER, T0),
        Err(Refusal::JobUnknown)
    );
    Story::begin().refuses(&event, REQUESTER, Refusal::JobExists);
}

#[test]
fn a_job_is_asked_for_in_a_window_that_somebody_can_promise() {
    let day = 24 * HOUR;
    let cases = [
        (0, 0, Some(Refusal::WindowEmpty)),
        (2, 1, Some(Refusal::WindowEmpty)),
        (-2 * day, 0, Some(Refusal::WindowPast)),
        (-15 * day, day, Some(Refusal::WindowPast)),
        (-2 * day, 1, None),
        (0, 14 * day, None),
        (0, 14 * day + 1, Some(Refusal::WindowTooFar)),
    ];
    for (from, until, refusal) in cases {
        let mut request = request();
        request.window = Window {
            from: T0.plus(from),
            until: T0.plus(until),
        };

        let decided = decide(None, &requested(&request), REQUESTER, T0);

        assert_eq!(decided.err(), refusal, "from {from} until {until}");
    }
}

#[test]
fn an_assigned_robot_is_offered_the_job_and_loses_it_when_it_does_not_answer() {
    let story = Story::begin();
    let decided = story.decide(&JobEvent::Assigned { robot: JUNIPER }, OPERATOR);
    let proposed = JobEvent::ReservationProposed {
        robot: JUNIPER,
        epoch: 1,
        acknowledge_by: T0.plus(10 * SECOND),
    };
    let assigned = JobEvent::Assigned { robot: JUNIPER };
    assert_eq!(decided, Ok(Decision::Apply(vec![assigned, proposed])));

    let offered = story.offered();
    let kind = DeadlineKind::Acknowledge;
    let silence = lapse(&offered.job, kind, T0.plus(10 * SECOND)).unwrap();

    assert_eq!(lapse(&offered.job, kind, T0.plus(10 * SECOND - 1)), None);
    offered.refuses(&silence, Actor::Cloud, Refusal::NotDueYet);
    let free = offered.clone().later(10 * SECOND);
    free.only_records(
        &JobEvent::ReservationConfirmed { epoch: 1 },
        ROBOT,
        Inapplicable::TooLate,
    );
    let free = free.and(&silence, Actor::Cloud);
    assert_eq!(free.job.phase_name(), PhaseName::Dispatching);
    assert_eq!(free.job.holder(), None);
    let (robot, told) = release(&offered.job, &free.job).unwrap();
    assert_eq!((robot, told.directive), (JUNIPER, Directive::Release));
}

#[test]
fn what_a_robot_says_under_an_old_number_or_without_the_job_moves_nothing() {
    let first = Story::begin().travelling();
    let old = first.epoch();
    let again = first
        .and(&JobEvent::RobotLost { epoch: old }, OPERATOR)
        .travelling();

    again.only_records(
        &JobEvent::Arrived { epoch: old },
        ROBOT,
        Inapplicable::StaleEpoch,
    );
    again.only_records(
        &JobEvent::Arrived {
            epoch: again.epoch(),
        },
        Actor::Robot(ROWAN),
        Inapplicable::NotTheHolder,
    );
    again.only_records(&trouble(None), ROBOT, Inapplicable::EpochMissing);
    again.only_records(&call(None), ROBOT, Inapplicable::EpochMissing);
    again.refuses(&PAUSED, ROBOT, Refusal::RoleNotAllowed);
    again.refuses(
        &JobEvent::RobotLost { epoch: old },
        ADMIN,
        Refusal::StaleEpoch,
    );
}

#[test]
fn nothing_is_executed_before_the_way_in_was_found_open_inside_its_window() {
    let start = |story: &Story| JobEvent::ExecutionStarted {
        epoch: story.epoch(),
    };
    let at_site = Story::begin().at_site();
    at_site.only_records(&start(&at_site), ROBOT, Inapplicable::AccessNotVerified);
    let granted = at_site.granted(1);
    granted.only_records(&start(&granted), ROBOT, Inapplicable::AccessNotVerified);
    let another = JobEvent::AccessVerified {
        epoch: granted.epoch(),
        access: leave(2),
    };
    granted.only_records(&another, ROBOT, Inapplicable::AccessUnknown);
    let too_late = granted.clone().later(HOUR);
    let verify = JobEvent::AccessVerified {
        epoch: granted.epoch(),
        access: leave(1),
    };
    too_late.only_records(&verify, ROBOT, Inapplicable::OutsideWindow);
    let verified = granted.verified(1);
    let too_late = verified.clone().later(HOUR);
    too_late.only_records(&start(&verified), ROBOT, Inapplicable::OutsideWindow);

    let executing = verified.clone().and(&start(&verified), ROBOT);

    assert_eq!(executing.job.phase_name(), PhaseName::Executing);
}

#[test]
fn a_robot_that_stalled_on_its_way_must_still_be_let_in() {
    let stalled = Story::begin().travelling().granted(1).stalled();
    assert_eq!(stalled.job.phase_name(), PhaseName::Stalled);
    assert_eq!(stalled.job.interrupted(), Some(PhaseName::Travelling));
    let start = JobEvent::ExecutionStarted {
        epoch: stalled.epoch(),
    };
    stalled.only_records(&start, ROBOT, Inapplicable::WrongPhase);

    let back = stalled.and(&JobEvent::HeartbeatResumed {}, Actor::Cloud);

    assert_eq!(back.job.phase_name(), PhaseName::Travelling);
    back.only_records(&start, ROBOT, Inapplicable::WrongPhase);
    let arrived = JobEvent::Arrived {
        epoch: back.epoch(),
    };
    let there = back.and(&arrived, ROBOT);
    there.only_records(&start, ROBOT, Inapplicable::AccessNotVerified);
}

#[test]
fn what_a_robot_did_while_nothing_was_heard_of_it_counts() {
    let stalled = Story::begin().executing().step_done().stalled();

    let further = stalled.step_done();

    assert_eq!(further.job.phase_name(), PhaseName::Stalled);
    assert_eq!(further.job.checkpoint, 2);
}

#[test]
fn checkpoints_rise_by_one_up_to_the_last_step_and_only_then_the_work_is_finished() {
    let mut story = Story::begin().executing();
    let epoch = story.epoch();
    let steps = u32::try_from(story.job.plan.steps.len()).unwrap();
    let finish = JobEvent::WorkFinished { epoch };
    for done in 0..steps {
        for wrong in [0, done, done + 2, u32::MAX] {
            story.only_records(&checkpoint(epoch, wrong), ROBOT, Inapplicable::OutOfOrder);
        }
        story.only_records(&finish, ROBOT, Inapplicable::OutOfOrder);
        story = story.step_done();
        assert_eq!(story.job.checkpoint, done + 1);
    }
    story.only_records(
        &checkpoint(epoch, steps + 1),
        ROBOT,
        Inapplicable::OutOfOrder,
    );

    let finished = story.and(&finish, ROBOT);

    assert_eq!(finished.job.phase_name(), PhaseName::Verifying);
    assert_eq!(finished.job.access, None);
}

#[test]
fn a_checkpoint_names_a_bounded_number_of_pictures() {
    let story = Story::begin().executing();
    let picture = EvidenceHash {
        evidence: protocol::EvidenceId(Uuid::nil()),
        media_type: "image/jpeg".to_owned(),
        salted_sha256: [7; 32],
    };
    let epoch = story.epoch();
    let with = |count: usize| JobEvent::CheckpointDone {
        epoch,
        number: 1,
        left_out: false,
        evidence: vec![picture.clone(); count],
    };

    story.only_records(
        &with(MAX_CHECKPOINT_EVIDENCE + 1),
        ROBOT,
        Inapplicable::OutOfBounds,
    );
    let done = story.and(&with(MAX_CHECKPOINT_EVIDENCE), ROBOT);
    assert_eq!(done.job.checkpoint, 1);
}

#[test]
fn no_word_from_the_requester_means_no_to_a_question_and_yes_to_the_work() {
    let asking = Story::begin().executing().asking();
    let no_word = JobEvent::ApprovalTimedOut { approval: QUESTION };
    let yes = JobEvent::ApprovalGranted { approval: QUESTION };
    asking.refuses(&no_word, Actor::Cloud, Refusal::NotDueYet);
    let late = asking.later(300 * SECOND);
    late.refuses(&yes, REQUESTER, Refusal::TooLate);
    let late = late.and(&no_word, Actor::Cloud);
    let (_, told) = assignment(&late.job).unwrap();
    assert!(!told.approval.unwrap().is_granted);

    let finished = late.finished();
    let accepted = JobEvent::WorkAccepted {};
    finished.refuses(&accepted, Actor::Cloud, Refusal::NotDueYet);
    let done = finished.later(24 * HOUR).and(&accepted, Actor::Cloud);

    assert_eq!(done.job.phase_name(), PhaseName::Completed);
    assert_eq!(done.job.robot(), Some(JUNIPER));
    assert_eq!((done.job.holder(), assignment(&done.job)), (None, None));
}

#[test]
fn leave_that_runs_out_before_anybody_used_it_stops_nobody() {
    let expired = JobEvent::AccessExpired { access: leave(1) };
    for story in [
        Story::begin(),
        Story::begin().reserved(),
        Story::begin().travelling(),
        Story::begin().at_site(),
    ] {
        let phase = story.job.phase_name();

        let after = story.granted(1).later(HOUR).and(&expired, Actor::Cloud);

        assert_eq!((after.job.phase_name(), after.job.access), (phase, None));
    }
}

#[test]
fn a_door_that_does_not_open_ends_the_leave_and_the_robot_waits() {
    let granted = Story::begin().at_site().granted(1);
    let failed = JobEvent::AccessFailed {
        epoch: granted.epoch(),
        access: leave(1),
        reason: AccessFailure::DoorClosed,
    };

    let waiting = granted.and(&failed, ROBOT);

    assert_eq!(waiting.job.phase_name(), PhaseName::AtSite);
    assert_eq!(waiting.job.access, None);
    assert!(waiting.granted(2).verified(2).job.is_access_verified());
}

#[test]
fn leave_is_replaced_until_a_robot_is_inside_under_it() {
    let replaced = Story::begin().granted(1).granted(2);
    assert_eq!(replaced.job.access.as_ref().unwrap().plan.access, leave(2));
    let inside = Story::begin().let_in();
    let plan = replaced.job.access.unwrap().plan;
    inside.refuses(
        &JobEvent::AccessGranted { plan: plan.clone() },
        REQUESTER,
        Refusal::AccessInUse,
    );

    let mut said_aloud = plan;
    said_aloud.secret = Some("4711".to_owned());
    Story::begin().refuses(
        &JobEvent::AccessGranted { plan: said_aloud },
        REQUESTER,
        Refusal::AccessUnsound,
    );
}

#[test]
fn a_lost_robot_takes_its_leave_its_question_and_its_call_with_it_but_not_what_it_did() {
    let story = Story::begin().executing().step_done().asking().calling();
    let lost = JobEvent::RobotLost {
        epoch: story.epoch(),
    };

    let free = story.clone().and(&lost, Actor::Cloud);

    assert_eq!(free.job.phase_name(), PhaseName::Dispatching);
    assert!(free.job.epoch > story.job.epoch);
    assert_eq!(free.job.access, None);
    assert!(free.job.question().is_none() && free.job.open_help().is_none());
    assert_eq!(free.job.checkpoint, 1);
    for story in [
        Story::begin().executing().stopping(),
        Story::begin().executing().incident(),
    ] {
        story.refuses(&lost, OPERATOR, Refusal::WrongPhase);
    }
}

#[test]
fn a_job_goes_to_another_time_from_where_nobody_is_inside() {
    let window = Window {
        from: T0.plus(HOUR),
        until: T0.plus(3 * HOUR),
    };
    let event = JobEvent::Rescheduled { window };
    for story in [
        Story::begin().reserved(),
        Story::begin().travelling(),
        Story::begin().executing().paused(),
    ] {
        let after = story.and(&event, OPERATOR);
        assert_eq!(after.job.phase_name(), PhaseName::Dispatching);
        assert_eq!(after.job.window, window);
        after.reserved();
    }
    Story::begin()
        .executing()
        .refuses(&event, OPERATOR, Refusal::WrongPhase);
}

#[test]
fn a_call_is_helped_with_by_the_operator_who_took_it() {
    let assist = CALL;
    let (claim, start) = (
        JobEvent::AssistClaimed { assist },
        JobEvent::AssistStarted { assist },
    );
    let answer = |option| JobEvent::AssistAnswered { assist, option };
    let calling = Story::begin().executing().calling();
    assert_eq!(calling.job.phase_name(), PhaseName::Executing);
    calling.refuses(&start, OPERATOR, Refusal::AssistNotTaken);
    let claimed = calling.claimed();
    claimed.refuses(&claim, OTHER_OPERATOR, Refusal::AssistTaken);
    claimed.refuses(&start, OTHER_OPERATOR, Refusal::AssistTaken);
    claimed.refuses(&answer(0), OPERATOR, Refusal::AssistNotTaken);
    let helped = claimed.and(&start, OPERATOR);
    assert_eq!(helped.job.phase_name(), PhaseName::Assisted);
    assert_eq!(helped.job.interrupted(), Some(PhaseName::Executing));
    helped.refuses(&answer(2), OPERATOR, Refusal::OptionUnknown);
    let answered = helped.and(&answer(1), OPERATOR);
    answered.refuses(&answer(0), OPERATOR, Refusal::AssistAnswered);
    answered.refuses(&ended(), OTHER_OPERATOR, Refusal::AssistTaken);

    let alone = answered.step_done().and(&ended(), OPERATOR);

    assert_eq!(alone.job.phase_name(), PhaseName::Executing);
    let told = assignment(&alone.job).unwrap().1.assist.unwrap();
    assert_eq!((told.option, told.is_over), (Some(1), true));
}

#[test]
fn the_line_is_free_again_for_a_robot_that_is_back() {
    let stalled = Story::begin().travelling().stalled();
    assert!(wants_cover(&stalled.job));
    let called = stalled.and(&call(None), Actor::Cloud);
    assert!(!wants_cover(&called.job));
    let back = JobEvent::HeartbeatResumed {};
    let freed = JobEvent::AssistExpired { assist: CALL };

    let untaken = called.decide(&back, Actor::Cloud);
    let taken = called.clone().claimed().decide(&back, Actor::Cloud);

    assert_eq!(untaken, Ok(Decision::Apply(vec![back.clone(), freed])));
    assert_eq!(taken, Ok(Decision::Apply(vec![back])));
}

#[test]
fn a_stall_needs_as_many_missed_beats_as_its_policy_says() {
    let travelling = Story::begin().travelling();
    let mut event = missed(travelling.now);
    if let JobEvent::HeartbeatMissed { last_heard, .. } = &mut event {
        *last_heard = last_heard.plus(1_000);
    }
    travelling.refuses(&event, Actor::Cloud, Refusal::PolicyUnsound);
    if let JobEvent::HeartbeatMissed { policy, .. } = &mut event {
        policy.missed_beats = 0;
    }
    travelling.refuses(&event, Actor::Cloud, Refusal::PolicyUnsound);

    assert_eq!(travelling.stalled().job.phase_name(), PhaseName::Stalled);
}

#[test]
fn a_robot_gives_the_job_back_until_it_set_out() {
    let forfeit = |story: &Story| JobEvent::ReservationForfeited {
        epoch: story.epoch(),
        reason: ForfeitReason::BatteryLow,
    };
    for story in [Story::begin().offered(), Story::begin().reserved()] {
        let story = story.granted(1);
        let event = forfeit(&story);
        let free = story.and(&event, ROBOT);
        assert_eq!(free.job.phase_name(), PhaseName::Dispatching);
        assert!(free.job.access.is_some(), "the leave is for the next one");
    }
    let travelling = Story::begin().travelling();
    travelling.only_records(&forfeit(&travelling), ROBOT, Inapplicable::WrongPhase);
}

#[test]
fn the_console_is_shown_what_may_be_done_and_by_whom() {
    let stopping = Story::begin().executing().stopping();

    let found = moves(&stopping.job, stopping.now);

    let kinds: Vec<_> = found.iter().map(|one| (one.kind, one.to)).collect();
    assert!(kinds.contains(&("safe_state.reached", Some(PhaseName::Paused))));
    assert!(kinds.contains(&("incident.raised", Some(PhaseName::Incident))));
    assert!(kinds.contains(&("job.cancelled", None)));
    assert!(!kinds.iter().any(|(kind, _)| *kind == "job.resumed"));
    assert!(moves(&Story::begin().executing().finished().accepted().job, T0).is_empty());
}
