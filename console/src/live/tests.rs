//! What the reducer promises.

use std::sync::Arc;

use protocol::{
    CommandId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    command::{Fate, Verb},
    console_socket::{FromConsole, Link, ToConsole},
    robot::{Advert, Pose, Scan, Telemetry},
    robot_socket::Goodbye,
    views::{CommandView, Presence, RobotView},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    commands::Standing,
    model::{Model, Phase, Still},
    reduce::{Effect, Input, Moment, ViewEvent, reduce},
    view::ViewPhase,
};

const SECOND: i64 = 1_000_000;
const JUNIPER: RobotId = RobotId(Uuid::from_u128(14));
const ROWAN: RobotId = RobotId(Uuid::from_u128(21));

fn at(micros: i64) -> Moment {
    Moment {
        now: UnixMicros(micros),
        chance: 0.5,
    }
}

fn robot(id: RobotId) -> RobotView {
    RobotView {
        robot: id,
        name: "Juniper".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: SiteId(Uuid::from_u128(2)),
        site_name: "Wing B".to_owned(),
        presence: Presence::Online {
            since: OffsetDateTime::UNIX_EPOCH,
        },
        advert: None,
        telemetry: None,
        link: None,
    }
}

fn state(x_m: f64) -> Telemetry {
    let pose = Pose {
        x_m,
        ..Pose::default()
    };
    let json = serde_json::json!({
        "tick_ms": 0, "at": 0, "pose": pose, "speed_mps": 0.0, "turn_rps": 0.0, "odometer_m": 0.0,
        "battery": {"percent": 71.0, "volts": 24.0, "charging": false},
        "activity": "idle", "health": "ok"
    });
    serde_json::from_value(json).unwrap()
}

fn link(heard_at: i64) -> Link {
    Link {
        rtt_ms: Some(8.0),
        clock_offset_us: 0,
        heard_at: UnixMicros(heard_at),
    }
}

fn telemetry(id: RobotId, x_m: f64, heard_at: i64) -> Input {
    heard(ToConsole::Telemetry {
        robot: id,
        telemetry: state(x_m),
        link: link(heard_at),
    })
}

fn heard(frame: ToConsole) -> Input {
    Input::Heard(Box::new(frame))
}

fn snapshot(robots: &[RobotId], commands: Vec<CommandView>) -> Input {
    heard(ToConsole::Snapshot {
        robots: robots.iter().map(|id| robot(*id)).collect(),
        degraded: Vec::new(),
        commands,
    })
}

fn recorded(command: CommandId, fate: Fate) -> CommandView {
    CommandView {
        command,
        robot: JUNIPER,
        verb: Verb::Stop,
        issued_by: PersonId(Uuid::from_u128(5)),
        issued_by_name: "Mira".to_owned(),
        issued_at: OffsetDateTime::UNIX_EPOCH,
        fate,
        answered_at: None,
        ended_at: None,
    }
}

fn live(robots: &[RobotId]) -> Model {
    let mut model = Model::default();
    reduce(&mut model, Input::Start, at(0));
    reduce(&mut model, Input::SocketOpened, at(0));
    reduce(&mut model, snapshot(robots, Vec::new()), at(0));
    model
}

fn watching() -> Model {
    let mut model = live(&[JUNIPER]);
    let cameras = vec!["head".to_owned(), "base".to_owned()];
    let watch = Input::Watch {
        robot: JUNIPER,
        cameras,
    };
    reduce(&mut model, watch, at(0));
    model
}

fn view_number(model: &Model) -> u32 {
    model.view.as_ref().unwrap().number
}

fn view_happens(model: &mut Model, event: ViewEvent, micros: i64) -> Vec<Effect> {
    let view = view_number(model);
    reduce(model, Input::View { view, event }, at(micros))
}

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
fn a_session_that_ended_leads_back_to_sign_in_and_a_restart_does_not() {
    for (reason, is_end) in [(Goodbye::SessionEnded, true), (Goodbye::Restarting, false)] {
        let mut model = live(&[JUNIPER]);
        let words = String::new();

        let effects = reduce(
            &mut model,
            heard(ToConsole::Goodbye { reason, words }),
            at(0),
        );

        assert_eq!(effects.contains(&Effect::SignInEnded), is_end, "{reason:?}");
    }
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

    let ping = FromConsole::Ping {
        at: UnixMicros(2 * SECOND),
    };
    assert_eq!(effects, [Effect::Send(ping)]);
    assert_eq!(model.clock.rtt_ms(), Some(0.02));
    assert_eq!(model.clock.gateway_ahead_us(), 5_000);
}

