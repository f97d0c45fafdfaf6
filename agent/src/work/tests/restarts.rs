//! Claims about an agent that starts anew: nothing is said twice, and work goes on at the right step.

use super::*;

/// What the robot said so far, as a journal would give it back.
fn remembered(events: &[JobEvent]) -> Said {
    let mut said = Said::nothing(JOB, 1);
    for (number, event) in (101..).zip(events) {
        said.note(number, event);
    }
    said
}

/// Answers the robot's questions, as an able gateway would.
fn answer(assignment: &mut Assignment, event: &JobEvent) {
    match event {
        JobEvent::AssistRequested { assist, .. } => {
            assignment.assist = Some(AssistVerdict {
                assist: *assist,
                option: Some(0),
                is_over: true,
            });
        }
        JobEvent::ApprovalRequested { approval, .. } => {
            assignment.approval = Some(ApprovalVerdict {
                approval: *approval,
                is_granted: true,
            });
        }
        JobEvent::CheckpointDone { number, .. } => assignment.checkpoint = *number,
        _ => {}
    }
}

fn plan() -> Assignment {
    let steps = vec![work(1), unsure(1), approved(1), StepAction::Photograph];
    let mut assignment = assignment(Directive::Proceed, steps);
    assignment.access = Some(access(ACCESS));
    assignment
}

/// Runs until the robot has said so many things in all, and returns those.
fn run_until(bench: &mut Bench, events: &mut Vec<JobEvent>, count: usize) {
    for _ in 0..600 {
        if events.len() == count {
            return;
        }
        if let Some(act) = bench.beat() {
            let event = match &act {
                Act::Say { event, .. } => Some(event.clone()),
                Act::Drive { .. } | Act::Stand { .. } | Act::Photograph { .. } => None,
            };
            bench.end(&act);
            if let Some(event) = event {
                bench.change(|assignment| answer(assignment, &event));
                events.push(event);
            }
        }
    }
    panic!("only {events:?}");
}

#[test]
fn wherever_a_restart_falls_everything_is_said_once_and_in_order() {
    let mut whole = Vec::new();
    run_until(&mut Bench::new(plan()), &mut whole, 11);
    let kinds: Vec<_> = whole.iter().map(JobEvent::kind).collect();
    assert_eq!(kinds[10], "work.finished");

    for before in 0..whole.len() {
        let mut events = Vec::new();
        let mut bench = Bench::new(plan());
        run_until(&mut bench, &mut events, before);
        let assignment = bench.assignment.clone();

        let mut bench = Bench::after(Some(remembered(&events)), assignment);
        run_until(&mut bench, &mut events, 11);

        let after: Vec<_> = events.iter().map(JobEvent::kind).collect();
        assert_eq!(after, kinds, "after {before}");
        assert_eq!(bench.run(5), []);
    }
}

#[test]
fn a_journal_that_was_lost_does_not_repeat_steps_that_are_recorded() {
    let mut assignment = plan();
    assignment.checkpoint = 3;

    let said = Bench::new(assignment).says(5);

    let kinds: Vec<_> = said.iter().map(JobEvent::kind).collect();
    let (last, before) = kinds.split_last().unwrap();
    assert_eq!((*last, before.len()), ("work.finished", 5));
    assert!(matches!(
        said[4],
        JobEvent::CheckpointDone { number: 4, .. }
    ));
}

#[test]
fn a_stop_that_was_answered_before_the_restart_is_answered_again_only_if_it_is_another_one() {
    let said = remembered(&[JobEvent::SafeStateReached { epoch: 1 }]);
    let stop = assignment(Directive::Stop, vec![work(1)]);
    for (held_up_to, expected) in [(100, 0), (101, 1)] {
        let mut bench = Bench::after(Some(said), stop.clone());
        bench.work = Work::new(Some(said), 1);
        bench.held_up_to = held_up_to;
        bench.tell();

        assert_eq!(bench.says(3).len(), expected, "held up to {held_up_to}");
    }
}

#[test]
fn until_the_gateway_says_what_became_of_its_job_a_robot_that_started_anew_keeps_still() {
    let open = remembered(&[JobEvent::Departed { epoch: 1 }]);
    let finished = remembered(&[JobEvent::WorkFinished { epoch: 1 }]);

    let mut work = Work::new(Some(open), 1);
    let before = work.is_engaged();
    work.hear(&Told::NoJob, 0, |_| ground());

    assert!(before && !work.is_engaged());
    assert!(!Work::new(Some(finished), 1).is_engaged());
    assert!(!Work::new(None, 1).is_engaged());
}

#[test]
fn a_robot_that_comes_up_stopped_goes_on_with_its_job_only_when_somebody_sends_it_on() {
    let said = remembered(&[JobEvent::Departed { epoch: 1 }]);
    let mut bench = Bench::after(Some(said), plan());
    bench.work = Work::new(Some(said), 1);
    bench.work.came_up_stopped();
    bench.tell();

    // Also once the stop is released: nobody here holds it back but the job itself.
    assert_eq!(bench.run(60), []);

    bench.direct(Directive::Hold);
    bench.run(5);
    bench.direct(Directive::Proceed);
    assert_ne!(bench.run(60), []);
}

#[test]
fn a_job_that_is_new_to_a_robot_that_came_up_stopped_is_not_held_back_by_that() {
    let mut bench = Bench::new(plan());
    bench.work = Work::new(None, 1);
    bench.work.came_up_stopped();
    bench.tell();

    assert_ne!(bench.run(60), []);
}
