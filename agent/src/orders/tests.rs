//! Claims about orders: each is obeyed once, in time, and only of whom the robot believes.

mod driving;
mod hostile;

use protocol::{
    command::AbandonReason, control::ControlSpan, grant::Grant, limits::CONTROL_LASTS_MS,
    sealed::Kind,
};
use uuid::Uuid;

use super::*;
use crate::{
    driver::willing::Willing,
    trust::{
        Pinned,
        tests::cast::{
            HOUSE, JUNIPER, WING_B, binding, command, foreign, grant, page, policy, presentation,
            revocations, root, root_key, roster, seal,
        },
    },
};

const NOW: Clocks = Clocks {
    tick_ms: 10_000,
    at: UnixMicros(1_700_000_000_000_000),
};

/// The page of [`steered`] gives its next command.
fn ahead(number: u64, seen_tick_ms: u64) -> Order {
    under(EPOCH, number, seen_tick_ms)
}

/// The first command of the page of [`steered`].
fn first_command() -> protocol::command::SignedCommand {
    let grant = grant(1, EPOCH, NOW.at);
    command(1, (&grant, binding(&grant, NONCE)), 1, 9_999)
}

/// The same under another epoch, in its own grant's name or not.
fn under(epoch: u64, number: u64, seen_tick_ms: u64) -> Order {
    let grant = grant(1, EPOCH, NOW.at);
    let bound = (&grant, binding(&grant, NONCE));
    let mut command = command(number.into(), bound, number, seen_tick_ms);
    command.epoch = epoch;
    signed(&command)
}

fn signed(command: &protocol::command::SignedCommand) -> Order {
    crate::trust::tests::cast::order(command, &page())
}

const fn stop(number: u128) -> Order {
    Order::Stop {
        command: CommandId(Uuid::from_u128(number)),
    }
}

const EPOCH: u64 = 41;

const NONCE: [u8; 32] = [8; 32];

fn held(epoch: u64) -> ControlNotice {
    ControlNotice {
        epoch,
        held: Some(ControlSpan {
            seen_tick_ms: NOW.tick_ms,
            lasts_ms: CONTROL_LASTS_MS,
        }),
        is_let_go: false,
    }
}

/// A robot that knows its roster, and whom nobody steers.
fn enrolled() -> Orders {
    let pinned = Pinned {
        organisation: HOUSE,
        site: WING_B,
        robot: JUNIPER,
        root: Some(root_key()),
    };
    let kept = Kept {
        roster: Some(seal(Kind::Roster, &roster(3, NOW.at), &root())),
        revocations: Some(seal(Kind::Revocations, &revocations(7, NOW.at), &policy())),
    };
    Orders::remembering(
        Remembered::default(),
        Trust::remembering(pinned, kept, NONCE),
        Safety::new(None, 0.26),
        (false, Gallery::default()),
    )
}

/// Somebody steers under [`EPOCH`], from a page whose commands the robot believes.
fn steered() -> Orders {
    steered_under(&grant(1, EPOCH, NOW.at))
}

fn steered_under(grant: &Grant) -> Orders {
    let mut orders = enrolled();
    orders.hear(&mut Willing::default(), &held(EPOCH), NOW);
    let shown = presentation(grant, NONCE);
    let event = orders.present(&mut Willing::default(), &shown, NOW, [9; 32]);
    assert!(matches!(event, GrantEvent::Accepted { .. }), "{event:?}");
    orders
}

#[test]
fn an_order_is_judged_by_the_robots_own_clock() {
    for (case, seen_tick_ms, expected) in [
        ("fresh", 9_900, Outcome::Accepted),
        ("just in time", 9_700, Outcome::Accepted),
        ("too late", 9_699, STALE),
        ("from another run", 10_001, STALE),
    ] {
        let mut driver = Willing::default();

        let order = ahead(1, seen_tick_ms);
        let receipt = steered().take(&mut driver, &order, NOW, Journalling::Works);

        assert_eq!(receipt.unwrap().outcome, expected, "{case}");
        assert_eq!(driver.told().is_empty(), expected == STALE, "{case}");
    }
}

#[test]
fn while_the_journal_fails_the_robot_takes_no_target_but_stops() {
    let mut driver = Willing::default();
    let mut orders = steered();

    let ahead = orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Fails);
    let stop = orders.take(&mut driver, &stop(2), NOW, Journalling::Fails);

    let refused = Outcome::Refused {
        reason: RobotRefusal::Fault,
    };
    assert_eq!(ahead.unwrap().outcome, refused);
    assert_eq!(stop.unwrap().outcome, Outcome::Accepted);
    assert_eq!(driver.told(), [Verb::Stop]);
}

