//! Every cell of (who steers × event × who proposes it), and the edges of each clock.

use protocol::{RobotId, sealed::KeyId};
use uuid::Uuid;

use super::*;

mod matrix;

const T0: UnixMicros = UnixMicros(1_700_000_000_000_000);
const JUNIPER: RobotId = RobotId(Uuid::from_u128(14));
const MIRA: Seat = Seat {
    person: PersonId(Uuid::from_u128(1)),
    key: Some(KeyId([1; 32])),
};
/// The same person before another page.
const MIRA_AGAIN: Seat = Seat {
    key: Some(KeyId([2; 32])),
    ..MIRA
};
const TOBI: Seat = Seat {
    person: PersonId(Uuid::from_u128(2)),
    key: Some(KeyId([3; 32])),
};
const LENA: Seat = Seat {
    person: PersonId(Uuid::from_u128(3)),
    key: Some(KeyId([4; 32])),
};

/// An act made of words.
type Saying = fn(String) -> ControlEvent;

const fn asked() -> ControlEvent {
    ControlEvent::Requested {
        words: String::new(),
    }
}

const fn handed_to(seat: Seat) -> ControlEvent {
    ControlEvent::HandedOver {
        to: seat.person,
        note: String::new(),
    }
}

fn taken_over() -> ControlEvent {
    ControlEvent::TakenOver {
        epoch: 1,
        reason: "nobody answers".to_owned(),
    }
}

/// What comes of an act, with what the cloud adds to it.
fn act(
    control: &Control,
    event: &ControlEvent,
    actor: ControlActor,
    now: UnixMicros,
) -> Result<Control, ControlRefusal> {
    let consequence = decide_control(control, event, actor, now)?;
    let after = apply_control(control.clone(), event, actor, now);
    Ok(match consequence {
        Some(granted) => apply_control(after, &granted, ControlActor::Cloud, now),
        None => after,
    })
}

fn free() -> Control {
    Control::never(JUNIPER)
}

/// Mira steers since [`T0`].
fn held() -> Control {
    act(
        &free(),
        &ControlEvent::Claimed {},
        ControlActor::Operator(MIRA),
        T0,
    )
    .unwrap()
}

/// Mira steers, and Tobi asks since [`T0`].
fn wanted() -> Control {
    act(&held(), &asked(), ControlActor::Operator(TOBI), T0).unwrap()
}

fn steers(control: &Control) -> Option<Seat> {
    control.holder.map(|holder| holder.seat)
}

#[test]
fn who_takes_a_robot_that_nobody_steers_steers_it_under_the_next_epoch() {
    let control = held();

    assert_eq!((steers(&control), control.epoch), (Some(MIRA), 1));
    let last = control.last.unwrap();
    assert_eq!(
        (last.turn, last.person),
        (ControlTurn::Claimed, MIRA.person)
    );
}

#[test]
fn a_page_that_was_loaded_again_moves_its_person_there() {
    let actor = ControlActor::Operator(MIRA_AGAIN);

    let control = act(&held(), &ControlEvent::Claimed {}, actor, T0).unwrap();

    assert_eq!((steers(&control), control.epoch), (Some(MIRA_AGAIN), 2));
    let before = ControlActor::Operator(MIRA);
    let wanted = act(&control, &asked(), ControlActor::Operator(TOBI), T0).unwrap();
    assert_eq!(
        act(&wanted, &handed_to(TOBI), before, T0),
        Err(ControlRefusal::NotInControl)
    );
    // To let go is safe from any page.
    let free = act(&control, &ControlEvent::Released {}, before, T0).unwrap();
    assert_eq!(steers(&free), None);
}

#[test]
fn who_asks_gets_it_only_from_who_steers() {
    let control = wanted();
    let by_mira = ControlActor::Operator(MIRA);

    for (to, actor, expected) in [
        (TOBI, by_mira, Ok((Some(TOBI), 2))),
        (LENA, by_mira, Err(ControlRefusal::NobodyAsks)),
        (
            TOBI,
            ControlActor::Operator(MIRA_AGAIN),
            Err(ControlRefusal::NotInControl),
        ),
        (
            TOBI,
            ControlActor::Operator(TOBI),
            Err(ControlRefusal::NotInControl),
        ),
        (
            TOBI,
            ControlActor::Supervisor(LENA),
            Err(ControlRefusal::NotInControl),
        ),
    ] {
        let after = act(&control, &handed_to(to), actor, T0);
        assert_eq!(
            after.map(|after| (steers(&after), after.epoch)),
            expected,
            "{actor:?}"
        );
    }
}

#[test]
fn a_question_lasts_its_time_and_no_longer() {
    let control = wanted();
    let (last, over) = (T0.plus(REQUEST_LASTS_US - 1), T0.plus(REQUEST_LASTS_US));
    let by_mira = ControlActor::Operator(MIRA);
    let by_lena = ControlActor::Supervisor(LENA);

    assert!(act(&control, &handed_to(TOBI), by_mira, last).is_ok());
    assert_eq!(
        act(&control, &handed_to(TOBI), by_mira, over),
        Err(ControlRefusal::NobodyAsks)
    );
    assert_eq!(
        act(&control, &asked(), by_lena, last),
        Err(ControlRefusal::AskedAlready { by: TOBI.person })
    );
    let after = act(&control, &asked(), by_lena, over).unwrap();
    assert_eq!(after.request.unwrap().seat, LENA);
}

#[test]
fn who_is_told_no_steers_nothing_and_hears_why() {
    let no = ControlEvent::Declined {
        to: TOBI.person,
        words: "in the middle of a grasp".to_owned(),
    };

    let control = act(&wanted(), &no, ControlActor::Operator(MIRA), T0).unwrap();

    assert_eq!((steers(&control), control.epoch), (Some(MIRA), 1));
    assert_eq!(control.request, None);
    let last = control.last.unwrap();
    assert_eq!(last.turn, ControlTurn::Declined);
    assert_eq!(last.words, "in the middle of a grasp");
}

