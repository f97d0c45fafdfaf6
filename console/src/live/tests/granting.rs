//! Whether a robot believes this page, and what leaves it signed.

use protocol::{
    GrantId,
    command::{CommandRequest, SignedCommand},
    control::{ControlHolderView, ControlView},
    sealed::KeyId,
    views::{RefusedGrantView, TrustView, TrustedPageView},
};

use super::{
    super::{
        control::Seat,
        granting::{Belief, Bind, GrantNews, belief},
    },
    *,
};

const ROBOT: RobotId = JUNIPER;
const MIRA: PersonId = PersonId(Uuid::from_u128(21));
const PAGE: KeyId = KeyId([5; 32]);
const GRANT: GrantId = GrantId(Uuid::from_u128(6));
const EPOCH: u64 = 41;
const BINDING: [u8; 32] = [9; 32];
const BELIEVED: Belief = Belief::Believed {
    grant: GRANT,
    binding: BINDING,
};

fn trust() -> TrustView {
    TrustView {
        has_root: true,
        roster: 3,
        revocations: 1,
        session: None,
        refused: None,
    }
}

fn believing(key: KeyId, epoch: u64) -> TrustView {
    TrustView {
        session: Some(TrustedPageView {
            grant: GRANT,
            person: MIRA,
            key: key.to_string(),
            epoch,
        }),
        ..trust()
    }
}

fn says(model: &mut Model, trust: TrustView, now: i64) -> Vec<Effect> {
    let view = protocol::views::RobotView {
        trust: Some(trust),
        ..robot(ROBOT)
    };
    reduce(model, heard(ToConsole::Robot(Box::new(view))), at(now))
}

/// This page has control of a robot that says whom it trusts.
fn in_control() -> Model {
    let mut model = live(&[ROBOT]);
    says(&mut model, trust(), 0);
    let seat = Seat {
        person: MIRA,
        key: Some(PAGE.to_string()),
    };
    reduce(&mut model, Input::Seat(Some(seat)), at(0));
    let holder = ControlHolderView {
        person: MIRA,
        name: "Mira".to_owned(),
        key: Some(PAGE.to_string()),
        since: OffsetDateTime::UNIX_EPOCH,
    };
    let view = ControlView {
        robot: ROBOT,
        epoch: EPOCH,
        holder: Some(holder),
        request: None,
        last: None,
        version: 1,
    };
    reduce(&mut model, Input::Control(Box::new(view)), at(0));
    model
}

fn asked(effects: &[Effect]) -> Vec<Bind> {
    let bind = |effect: &Effect| match effect {
        Effect::Bind(bind) => Some(*bind),
        _ => None,
    };
    effects.iter().filter_map(bind).collect()
}

/// Keeps control alive, as the page's signs of life do, and lets a tick pass.
fn tick(model: &mut Model, now: i64) -> Vec<Bind> {
    reduce(model, Input::Touched, at(now));
    let present = ToConsole::Present {
        robot: ROBOT,
        epoch: EPOCH,
        at: UnixMicros(now),
    };
    let mut effects = reduce(model, heard(present), at(now));
    effects.extend(reduce(model, Input::Tick, at(now)));
    asked(&effects)
}

const FIRST: Bind = Bind {
    robot: ROBOT,
    epoch: EPOCH,
    is_renewal: false,
    with_browser_key: false,
};

fn shown(model: &mut Model, bind: Bind, until: i64, now: i64) {
    let news = GrantNews::Shown {
        bind,
        grant: GRANT,
        until: UnixMicros(until),
        binding: (!bind.is_renewal).then_some(BINDING),
    };
    reduce(model, Input::Grant(news), at(now));
}

fn believes(model: &Model, now: i64) -> Belief {
    belief(model, ROBOT, UnixMicros(now))
}

#[test]
fn a_page_that_has_control_asks_once_to_be_believed_and_is() {
    let mut model = in_control();

    assert_eq!(tick(&mut model, SECOND), [FIRST]);
    assert_eq!(tick(&mut model, 2 * SECOND), []);
    shown(&mut model, FIRST, 600 * SECOND, 3 * SECOND);
    assert_eq!(believes(&model, 3 * SECOND), Belief::Asking);
    says(&mut model, believing(PAGE, EPOCH), 4 * SECOND);

    assert_eq!(believes(&model, 4 * SECOND), BELIEVED);
    assert_eq!(tick(&mut model, 10 * SECOND), []);
}

#[test]
fn another_pages_session_or_an_older_one_is_not_this_pages() {
    for trust in [believing(KeyId([6; 32]), EPOCH), believing(PAGE, EPOCH - 1)] {
        let mut model = in_control();
        says(&mut model, trust, 0);
        assert_eq!(believes(&model, SECOND), Belief::Asking);
    }
}