const STALE: Outcome = Outcome::Refused {
    reason: RobotRefusal::Stale,
};

#[test]
fn a_repeated_order_is_obeyed_once() {
    let mut driver = Willing::default();
    let mut orders = steered();

    let first = orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);
    let again = orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);

    assert!(first.is_some() && again.is_none());
    assert_eq!(driver.told().len(), 1);
}

#[test]
fn every_ending_becomes_a_receipt() {
    let mut driver = Willing::default();
    let mut orders = steered();
    orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);

    let (_, receipts) = orders.step(&mut driver, Duration::from_millis(20), NOW, |_| false);

    assert_eq!(
        receipts[0].outcome,
        Outcome::Abandoned {
            reason: AbandonReason::Blocked
        }
    );
}

#[test]
fn a_target_under_another_epoch_is_refused_and_a_stop_is_obeyed() {
    let mut driver = Willing::default();
    let mut orders = steered();

    let older = orders.take(
        &mut driver,
        &under(EPOCH - 1, 1, 9_999),
        NOW,
        Journalling::Works,
    );
    let stop = orders.take(&mut driver, &stop(2), NOW, Journalling::Works);

    let refused = Outcome::Refused {
        reason: RobotRefusal::StaleEpoch,
    };
    assert_eq!(older.unwrap().outcome, refused);
    assert_eq!(stop.unwrap().outcome, Outcome::Accepted);
    assert_eq!(driver.told(), [Verb::Stop]);
}

#[test]
fn an_order_that_overtook_the_notice_of_its_epoch_is_obeyed_when_it_comes_again() {
    let mut driver = Willing::default();
    let mut orders = steered();
    let later = grant(2, EPOCH + 1, NOW.at);
    // The grant overtook the notice as well.
    orders.present(&mut driver, &presentation(&later, [9; 32]), NOW, [10; 32]);
    let ahead = signed(&command(1, (&later, binding(&later, [9; 32])), 1, 9_999));

    let early = orders.take(&mut driver, &ahead, NOW, Journalling::Works);
    orders.hear(&mut driver, &held(EPOCH + 1), NOW);
    let again = orders.take(&mut driver, &ahead, NOW, Journalling::Works);

    assert_eq!(early, None);
    assert_eq!(again.unwrap().outcome, Outcome::Accepted);
    assert_eq!(driver.told().len(), 1);
}

#[test]
fn a_forged_order_is_refused_once_and_does_not_take_the_place_of_the_true_one() {
    let mut driver = Willing::default();
    let mut orders = steered();
    let true_one = first_command();
    let forged = crate::trust::tests::cast::order(&true_one, &foreign());

    let first = orders.take(&mut driver, &forged, NOW, Journalling::Works);
    let again = orders.take(&mut driver, &forged, NOW, Journalling::Works);
    let taken = orders.take(&mut driver, &signed(&true_one), NOW, Journalling::Works);

    let refused = Outcome::Refused {
        reason: RobotRefusal::NotSigned,
    };
    let first = first.unwrap();
    assert_eq!((first.outcome, first.sealed_sha256), (refused, None));
    assert_eq!(again, None);
    assert_eq!(taken.unwrap().outcome, Outcome::Accepted);
    assert_eq!(driver.told().len(), 1);
}

#[test]
fn a_receipt_names_the_very_bytes_that_it_answers() {
    use sha2::{Digest as _, Sha256};
    let mut driver = Willing::default();
    let command = first_command();

    let receipt = steered().take(&mut driver, &signed(&command), NOW, Journalling::Works);

    let sealed = seal(Kind::Command, &command, &page());
    let expected = protocol::command::CommandHash(Sha256::digest(&sealed).into());
    assert_eq!(receipt.unwrap().sealed_sha256, Some(expected));
}

