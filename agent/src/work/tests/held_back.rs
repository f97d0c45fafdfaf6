//! Claims about work that is stopped, paused, taken over or taken away.

use super::*;

const PERSONS: CommandId = CommandId(Uuid::from_u128(0x99));
const AHEAD: Verb = Verb::NavigateTo {
    x_m: 1.0,
    y_m: 1.0,
    heading_rad: None,
};
const SAFE: JobEvent = JobEvent::SafeStateReached { epoch: 1 };

/// In the middle of a step of ten seconds, four of them done.
fn in_a_step() -> Bench {
    let mut bench = Bench::at_work(vec![work(10), work(1)]);
    bench.run(4);
    bench
}

#[test]
fn a_stop_is_answered_once_and_only_when_the_robot_stands() {
    let mut bench = Bench::at_work(vec![work(10)]);
    let Act::Drive { command, .. } = bench.begin() else {
        panic!("no drive to the spot");
    };

    bench.direct(Directive::Stop);
    let Act::Stand { command: stand } = bench.begin() else {
        panic!("no stand");
    };
    bench.work.ended(command, Err(AbandonReason::Superseded));
    let before_it_stands: Vec<_> = (0..50).filter_map(|_| bench.beat()).collect();
    bench.work.ended(stand, Ok(()));
    let said = bench.says(2);
    bench.tell();
    let repeated = bench.run(5);

    assert_eq!(before_it_stands, []);
    assert_eq!(said, [SAFE]);
    assert_eq!(repeated, []);
}

#[test]
fn while_somebody_has_control_the_work_waits_and_goes_on_once_they_let_go() {
    let mut at_step = in_a_step();
    at_step.is_steered = true;
    assert_eq!(at_step.run(10), []);
    assert_eq!(at_step.work.activity(Activity::Idle), Activity::Waiting);
    at_step.is_steered = false;
    // Not a second of it is lost, and none was gained.
    assert!(at_step.kinds(5).is_empty());
    assert_eq!(at_step.kinds(3)[0], "checkpoint.done");

    let mut on_the_way = Bench::at_work(vec![work(1)]);
    let Act::Drive { command, .. } = on_the_way.begin() else {
        panic!("no drive to the spot");
    };
    on_the_way.is_steered = true;
    let Act::Stand { command: stand } = on_the_way.begin() else {
        panic!("it drives on in somebody's hands");
    };
    on_the_way
        .work
        .ended(command, Err(AbandonReason::Superseded));
    on_the_way.work.ended(stand, Ok(()));
    assert_eq!(on_the_way.run(10), []);
    on_the_way.is_steered = false;
    assert!(matches!(on_the_way.begin(), Act::Drive { .. }));
}

#[test]
fn who_drove_the_robot_and_lets_go_sends_it_on_but_not_after_a_stop() {
    for (verb, goes_on) in [(AHEAD, true), (Verb::Stop, false)] {
        let mut bench = in_a_step();
        bench.is_steered = true;
        bench.work.person_ordered(PERSONS, verb);
        bench.work.ended(PERSONS, Ok(()));
        bench.is_steered = false;
        assert_eq!(bench.run(5), [], "before they let go");

        bench.work.let_go();

        let did = bench.run(5);
        assert_eq!(!did.is_empty(), goes_on, "{verb:?}: {did:?}");
    }
}

#[test]
fn a_stop_is_answered_also_in_somebodys_hands() {
    let mut bench = in_a_step();
    bench.is_steered = true;

    bench.direct(Directive::Stop);

    assert_eq!(bench.run(5), [Did::Stood, Did::Said(SAFE)]);
}

#[test]
fn a_step_that_was_stopped_goes_on_where_it_was() {
    let mut bench = in_a_step();

    bench.direct(Directive::Stop);
    let stopped = bench.run(10);
    bench.direct(Directive::Hold);
    let holding = bench.run(10);
    bench.direct(Directive::Proceed);
    let too_soon = bench.kinds(5);
    let then = bench.kinds(3);

    assert_eq!(stopped, [Did::Stood, Did::Said(SAFE)]);
    assert_eq!(holding, []);
    // Whatever it had said of that before; the step is not done.
    assert_eq!(too_soon, ["execution.started"]);
    assert_eq!(then[0], "checkpoint.done");
}