#[test]
fn what_is_believed_is_renewed_in_time_and_only_while_somebody_is_there() {
    let mut model = in_control();
    tick(&mut model, SECOND);
    shown(&mut model, FIRST, 600 * SECOND, SECOND);
    says(&mut model, believing(PAGE, EPOCH), SECOND);

    assert_eq!(tick(&mut model, 299 * SECOND), []);
    let renewal = Bind {
        is_renewal: true,
        with_browser_key: false,
        ..FIRST
    };
    assert_eq!(tick(&mut model, 301 * SECOND), [renewal]);
    assert_eq!(tick(&mut model, 302 * SECOND), []);
    // What failed is tried again, and what is believed stays so meanwhile.
    let denied = Input::Grant(GrantNews::Denied {
        bind: renewal,
        code: "gone".to_owned(),
        words: "no answer".to_owned(),
        is_passing: true,
    });
    reduce(&mut model, denied, at(303 * SECOND));
    assert_eq!(believes(&model, 303 * SECOND), BELIEVED);
    assert_eq!(tick(&mut model, 324 * SECOND), [renewal]);
    shown(&mut model, renewal, 924 * SECOND, 325 * SECOND);
    assert_eq!(tick(&mut model, 330 * SECOND), []);
}

#[test]
fn a_denial_is_told_and_asked_again_later_or_under_a_newer_roster() {
    let mut model = in_control();
    tick(&mut model, SECOND);
    let denied = Input::Grant(GrantNews::Denied {
        bind: FIRST,
        code: "key_not_rostered".to_owned(),
        words: "not on the roster yet".to_owned(),
        is_passing: false,
    });
    reduce(&mut model, denied, at(SECOND));

    let told = Belief::Denied {
        code: "key_not_rostered".to_owned(),
        words: "not on the roster yet".to_owned(),
    };
    assert_eq!(believes(&model, 2 * SECOND), told);
    assert_eq!(tick(&mut model, 5 * SECOND), []);
    let newer = TrustView {
        roster: 4,
        ..trust()
    };
    says(&mut model, newer, 6 * SECOND);
    assert_eq!(tick(&mut model, 6 * SECOND), [FIRST]);
}

#[test]
fn what_was_in_the_way_for_a_moment_is_tried_again_soon_and_is_no_denial() {
    let mut model = in_control();
    tick(&mut model, SECOND);
    let hindered = Input::Grant(GrantNews::Denied {
        bind: FIRST,
        code: "unreachable".to_owned(),
        words: "no answer".to_owned(),
        is_passing: true,
    });
    reduce(&mut model, hindered.clone(), at(2 * SECOND));

    assert_eq!(believes(&model, 2 * SECOND), Belief::Asking);
    assert_eq!(tick(&mut model, 3 * SECOND), []);
    assert_eq!(tick(&mut model, 4 * SECOND), [FIRST]);
    // What stays in the way is waited for longer each time, and told.
    reduce(&mut model, hindered.clone(), at(4 * SECOND));
    assert_eq!(tick(&mut model, 7 * SECOND), []);
    assert_eq!(tick(&mut model, 8 * SECOND), [FIRST]);
    reduce(&mut model, hindered, at(8 * SECOND));
    assert!(matches!(
        believes(&model, 8 * SECOND),
        Belief::Denied { .. }
    ));
    assert_eq!(tick(&mut model, 16 * SECOND), [FIRST]);
}

#[test]
fn a_robot_that_refuses_is_told_with_its_reason_and_one_whose_nonce_was_used_is_asked_at_once() {
    let refusing = |code: &str| TrustView {
        refused: Some(RefusedGrantView {
            grant: Some(GRANT),
            code: code.to_owned(),
            words: "no".to_owned(),
        }),
        ..trust()
    };
    let mut model = in_control();
    tick(&mut model, SECOND);
    shown(&mut model, FIRST, 600 * SECOND, SECOND);
    says(&mut model, refusing("revoked"), SECOND);
    let Belief::Denied { code, .. } = believes(&model, SECOND) else {
        panic!("not told");
    };
    assert_eq!(code, "revoked");
    assert_eq!(tick(&mut model, 2 * SECOND), []);

    says(&mut model, refusing("not_bound"), 3 * SECOND);
    assert_eq!(tick(&mut model, 3 * SECOND), [FIRST]);
}

