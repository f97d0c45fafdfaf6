//! What the bar says of who steers, and what it offers.

use protocol::{
    command::Verb,
    console_socket::{FromConsole, ToConsole},
    control::{ControlHolderView, ControlRequestView},
    limits::CONTROL_PRESENT_EVERY_MS,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;
use crate::live::{
    control::Seat,
    reduce::{Effect, Input, Moment, reduce},
};

const JUNIPER: RobotId = RobotId(Uuid::from_u128(14));
const MIRA: PersonId = PersonId(Uuid::from_u128(1));
const TOBI: PersonId = PersonId(Uuid::from_u128(2));
const SECOND: i64 = 1_000_000;

fn at(micros: i64) -> Moment {
    Moment {
        now: UnixMicros(micros),
        chance: 0.5,
    }
}

fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

fn held_by(person: PersonId, key: &str, version: u64) -> ControlView {
    ControlView {
        robot: JUNIPER,
        epoch: 41,
        holder: Some(ControlHolderView {
            person,
            name: if person == MIRA { "Mira" } else { "Tobi" }.to_owned(),
            key: Some(key.to_owned()),
            since: moment(0),
        }),
        request: None,
        last: None,
        version,
    }
}

fn asked_by(view: ControlView, person: PersonId, until_s: i64) -> ControlView {
    ControlView {
        request: Some(ControlRequestView {
            person,
            name: if person == MIRA { "Mira" } else { "Tobi" }.to_owned(),
            key: None,
            words: "I know this drawer.".to_owned(),
            until: moment(until_s),
        }),
        version: view.version + 1,
        ..view
    }
}

/// Mira's page, with a session to the gateway.
fn page(controls: Vec<ControlView>) -> Model {
    let mut model = Model::default();
    reduce(&mut model, Input::Start, at(0));
    reduce(&mut model, Input::SocketOpened, at(0));
    let snapshot = ToConsole::Snapshot {
        robots: Vec::new(),
        degraded: Vec::new(),
        commands: Vec::new(),
        assists: Vec::new(),
        controls: Some(controls),
    };
    reduce(&mut model, Input::Heard(Box::new(snapshot)), at(0));
    let seat = Seat {
        person: MIRA,
        key: Some("aa".to_owned()),
    };
    reduce(&mut model, Input::Seat(Some(seat)), at(0));
    model
}

/// The gateway took a sign of life that this page gave at `at`.
fn taken(model: &mut Model, at_us: i64) {
    let frame = ToConsole::Present {
        robot: JUNIPER,
        epoch: 41,
        at: UnixMicros(at_us),
    };
    reduce(model, Input::Heard(Box::new(frame)), at(at_us));
}

fn shown(model: &Model, now: i64) -> (String, String, Vec<Deed>) {
    let face = face(model, JUNIPER, Some(MIRA), (true, true), UnixMicros(now));
    (face.title, face.line, face.deeds)
}

fn heard(model: &mut Model, view: ControlView, now: i64) -> Vec<Effect> {
    let frame = ToConsole::Control(Box::new(view));
    reduce(model, Input::Heard(Box::new(frame)), at(now))
}

#[test]
fn who_steers_is_told_apart_and_so_is_what_can_be_done() {
    for (case, controls, title, deeds) in [
        ("nobody", vec![], "Nobody has control", vec![Deed::Take]),
        (
            "from here",
            vec![held_by(MIRA, "aa", 1)],
            "You have control",
            vec![Deed::Release],
        ),
        (
            "from another page",
            vec![held_by(MIRA, "bb", 1)],
            "You have control elsewhere",
            vec![Deed::Take],
        ),
        (
            "another",
            vec![held_by(TOBI, "aa", 1)],
            "Tobi has control",
            vec![Deed::Ask, Deed::TakeOver],
        ),
        (
            "another, who is asked",
            vec![asked_by(held_by(TOBI, "cc", 1), MIRA, 30)],
            "Tobi has control",
            vec![Deed::Withdraw, Deed::TakeOver],
        ),
        (
            "from here, and another asks",
            vec![asked_by(held_by(MIRA, "aa", 1), TOBI, 30)],
            "Tobi asks for control",
            vec![Deed::HandOver, Deed::Keep],
        ),
    ] {
        let (said, _, offered) = shown(&page(controls), SECOND);
        assert_eq!((said.as_str(), offered), (title, deeds), "{case}");
    }
}

#[test]
fn a_question_that_is_too_old_is_not_shown() {
    let mut model = page(vec![asked_by(held_by(MIRA, "aa", 1), TOBI, 30)]);
    taken(&mut model, 20 * SECOND);

    assert_eq!(
        shown(&model, 29 * SECOND).1,
        "“I know this drawer.” 1 s left"
    );
    assert_eq!(shown(&model, 30 * SECOND).0, "You have control");
}

#[test]
fn nothing_is_offered_to_who_may_not_steer_or_without_a_connection() {
    let mut model = page(vec![held_by(TOBI, "cc", 1)]);
    let as_admin = face(&model, JUNIPER, Some(MIRA), (false, false), UnixMicros(0));
    assert_eq!(as_admin.title, "Tobi has control");
    assert!(as_admin.deeds.is_empty());

    reduce(&mut model, Input::SocketClosed, at(SECOND));
    assert!(shown(&model, SECOND).2.is_empty());
}

#[test]
fn an_older_word_never_replaces_a_newer_one() {
    let mut model = page(vec![held_by(MIRA, "aa", 5)]);

    heard(&mut model, held_by(TOBI, "cc", 4), 0);
    assert_eq!(shown(&model, 0).0, "You have control");
    heard(&mut model, held_by(TOBI, "cc", 6), 0);
    assert_eq!(shown(&model, 0).0, "Tobi has control");
}

#[test]
fn no_target_leaves_a_page_that_has_no_control_and_a_stop_always_does() {
    let ahead = Verb::NavigateTo {
        x_m: 1.0,
        y_m: 1.0,
        heading_rad: None,
    };
    for controls in [vec![held_by(MIRA, "bb", 1)], vec![held_by(TOBI, "aa", 1)]] {
        let mut model = page(controls);
        let order = |verb| Input::Order {
            command: protocol::CommandId(Uuid::from_u128(9)),
            robot: JUNIPER,
            verb,
            frame: None,
            words: String::new(),
        };
        assert_eq!(reduce(&mut model, order(ahead), at(0)), []);
        let effects = reduce(&mut model, order(Verb::Stop), at(0));
        let [Effect::Send(FromConsole::Command(request))] = &effects[..] else {
            panic!("{effects:?}");
        };
        assert_eq!((request.epoch, request.verb), (None, Verb::Stop));
    }
}

fn signs(model: &mut Model, from: i64, to: i64) -> usize {
    let mut signs = 0;
    let mut now = from;
    while now < to {
        // As the gateway does, so that the session stays.
        let pong = ToConsole::Pong {
            at: UnixMicros(now),
            gateway_at: UnixMicros(now),
        };
        reduce(model, Input::Heard(Box::new(pong)), at(now));
        let effects = reduce(model, Input::Tick, at(now));
        signs += effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Send(FromConsole::Present { .. })))
            .count();
        now += SECOND / 10;
    }
    signs
}

