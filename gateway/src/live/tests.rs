//! Claims about the live board: who sees what, what is asked of robots, and that nobody makes it wait.

use std::{collections::BTreeSet, sync::Arc};

use protocol::{
    UnixMicros,
    console_socket::ToConsole,
    robot::{Pose, Scan},
    robot_socket::{Demand, Goodbye, ToRobot},
    thumbnail::Thumbnail,
    views::Presence,
};
use time::{OffsetDateTime, macros::datetime};
use tokio::sync::{mpsc, oneshot};

use super::{
    Attachment, ConsoleKey, Drain, Frame, Live, NewConsole, NotAttached, OUTBOX_FRAMES, Outbox,
    Sight, encode,
};
use crate::http::tests::house::{
    ELSEWHERE, FOREIGN, JUNIPER, LINDEN, Machine, OTHER, ROBOT_OUTBOX, ROWAN, WING_A, WING_B, Who,
    advert, new_attachment, telemetry,
};

const T0: OffsetDateTime = datetime!(2026-01-01 8:00 UTC);
const NOW: UnixMicros = UnixMicros(1_767_254_400_000_000);

const STILL: Thumbnail<'static> = Thumbnail {
    camera: 0,
    captured_at: UnixMicros(5),
    jpeg: &[0xff, 0xd8, 1, 2],
};

/// A robot's session, seen from the robot.
struct Robot {
    session: Attachment,
    frames: mpsc::Receiver<ToRobot>,
    ended: oneshot::Receiver<Goodbye>,
}

impl Robot {
    fn on(live: &Live, machine: Machine) -> Self {
        let (new, frames, ended) = new_attachment(machine);
        Self {
            session: live.attach(new, T0),
            frames,
            ended,
        }
    }

    fn demands(&mut self) -> Vec<Demand> {
        std::iter::from_fn(|| self.frames.try_recv().ok())
            .map(|frame| match frame {
                ToRobot::Demand(demand) => demand,
                other => panic!("{other:?} was not expected"),
            })
            .collect()
    }
}

/// A console's session, seen from the browser.
struct Console {
    key: ConsoleKey,
    drain: Drain,
    outbox: Outbox,
    ended: oneshot::Receiver<Goodbye>,
    doubt: Arc<tokio::sync::Notify>,
}

impl Console {
    fn on(live: &Live, sight: Sight, watches: Option<Sight>) -> Self {
        let (outbox, drain) = Outbox::new();
        let (ending, ended) = oneshot::channel();
        let doubt = Arc::<tokio::sync::Notify>::default();
        let key = live.open_console(NewConsole {
            person: Who::Operator.id(),
            credential: "one".to_owned(),
            sight,
            watches,
            jobs: None,
            calls: None,
            cases: None,
            outbox: outbox.clone(),
            ending,
            doubt: Arc::clone(&doubt),
        });
        Self {
            key,
            drain,
            outbox,
            ended,
            doubt,
        }
    }

    /// One that sees and watches all of Linden.
    fn of_linden(live: &Live) -> Self {
        Self::on(live, everywhere(), Some(everywhere()))
    }

    fn frames(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.drain.frames.try_recv().ok()).collect()
    }

    fn heard(&mut self) -> Vec<ToConsole> {
        self.frames()
            .into_iter()
            .filter_map(|frame| match frame {
                Frame::Text(text) => Some(serde_json::from_str(&text).unwrap()),
                Frame::Binary(_) => None,
            })
            .collect()
    }

    fn stills(&mut self) -> usize {
        let is_still = |frame: &Frame| matches!(frame, Frame::Binary(_));
        self.frames().iter().filter(|frame| is_still(frame)).count()
    }
}

const fn everywhere() -> Sight {
    Sight {
        organisation: LINDEN,
        sites: None,
    }
}

fn wing_a() -> Sight {
    Sight {
        organisation: LINDEN,
        sites: Some(BTreeSet::from([WING_A])),
    }
}

fn only(machine: Machine) -> BTreeSet<protocol::RobotId> {
    BTreeSet::from([machine.id()])
}

fn demand(cameras: &[&str], thumbnails: bool, scans: bool) -> Demand {
    Demand {
        cameras: cameras.iter().map(|&name| name.to_owned()).collect(),
        thumbnails,
        scans,
    }
}