#[test]
fn the_next_stop_is_answered_again_also_when_what_lay_between_was_not_heard() {
    let mut bench = in_a_step();
    bench.direct(Directive::Stop);
    assert_eq!(bench.says(2), [SAFE]);

    // The gateway holds the answer, went on, and stops again.
    bench.held_up_to = bench.number;
    bench.tell();

    assert_eq!(bench.says(2), [SAFE]);
}

#[test]
fn new_leave_to_enter_is_verified_while_the_job_is_paused() {
    let mut bench = in_a_step();
    bench.direct(Directive::Stop);
    bench.run(2);
    bench.change(|assignment| {
        assignment.directive = Directive::Hold;
        assignment.access = None;
    });
    assert_eq!(bench.run(2), []);
    let renewed = AccessId(Uuid::from_u128(0x21));

    bench.change(|assignment| assignment.access = Some(access(renewed)));
    let holding = bench.run(3);
    bench.direct(Directive::Proceed);

    let verified = JobEvent::AccessVerified {
        epoch: 1,
        access: renewed,
    };
    assert_eq!(holding, [Did::Said(verified)]);
    let started = JobEvent::ExecutionStarted { epoch: 1 };
    assert_eq!(bench.says(8)[..2], [started, checkpoint(1, false)]);
}

#[test]
fn what_came_when_the_robot_was_to_stop_is_said_again_under_new_leave() {
    let mut assignment = assignment(Directive::Proceed, vec![work(1), work(1)]);
    assignment.access = Some(access(ACCESS));
    let mut bench = Bench::new(assignment);
    let before = bench.kinds(6);
    assert!(before.ends_with(&["checkpoint.done", "work.finished"]));

    // For the gateway it is not yet let in: its leave had been taken back before.
    bench.change(|assignment| {
        assignment.directive = Directive::Stop;
        assignment.access = None;
    });
    assert_eq!(bench.says(2), [SAFE]);
    bench.change(|assignment| {
        assignment.directive = Directive::Hold;
        assignment.access = Some(access(AccessId(Uuid::from_u128(0x21))));
    });
    assert_eq!(bench.kinds(2), ["access.verified"]);
    bench.direct(Directive::Proceed);

    let again = bench.says(6);
    let (epoch, started) = (1, JobEvent::ExecutionStarted { epoch: 1 });
    let finished = JobEvent::WorkFinished { epoch };
    let steps = [checkpoint(1, false), checkpoint(2, false)];
    assert_eq!(again[0], started);
    assert_eq!(again[1..3], steps);
    assert_eq!(again[3..], [finished]);
}

#[test]
fn a_question_that_came_when_the_robot_was_to_stop_is_asked_again_under_its_name() {
    let mut bench = Bench::at_work(vec![approved(1)]);
    let asked = bench.says(3);
    let [JobEvent::ApprovalRequested { approval, .. }] = asked[..] else {
        panic!("{asked:?}");
    };

    bench.direct(Directive::Stop);
    bench.run(2);
    bench.direct(Directive::Proceed);
    let again = bench.says(2);
    bench.change(|assignment| {
        let is_granted = true;
        assignment.approval = Some(ApprovalVerdict {
            approval,
            is_granted,
        });
    });
    bench.direct(Directive::Stop);
    bench.run(2);
    bench.direct(Directive::Proceed);
    let answered = bench.kinds(3);

    assert_eq!(again[1..], asked);
    assert_eq!(answered[..2], ["execution.started", "checkpoint.done"]);
}

