//! Steps that the requester has to allow, and work that nobody took in its time.

use protocol::job::{JobEvent, PhaseName};

use super::fixtures::*;
use crate::{Actor, DeadlineKind, Inapplicable, Refusal, lapse};

/// Before the step that the requester has to allow.
fn before_the_drawer() -> Story {
    let mut story = Story::begin().executing();
    while !story.job.needs_approval() {
        story = story.step_done();
    }
    story
}

#[test]
fn a_step_that_the_requester_has_to_allow_counts_only_when_they_did() {
    let before = before_the_drawer();
    let number = before.job.checkpoint + 1;
    let opened = checkpoint(before.epoch(), number);
    let yes = JobEvent::ApprovalGranted { approval: QUESTION };
    let no = JobEvent::ApprovalDenied { approval: QUESTION };
    before.only_records(&opened, ROBOT, Inapplicable::NotApproved);
    let denied = before.clone().asking().and(&no, REQUESTER);
    denied.only_records(&opened, ROBOT, Inapplicable::NotApproved);
    assert_eq!(denied.step_done().job.checkpoint, number, "left out");

    let done = before.asking().and(&yes, REQUESTER).and(&opened, ROBOT);

    assert_eq!(done.job.checkpoint, number);
    let late = JobEvent::ApprovalRevoked { approval: QUESTION };
    done.refuses(&late, REQUESTER, Refusal::ApprovalUnknown);
}

#[test]
fn a_yes_is_for_the_step_that_was_asked_about_and_no_other() {
    let before = before_the_drawer();
    let yes = JobEvent::ApprovalGranted { approval: QUESTION };
    let mut earlier = Story::begin().executing();
    while earlier.job.checkpoint + 1 < before.job.checkpoint {
        earlier = earlier.step_done();
    }
    let allowed = earlier.asking().and(&yes, REQUESTER).step_done();

    assert_eq!(allowed.job.checkpoint, before.job.checkpoint);
    let opened = checkpoint(allowed.epoch(), allowed.job.checkpoint + 1);
    allowed.only_records(&opened, ROBOT, Inapplicable::NotApproved);
}

#[test]
fn what_a_robot_did_before_it_heard_that_a_yes_was_taken_back_counts() {
    let before = before_the_drawer();
    let opened = checkpoint(before.epoch(), before.job.checkpoint + 1);
    let taken_back = before
        .asking()
        .and(&JobEvent::ApprovalGranted { approval: QUESTION }, REQUESTER)
        .and(&JobEvent::ApprovalRevoked { approval: QUESTION }, REQUESTER);

    assert_eq!(taken_back.job.phase_name(), PhaseName::Stopping);
    let counted = taken_back.clone().and(&opened, ROBOT);
    assert_eq!(counted.job.checkpoint, taken_back.job.checkpoint + 1);
}

#[test]
fn a_robot_that_stood_since_a_yes_was_taken_back_knows_it() {
    let before = before_the_drawer();
    let opened = checkpoint(before.epoch(), before.job.checkpoint + 1);
    let goes_on = before
        .asking()
        .and(&JobEvent::ApprovalGranted { approval: QUESTION }, REQUESTER)
        .and(&JobEvent::ApprovalRevoked { approval: QUESTION }, REQUESTER)
        .stands()
        .granted(2)
        .verified(2);
    assert_eq!(goes_on.job.phase_name(), PhaseName::Executing);

    let stopping = goes_on.stopping();

    stopping.only_records(&opened, ROBOT, Inapplicable::NotApproved);
}

#[test]
fn a_step_that_the_requester_forbade_does_not_count_while_the_robot_stops() {
    let before = before_the_drawer();
    let opened = checkpoint(before.epoch(), before.job.checkpoint + 1);
    let no = JobEvent::ApprovalDenied { approval: QUESTION };

    let stopping = before.asking().and(&no, REQUESTER).stopping();

    assert_eq!(stopping.job.phase_name(), PhaseName::Stopping);
    stopping.only_records(&opened, ROBOT, Inapplicable::NotApproved);
}

#[test]
fn work_that_no_robot_set_out_for_in_its_time_is_called_off() {
    for story in [
        Story::begin(),
        Story::begin().offered(),
        Story::begin().reserved(),
    ] {
        let until = story.job.window.until;
        let called_off = lapse(&story.job, DeadlineKind::Window, until).unwrap();
        assert_eq!(
            lapse(&story.job, DeadlineKind::Window, until.plus(-1)),
            None
        );

        let over = story.and(&called_off, Actor::Cloud);

        assert_eq!(over.job.phase_name(), PhaseName::Cancelled);
    }
    let under_way = Story::begin().travelling().job;
    let until = under_way.window.until;
    assert_eq!(lapse(&under_way, DeadlineKind::Window, until), None);
}