#[test]
fn a_page_says_that_somebody_is_there_while_somebody_is_and_steers_from_here() {
    let every_s = i64::from(CONTROL_PRESENT_EVERY_MS) / 1_000;
    let mut mine = page(vec![held_by(MIRA, "aa", 1)]);
    let mut elsewhere = page(vec![held_by(MIRA, "bb", 1)]);
    let minute = 60 * SECOND;

    let expected = usize::try_from(60 / every_s).unwrap();
    assert_eq!(signs(&mut mine, 0, minute), expected);
    assert_eq!(signs(&mut elsewhere, 0, minute), 0);

    assert_eq!(signs(&mut mine, IDLE_US, IDLE_US + minute), 0);
    reduce(&mut mine, Input::Touched, at(IDLE_US + minute));
    assert!(signs(&mut mine, IDLE_US + minute, IDLE_US + minute + SECOND) > 0);
}

#[test]
fn somebody_is_asked_whether_they_are_still_there_before_they_are_not() {
    let mut model = page(vec![held_by(MIRA, "aa", 1)]);
    taken(&mut model, IDLE_US - ASK_LEFT_US);

    let early = shown(&model, IDLE_US - ASK_LEFT_US).1;
    let late = shown(&model, IDLE_US - ASK_LEFT_US + 1).1;

    assert_eq!(early, "Epoch 41, renews while you are here");
    assert_eq!(late, "Still there? Move the mouse or press Shift");
}

