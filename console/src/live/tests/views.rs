//! Views: when they open, heal, give up and come back.

use super::*;

#[test]
fn an_answer_to_a_view_that_was_left_is_ignored() {
    let mut model = watching();
    let left = view_number(&model);
    reduce(&mut model, Input::Unwatch, at(0));
    let watch = Input::Watch {
        robot: JUNIPER,
        cameras: vec!["head".to_owned()],
    };
    reduce(&mut model, watch, at(0));
    let answer = |view| {
        heard(ToConsole::ViewAnswer {
            view,
            sdp: "answer".to_owned(),
        })
    };

    let stale = reduce(&mut model, answer(left), at(0));
    let present = view_number(&model);
    let fresh = reduce(&mut model, answer(present), at(0));

    assert!(stale.is_empty());
    assert!(matches!(fresh[..], [Effect::AnswerView { .. }]));
    assert_ne!(left, present);
}

#[test]
fn an_interrupted_path_heals_within_two_seconds_or_is_replaced() {
    let mut model = watching();
    view_happens(&mut model, ViewEvent::Connected, 0);

    view_happens(&mut model, ViewEvent::Shaky, SECOND);
    let healed = reduce(&mut model, Input::Tick, at(2 * SECOND));
    view_happens(&mut model, ViewEvent::Connected, 2 * SECOND);
    view_happens(&mut model, ViewEvent::Shaky, 2 * SECOND);
    let first = view_number(&model);
    let broken = reduce(&mut model, Input::Tick, at(5 * SECOND));
    let reopened = reduce(&mut model, Input::Tick, at(6 * SECOND));

    assert!(!healed.contains(&Effect::CloseView));
    assert!(broken.contains(&Effect::CloseView));
    assert!(broken.contains(&Effect::Send(FromConsole::EndView { view: first })));
    assert!(
        reopened
            .iter()
            .any(|effect| matches!(effect, Effect::OpenView { .. }))
    );
}

#[test]
fn a_refused_view_says_why_and_is_asked_for_again() {
    let mut model = watching();
    let refused = ToConsole::ViewRefused {
        view: view_number(&model),
        code: "too_many_viewers".to_owned(),
        words: "too many people watch this robot".to_owned(),
    };

    let effects = reduce(&mut model, heard(refused), at(0));
    let reopened = reduce(&mut model, Input::Tick, at(SECOND));

    assert!(effects.contains(&Effect::CloseView));
    let trouble = model.view.as_ref().unwrap().trouble.as_ref().unwrap();
    assert_eq!(trouble.code, "too_many_viewers");
    assert!(
        reopened
            .iter()
            .any(|effect| matches!(effect, Effect::OpenView { .. }))
    );
}

#[test]
fn pictures_come_back_with_the_gateway() {
    let mut model = watching();
    view_happens(&mut model, ViewEvent::Connected, 0);

    let lost = reduce(&mut model, Input::SocketClosed, at(SECOND));
    let waiting = model.view.as_ref().unwrap().phase;
    reduce(&mut model, Input::TryNow, at(SECOND));
    reduce(&mut model, Input::SocketOpened, at(SECOND));
    let resumed = reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(SECOND));

    assert!(lost.contains(&Effect::CloseView));
    assert_eq!(waiting, ViewPhase::Waiting { retry_at: None });
    assert!(
        resumed
            .iter()
            .any(|effect| matches!(effect, Effect::OpenView { .. }))
    );
}

#[test]
fn watching_the_same_cameras_again_opens_nothing() {
    let mut model = watching();
    let cameras = vec!["head".to_owned(), "base".to_owned()];

    let effects = reduce(
        &mut model,
        Input::Watch {
            robot: JUNIPER,
            cameras,
        },
        at(0),
    );

    assert!(effects.is_empty());
}