#[test]
fn a_call_that_another_one_came_before_is_made_again_when_the_line_is_free() {
    let mut bench = Bench::at_work(vec![unsure(1)]);
    let called = bench.says(3);
    let verdict = |is_over| AssistVerdict {
        assist: AssistId(Uuid::from_u128(0x31)),
        option: None,
        is_over,
    };

    bench.change(|assignment| assignment.assist = Some(verdict(false)));
    let meanwhile = bench.says(3);
    bench.change(|assignment| assignment.assist = Some(verdict(true)));
    let again = bench.says(3);
    bench.tell();

    assert_eq!((meanwhile, again), (vec![], called));
    assert_eq!(bench.says(3), []);
}

#[test]
fn when_leave_runs_out_the_robot_stands_and_the_step_waits_whatever_the_gateway_says() {
    let mut bench = Bench::at_work(vec![work(10)]);
    bench.change(|assignment| {
        if let Some(access) = &mut assignment.access {
            access.window.until = UnixMicros(6_000_000);
        }
    });
    bench.run(4);

    let after = bench.run(20);

    assert_eq!(after, []);
    assert_eq!(bench.work.activity(Activity::Idle), Activity::Waiting);
    bench.direct(Directive::Stop);
    assert_eq!(bench.says(2), [SAFE]);
}

#[test]
fn when_leave_runs_out_on_the_way_to_a_spot_the_robot_comes_to_a_stand() {
    let mut bench = Bench::at_work(vec![work(10)]);
    assert!(matches!(bench.begin(), Act::Drive { .. }));

    bench.now = CLOSES;

    assert!(matches!(bench.begin(), Act::Stand { .. }));
}

#[test]
fn a_job_that_is_taken_away_ends_its_drive_and_nothing_is_said() {
    let released = |bench: &mut Bench| bench.direct(Directive::Release);
    let no_job = |bench: &mut Bench| bench.work.hear(&Told::NoJob, 0, |_| ground());
    for (case, take_away) in [("released", released as fn(&mut Bench)), ("no job", no_job)] {
        let mut bench = Bench::at_work(vec![work(10)]);
        bench.begin();

        take_away(&mut bench);

        assert_eq!(bench.run(5), [Did::Stood], "{case}");
        assert!(!bench.work.is_engaged(), "{case}");
        assert_eq!(
            bench.work.activity(Activity::Idle),
            Activity::Idle,
            "{case}"
        );
    }
}

#[test]
fn a_new_reservation_of_the_same_job_begins_anew_at_the_step_that_is_next() {
    let mut bench = Bench::at_work(vec![work(10), work(1)]);
    bench.begin();

    bench.change(|assignment| {
        assignment.epoch = 2;
        assignment.checkpoint = 1;
        assignment.directive = Directive::Acknowledge;
    });
    let acknowledged = bench.run(3);
    bench.direct(Directive::Proceed);
    let then = bench.says(10);

    let epoch = 2;
    let access = ACCESS;
    assert_eq!(
        acknowledged,
        [
            Did::Stood,
            Did::Said(JobEvent::ReservationConfirmed { epoch })
        ]
    );
    assert_eq!(
        then,
        [
            JobEvent::Departed { epoch },
            JobEvent::Arrived { epoch },
            JobEvent::AccessVerified { epoch, access },
            JobEvent::ExecutionStarted { epoch },
            JobEvent::CheckpointDone {
                epoch,
                number: 2,
                left_out: false,
                evidence: Vec::new(),
            },
            JobEvent::WorkFinished { epoch },
        ]
    );
}

#[test]
fn a_persons_stop_holds_the_job_until_whoever_holds_it_sends_it_on() {
    let mut bench = in_a_step();

    bench.work.person_ordered(PERSONS, Verb::Stop);
    bench.work.ended(PERSONS, Ok(()));
    let stopped = bench.run(20);
    let said_so = bench.work.activity(Activity::Stopped);
    // None of this is anybody's word that it may go on.
    bench.tell();
    bench.change(|assignment| assignment.checkpoint = 0);
    bench.change(|assignment| assignment.access = Some(access(AccessId(Uuid::from_u128(9)))));
    bench.change(|assignment| assignment.access = Some(access(ACCESS)));
    let still_stopped = bench.run(20);
    bench.direct(Directive::Stop);
    let paused = bench.says(2);
    bench.direct(Directive::Hold);
    bench.direct(Directive::Proceed);

    assert_eq!((stopped, said_so), (vec![], Activity::Stopped));
    assert_eq!(still_stopped, []);
    assert_eq!(paused, [SAFE]);
    assert_eq!(
        bench.run(8)[1..3],
        [Did::Drove(7.0), Did::Said(checkpoint(1, false))]
    );
}

