//! The robots of this process: the latest value of everything, and the one session that each may have.

use axum::body::Bytes;
use protocol::{
    OrganisationId, RobotId, SiteId, TokenId, UnixMicros,
    console_socket::{Link, ToConsole},
    grant::RobotTrust,
    robot::{Advert, Scan, Telemetry},
    robot_socket::{Demand, Goodbye, ToRobot},
    views::{Presence, RobotView},
};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

use super::{Live, Sight, State};

/// Telemetry comes at 10 Hz. A console that only lists the fleet gets every fifth: two a second are what an eye can read.
const FLEET_EVERY: u8 = 5;

/// The robot is not connected to this process, or its outbox is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the robot is not connected")]
pub struct NotAttached;

/// Everything needed to put a robot's session on the board.
#[derive(Debug)]
pub struct NewAttachment {
    /// Which robot.
    pub robot: RobotId,
    /// The name that people gave it.
    pub name: String,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Its site.
    pub site: SiteId,
    /// The site's name.
    pub site_name: String,
    /// The token that it signed in with.
    pub token: TokenId,
    /// What it is and can.
    pub advert: Advert,
    /// Where its frames go.
    pub to_robot: mpsc::Sender<ToRobot>,
    /// Fired when the session must end.
    pub ending: oneshot::Sender<Goodbye>,
}

/// Names one session of one robot; what a superseded session still says is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    robot: RobotId,
    generation: u64,
}

impl Attachment {
    /// Whose session it is.
    pub const fn robot(self) -> RobotId {
        self.robot
    }
}

#[derive(Debug)]
struct Session {
    generation: u64,
    token: TokenId,
    to_robot: mpsc::Sender<ToRobot>,
    ending: Option<oneshot::Sender<Goodbye>>,
    demand: Demand,
}

/// A robot on the board.
#[derive(Debug)]
pub(super) struct BoardRobot {
    view: RobotView,
    /// Whom it believes, while its session lasts.
    trust: Option<RobotTrust>,
    session: Option<Session>,
    /// Cameras that the forwarding unit wants streamed.
    cameras_wanted: BTreeSet<String>,
    pub(super) thumbnail: Option<Bytes>,
    beats: u8,
    /// When this process heard it last, also of one that is gone.
    heard_at: Option<UnixMicros>,
}

/// When a robot was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Last.
    pub at: UnixMicros,
    /// Whether it is connected to this process.
    pub is_attached: bool,
}

impl BoardRobot {
    pub(super) fn is_attached(&self) -> bool {
        self.session.is_some()
    }

    pub(super) fn is_seen_by(&self, sight: &Sight) -> bool {
        sight.covers(self.view.organisation, self.view.site)
    }

    pub(super) fn view(&self) -> RobotView {
        self.view.clone()
    }

    pub(super) fn end(&mut self, reason: Goodbye) {
        if let Some(ending) = self
            .session
            .as_mut()
            .and_then(|session| session.ending.take())
        {
            // The session may have ended by itself in this moment; then nobody listens any more.
            let _already_over = ending.send(reason);
        }
    }
}

impl State {
    /// The robot, if `attachment` still is its session.
    pub(super) fn attached(&mut self, attachment: Attachment) -> Option<&mut BoardRobot> {
        self.robots.get_mut(&attachment.robot).filter(|robot| {
            robot
                .session
                .as_ref()
                .is_some_and(|session| session.generation == attachment.generation)
        })
    }

    /// Works out what is wanted of a robot and tells it when that changed.
    pub(super) fn send_demand(&mut self, robot: RobotId) {
        let thumbnails = self
            .consoles
            .values()
            .any(|console| console.wants_thumbnails_of(robot));
        let scans = self
            .consoles
            .values()
            .any(|console| console.views_robot(robot));
        let Some(subject) = self.robots.get_mut(&robot) else {
            return;
        };
        let demand = Demand {
            cameras: subject.cameras_wanted.iter().cloned().collect(),
            thumbnails,
            scans,
        };
        if let Some(session) = &mut subject.session
            && session.demand != demand
            && session
                .to_robot
                .try_send(ToRobot::Demand(demand.clone()))
                .is_ok()
        {
            session.demand = demand;
        }
    }