#[test]
fn sight_ends_at_the_organisation_and_at_its_sites() {
    for (sight, organisation, site, is_seen) in [
        (everywhere(), LINDEN, WING_A, true),
        (everywhere(), LINDEN, WING_B, true),
        (everywhere(), OTHER, ELSEWHERE, false),
        (wing_a(), LINDEN, WING_A, true),
        (wing_a(), LINDEN, WING_B, false),
        // A site's id alone opens nothing in another organisation.
        (wing_a(), OTHER, WING_A, false),
    ] {
        assert_eq!(
            sight.covers(organisation, site),
            is_seen,
            "{sight:?} {organisation} {site}"
        );
    }
}

#[test]
fn a_board_shows_each_sight_its_own_robots_by_name() {
    let live = Live::default();
    let _robots = [ROWAN, FOREIGN, JUNIPER].map(|machine| Robot::on(&live, machine));

    let ids = |sight| -> Vec<_> {
        let views = live.robots(&sight);
        views.iter().map(|view| view.robot).collect()
    };

    assert_eq!(ids(everywhere()), [JUNIPER.id(), ROWAN.id()]);
    assert_eq!(ids(wing_a()), [JUNIPER.id()]);
}

#[test]
fn a_robot_is_told_what_is_wanted_only_when_that_changes() {
    let live = Live::default();
    let mut juniper = Robot::on(&live, JUNIPER);
    let (first, second) = (Console::of_linden(&live), Console::of_linden(&live));
    assert_eq!(juniper.demands(), [], "nobody looks yet");

    live.want_thumbnails(first.key, only(JUNIPER));
    live.want_thumbnails(first.key, only(JUNIPER));
    live.want_thumbnails(second.key, only(JUNIPER));
    assert_eq!(juniper.demands(), [demand(&[], true, false)]);

    live.begin_view(first.key, JUNIPER.id());
    live.begin_view(first.key, JUNIPER.id());
    assert_eq!(juniper.demands(), [demand(&[], true, true)]);

    live.want_camera(JUNIPER.id(), "head".to_owned(), true);
    live.want_camera(JUNIPER.id(), "head".to_owned(), true);
    assert_eq!(juniper.demands(), [demand(&["head"], true, true)]);

    live.end_view(first.key, JUNIPER.id());
    live.want_thumbnails(first.key, BTreeSet::new());
    assert_eq!(juniper.demands(), [], "one view and one console are left");

    live.end_view(first.key, JUNIPER.id());
    live.want_camera(JUNIPER.id(), "head".to_owned(), false);
    live.close_console(second.key);
    assert_eq!(
        juniper.demands(),
        [
            demand(&["head"], true, false),
            demand(&[], true, false),
            demand(&[], false, false)
        ]
    );
}

#[test]
fn a_console_that_leaves_takes_its_wishes_along() {
    let live = Live::default();
    let mut juniper = Robot::on(&live, JUNIPER);
    let console = Console::of_linden(&live);
    live.want_thumbnails(console.key, only(JUNIPER));
    live.begin_view(console.key, JUNIPER.id());
    juniper.demands();

    live.close_console(console.key);

    assert_eq!(juniper.demands(), [demand(&[], false, false)]);
    assert_eq!(live.connected(), (1, 0));
}

#[test]
fn a_robot_that_comes_back_is_told_at_once_what_people_look_at_and_no_camera_of_before() {
    let live = Live::default();
    let juniper = Robot::on(&live, JUNIPER);
    let console = Console::of_linden(&live);
    live.want_thumbnails(console.key, only(JUNIPER));
    live.want_camera(JUNIPER.id(), "head".to_owned(), true);
    live.detach(juniper.session, T0);

    let mut again = Robot::on(&live, JUNIPER);

    assert_eq!(again.demands(), [demand(&[], true, false)]);
}

#[test]
fn a_new_peer_connection_begins_with_no_camera_wanted() {
    let live = Live::default();
    let mut juniper = Robot::on(&live, JUNIPER);
    live.want_camera(JUNIPER.id(), "head".to_owned(), true);
    juniper.demands();

    live.forget_cameras(JUNIPER.id());
    live.forget_cameras(JUNIPER.id());

    assert_eq!(juniper.demands(), [demand(&[], false, false)]);
}

fn scan() -> Scan {
    Scan {
        at: NOW,
        pose: Pose::default(),
        first_rad: 0.0,
        step_rad: 0.1,
        ranges_cm: vec![100],
        path: Vec::new(),
    }
}