#[test]
fn a_person_who_helps_may_drive_and_the_robot_goes_back_when_they_are_done() {
    let mut bench = Bench::at_work(vec![unsure(2)]);
    let asked = bench.says(3);
    let [JobEvent::AssistRequested { assist, .. }] = asked[..] else {
        panic!("{asked:?}");
    };
    let verdict = |option, is_over| AssistVerdict {
        assist,
        option,
        is_over,
    };
    bench.change(|assignment| assignment.assist = Some(verdict(None, false)));

    bench.work.person_ordered(PERSONS, AHEAD);
    let driving = bench.run(3);
    bench.change(|assignment| assignment.assist = Some(verdict(Some(0), true)));
    let still_driving = bench.run(3);
    bench.work.ended(PERSONS, Ok(()));
    let afterwards = bench.run(5);

    assert_eq!((driving, still_driving), (vec![], vec![]));
    assert_eq!(
        afterwards[..2],
        [Did::Drove(7.0), Did::Said(checkpoint(1, false))]
    );
}

#[test]
fn a_call_that_ends_by_itself_lifts_no_persons_stop_and_an_answer_does() {
    for (option, goes_on) in [(None, false), (Some(0), true)] {
        let mut bench = Bench::at_work(vec![unsure(2)]);
        let asked = bench.says(3);
        let [JobEvent::AssistRequested { assist, .. }] = asked[..] else {
            panic!("{asked:?}");
        };
        bench.work.person_ordered(PERSONS, Verb::Stop);
        bench.work.ended(PERSONS, Ok(()));

        let verdict = AssistVerdict {
            assist,
            option,
            is_over: true,
        };
        bench.change(|assignment| assignment.assist = Some(verdict));

        assert_eq!(!bench.run(5).is_empty(), goes_on, "{option:?}");
    }
}

#[test]
fn a_person_who_drives_a_robot_away_from_its_work_keeps_it_until_it_is_sent_on() {
    let mut bench = in_a_step();

    bench.work.person_ordered(PERSONS, AHEAD);
    bench.work.ended(PERSONS, Ok(()));
    let kept = bench.run(10);
    let waits = bench.work.activity(Activity::Idle);
    bench.direct(Directive::Hold);
    bench.direct(Directive::Proceed);

    assert_eq!((kept, waits), (vec![], Activity::Waiting));
    assert_eq!(bench.run(1), [Did::Drove(7.0)]);
}

#[test]
fn a_stop_for_the_job_stops_a_person_who_drives_too() {
    let mut bench = in_a_step();
    bench.work.person_ordered(PERSONS, AHEAD);

    bench.direct(Directive::Stop);

    assert!(matches!(bench.begin(), Act::Stand { .. }));
}

#[test]
fn a_call_of_somebody_elses_does_not_keep_the_robot_from_its_work_but_the_line_busy() {
    let mut bench = Bench::at_work(vec![work(2), unsure(1)]);
    let verdict = |is_over| AssistVerdict {
        assist: AssistId(Uuid::from_u128(0x31)),
        option: None,
        is_over,
    };

    bench.change(|assignment| assignment.assist = Some(verdict(false)));
    let meanwhile = bench.says(20);
    bench.change(|assignment| assignment.assist = Some(verdict(true)));

    assert_eq!(meanwhile, [checkpoint(1, false)]);
    assert_eq!(bench.kinds(2), ["assist.requested"]);
}