#[test]
fn only_a_supervisor_takes_over_and_says_why() {
    for (actor, reason, expected) in [
        (
            ControlActor::Supervisor(LENA),
            "nobody answers",
            Ok((Some(LENA), 2)),
        ),
        (
            ControlActor::Supervisor(LENA),
            "  ",
            Err(ControlRefusal::ReasonMissing),
        ),
        (
            ControlActor::Operator(TOBI),
            "nobody answers",
            Err(ControlRefusal::RoleNotAllowed),
        ),
        (
            ControlActor::Supervisor(MIRA_AGAIN),
            "mine",
            Err(ControlRefusal::AlreadyYours),
        ),
    ] {
        let event = ControlEvent::TakenOver {
            epoch: 1,
            reason: reason.to_owned(),
        };
        let after = act(&held(), &event, actor, T0);
        assert_eq!(after.map(|after| (steers(&after), after.epoch)), expected);
    }
    let supervisor = ControlActor::Supervisor(LENA);
    assert_eq!(
        act(&free(), &taken_over(), supervisor, T0),
        Err(ControlRefusal::NobodyHasControl)
    );
}

#[test]
fn what_was_meant_for_one_person_never_reaches_another() {
    let over = ControlEvent::TakenOver {
        epoch: 1,
        reason: "nobody answers".to_owned(),
    };
    let passed = act(
        &wanted(),
        &handed_to(TOBI),
        ControlActor::Operator(MIRA),
        T0,
    )
    .unwrap();
    let late = act(&passed, &over, ControlActor::Supervisor(LENA), T0);
    assert_eq!(late, Err(ControlRefusal::EpochOver));

    let no = ControlEvent::Declined {
        to: LENA.person,
        words: String::new(),
    };
    let other = act(&wanted(), &no, ControlActor::Operator(MIRA), T0);
    assert_eq!(other, Err(ControlRefusal::NobodyAsks));
}

#[test]
fn words_have_a_bound_wherever_they_stand() {
    let long = |count| "ä".repeat(count);
    let (by_mira, by_lena) = (ControlActor::Operator(MIRA), ControlActor::Supervisor(LENA));
    let each: [(ControlActor, Saying); 4] = [
        (by_mira, |note| ControlEvent::HandedOver {
            to: TOBI.person,
            note,
        }),
        (by_mira, |words| ControlEvent::Declined {
            to: TOBI.person,
            words,
        }),
        (by_lena, |reason| ControlEvent::TakenOver {
            epoch: 1,
            reason,
        }),
        (ControlActor::Operator(TOBI), |words| {
            ControlEvent::Requested { words }
        }),
    ];
    for (actor, event) in each {
        assert!(act(&wanted(), &event(long(MAX_NOTE_CHARS)), actor, T0).is_ok());
        assert_eq!(
            act(&wanted(), &event(long(MAX_NOTE_CHARS + 1)), actor, T0),
            Err(ControlRefusal::WordsTooLong)
        );
    }
}

#[test]
fn who_is_not_heard_is_gone_when_their_time_is_over_and_not_before() {
    let control = held();
    let over = T0.plus(CONTROL_LASTS_US);

    assert_eq!(lapse_control(&control, over.plus(-1)), None);
    let ended = lapse_control(&control, over).unwrap();
    let early = act(&control, &ended, ControlActor::Cloud, over.plus(-1));
    assert_eq!(early, Err(ControlRefusal::NotDueYet));
    let after = act(&control, &ended, ControlActor::Cloud, over).unwrap();

    assert_eq!((steers(&after), after.epoch), (None, 1));
    assert_eq!(after.last.unwrap().turn, ControlTurn::Absent);
    let next = ControlActor::Operator(TOBI);
    let next = act(&free(), &ControlEvent::Claimed {}, next, over).unwrap();
    assert_eq!(steers(&next), Some(TOBI));
}

#[test]
fn a_sign_of_life_gives_the_full_time_again_and_only_to_who_steers() {
    let control = held();
    let later = T0.plus(CONTROL_LASTS_US - 1);

    let renewed = renew_control(&control, MIRA.person, 1, later).unwrap();
    assert_eq!(renewed.holder.unwrap().until, later.plus(CONTROL_LASTS_US));
    assert_eq!(renewed.version, control.version);

    for (person, epoch, now, refusal) in [
        (
            TOBI.person,
            1,
            later,
            ControlRefusal::HeldByAnother { by: MIRA.person },
        ),
        (MIRA.person, 0, later, ControlRefusal::EpochOver),
        (MIRA.person, 1, later.plus(1), ControlRefusal::NotInControl),
    ] {
        assert_eq!(renew_control(&control, person, epoch, now), Err(refusal));
        assert_eq!(may_steer(&control, person, Some(epoch), now), Err(refusal));
    }
    assert_eq!(
        may_steer(&control, MIRA.person, None, T0),
        Err(ControlRefusal::EpochOver)
    );
}

#[test]
fn an_epoch_that_is_over_is_not_ended_again() {
    let ended = |epoch| ControlEvent::Ended {
        epoch,
        cause: ControlEnding::RightLost,
    };
    let control = act(&held(), &ended(1), ControlActor::Cloud, T0).unwrap();

    for (control, epoch, refusal) in [
        (&control, 1, ControlRefusal::NobodyHasControl),
        (&held(), 2, ControlRefusal::EpochOver),
    ] {
        let again = act(control, &ended(epoch), ControlActor::Cloud, T0);
        assert_eq!(again, Err(refusal));
    }
}