#[test]
fn a_superseded_session_changes_nothing_any_more() {
    let live = Live::default();
    let mut older = Robot::on(&live, JUNIPER);
    let mut newer = Robot::on(&live, JUNIPER);
    live.telemetry(newer.session, telemetry(2), NOW);
    let mut console = Console::of_linden(&live);
    live.want_thumbnails(console.key, only(JUNIPER));
    live.begin_view(console.key, JUNIPER.id());
    let before = live.robot(JUNIPER.id());

    live.telemetry(older.session, telemetry(1), NOW);
    live.scan(older.session, scan());
    live.advert(older.session, protocol::robot::Advert::default());
    live.link(older.session, 999.0, 999);
    live.thumbnail(older.session, &STILL);
    let was_the_session = live.detach(older.session, T0);

    assert!(!was_the_session);
    assert_eq!(live.robot(JUNIPER.id()), before);
    assert!(console.frames().is_empty());
    assert_eq!(older.ended.try_recv(), Ok(Goodbye::Superseded));
    assert!(newer.ended.try_recv().is_err(), "the newer one goes on");
    assert_eq!(live.connected(), (1, 1));
    let mut late = Console::of_linden(&live);
    live.want_thumbnails(late.key, only(JUNIPER));
    assert_eq!(late.stills(), 0, "the older one's still was not kept");
}

#[test]
fn a_viewer_gets_every_report_and_a_list_every_fifth() {
    let live = Live::default();
    let juniper = Robot::on(&live, JUNIPER);
    let (mut viewer, mut list) = (Console::of_linden(&live), Console::of_linden(&live));
    live.begin_view(viewer.key, JUNIPER.id());

    for tick_ms in 0..20 {
        live.telemetry(juniper.session, telemetry(tick_ms), NOW);
        live.scan(juniper.session, scan());
    }

    let is_scan = |frame: &&ToConsole| matches!(frame, ToConsole::Scan { .. });
    let heard = viewer.heard();
    assert_eq!(heard.len(), 40);
    assert_eq!(heard.iter().filter(is_scan).count(), 20);
    let ticks: Vec<_> = list
        .heard()
        .into_iter()
        .map(|frame| match frame {
            ToConsole::Telemetry { telemetry, .. } => telemetry.tick_ms,
            other => panic!("{other:?} was not expected"),
        })
        .collect();
    assert_eq!(ticks, [0, 5, 10, 15]);
}

#[test]
fn stills_go_only_to_who_asked_for_them_and_may_watch() {
    let live = Live::default();
    let mut juniper = Robot::on(&live, JUNIPER);
    let mut blind = Console::on(&live, everywhere(), None);
    let elsewhere = Sight {
        organisation: LINDEN,
        sites: Some(BTreeSet::from([WING_B])),
    };
    let mut away = Console::on(&live, everywhere(), Some(elsewhere));
    let mut watches = Console::on(&live, everywhere(), Some(wing_a()));
    let mut did_not_ask = Console::of_linden(&live);

    for console in [&blind, &away] {
        live.want_thumbnails(console.key, only(JUNIPER));
    }
    assert_eq!(juniper.demands(), []);
    live.want_thumbnails(watches.key, only(JUNIPER));
    live.thumbnail(juniper.session, &STILL);

    assert_eq!(juniper.demands(), [demand(&[], true, false)]);
    assert_eq!(watches.stills(), 1);
    for console in [&mut blind, &mut away, &mut did_not_ask] {
        assert_eq!(console.stills(), 0);
    }
}

#[test]
fn an_outbox_holds_so_much_and_then_waits_for_a_fresh_picture() {
    let live = Live::default();
    let mut console = Console::of_linden(&live);
    let frame = encode(&ToConsole::Resync).unwrap();

    for _ in 0..OUTBOX_FRAMES {
        console.outbox.push(frame.clone());
    }
    assert!(!console.outbox.is_lagging());
    console.outbox.push(frame.clone());
    assert!(console.outbox.is_lagging());
    assert_eq!(console.frames().len(), OUTBOX_FRAMES);
    console.outbox.push(frame.clone());
    assert!(
        console.frames().is_empty(),
        "a gap must not be papered over"
    );
    console.outbox.catch_up();
    console.outbox.push(frame);
    assert_eq!(console.frames().len(), 1);
}