#[test]
fn what_was_signed_in_one_sitting_moves_nothing_in_another_whatever_its_grant_is_called() {
    let mut driver = Willing::default();
    let mut orders = steered();
    orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);
    let kept_back = ahead(2, 9_999);
    // The agent starts anew, its clock too; the same page is bound again, under a grant of the same name.
    let mut again = enrolled();
    again.trust = Trust::remembering(
        Pinned {
            organisation: HOUSE,
            site: WING_B,
            robot: JUNIPER,
            root: Some(root_key()),
        },
        orders.kept().clone(),
        [77; 32],
    );
    again.hear(&mut driver, &held(EPOCH), NOW);
    let shown = presentation(&grant(1, EPOCH, NOW.at), [77; 32]);
    let event = again.present(&mut driver, &shown, NOW, [78; 32]);
    assert!(matches!(event, GrantEvent::Accepted { .. }), "{event:?}");

    for order in [ahead(1, 9_999), kept_back] {
        let receipt = again.take(&mut driver, &order, NOW, Journalling::Works);
        let refused = Outcome::Refused {
            reason: RobotRefusal::NoGrant,
        };
        assert_eq!(receipt.unwrap().outcome, refused);
    }
    assert_eq!(driver.told().len(), 1);
}

#[test]
fn what_one_page_had_set_is_given_up_when_another_is_believed() {
    let mut driver = Willing::default();
    let mut orders = steered();
    orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);
    let another = protocol::grant::Grant {
        session_key: crate::trust::tests::cast::public(&foreign()),
        ..grant(2, EPOCH, NOW.at)
    };

    orders.present(&mut driver, &presentation(&another, [9; 32]), NOW, [10; 32]);

    assert_eq!(driver.let_go_of(), GIVEN_UP);
}

#[test]
fn what_somebody_set_is_given_up_when_they_leave_the_roster_or_are_revoked() {
    let nobody = protocol::roster::Roster {
        people: Vec::new(),
        ..roster(4, NOW.at)
    };
    let revoked = protocol::roster::Revocations {
        people: vec![crate::trust::tests::cast::MIRA],
        ..revocations(8, NOW.at)
    };
    for case in ["roster", "revocations"] {
        let mut driver = Willing::default();
        let mut orders = steered();
        orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);

        match case {
            "roster" => orders
                .hear_roster(&mut driver, &seal(Kind::Roster, &nobody, &root()), NOW)
                .unwrap(),
            _ => orders
                .hear_revocations(
                    &mut driver,
                    &seal(Kind::Revocations, &revoked, &policy()),
                    NOW,
                )
                .unwrap(),
        }

        assert_eq!(driver.let_go_of(), GIVEN_UP, "{case}");
        let next = orders.take(&mut driver, &ahead(2, 9_999), NOW, Journalling::Works);
        let refused = Outcome::Refused {
            reason: RobotRefusal::NoGrant,
        };
        assert_eq!(next.unwrap().outcome, refused, "{case}");
    }
}

const GIVEN_UP: [CommandId; 1] = [CommandId(Uuid::from_u128(1))];

#[test]
fn what_somebody_set_who_steers_no_more_is_given_up() {
    let over = ControlNotice {
        epoch: EPOCH,
        held: None,
        is_let_go: false,
    };
    for (case, notice, given_up) in [
        ("another steers", held(EPOCH + 1), &GIVEN_UP[..]),
        ("nobody steers", over, &GIVEN_UP),
        ("they are still there", held(EPOCH), &[]),
        ("an old word", held(EPOCH - 1), &[]),
    ] {
        let mut driver = Willing::default();
        let mut orders = steered();
        orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);

        orders.hear(&mut driver, &notice, NOW);

        assert_eq!(driver.let_go_of(), given_up, "{case}");
    }
}

#[test]
fn who_is_not_heard_of_steers_no_more_and_what_they_set_is_given_up() {
    let mut driver = Willing::default();
    let mut orders = steered();
    orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);
    let lasts = u64::from(CONTROL_LASTS_MS);
    let later = |tick_ms| Clocks { tick_ms, ..NOW };
    // The driver of this test ends everything in its next step; what is at it yet is what counts.
    driver.keep_at_it();

    let step = Duration::from_millis(20);
    orders.step(&mut driver, step, later(NOW.tick_ms + lasts - 1), |_| false);
    assert!(driver.let_go_of().is_empty());
    orders.step(&mut driver, step, later(NOW.tick_ms + lasts), |_| false);

    assert_eq!(driver.let_go_of(), GIVEN_UP);
}

#[test]
fn a_target_that_is_over_is_not_given_up_again() {
    let mut driver = Willing::default();
    let mut orders = steered();
    orders.take(&mut driver, &ahead(1, 9_999), NOW, Journalling::Works);
    orders.step(&mut driver, Duration::from_millis(20), NOW, |_| false);

    orders.hear(&mut driver, &held(EPOCH + 1), NOW);

    assert!(driver.let_go_of().is_empty());
}