#[test]
fn a_question_rings_once_at_who_steers() {
    let mut mine = page(vec![held_by(MIRA, "aa", 1)]);
    let mut other = page(vec![held_by(TOBI, "cc", 1)]);

    let asked = asked_by(held_by(MIRA, "aa", 1), TOBI, 30);
    assert_eq!(heard(&mut mine, asked.clone(), 0), [Effect::Ring]);
    assert_eq!(heard(&mut mine, asked, 0), []);
    let asked = asked_by(held_by(TOBI, "cc", 1), MIRA, 30);
    assert_eq!(heard(&mut other, asked, 0), []);
}

#[test]
fn a_question_that_was_missed_rings_again_when_it_is_asked_again() {
    let mut mine = page(vec![asked_by(held_by(MIRA, "aa", 1), TOBI, 30)]);

    let again = asked_by(held_by(MIRA, "aa", 5), TOBI, 75);

    assert_eq!(heard(&mut mine, again, 45 * SECOND), [Effect::Ring]);
}

#[test]
fn a_page_that_gets_no_answer_counts_its_time_by_itself_and_withholds_targets_when_it_is_over() {
    let lasts = i64::from(protocol::limits::CONTROL_LASTS_MS) * 1_000;
    let mut model = page(vec![held_by(MIRA, "aa", 1)]);
    taken(&mut model, 4 * SECOND);
    let over = 4 * SECOND + lasts;

    let before = shown(&model, over - 1).0;
    let after = shown(&model, over);
    assert_eq!(before, "You have control");
    assert_eq!(after.0, "Control ran out");
    assert_eq!(after.2, [Deed::Take]);
    let standing_then = standing(&model, JUNIPER, Some(MIRA), UnixMicros(over));
    assert_eq!(standing_then, Standing::RanOut);
    assert_eq!(model.controls.epoch_here(JUNIPER, UnixMicros(over)), None);

    // An answer that comes after all says until when.
    taken(&mut model, over);
    assert_eq!(shown(&model, over + 1).0, "You have control");
}

#[test]
fn without_a_connection_it_is_said_when_control_runs_out() {
    let mut model = page(vec![held_by(MIRA, "aa", 1)]);
    reduce(&mut model, Input::SocketClosed, at(SECOND));

    let (title, line, deeds) = shown(&model, 2 * SECOND);

    assert_eq!(title, "You have control");
    assert_eq!(line, "No connection: it runs out in 13 s");
    assert!(deeds.is_empty());
}

#[test]
fn a_page_whose_key_is_gone_has_to_take_the_robot_again() {
    let mut model = page(vec![held_by(MIRA, "aa", 1)]);

    reduce(&mut model, Input::Seat(None), at(SECOND));

    let (title, _, deeds) = shown(&model, SECOND);
    assert_eq!(title, "You have control elsewhere");
    assert_eq!(deeds, [Deed::Take]);
}

