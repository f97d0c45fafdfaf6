//! The session with the gateway: how it starts, breaks and comes back.

use super::*;

#[test]
fn the_first_frame_on_a_socket_is_the_hello() {
    let mut model = Model::default();

    let opened = reduce(&mut model, Input::Start, at(0));
    let said = reduce(&mut model, Input::SocketOpened, at(0));

    assert_eq!(opened, [Effect::OpenSocket]);
    assert!(matches!(
        said[..],
        [Effect::Send(FromConsole::Hello { .. })]
    ));
}

#[test]
fn a_silent_gateway_is_given_up_and_tried_again() {
    let mut model = live(&[JUNIPER]);

    let early = reduce(&mut model, Input::Tick, at(5 * SECOND));
    let late = reduce(&mut model, Input::Tick, at(7 * SECOND));
    let again = reduce(&mut model, Input::Tick, at(8 * SECOND));

    assert!(!early.contains(&Effect::CloseSocket));
    assert_eq!(late, [Effect::CloseSocket]);
    assert_eq!(model.connection.lost_at, Some(UnixMicros(7 * SECOND)));
    assert_eq!(again, [Effect::OpenSocket]);
}

#[test]
fn a_gateway_that_greets_and_breaks_again_and_again_is_not_hurried() {
    let mut model = live(&[JUNIPER]);
    let mut waits = Vec::new();

    for _ in 0..6 {
        reduce(&mut model, Input::SocketClosed, at(0));
        let Phase::Waiting { retry_at } = model.connection.phase else {
            panic!("not waiting");
        };
        waits.push(retry_at.0);
        reduce(&mut model, Input::TryNow, at(0));
        reduce(&mut model, Input::SocketOpened, at(0));
        reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(0));
    }
    reduce(&mut model, Input::Tick, at(5 * SECOND + 1));

    assert!(waits.is_sorted() && waits[5] > 3 * SECOND, "{waits:?}");
    assert_eq!(model.connection.attempt, 0);
}

#[test]
fn a_socket_that_never_opens_asks_whether_the_sign_in_still_holds() {
    let mut model = Model::default();
    reduce(&mut model, Input::Start, at(0));

    let closed = reduce(&mut model, Input::SocketClosed, at(0));

    assert_eq!(closed, [Effect::CheckSession]);
    assert!(matches!(model.connection.phase, Phase::Waiting { .. }));
}

#[test]
fn a_goodbye_that_trying_again_cannot_mend_is_final() {
    let mut model = live(&[JUNIPER]);
    let goodbye = ToConsole::Goodbye {
        reason: Goodbye::ProtocolUnsupported,
        words: "reload".to_owned(),
    };

    let effects = reduce(&mut model, heard(goodbye), at(SECOND));
    let later = reduce(&mut model, Input::Tick, at(100 * SECOND));

    assert_eq!(effects, [Effect::CloseSocket]);
    assert!(matches!(model.connection.phase, Phase::Over { .. }));
    assert!(later.is_empty());
}

#[test]
fn an_ended_session_asks_who_is_signed_in_and_a_restart_does_not() {
    for (reason, is_doubted) in [(Goodbye::SessionEnded, true), (Goodbye::Restarting, false)] {
        let mut model = live(&[JUNIPER]);
        let words = String::new();

        let effects = reduce(
            &mut model,
            heard(ToConsole::Goodbye { reason, words }),
            at(0),
        );

        assert_eq!(
            effects.contains(&Effect::CheckSession),
            is_doubted,
            "{reason:?}"
        );
    }
}

#[test]
fn somebody_whose_rights_changed_is_connected_again_under_the_same_sign_in() {
    let mut model = live(&[JUNIPER]);
    let goodbye = ToConsole::Goodbye {
        reason: Goodbye::SessionEnded,
        words: "the sign-in ended".to_owned(),
    };
    reduce(&mut model, heard(goodbye), at(0));

    // The gateway's answer was that the sign-in holds.
    let started = reduce(&mut model, Input::Start, at(0));
    let again = reduce(&mut model, Input::Tick, at(SECOND));

    assert!(started.is_empty());
    assert_eq!(again, [Effect::OpenSocket]);
}

#[test]
fn after_an_end_that_the_gateway_confirms_nothing_is_tried_again() {
    let mut model = live(&[JUNIPER]);
    let goodbye = ToConsole::Goodbye {
        reason: Goodbye::SessionEnded,
        words: "the sign-in ended".to_owned(),
    };
    reduce(&mut model, heard(goodbye), at(0));

    // The gateway's answer was that nobody is signed in.
    reduce(&mut model, Input::Stop, at(0));
    let later = reduce(&mut model, Input::Tick, at(100 * SECOND));

    assert!(later.is_empty());
    assert_eq!(model.connection.phase, Phase::Idle);
}

#[test]
fn pings_measure_the_way_and_the_clock() {
    let mut model = live(&[JUNIPER]);

    let effects = reduce(&mut model, Input::Tick, at(2 * SECOND));
    let pong = ToConsole::Pong {
        at: UnixMicros(2 * SECOND),
        gateway_at: UnixMicros(2 * SECOND + 5_010),
    };
    reduce(&mut model, heard(pong), at(2 * SECOND + 20));

    let asked = FromConsole::Ping {
        at: UnixMicros(2 * SECOND),
    };
    assert_eq!(effects, [Effect::Send(asked)]);
    assert_eq!(model.clock.rtt_ms(), Some(0.02));
    assert_eq!(model.clock.gateway_ahead_us(), 5_000);
}

#[test]
fn signing_out_forgets_everything_but_the_numbering_of_views() {
    let mut model = watching();

    let effects = reduce(&mut model, Input::Stop, at(0));

    assert!(effects.contains(&Effect::CloseSocket));
    assert!(model.robots.is_none() && model.view.is_none());
    assert_eq!(model.next_view, 1);
}