    fn announce(&self, robot: RobotId) {
        if let Some(subject) = self.robots.get(&robot) {
            let message = ToConsole::Robot(Box::new(subject.view()));
            self.tell(robot, &message, |_console| true);
        }
    }
}

impl Live {
    /// Puts robots on the board that are on the roster but not connected, or refreshes their names.
    pub fn enlist(&self, views: Vec<RobotView>) {
        let mut state = self.state();
        for view in views {
            let robot = view.robot;
            match state.robots.get_mut(&robot) {
                Some(known) => {
                    if known.view.name == view.name && known.view.site == view.site {
                        continue;
                    }
                    known.view.name = view.name;
                    known.view.site = view.site;
                    known.view.site_name = view.site_name;
                }
                None => {
                    state.robots.insert(
                        robot,
                        BoardRobot {
                            view,
                            trust: None,
                            session: None,
                            cameras_wanted: BTreeSet::new(),
                            thumbnail: None,
                            beats: 0,
                            heard_at: None,
                        },
                    );
                }
            }
            state.announce(robot);
        }
    }

    /// Makes this the robot's session. An older one is told that it was superseded.
    pub fn attach(&self, new: NewAttachment, now: OffsetDateTime) -> Attachment {
        let mut state = self.state();
        state.generations += 1;
        let attachment = Attachment {
            robot: new.robot,
            generation: state.generations,
        };
        let thumbnail = state.robots.remove(&new.robot).and_then(|mut older| {
            older.end(Goodbye::Superseded);
            older.thumbnail
        });
        let session = Session {
            generation: attachment.generation,
            token: new.token,
            to_robot: new.to_robot,
            ending: Some(new.ending),
            demand: Demand::default(),
        };
        let view = RobotView {
            robot: new.robot,
            name: new.name,
            organisation: new.organisation,
            site: new.site,
            site_name: new.site_name,
            presence: Presence::Online { since: now },
            advert: Some(new.advert),
            telemetry: None,
            link: Some(Link::default()),
            trust: None,
        };
        state.robots.insert(
            new.robot,
            BoardRobot {
                view,
                trust: None,
                session: Some(session),
                // Whoever still watches is heard of from the peer connection that this session makes.
                cameras_wanted: BTreeSet::new(),
                thumbnail,
                beats: 0,
                heard_at: micros(now),
            },
        );
        state.announce(new.robot);
        state.send_demand(new.robot);
        attachment
    }

    /// The session ended. Says whether it still was the robot's session.
    pub fn detach(&self, attachment: Attachment, now: OffsetDateTime) -> bool {
        let mut state = self.state();
        let Some(robot) = state.attached(attachment) else {
            return false;
        };
        robot.session = None;
        robot.view.presence = Presence::Offline { since: Some(now) };
        // Whom it trusts is its own word, of this session.
        robot.view.trust = None;
        robot.trust = None;
        state.announce(attachment.robot);
        true
    }

    /// A robot's state came in.
    pub fn telemetry(&self, attachment: Attachment, telemetry: Telemetry, now: UnixMicros) {
        let mut state = self.state();
        let Some(robot) = state.attached(attachment) else {
            return;
        };
        let link = Link {
            heard_at: now,
            ..robot.view.link.unwrap_or_default()
        };
        robot.view.link = Some(link);
        robot.heard_at = Some(now);
        robot.view.telemetry = Some(telemetry.clone());
        let is_fleet_turn = robot.beats == 0;
        robot.beats = (robot.beats + 1) % FLEET_EVERY;
        let message = ToConsole::Telemetry {
            robot: attachment.robot,
            telemetry,
            link,
        };
        state.tell(attachment.robot, &message, |console| {
            is_fleet_turn || console.views_robot(attachment.robot)
        });
    }

    /// A scan came in: only for who views the robot, and kept by nobody.
    pub fn scan(&self, attachment: Attachment, scan: Scan) {
        let mut state = self.state();
        if state.attached(attachment).is_none() {
            return;
        }
        let robot = attachment.robot;
        state.tell(robot, &ToConsole::Scan { robot, scan }, |console| {
            console.views_robot(robot)
        });
    }

    /// The robot's advert changed.
    pub fn advert(&self, attachment: Attachment, advert: Advert) {
        let mut state = self.state();
        if let Some(robot) = state.attached(attachment) {
            robot.view.advert = Some(advert);
            state.announce(attachment.robot);
        }
    }