#[test]
fn a_snapshot_after_a_resync_replaces_the_roster_and_keeps_what_only_this_page_knows() {
    let mut model = live(&[JUNIPER, ROWAN]);
    let still = Still {
        url: "blob:rowan".to_owned(),
        captured_at: UnixMicros(0),
    };
    let heard_still = Input::HeardStill {
        robot: ROWAN,
        still,
    };
    reduce(&mut model, heard_still, at(0));
    reduce(&mut model, telemetry(JUNIPER, 3.0, 1), at(0));
    reduce(&mut model, Input::Select(Some(ROWAN)), at(0));

    reduce(&mut model, heard(ToConsole::Resync), at(0));
    let effects = reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(0));

    assert_eq!(effects, [Effect::ForgetStill("blob:rowan".to_owned())]);
    assert!(model.robot(ROWAN).is_none());
    assert_eq!(model.selected, None);
    assert_eq!(model.robot(JUNIPER).unwrap().trail.len(), 1);
}

#[test]
fn telemetry_that_was_overtaken_is_dropped() {
    let mut model = live(&[JUNIPER]);

    reduce(&mut model, telemetry(JUNIPER, 2.0, 200), at(0));
    reduce(&mut model, telemetry(JUNIPER, 1.0, 100), at(0));

    let pose = model.robot(JUNIPER).unwrap().telemetry().unwrap().pose;
    assert!((pose.x_m - 2.0).abs() < 1e-9);
}

#[test]
fn a_roster_change_that_was_overtaken_by_telemetry_keeps_the_newer_state() {
    let mut model = live(&[JUNIPER]);
    reduce(&mut model, telemetry(JUNIPER, 2.0, 200), at(0));
    let mut renamed = robot(JUNIPER);
    renamed.name = "Juniper II".to_owned();
    renamed.telemetry = Some(state(1.0));
    renamed.link = Some(link(100));

    reduce(
        &mut model,
        heard(ToConsole::Robot(Box::new(renamed))),
        at(0),
    );

    let known = model.robot(JUNIPER).unwrap();
    assert_eq!(known.view.name, "Juniper II");
    assert!((known.telemetry().unwrap().pose.x_m - 2.0).abs() < 1e-9);
}

#[test]
fn a_restarted_gateway_does_not_make_the_page_forget_what_a_robot_is() {
    let mut model = live(&[JUNIPER]);
    let mut known = robot(JUNIPER);
    known.advert = Some(Advert {
        model: "sim".to_owned(),
        ..Advert::default()
    });
    reduce(
        &mut model,
        heard(ToConsole::Robot(Box::new(known.clone()))),
        at(0),
    );
    let first = model.robot(JUNIPER).unwrap().advert.clone().unwrap();

    reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(0));
    reduce(&mut model, heard(ToConsole::Robot(Box::new(known))), at(0));

    let kept = model.robot(JUNIPER).unwrap().advert.clone().unwrap();
    assert!(Arc::ptr_eq(&first, &kept));
}

#[test]
fn words_about_robots_that_are_gone_change_nothing() {
    let mut model = live(&[JUNIPER, ROWAN]);
    reduce(
        &mut model,
        heard(ToConsole::RobotGone { robot: ROWAN }),
        at(0),
    );

    reduce(&mut model, telemetry(ROWAN, 1.0, 1), at(0));
    let scan = Scan {
        at: UnixMicros(0),
        pose: Pose::default(),
        first_rad: 0.0,
        step_rad: 0.1,
        ranges_cm: Vec::new(),
        path: Vec::new(),
    };
    reduce(
        &mut model,
        heard(ToConsole::Scan { robot: ROWAN, scan }),
        at(0),
    );
    let still = Still {
        url: "blob:late".to_owned(),
        captured_at: UnixMicros(0),
    };
    let effects = reduce(
        &mut model,
        Input::HeardStill {
            robot: ROWAN,
            still,
        },
        at(0),
    );

    assert!(model.robot(ROWAN).is_none());
    assert_eq!(effects, [Effect::ForgetStill("blob:late".to_owned())]);
}

