//! Every cell of (fate × input), and what must hold after any run of inputs.

use proptest::prelude::*;
use protocol::{
    CommandId, OrganisationId, PersonId, RobotId, SiteId,
    command::{AbandonReason, Fate, Outcome, RobotRefusal, Verb},
};
use time::macros::datetime;
use uuid::Uuid;

use super::*;

const T0: OffsetDateTime = datetime!(2026-01-01 8:00 UTC);
const LATER: OffsetDateTime = datetime!(2026-01-01 8:01 UTC);

const REFUSED: Outcome = Outcome::Refused {
    reason: RobotRefusal::Unreachable,
};
const ABANDONED: Outcome = Outcome::Abandoned {
    reason: AbandonReason::Blocked,
};
const OUTCOMES: [Outcome; 4] = [Outcome::Accepted, REFUSED, Outcome::Done, ABANDONED];

fn issue() -> Issue {
    Issue {
        command: CommandId(Uuid::from_u128(1)),
        organisation: OrganisationId(Uuid::from_u128(2)),
        site: SiteId(Uuid::from_u128(3)),
        robot: RobotId(Uuid::from_u128(4)),
        person: PersonId(Uuid::from_u128(5)),
        verb: Verb::NavigateTo {
            x_m: 2.41,
            y_m: 1.1,
            heading_rad: None,
        },
        epoch: Some(41),
    }
}

fn sent() -> Command {
    apply(
        None,
        Event::Issued {
            issue: issue(),
            at: T0,
        },
    )
    .unwrap()
}

/// A command that came to `fate` on the ordinary way.
fn at(fate: Fate) -> Command {
    let accepted = || apply(Some(sent()), Event::Accepted { at: T0 });
    match fate {
        Fate::Sent => Some(sent()),
        Fate::Accepted => accepted(),
        Fate::Refused { reason } => apply(Some(sent()), Event::Refused { reason, at: T0 }),
        Fate::Done => apply(accepted(), Event::Finished { at: T0 }),
        Fate::Abandoned { reason } => apply(accepted(), Event::Abandoned { reason, at: T0 }),
        Fate::Unanswered => apply(Some(sent()), Event::WentUnanswered { at: T0 }),
    }
    .unwrap()
}

/// Where each fate goes on each outcome, in the order of `OUTCOMES`; a dash stays.
const TABLE: [(Fate, [Option<Fate>; 4]); 6] = {
    const ACCEPTED: Option<Fate> = Some(Fate::Accepted);
    const TURNED_DOWN: Option<Fate> = Some(Fate::Refused {
        reason: RobotRefusal::Unreachable,
    });
    const DONE: Option<Fate> = Some(Fate::Done);
    const GIVEN_UP: Option<Fate> = Some(Fate::Abandoned {
        reason: AbandonReason::Blocked,
    });
    [
        (Fate::Sent, [ACCEPTED, TURNED_DOWN, None, None]),
        (Fate::Accepted, [None, None, DONE, GIVEN_UP]),
        (Fate::Unanswered, [ACCEPTED, TURNED_DOWN, DONE, GIVEN_UP]),
        (
            Fate::Refused {
                reason: RobotRefusal::Stale,
            },
            [None; 4],
        ),
        (Fate::Done, [None; 4]),
        (
            Fate::Abandoned {
                reason: AbandonReason::Stopped,
            },
            [None; 4],
        ),
    ]
};

#[test]
fn every_receipt_moves_every_fate_as_the_table_says_or_not_at_all() {
    for (fate, row) in TABLE {
        for (outcome, expected) in OUTCOMES.into_iter().zip(row) {
            let before = at(fate);

            let events = decide(Some(&before), Input::Receipt(outcome), LATER).unwrap();

            let after = events
                .iter()
                .cloned()
                .fold(Some(before.clone()), apply)
                .unwrap();
            assert_eq!(
                events.len(),
                usize::from(expected.is_some()),
                "{fate:?} {outcome:?}"
            );
            assert_eq!(after.fate, expected.unwrap_or(fate), "{fate:?} {outcome:?}");
            if expected.is_none() {
                assert_eq!(after, before);
            }
        }
    }
}