#[test]
fn a_robot_that_does_not_listen_is_not_attached_for_an_order() {
    let live = Live::default();
    let mut juniper = Robot::on(&live, JUNIPER);
    let ping = || ToRobot::Ping { at: NOW };

    for _ in 0..ROBOT_OUTBOX {
        assert_eq!(live.order(JUNIPER.id(), ping()), Ok(()));
    }
    assert_eq!(live.order(JUNIPER.id(), ping()), Err(NotAttached));
    juniper.frames.try_recv().unwrap();
    assert_eq!(live.order(JUNIPER.id(), ping()), Ok(()));
    assert_eq!(live.order(ROWAN.id(), ping()), Err(NotAttached));
    live.detach(juniper.session, T0);
    assert_eq!(live.order(JUNIPER.id(), ping()), Err(NotAttached));
}

#[test]
fn a_robot_without_a_session_or_a_report_has_no_tick_to_answer_to() {
    let live = Live::default();
    let first = Robot::on(&live, JUNIPER);
    assert_eq!(live.seen_tick(JUNIPER.id()), None);
    live.telemetry(first.session, telemetry(7), NOW);
    assert_eq!(live.seen_tick(JUNIPER.id()), Some(7));

    live.detach(first.session, T0);
    assert_eq!(live.seen_tick(JUNIPER.id()), None);
    let _second = Robot::on(&live, JUNIPER);

    assert_eq!(
        live.seen_tick(JUNIPER.id()),
        None,
        "another run's clock says nothing about this one"
    );
}

#[test]
fn a_session_ends_with_its_own_token_only() {
    let live = Live::default();
    let mut juniper = Robot::on(&live, JUNIPER);

    live.end_robot_with(JUNIPER.id(), ROWAN.token_id());
    live.end_robot_with(ROWAN.id(), JUNIPER.token_id());
    assert!(juniper.ended.try_recv().is_err());
    live.end_robot_with(JUNIPER.id(), JUNIPER.token_id());

    assert_eq!(juniper.ended.try_recv(), Ok(Goodbye::Revoked));
}

#[test]
fn a_console_ends_with_its_own_sign_in_and_doubts_with_its_person() {
    let live = Live::default();
    let mut console = Console::of_linden(&live);

    live.end_consoles_with("another");
    live.doubt_consoles_of(Who::Admin.id());
    assert!(console.ended.try_recv().is_err());
    let mut doubts = is_told(&console.doubt);
    assert!(!doubts);
    live.doubt_consoles_of(Who::Operator.id());
    doubts = is_told(&console.doubt);
    live.end_consoles_with("one");

    assert!(doubts);
    assert_eq!(console.ended.try_recv(), Ok(Goodbye::SessionEnded));
}

/// Whether somebody has been told just now.
fn is_told(doubt: &tokio::sync::Notify) -> bool {
    use futures_util::FutureExt as _;

    doubt.notified().now_or_never().is_some()
}

#[test]
fn everybody_gets_a_last_word_when_the_process_goes_down() {
    let live = Live::default();
    let mut juniper = Robot::on(&live, JUNIPER);
    let mut console = Console::of_linden(&live);

    live.end_all(Goodbye::Restarting);

    assert_eq!(juniper.ended.try_recv(), Ok(Goodbye::Restarting));
    assert_eq!(console.ended.try_recv(), Ok(Goodbye::Restarting));
}

#[test]
fn a_robot_on_the_roster_is_offline_until_it_comes_and_a_new_name_is_announced() {
    let live = Live::default();
    let mut console = Console::of_linden(&live);
    let juniper = Robot::on(&live, JUNIPER);
    let listed = live.robot(JUNIPER.id()).unwrap();
    live.detach(juniper.session, T0);
    console.heard();

    live.enlist(vec![listed.clone()]);
    assert!(console.heard().is_empty(), "nothing new was said");
    let renamed = protocol::views::RobotView {
        name: "R-014 Birch".to_owned(),
        ..listed
    };
    live.enlist(vec![renamed]);

    let view = live.robot(JUNIPER.id()).unwrap();
    assert_eq!(view.name, "R-014 Birch");
    assert_eq!(view.presence, Presence::Offline { since: Some(T0) });
    assert_eq!(view.advert, Some(advert()), "what it is stays known");
    assert_eq!(console.heard(), [ToConsole::Robot(Box::new(view))]);
}
