//! Claims about the way from an offer to the end of the work.

use super::*;

#[test]
fn an_offer_is_taken_or_turned_down_for_a_reason_and_answered_once() {
    type Case = (&'static str, fn(&mut Bench), Option<ForfeitReason>);
    let cases: [Case; 6] = [
        ("fit", |_| {}, None),
        (
            "place unknown",
            |bench| bench.ground.workplace = None,
            Some(ForfeitReason::PlaceUnknown),
        ),
        (
            "can't drive",
            |bench| bench.ground.can_navigate = false,
            Some(ForfeitReason::Unsupported),
        ),
        (
            "no camera",
            |bench| bench.ground.camera = None,
            Some(ForfeitReason::Unsupported),
        ),
        (
            "battery low",
            |bench| bench.battery_percent = 19.9,
            Some(ForfeitReason::BatteryLow),
        ),
        (
            "battery just enough",
            |bench| bench.battery_percent = 20.0,
            None,
        ),
    ];
    for (case, prepare, expected) in cases {
        let steps = vec![work(1), StepAction::Photograph];
        let mut bench = Bench::new(assignment(Directive::Acknowledge, steps));
        prepare(&mut bench);
        // The ground is looked at when the job is taken in.
        bench.work = Work::new(None, 1);
        bench.tell();

        let did = bench.run(5);
        bench.tell();
        let again = bench.run(5);

        let answer = match expected {
            None => JobEvent::ReservationConfirmed { epoch: 1 },
            Some(reason) => JobEvent::ReservationForfeited { epoch: 1, reason },
        };
        assert_eq!(did, [Did::Said(answer)], "{case}");
        assert_eq!(again, [], "{case}");
        assert_eq!(bench.work.is_engaged(), expected.is_none(), "{case}");
        bench.direct(Directive::Proceed);
        assert_eq!(bench.run(2).is_empty(), expected.is_some(), "{case}");
    }
}

#[test]
fn another_job_is_turned_down_while_one_is_under_way_and_that_one_goes_on() {
    let mut bench = Bench::at_work(vec![work(3)]);
    bench.run(1);
    let mut offer = assignment(Directive::Acknowledge, vec![work(1)]);
    (offer.job, offer.epoch) = (OTHER, 4);
    let told = Told::Job(Arc::new(offer));

    bench.work.hear(&told, 0, |_| ground());
    bench.work.hear(&told, 0, |_| ground());

    let busy = JobEvent::ReservationForfeited {
        epoch: 4,
        reason: ForfeitReason::Busy,
    };
    let finished = JobEvent::WorkFinished { epoch: 1 };
    assert_eq!(bench.says(5), [busy, checkpoint(1, false), finished]);
}

#[test]
fn the_way_leads_to_the_door_and_only_leave_that_is_good_leads_in() {
    let mut bench = Bench::new(assignment(Directive::Proceed, vec![work(2)]));

    let to_the_door = bench.run(5);
    bench.change(|assignment| assignment.access = Some(access(ACCESS)));
    let inside = bench.run(5);

    let epoch = 1;
    assert_eq!(
        to_the_door,
        [
            Did::Said(JobEvent::Departed { epoch }),
            Did::Drove(5.0),
            Did::Said(JobEvent::Arrived { epoch }),
        ]
    );
    let access = ACCESS;
    assert_eq!(
        inside,
        [
            Did::Said(JobEvent::AccessVerified { epoch, access }),
            Did::Said(JobEvent::ExecutionStarted { epoch }),
            Did::Drove(7.0),
            Did::Said(checkpoint(1, false)),
            Did::Said(JobEvent::WorkFinished { epoch }),
        ]
    );
    assert_eq!(bench.run(5), []);
}

#[test]
fn leave_to_enter_is_judged_once_and_by_the_gateways_clock() {
    type Case = (&'static str, fn(&mut AccessPlan), Option<AccessFailure>);
    let cases: [Case; 4] = [
        ("open", |_| {}, None),
        (
            "over",
            |plan| plan.window.until = UnixMicros(2_000_000),
            Some(AccessFailure::OutsideWindow),
        ),
        (
            "for another place",
            |plan| plan.place = "Room 4".to_owned(),
            Some(AccessFailure::WrongPlace),
        ),
        (
            "in words that name no place",
            |plan| plan.place = "The whole wing".to_owned(),
            None,
        ),
    ];
    for (case, change, expected) in cases {
        let mut bench = Bench::new(assignment(Directive::Proceed, vec![work(1)]));
        bench.run(3);
        let mut plan = access(ACCESS);
        change(&mut plan);

        bench.change(|assignment| assignment.access = Some(plan));
        let said = bench.says(1);

        let (epoch, access) = (1, ACCESS);
        let first = match expected {
            None => JobEvent::AccessVerified { epoch, access },
            Some(reason) => JobEvent::AccessFailed {
                epoch,
                access,
                reason,
            },
        };
        assert_eq!(said[0], first, "{case}");
        assert_eq!(said.len() == 1, expected.is_some(), "{case}: {said:?}");
    }
}

#[test]
fn leave_that_is_not_yet_good_is_waited_for() {
    let mut bench = Bench::new(assignment(Directive::Proceed, vec![work(1)]));
    bench.run(3);
    let mut plan = access(ACCESS);
    plan.window.from = bench.now.plus(3_000_000);

    bench.change(|assignment| assignment.access = Some(plan));

    assert_eq!(bench.kinds(2), [""; 0]);
    assert_eq!(bench.work.activity(Activity::Idle), Activity::Waiting);
    assert_eq!(bench.kinds(2)[0], "access.verified");
}

#[test]
fn a_step_takes_its_seconds_by_the_speed_that_was_asked_for() {
    for (speed, beats) in [(1, 80), (4, 20)] {
        let mut bench = Bench::at_work(vec![work(8)]);
        bench.work.speed = speed;
        let drive = bench.begin();
        bench.end(&drive);

        let mut taken = 1;
        while bench.beat().is_none() {
            taken += 1;
        }

        assert!((beats..=beats + 1).contains(&taken), "{taken} at {speed}");
    }
}

#[test]
fn a_step_that_needs_a_yes_is_done_with_one_and_left_out_without() {
    for is_granted in [true, false] {
        let mut bench = Bench::at_work(vec![approved(2), work(1)]);
        let asked = bench.says(5);
        let [JobEvent::ApprovalRequested { approval, .. }] = asked[..] else {
            panic!("{asked:?}");
        };
        let another = ApprovalVerdict {
            approval: ApprovalId(Uuid::from_u128(1)),
            is_granted: true,
        };
        bench.change(|assignment| assignment.approval = Some(another));
        assert_eq!(bench.run(3), []);

        let verdict = ApprovalVerdict {
            approval,
            is_granted,
        };
        bench.change(|assignment| assignment.approval = Some(verdict));

        assert_eq!(bench.says(3)[0], checkpoint(1, !is_granted));
    }
}

/// Runs until the robot called for help; gives the call.
fn call(bench: &mut Bench) -> AssistId {
    let asked = bench.says(5);
    let [
        JobEvent::AssistRequested {
            assist,
            epoch: Some(1),
            ..
        },
    ] = asked[..]
    else {
        panic!("{asked:?}");
    };
    assist
}

fn answer(bench: &mut Bench, assist: AssistId, option: Option<u32>, is_over: bool) {
    let verdict = AssistVerdict {
        assist,
        option,
        is_over,
    };
    bench.change(|assignment| assignment.assist = Some(verdict));
}

#[test]
fn an_answer_lets_the_robot_work_and_the_end_of_the_call_lets_it_call_again() {
    let mut bench = Bench::at_work(vec![unsure(2), unsure(1)]);
    let assist = call(&mut bench);
    answer(&mut bench, assist, None, false);
    assert_eq!(bench.run(3), []);
    assert_eq!(bench.work.activity(Activity::Idle), Activity::Waiting);

    answer(&mut bench, assist, Some(0), false);
    bench.run(1);
    assert_eq!(bench.work.activity(Activity::Idle), Activity::Working);
    let done = bench.says(4);
    answer(&mut bench, assist, Some(0), true);

    assert_eq!(done, [checkpoint(1, false)]);
    let called = bench.kinds(1);
    assert_eq!(called, ["assist.requested"]);
}

#[test]
fn a_call_that_ends_without_an_answer_leaves_the_step_out() {
    let mut bench = Bench::at_work(vec![unsure(2)]);
    let assist = call(&mut bench);

    answer(&mut bench, assist, None, true);

    assert_eq!(bench.says(1)[0], checkpoint(1, true));
}

#[test]
fn a_picture_becomes_evidence_and_without_one_the_step_is_left_out() {
    let mut bench = Bench::at_work(vec![StepAction::Photograph, StepAction::Photograph]);
    let said = bench.says(2);
    let JobEvent::CheckpointDone {
        left_out: false,
        evidence,
        ..
    } = &said[0]
    else {
        panic!("{said:?}");
    };
    assert_eq!(evidence[0].salted_sha256, [7; 32]);

    let mut bench = Bench::at_work(vec![StepAction::Photograph]);
    let drive = bench.begin();
    bench.end(&drive);
    let Act::Photograph { evidence, .. } = bench.begin() else {
        panic!("no picture");
    };
    assert_eq!(bench.run(3), []);
    bench.work.photographed(evidence, None);
    assert_eq!(bench.says(1)[0], checkpoint(1, true));
}

#[test]
fn who_cant_get_to_the_place_calls_for_help_and_tries_again_when_somebody_helped() {
    let mut bench = Bench::new(assignment(Directive::Proceed, vec![unsure(1)]));
    bench.drives = Err(AbandonReason::Blocked);

    let did = bench.run(60);
    let Some(Did::Said(JobEvent::AssistRequested {
        assist, question, ..
    })) = did.last()
    else {
        panic!("{did:?}");
    };
    assert_eq!(question.reason, AssistReason::Blocked);
    assert_eq!(did.iter().filter(|did| **did == Did::Drove(5.0)).count(), 6);
    bench.drives = Ok(());
    answer(&mut bench, *assist, Some(0), false);
    let arrived = bench.run(10);
    answer(&mut bench, *assist, Some(0), true);
    bench.change(|assignment| assignment.access = Some(access(ACCESS)));

    let epoch = 1;
    assert_eq!(
        arrived,
        [Did::Drove(5.0), Did::Said(JobEvent::Arrived { epoch })]
    );
    // The step's own question is another one.
    assert_eq!(bench.kinds(5)[2..], ["assist.requested"]);
}

#[test]
fn a_battery_that_is_too_low_for_the_way_is_a_call_for_help_at_once() {
    let mut bench = Bench::new(assignment(Directive::Proceed, vec![work(1)]));
    let departed = bench.begin();
    bench.end(&departed);
    bench.begin();

    bench.work.refused(RobotRefusal::BatteryLow);

    assert_eq!(bench.kinds(1), ["assist.requested"]);
}

#[test]
fn a_step_whose_spots_cant_be_reached_is_left_out_after_all_were_tried() {
    let mut bench = Bench::at_work(vec![work(1)]);
    bench.drives = Err(AbandonReason::Blocked);

    let did = bench.run(60);

    assert!(did.contains(&Did::Drove(6.0)) && did.contains(&Did::Drove(7.0)));
    assert!(did.contains(&Did::Said(checkpoint(1, true))), "{did:?}");
}

#[test]
fn nothing_else_is_done_while_a_word_is_being_written_down() {
    let mut bench = Bench::new(assignment(Directive::Proceed, vec![work(1)]));
    bench.begin();

    let meanwhile: Vec<_> = (0..50).filter_map(|_| bench.beat()).collect();

    assert_eq!(meanwhile, []);
    bench.work.written(1);
    assert!(matches!(bench.begin(), Act::Drive { .. }));
}
