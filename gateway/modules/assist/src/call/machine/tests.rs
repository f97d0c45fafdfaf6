//! Every cell of (phase × event × role), the clocks, and what must hold after any run of proposals.

mod matrix;
mod questions;

use proptest::prelude::*;
use protocol::assist::{AssistQuestion, AssistReason};
use uuid::Uuid;

use super::*;
use crate::call_of;

const T0: UnixMicros = UnixMicros(1_700_000_000_000_000);
const CALL: AssistId = AssistId(Uuid::from_u128(1));
const JOB: JobId = JobId(Uuid::from_u128(2));
const JUNIPER: RobotId = RobotId(Uuid::from_u128(3));
const ADA: PersonId = PersonId(Uuid::from_u128(21));
const GRACE: PersonId = PersonId(Uuid::from_u128(22));

/// Ada takes the call, wherever somebody took it.
const ACTORS: [(&str, CallActor); 6] = [
    ("who took it", CallActor::Operator(ADA)),
    ("another operator", CallActor::Operator(GRACE)),
    ("admin", CallActor::Admin(GRACE)),
    ("robot", CallActor::Robot(JUNIPER)),
    ("cloud", CallActor::Cloud),
    ("anybody else", CallActor::Other),
];
const CLAIMER: usize = 0;
const OPERATOR: usize = 1;
const ROBOT: usize = 3;
const CLOUD: usize = 4;

fn question() -> AssistQuestion {
    AssistQuestion {
        reason: AssistReason::Unsure,
        words: "How should I hold the mug?".to_owned(),
        options: vec!["By the handle".to_owned(), "From above".to_owned()],
        camera: "head".to_owned(),
    }
}

const fn requested(epoch: Option<u64>, question: AssistQuestion) -> JobEvent {
    JobEvent::AssistRequested {
        assist: CALL,
        epoch,
        question,
    }
}

const fn offered(people: Vec<PersonId>) -> JobEvent {
    JobEvent::AssistOffered {
        assist: CALL,
        people,
    }
}

const ESCALATED: JobEvent = JobEvent::AssistEscalated { assist: CALL };
const CLAIMED: JobEvent = JobEvent::AssistClaimed { assist: CALL };
const STARTED: JobEvent = JobEvent::AssistStarted { assist: CALL };
const ANSWERED: JobEvent = answered(1);
const RESOLVED: JobEvent = ended(AssistEnding::Resolved);
const GIVEN_UP: JobEvent = ended(AssistEnding::GivenUp);
const EXPIRED: JobEvent = JobEvent::AssistExpired { assist: CALL };

const fn answered(option: u32) -> JobEvent {
    JobEvent::AssistAnswered {
        assist: CALL,
        option,
    }
}

const fn ended(ending: AssistEnding) -> JobEvent {
    JobEvent::AssistEnded {
        assist: CALL,
        ending,
    }
}

fn apply(call: Option<Call>, event: &JobEvent, actor: CallActor, at: UnixMicros) -> Option<Call> {
    apply_call(call, JOB, JUNIPER, event, actor, at)
}

/// A call that came to `phase` on the ordinary way, all of it at the same moment.
fn at(phase: Option<AssistPhase>) -> Option<Call> {
    let ada = CallActor::Operator(ADA);
    let way = [
        (requested(Some(1), question()), CallActor::Robot(JUNIPER)),
        (offered(Vec::new()), CallActor::Cloud),
        (CLAIMED, ada),
        (STARTED, ada),
    ];
    let (steps, last) = match phase? {
        AssistPhase::Opened => (1, None),
        AssistPhase::Offered => (2, None),
        AssistPhase::Escalated => (2, Some((ESCALATED, CallActor::Cloud))),
        AssistPhase::Claimed => (3, None),
        AssistPhase::Active => (4, None),
        AssistPhase::Resolved => (4, Some((RESOLVED, ada))),
        AssistPhase::GivenUp => (4, Some((GIVEN_UP, ada))),
        AssistPhase::Expired => (2, Some((EXPIRED, CallActor::Cloud))),
    };
    let way = way.iter().take(steps).chain(&last);
    way.fold(None, |call, (event, actor)| apply(call, event, *actor, T0))
}

fn phases() -> impl Iterator<Item = Option<AssistPhase>> {
    std::iter::once(None).chain(AssistPhase::ALL.map(Some))
}