#[test]
fn nobody_is_asked_for_a_passkey_again_before_they_chose_what_to_bind_with() {
    let mut model = in_control();
    tick(&mut model, SECOND);
    // Somebody is before the browser's prompt meanwhile.
    assert_eq!(tick(&mut model, 100 * SECOND), []);
    let closed = GrantNews::Denied {
        bind: FIRST,
        code: "passkey_cancelled".to_owned(),
        words: "the prompt was closed".to_owned(),
        is_passing: false,
    };
    reduce(&mut model, Input::Grant(closed.clone()), at(100 * SECOND));
    assert_eq!(tick(&mut model, 400 * SECOND), []);

    for with_browser_key in [false, true] {
        let chosen = GrantNews::Chosen {
            robot: ROBOT,
            with_browser_key,
        };
        reduce(&mut model, Input::Grant(chosen), at(400 * SECOND));
        let wish = Bind {
            with_browser_key,
            ..FIRST
        };
        assert_eq!(tick(&mut model, 401 * SECOND), [wish]);
        reduce(&mut model, Input::Grant(closed.clone()), at(401 * SECOND));
    }
}

#[test]
fn a_robot_that_started_anew_is_asked_anew() {
    let mut model = in_control();
    tick(&mut model, SECOND);
    shown(&mut model, FIRST, 600 * SECOND, SECOND);
    says(&mut model, believing(PAGE, EPOCH), SECOND);

    says(&mut model, trust(), 20 * SECOND);

    assert_eq!(tick(&mut model, 21 * SECOND), [FIRST]);
}

const AHEAD: Verb = Verb::NavigateTo {
    x_m: 1.0,
    y_m: 1.0,
    heading_rad: None,
};

fn order(model: &mut Model, verb: Verb, number: u128, now: i64) -> Vec<Effect> {
    let input = Input::Order {
        command: protocol::CommandId(Uuid::from_u128(number)),
        robot: ROBOT,
        verb,
        frame: None,
        words: String::new(),
    };
    reduce(model, input, at(now))
}

#[test]
fn a_target_is_signed_under_the_grant_before_it_leaves_and_a_stop_needs_no_signature() {
    let mut model = in_control();
    reduce(&mut model, telemetry(ROBOT, 0.0, 0), at(0));
    tick(&mut model, SECOND);
    let early = order(&mut model, AHEAD, 1, SECOND);
    assert_eq!(early, [], "nobody believes it yet");
    let standing = |model: &Model, number: u128| {
        let id = protocol::CommandId(Uuid::from_u128(number));
        model.commands.find(id).unwrap().standing.clone()
    };
    assert!(matches!(standing(&model, 1), Standing::NotSent { .. }));

    shown(&mut model, FIRST, 600 * SECOND, SECOND);
    says(&mut model, believing(PAGE, EPOCH), SECOND);
    reduce(&mut model, telemetry(ROBOT, 0.0, SECOND), at(SECOND));
    let mut sequences = Vec::new();
    for number in [2, 3] {
        let effects = order(&mut model, AHEAD, number, SECOND);
        let [Effect::Sign(command)] = &effects[..] else {
            panic!("{effects:?}");
        };
        let SignedCommand {
            grant,
            binding,
            epoch,
            sequence,
            ..
        } = **command;
        assert_eq!((grant, binding, epoch), (GRANT, BINDING, EPOCH));
        sequences.push(sequence);
        assert_eq!(standing(&model, number), Standing::Wished);
    }
    assert_eq!(sequences, [1, 2]);

    let signed = CommandRequest {
        command: protocol::CommandId(Uuid::from_u128(2)),
        robot: ROBOT,
        epoch: Some(EPOCH),
        verb: AHEAD,
        signed: Some("hEyj".to_owned()),
    };
    let sent = reduce(
        &mut model,
        Input::Signed(Box::new(signed.clone())),
        at(SECOND),
    );
    assert_eq!(sent, [Effect::Send(FromConsole::Command(signed))]);

    let stop = order(&mut model, Verb::Stop, 4, SECOND);
    assert!(
        matches!(&stop[..], [Effect::Send(FromConsole::Command(request))] if request.signed.is_none())
    );
}

#[test]
fn what_could_not_be_signed_is_told_as_not_sent() {
    let mut model = in_control();
    reduce(&mut model, telemetry(ROBOT, 0.0, 0), at(0));
    tick(&mut model, SECOND);
    shown(&mut model, FIRST, 600 * SECOND, SECOND);
    says(&mut model, believing(PAGE, EPOCH), SECOND);
    reduce(&mut model, telemetry(ROBOT, 0.0, SECOND), at(SECOND));
    order(&mut model, AHEAD, 2, SECOND);
    let command = protocol::CommandId(Uuid::from_u128(2));

    let words = "this browser did not sign".to_owned();
    reduce(&mut model, Input::NotSigned { command, words }, at(SECOND));

    let standing = &model.commands.find(command).unwrap().standing;
    assert!(matches!(standing, Standing::NotSent { .. }));
}