#[test]
fn the_trail_grows_with_the_way_and_not_with_time() {
    let mut model = live(&[JUNIPER]);

    for step in 0..100 {
        reduce(
            &mut model,
            telemetry(JUNIPER, f64::from(step) * 0.0625, i64::from(step)),
            at(0),
        );
    }
    let driven = model.robot(JUNIPER).unwrap().trail.len();
    reduce(&mut model, telemetry(JUNIPER, 50.0, 1_000), at(0));
    let after_jump = model.robot(JUNIPER).unwrap().trail.len();

    assert_eq!((driven, after_jump), (34, 1));
}

#[test]
fn stills_are_wanted_once_and_again_on_a_new_session() {
    let mut model = live(&[JUNIPER, ROWAN]);
    let on_screen = Input::StillsOnScreen(vec![ROWAN, JUNIPER, ROWAN]);
    let want = Effect::Send(FromConsole::WantThumbnails {
        robots: vec![JUNIPER, ROWAN],
    });

    let first = reduce(&mut model, on_screen.clone(), at(0));
    let again = reduce(&mut model, on_screen, at(0));
    reduce(&mut model, Input::SocketClosed, at(SECOND));
    reduce(&mut model, Input::TryNow, at(SECOND));
    reduce(&mut model, Input::SocketOpened, at(SECOND));
    let resumed = reduce(
        &mut model,
        snapshot(&[JUNIPER, ROWAN], Vec::new()),
        at(SECOND),
    );

    assert_eq!(first, std::slice::from_ref(&want));
    assert!(again.is_empty());
    assert!(resumed.contains(&want));
}

#[test]
fn a_command_without_a_connection_is_told_as_not_sent_and_never_sent_later() {
    let mut model = live(&[JUNIPER]);
    reduce(&mut model, Input::SocketClosed, at(SECOND));
    let order = Input::Order {
        command: CommandId(Uuid::from_u128(1)),
        robot: JUNIPER,
        verb: Verb::Stop,
    };

    let now = reduce(&mut model, order, at(SECOND));
    reduce(&mut model, Input::TryNow, at(SECOND));
    reduce(&mut model, Input::SocketOpened, at(SECOND));
    let later = reduce(&mut model, snapshot(&[JUNIPER], Vec::new()), at(SECOND));

    assert!(now.is_empty());
    let is_command = |effect: &Effect| matches!(effect, Effect::Send(FromConsole::Command(_)));
    assert!(!later.iter().any(is_command));
    let entry = model.commands.iter().next().unwrap();
    assert!(matches!(entry.standing, Standing::NotSent { .. }));
}

#[test]
fn a_command_takes_the_channel_of_its_own_robot_and_the_socket_otherwise() {
    let mut model = watching();
    view_happens(&mut model, ViewEvent::Connected, 0);
    view_happens(&mut model, ViewEvent::Channel { is_open: true }, 0);
    let order = |robot| Input::Order {
        command: CommandId(Uuid::from_u128(1)),
        robot,
        verb: Verb::Stop,
    };

    let own = reduce(&mut model, order(JUNIPER), at(0));
    let other = reduce(&mut model, order(ROWAN), at(0));

    assert!(matches!(own[..], [Effect::SendOnChannel(_)]));
    assert!(matches!(other[..], [Effect::Send(FromConsole::Command(_))]));
}

#[test]
fn the_fate_of_a_command_follows_the_gateway_through_a_broken_session() {
    let mut model = live(&[JUNIPER]);
    let command = CommandId(Uuid::from_u128(1));
    let order = Input::Order {
        command,
        robot: JUNIPER,
        verb: Verb::Stop,
    };
    reduce(&mut model, order, at(SECOND));
    reduce(
        &mut model,
        heard(ToConsole::Command(recorded(command, Fate::Sent))),
        at(SECOND),
    );

    reduce(&mut model, Input::SocketClosed, at(2 * SECOND));
    reduce(&mut model, Input::TryNow, at(2 * SECOND));
    reduce(&mut model, Input::SocketOpened, at(3 * SECOND));
    let done = vec![recorded(command, Fate::Done)];
    reduce(&mut model, snapshot(&[JUNIPER], done), at(3 * SECOND));

    let entry = model.commands.find(command).unwrap();
    assert_eq!(entry.standing, Standing::Recorded(Fate::Done));
    assert_eq!(entry.ended_at, Some(UnixMicros(3 * SECOND)));
}

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

#[test]
fn signing_out_forgets_everything_but_the_numbering_of_views() {
    let mut model = watching();

    let effects = reduce(&mut model, Input::Stop, at(0));

    assert!(effects.contains(&Effect::CloseSocket));
    assert!(model.robots.is_none() && model.view.is_none());
    assert_eq!(model.next_view, 1);
}