    /// The robot says whom it trusts.
    pub fn trust(&self, attachment: Attachment, trust: RobotTrust) {
        let mut state = self.state();
        if let Some(robot) = state.attached(attachment) {
            robot.view.trust = Some((&trust).into());
            robot.trust = Some(trust);
            state.announce(attachment.robot);
        }
    }

    /// The link was measured.
    pub fn link(&self, attachment: Attachment, rtt_ms: f64, clock_offset_us: i64) {
        if let Some(robot) = self.state().attached(attachment) {
            let link = robot.view.link.get_or_insert_default();
            link.rtt_ms = Some(rtt_ms);
            link.clock_offset_us = clock_offset_us;
        }
    }

    /// The forwarding unit wants a camera, or no longer.
    pub fn want_camera(&self, robot: RobotId, camera: String, is_wanted: bool) {
        let mut state = self.state();
        if let Some(subject) = state.robots.get_mut(&robot) {
            if is_wanted {
                subject.cameras_wanted.insert(camera);
            } else {
                subject.cameras_wanted.remove(&camera);
            }
            state.send_demand(robot);
        }
    }

    /// The robot makes a new peer connection, which says itself which cameras are wanted.
    pub fn forget_cameras(&self, robot: RobotId) {
        let mut state = self.state();
        if let Some(subject) = state.robots.get_mut(&robot) {
            subject.cameras_wanted.clear();
            state.send_demand(robot);
        }
    }

    /// Hands an order to the robot's session.
    pub fn order(&self, robot: RobotId, frame: ToRobot) -> Result<(), NotAttached> {
        self.state()
            .robots
            .get(&robot)
            .and_then(|subject| subject.session.as_ref())
            .ok_or(NotAttached)?
            .to_robot
            .try_send(frame)
            .map_err(|_full_or_closed| NotAttached)
    }

    /// The latest tick of a connected robot's clock.
    pub fn seen_tick(&self, robot: RobotId) -> Option<u64> {
        let state = self.state();
        let subject = state.robots.get(&robot)?;
        subject.session.as_ref()?;
        Some(subject.view.telemetry.as_ref()?.tick_ms)
    }

    /// When each robot that was ever connected to this process was last heard.
    pub fn heard(&self) -> BTreeMap<RobotId, Heard> {
        let state = self.state();
        let heard = |(id, robot): (&RobotId, &BoardRobot)| {
            let heard = Heard {
                at: robot.heard_at?,
                is_attached: robot.is_attached(),
            };
            Some((*id, heard))
        };
        state.robots.iter().filter_map(heard).collect()
    }

    /// One robot as the board knows it.
    pub fn robot(&self, robot: RobotId) -> Option<RobotView> {
        self.state().robots.get(&robot).map(BoardRobot::view)
    }

    /// The robot's name, if it is on the board.
    pub fn robot_name(&self, robot: RobotId) -> Option<String> {
        let state = self.state();
        state
            .robots
            .get(&robot)
            .map(|known| known.view.name.clone())
    }

    /// The site's name, if a robot of it is on the board.
    pub fn site_name(&self, site: SiteId) -> Option<String> {
        let state = self.state();
        let mut robots = state.robots.values();
        let there = robots.find(|known| known.view.site == site)?;
        Some(there.view.site_name.clone())
    }

    /// Whom a connected robot believes, once it said so.
    pub fn trust_of(&self, robot: RobotId) -> Option<RobotTrust> {
        self.state().robots.get(&robot)?.trust.clone()
    }

    /// Robots connected to this process.
    pub fn attached_robots(&self) -> Vec<RobotId> {
        let state = self.state();
        let attached = state.robots.iter().filter(|(_, robot)| robot.is_attached());
        attached.map(|(id, _)| *id).collect()
    }

    /// Ends the robot's session if it stands on this token.
    pub fn end_robot_with(&self, robot: RobotId, token: TokenId) {
        if let Some(subject) = self.state().robots.get_mut(&robot)
            && subject
                .session
                .as_ref()
                .is_some_and(|session| session.token == token)
        {
            subject.end(Goodbye::Revoked);
        }
    }
}

fn micros(at: OffsetDateTime) -> Option<UnixMicros> {
    i64::try_from(at.unix_timestamp_nanos() / 1_000)
        .ok()
        .map(UnixMicros)
}