#[test]
fn a_robot_that_is_steered_from_here_is_named_on_every_other_page() {
    let mut model = page(vec![asked_by(held_by(MIRA, "aa", 1), TOBI, 30)]);
    let view = protocol::views::RobotView {
        robot: JUNIPER,
        name: "Juniper".to_owned(),
        organisation: protocol::OrganisationId(Uuid::nil()),
        site: protocol::SiteId(Uuid::nil()),
        site_name: String::new(),
        presence: protocol::views::Presence::Offline { since: None },
        advert: None,
        telemetry: None,
        link: None,
        trust: None,
    };
    let frame = ToConsole::Robot(Box::new(view));
    reduce(&mut model, Input::Heard(Box::new(frame)), at(0));
    let said = |model: &Model, on_page, now| {
        let all = banners(model, on_page, UnixMicros(now));
        all.into_iter().map(|face| face.what).collect::<Vec<_>>()
    };

    assert_eq!(said(&model, None, 0), ["Tobi asks for Juniper."]);
    assert_eq!(
        said(&model, None, 31 * SECOND),
        ["You have control of Juniper."]
    );
    assert!(said(&model, Some(JUNIPER), 0).is_empty());
}

#[test]
fn who_seems_to_be_gone_is_asked_once_with_a_sound() {
    let mut model = page(vec![held_by(MIRA, "aa", 1)]);
    let rings =
        |model: &mut Model, now| reduce(model, Input::Tick, at(now)).contains(&Effect::Ring);

    assert!(!rings(&mut model, IDLE_US - ASK_LEFT_US));
    assert!(rings(&mut model, IDLE_US - ASK_LEFT_US + 1));
    assert!(!rings(&mut model, IDLE_US - ASK_LEFT_US + 2));
}

#[test]
fn who_was_not_believed_by_a_passkey_chooses_what_to_show_next() {
    let deeds = |code: &str| {
        let belief = Belief::Denied {
            code: code.to_owned(),
            words: "no".to_owned(),
        };
        here(
            &Model::default(),
            None,
            (None, &belief),
            UnixMicros(0),
            UnixMicros(0),
        )
        .deeds
    };

    let choice = [Deed::Passkey, Deed::BrowserKey, Deed::Release];
    for code in ["passkey_cancelled", "another_site", "unverified"] {
        assert_eq!(deeds(code), choice, "{code}");
    }
    assert_eq!(deeds("no_root"), [Deed::Release]);
}

#[test]
fn the_bar_says_by_which_key_the_robot_believes_this_page_and_why_it_does_not() {
    let own = |is_demo| OwnKey {
        key: "4f2a91c07d3eaa10".repeat(4),
        tier: KeyTier::Browser,
        is_demo,
    };
    let denied = |code: &str| Belief::Denied {
        code: code.to_owned(),
        words: "the robot was enrolled without a root key; enrol it again".to_owned(),
    };
    let mut model = Model::default();
    assert_eq!(
        believed(&model, &Belief::Asking).unwrap(),
        "The robot checks that it is you"
    );
    assert_eq!(
        believed(&model, &denied("robot_without_root")).unwrap(),
        "The robot was enrolled without a root key; enrol it again"
    );
    model.granting.own = Some(own(false));
    assert_eq!(
        believed(&model, &denied("key_not_rostered")).unwrap(),
        "Not rostered: 4f2a 91c0 7d3e aa10"
    );
    for (tier, is_demo, line) in [
        (KeyTier::Browser, true, "Browser key, demo. Epoch 41"),
        (KeyTier::Browser, false, "Browser key. Epoch 41"),
        (KeyTier::Passkey, true, "Passkey, demo. Epoch 41"),
        (KeyTier::Passkey, false, "Passkey. Epoch 41"),
    ] {
        let own = OwnKey {
            tier,
            ..own(is_demo)
        };
        assert_eq!(under(41, Some(&own)), line);
    }
}