/// What can be proposed. The clocks have run out everywhere: what they forbid has tests of its own.
fn proposals() -> [(&'static str, JobEvent); 10] {
    [
        (
            "assist.requested, with an epoch",
            requested(Some(1), question()),
        ),
        (
            "assist.requested, without an epoch",
            requested(None, question()),
        ),
        ("assist.offered", offered(Vec::new())),
        ("assist.escalated", ESCALATED),
        ("assist.claimed", CLAIMED),
        ("assist.started", STARTED),
        ("assist.answered", ANSWERED),
        ("assist.ended, resolved", RESOLVED),
        ("assist.ended, given up", GIVEN_UP),
        ("assist.expired", EXPIRED),
    ]
}

const LATE: UnixMicros = T0.plus(EXPIRE_AFTER_US);

/// A proposal's name, from where, by whom (places in `ACTORS`) and to where it moves a call.
type Arrow = (
    &'static str,
    &'static [Option<AssistPhase>],
    &'static [usize],
    AssistPhase,
);

/// Proposals that may happen. All else is refused.
const ALLOWED: [Arrow; 15] = {
    const OPENED: Option<AssistPhase> = Some(AssistPhase::Opened);
    const OFFERED: Option<AssistPhase> = Some(AssistPhase::Offered);
    const WIDER: Option<AssistPhase> = Some(AssistPhase::Escalated);
    const TAKEN: Option<AssistPhase> = Some(AssistPhase::Claimed);
    const ACTIVE: Option<AssistPhase> = Some(AssistPhase::Active);
    const UNTAKEN: &[Option<AssistPhase>] = &[OPENED, OFFERED, WIDER];
    const OPERATORS: &[usize] = &[CLAIMER, OPERATOR];
    const GONE: AssistPhase = AssistPhase::GivenUp;
    [
        (
            "assist.requested, with an epoch",
            &[None],
            &[ROBOT],
            AssistPhase::Opened,
        ),
        (
            "assist.requested, without an epoch",
            &[None],
            &[CLOUD],
            AssistPhase::Opened,
        ),
        (
            "assist.offered",
            &[OPENED, TAKEN],
            &[CLOUD],
            AssistPhase::Offered,
        ),
        (
            "assist.escalated",
            &[OPENED, OFFERED],
            &[CLOUD],
            AssistPhase::Escalated,
        ),
        (
            "assist.claimed",
            &[OFFERED, WIDER],
            OPERATORS,
            AssistPhase::Claimed,
        ),
        ("assist.started", &[TAKEN], &[CLAIMER], AssistPhase::Active),
        (
            "assist.answered",
            &[ACTIVE],
            &[CLAIMER],
            AssistPhase::Active,
        ),
        (
            "assist.ended, resolved",
            &[ACTIVE],
            &[CLAIMER],
            AssistPhase::Resolved,
        ),
        (
            "assist.ended, resolved",
            UNTAKEN,
            &[CLOUD],
            AssistPhase::Resolved,
        ),
        (
            "assist.ended, resolved",
            &[TAKEN, ACTIVE],
            &[CLOUD],
            AssistPhase::Resolved,
        ),
        ("assist.ended, given up", &[TAKEN, ACTIVE], &[CLAIMER], GONE),
        ("assist.ended, given up", &[TAKEN, ACTIVE], &[CLOUD], GONE),
        (
            "assist.ended, given up",
            UNTAKEN,
            &[CLOUD],
            AssistPhase::Expired,
        ),
        ("assist.expired", UNTAKEN, &[CLOUD], AssistPhase::Expired),
        (
            "assist.expired",
            &[TAKEN, ACTIVE],
            &[CLOUD],
            AssistPhase::Expired,
        ),
    ]
};

#[test]
fn every_role_moves_every_phase_as_the_table_says_or_not_at_all() {
    for (name, event) in proposals() {
        for phase in phases() {
            for (index, (role, actor)) in ACTORS.into_iter().enumerate() {
                let before = at(phase);

                let answer = decide_call(before.as_ref(), &event, actor, LATE);

                let arrow = ALLOWED.into_iter().find(|(same, from, by, _)| {
                    *same == name && from.contains(&phase) && by.contains(&index)
                });
                assert_eq!(
                    answer.is_ok(),
                    arrow.is_some(),
                    "{name} in {phase:?} by {role}: {answer:?}"
                );
                if let Some((_, _, _, to)) = arrow {
                    let after = apply(before.clone(), &event, actor, LATE).unwrap();
                    assert_eq!(after.phase, to, "{name} in {phase:?}");
                    assert_eq!(after.version, before.map_or(0, |call| call.version) + 1);
                }
            }
        }
    }
}

#[test]
fn of_two_who_take_a_call_the_second_is_told_who_was_first() {
    for phase in [AssistPhase::Claimed, AssistPhase::Active] {
        for person in [GRACE, ADA] {
            let answer = decide_call(
                at(Some(phase)).as_ref(),
                &CLAIMED,
                CallActor::Operator(person),
                T0,
            );
            assert_eq!(answer, Err(CallRefusal::AlreadyClaimed { by: ADA }));
        }
    }
    let refusal = CallRefusal::AlreadyClaimed { by: ADA };
    assert_eq!(refusal.code(), "already_claimed");
    assert!(refusal.to_string().contains(&ADA.to_string()));
}

#[test]
fn a_call_that_rings_at_some_is_taken_by_those_until_it_rings_wider() {
    let opened = at(Some(AssistPhase::Opened));
    let for_grace = apply(opened, &offered(vec![GRACE]), CallActor::Cloud, T0);
    let wider = apply(for_grace.clone(), &ESCALATED, CallActor::Cloud, T0);
    let claim = |call: &Option<Call>, person| {
        decide_call(call.as_ref(), &CLAIMED, CallActor::Operator(person), T0)
    };

    assert_eq!(claim(&for_grace, GRACE), Ok(()));
    assert_eq!(claim(&for_grace, ADA), Err(CallRefusal::NotOfferedHere));
    assert_eq!(claim(&wider, ADA), Ok(()));
}

#[test]
fn an_answer_is_one_of_the_options_and_given_once() {
    let active = at(Some(AssistPhase::Active));
    let ada = CallActor::Operator(ADA);
    for (option, expected) in [
        (0, Ok(())),
        (1, Ok(())),
        (2, Err(CallRefusal::OptionUnknown)),
        (u32::MAX, Err(CallRefusal::OptionUnknown)),
    ] {
        let answer = decide_call(active.as_ref(), &answered(option), ada, T0);
        assert_eq!(answer, expected, "option {option}");
    }
    let after = apply(active, &answered(0), ada, T0);

    let second = decide_call(after.as_ref(), &answered(1), ada, T0);

    assert_eq!(after.unwrap().option, Some(0));
    assert_eq!(second, Err(CallRefusal::AlreadyAnswered));
}

#[test]
fn an_event_of_another_call_or_about_something_else_is_not_for_this_one() {
    let active = at(Some(AssistPhase::Active));
    let other = JobEvent::AssistStarted {
        assist: AssistId(Uuid::from_u128(9)),
    };
    let ada = CallActor::Operator(ADA);
    let decide = |event: &JobEvent| decide_call(active.as_ref(), event, ada, T0);

    assert_eq!(decide(&other), Err(CallRefusal::CallUnknown));
    assert_eq!(
        decide(&JobEvent::Paused {}),
        Err(CallRefusal::NotAboutACall)
    );
    assert_eq!(call_of(&other), Some(AssistId(Uuid::from_u128(9))));
    assert_eq!(call_of(&JobEvent::Paused {}), None);
    for event in [&other, &JobEvent::Paused {}] {
        assert_eq!(apply(active.clone(), event, ada, T0), active);
    }
}

#[test]
fn each_deadline_falls_due_at_its_moment_and_not_before() {
    let claimed = at(Some(AssistPhase::Claimed));
    let again = JobEvent::AssistOffered {
        assist: CALL,
        people: Vec::new(),
    };
    for (call, deadline, after_us, event) in [
        (
            at(Some(AssistPhase::Opened)),
            CallDeadline::Escalate,
            ESCALATE_AFTER_US,
            ESCALATED,
        ),
        (
            at(Some(AssistPhase::Offered)),
            CallDeadline::Escalate,
            ESCALATE_AFTER_US,
            ESCALATED,
        ),
        (
            at(Some(AssistPhase::Escalated)),
            CallDeadline::Expire,
            EXPIRE_AFTER_US,
            EXPIRED,
        ),
        (claimed, CallDeadline::OfferAgain, START_WITHIN_US, again),
    ] {
        let call = call.unwrap();
        let due_at = T0.plus(after_us);
        let too_early = due_at.plus(-1);

        assert_eq!(call_due(&call), Some((deadline, due_at)));
        assert_eq!(lapse_call(&call, too_early), None, "{deadline:?}");
        assert_eq!(lapse_call(&call, due_at), Some(event.clone()));
        let decide = |now| decide_call(Some(&call), &event, CallActor::Cloud, now);
        assert_eq!(decide(too_early), Err(CallRefusal::NotDueYet));
        assert_eq!(decide(due_at), Ok(()));
    }
    for phase in [
        AssistPhase::Active,
        AssistPhase::Resolved,
        AssistPhase::GivenUp,
        AssistPhase::Expired,
    ] {
        let call = at(Some(phase)).unwrap();
        assert_eq!(call_due(&call), None, "{phase:?}");
        assert_eq!(lapse_call(&call, UnixMicros(i64::MAX)), None, "{phase:?}");
    }
}

#[test]
fn a_call_that_its_operator_forgot_rings_again_with_the_full_time() {
    let forgotten = at(Some(AssistPhase::Claimed)).unwrap();
    let now = T0.plus(START_WITHIN_US);
    let event = lapse_call(&forgotten, now).unwrap();

    let again = apply(Some(forgotten), &event, CallActor::Cloud, now).unwrap();

    assert_eq!((again.operator, again.claimed_at), (None, None));
    assert_eq!(again.requested_at, T0);
    assert_eq!(again.escalate_at, now.plus(ESCALATE_AFTER_US));
    assert_eq!(again.expire_at, now.plus(EXPIRE_AFTER_US));
    let late = decide_call(Some(&again), &STARTED, CallActor::Operator(ADA), now);
    assert_eq!(late, Err(CallRefusal::WrongPhase));
}

#[test]
fn the_cloud_takes_its_own_call_back_at_any_time_and_a_robots_only_when_it_rang_in_full() {
    let of_cloud = apply(None, &requested(None, question()), CallActor::Cloud, T0);
    let of_robot = at(Some(AssistPhase::Opened));
    let expire =
        |call: &Option<Call>, now| decide_call(call.as_ref(), &EXPIRED, CallActor::Cloud, now);

    assert_eq!(expire(&of_cloud, T0), Ok(()));
    assert_eq!(
        expire(&of_robot, LATE.plus(-1)),
        Err(CallRefusal::NotDueYet)
    );
    assert_eq!(expire(&of_robot, LATE), Ok(()));
    // Who took it may be gone before the time is over.
    assert_eq!(expire(&at(Some(AssistPhase::Active)), T0), Ok(()));
}

#[test]
fn a_call_ends_with_its_job_once() {
    for phase in AssistPhase::ALL {
        let call = at(Some(phase)).unwrap();

        let after = end_with_job(call.clone(), LATE);

        if phase.is_over() {
            assert_eq!(after, call);
        } else {
            assert_eq!(
                (after.phase, after.ended_at),
                (AssistPhase::Expired, Some(LATE))
            );
            assert_eq!(
                (after.version, after.operator),
                (call.version + 1, call.operator)
            );
        }
    }
}

fn any_event() -> impl Strategy<Value = JobEvent> {
    let people = prop::sample::subsequence(vec![ADA, GRACE], 0..=2);
    prop_oneof![
        Just(requested(Some(1), question())),
        Just(requested(None, question())),
        people.prop_map(offered),
        Just(ESCALATED),
        Just(CLAIMED),
        Just(STARTED),
        (0_u32..3).prop_map(answered),
        Just(RESOLVED),
        Just(GIVEN_UP),
        Just(EXPIRED),
    ]
}

fn makes_sense(call: &Call) -> Result<(), TestCaseError> {
    let is_taken = matches!(call.phase, AssistPhase::Claimed | AssistPhase::Active);
    let may_be_either = matches!(call.phase, AssistPhase::Resolved | AssistPhase::Expired);
    let must_be_taken = is_taken || call.phase == AssistPhase::GivenUp;
    prop_assert!(may_be_either || call.operator.is_some() == must_be_taken);
    prop_assert_eq!(call.operator.is_some(), call.claimed_at.is_some());
    prop_assert_eq!(call.ended_at.is_some(), call.phase.is_over());
    let is_waiting = !call.phase.is_over() && call.phase != AssistPhase::Active;
    prop_assert_eq!(call_due(call).is_some(), is_waiting);
    prop_assert!(call.requested_at < call.escalate_at && call.escalate_at < call.expire_at);
    let options = call.question.options.len();
    prop_assert!(call.option.is_none_or(|option| (option as usize) < options));
    prop_assert!(call.option.is_none() || call.operator.is_some());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_run_of_proposals_makes_sense_and_what_was_allowed_replays_to_the_same_call(
        proposals in prop::collection::vec((any_event(), prop::sample::select(ACTORS.to_vec()), 0_i64..200), 1..40)
    ) {
        let mut call: Option<Call> = None;
        let mut recorded = Vec::new();
        let mut now = T0;
        for (event, (_, actor), seconds) in proposals {
            now = now.plus(seconds * SECOND_US);
            // What is owed happens first, as in the gateway.
            let owed = call.as_ref().and_then(|call| lapse_call(call, now)).map(|owed| (owed, CallActor::Cloud));
            for (event, actor) in owed.into_iter().chain([(event, actor)]) {
                if decide_call(call.as_ref(), &event, actor, now).is_err() {
                    continue;
                }
                prop_assert!(call.as_ref().is_none_or(|call| !call.phase.is_over()), "what was over moved");
                call = apply(call, &event, actor, now);
                makes_sense(call.as_ref().unwrap())?;
                recorded.push((event, actor, now));
            }
        }
        let mut replayed = None;
        for (event, actor, at) in recorded {
            prop_assert_eq!(decide_call(replayed.as_ref(), &event, actor, at), Ok(()));
            replayed = apply(replayed, &event, actor, at);
        }
        prop_assert_eq!(replayed, call);
    }
}