#[test]
fn only_a_command_that_is_still_sent_runs_out_of_time_and_not_a_moment_early() {
    let last_moment = T0 + ANSWER_WITHIN - Duration::NANOSECOND;

    assert_eq!(
        decide(Some(&sent()), Input::TimeOut, last_moment),
        Err(Refusal::NotDueYet)
    );
    assert_eq!(
        decide(Some(&sent()), Input::TimeOut, T0 + ANSWER_WITHIN),
        Ok(vec![Event::WentUnanswered {
            at: T0 + ANSWER_WITHIN
        }])
    );
    for (fate, _) in TABLE.into_iter().filter(|(fate, _)| *fate != Fate::Sent) {
        assert_eq!(
            decide(Some(&at(fate)), Input::TimeOut, LATER),
            Ok(Vec::new()),
            "{fate:?}"
        );
    }
}

#[test]
fn the_same_request_again_changes_nothing_and_another_under_its_id_is_refused() {
    let other_verb = Issue {
        verb: Verb::Stop,
        ..issue()
    };
    let other_robot = Issue {
        robot: RobotId(Uuid::from_u128(9)),
        ..issue()
    };
    let other_person = Issue {
        person: PersonId(Uuid::from_u128(9)),
        ..issue()
    };

    for (fate, _) in TABLE {
        let command = at(fate);
        assert_eq!(
            decide(Some(&command), Input::Issue(issue()), LATER),
            Ok(Vec::new())
        );
        for other in [&other_verb, &other_robot, &other_person] {
            let refused = decide(Some(&command), Input::Issue(other.clone()), LATER);
            assert_eq!(refused, Err(Refusal::CommandIdReused), "{fate:?}");
        }
    }
}

#[test]
fn what_nobody_issued_has_no_receipt_and_no_time_out() {
    for input in OUTCOMES
        .map(Input::Receipt)
        .into_iter()
        .chain([Input::TimeOut])
    {
        assert_eq!(decide(None, input, T0), Err(Refusal::CommandUnknown));
    }
    assert_eq!(apply(None, Event::Accepted { at: T0 }), None);
}

#[test]
fn a_senseless_request_is_turned_down_before_it_is_recorded() {
    let verb = Verb::NavigateTo {
        x_m: f64::NAN,
        y_m: 0.0,
        heading_rad: None,
    };

    let refused = decide(None, Input::Issue(Issue { verb, ..issue() }), T0);

    assert_eq!(refused, Err(Refusal::TargetNotFinite));
}

#[test]
fn a_late_acceptance_reopens_what_had_gone_unanswered() {
    let unanswered = at(Fate::Unanswered);

    let reopened = apply(Some(unanswered.clone()), Event::Accepted { at: LATER }).unwrap();

    assert_eq!(
        (unanswered.answered_at, unanswered.ended_at),
        (None, Some(T0))
    );
    assert_eq!(
        (reopened.answered_at, reopened.ended_at),
        (Some(LATER), None)
    );
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Issue(issue())),
        Just(Input::TimeOut),
        prop::sample::select(OUTCOMES.to_vec()).prop_map(Input::Receipt),
    ]
}

proptest! {
    #[test]
    fn after_any_run_of_inputs_the_command_makes_sense(inputs in prop::collection::vec(any_input(), 1..20)) {
        let mut command: Option<Command> = None;
        for (step, input) in (0_i32..).zip(inputs) {
            let before = command.clone();
            let now = T0 + Duration::SECOND * step;
            for event in decide(command.as_ref(), input, now).unwrap_or_default() {
                command = apply(command, event);
            }
            let Some(after) = &command else { continue };
            prop_assert_eq!(after.ended_at.is_some(), after.fate.is_over());
            let is_silent = matches!(after.fate, Fate::Sent | Fate::Unanswered);
            prop_assert_eq!(after.answered_at.is_none(), is_silent);
            if let Some(before) = before {
                prop_assert_eq!(after.version == before.version, *after == before);
                let was_final = before.fate.is_over() && before.fate != Fate::Unanswered;
                prop_assert!(!was_final || *after == before, "a finished command moved");
            }
        }
    }
}
