//! All that the console knows, as one value. Nothing here acts, and nothing here knows the page.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use protocol::{
    RobotId, UnixMicros,
    robot::{Advert, Scan, Telemetry},
    robot_socket::Goodbye,
    views::{Degradation, Presence, RobotView},
};

use super::{
    clock::GatewayClock,
    commands::Commands,
    control::Controls,
    granting::Granting,
    view::View,
    work::{Assists, Cases, Jobs},
};

/// All that the console knows.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// How the socket to the gateway stands.
    pub connection: Connection,
    /// What the pings taught about the gateway's clock and distance.
    pub clock: GatewayClock,
    /// Robots by id; `None` until the first snapshot.
    pub robots: Option<BTreeMap<RobotId, Robot>>,
    /// Wishes and what became of them.
    pub commands: Commands,
    /// Rises with every snapshot: what was asked for before it may have missed something.
    pub snapshots: u32,
    /// Jobs that were told of, by the socket or to a page that asked.
    pub jobs: Jobs,
    /// Complaints that were told of, by the socket or to a page that asked.
    pub cases: Cases,
    /// Calls for help that are not over.
    pub assists: Assists,
    /// Who steers which robot, and whether that is this page.
    pub controls: Controls,
    /// Whether the robots that are steered from here believe this page.
    pub granting: Granting,
    /// Whether calls make no sound.
    pub is_muted: bool,
    /// What the gateway says is out of order.
    pub degraded: Vec<Degradation>,
    /// The robot that the safety bar names and Space stops.
    pub selected: Option<RobotId>,
    /// The live pictures on screen, if any.
    pub view: Option<View>,
    /// Number for the next view; rises for as long as the page lives.
    pub next_view: u32,
    /// Robots whose stills are on screen.
    pub stills_on_screen: Vec<RobotId>,
}

impl Model {
    /// A robot of the roster.
    pub fn robot(&self, id: RobotId) -> Option<&Robot> {
        self.robots.as_ref()?.get(&id)
    }

    /// The robot that the safety bar names.
    pub fn selected_robot(&self) -> Option<&Robot> {
        self.robot(self.selected?)
    }
}

/// How the socket to the gateway stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Connection {
    /// The step that it is in.
    pub phase: Phase,
    /// When the last good session broke; absent while one is up and before the first.
    pub lost_at: Option<UnixMicros>,
    /// Attempts since then.
    pub attempt: u32,
    /// When the latest frame came.
    pub heard_at: UnixMicros,
    /// When the latest ping left.
    pub pinged_at: UnixMicros,
    /// When the present session opened; what was sent before belongs to an older one.
    pub opened_at: UnixMicros,
}

/// The steps of a connection.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Phase {
    /// Nothing was tried yet.
    #[default]
    Idle,
    /// The socket is being opened, or is open and waits for its snapshot.
    Connecting {
        /// Since when.
        since: UnixMicros,
    },
    /// A snapshot came; everything flows.
    Live,
    /// Waits before the next attempt.
    Waiting {
        /// When the next attempt starts.
        retry_at: UnixMicros,
    },
    /// The gateway ended the session for a reason that trying again won't mend.
    Over {
        /// Why.
        reason: Goodbye,
        /// In words.
        words: String,
    },
}

/// A robot and what the console remembers of it.
#[derive(Debug, Clone)]
pub struct Robot {
    /// What the gateway says, but for the advert.
    pub view: RobotView,
    /// What it is and can; shared, since a map is large and rarely changes.
    pub advert: Option<Arc<Advert>>,
    /// Where it has been since this page watches, oldest first.
    pub trail: VecDeque<[f64; 2]>,
    /// Its latest scan.
    pub scan: Option<Arc<Scan>>,
    /// Its latest still.
    pub still: Option<Still>,
}

/// A still that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// Address of the picture within this page.
    pub url: String,
    /// When it was taken, by the robot's clock.
    pub captured_at: UnixMicros,
}

/// Points of a trail: at the spacing below, 60 m of way.
const MAX_TRAIL_POINTS: usize = 400;

/// Metres between two points of a trail: finer can't be seen on a map of a building.
const TRAIL_SPACING_M: f64 = 0.15;

/// A step longer than this is no drive but a new start of the robot or of its map.
const TRAIL_BREAK_M: f64 = 3.0;

impl Robot {
    /// A robot that was never seen by this page.
    pub fn new(mut view: RobotView) -> Self {
        let mut robot = Self {
            advert: view.advert.take().map(Arc::new),
            view,
            trail: VecDeque::new(),
            scan: None,
            still: None,
        };
        robot.follow();
        robot
    }

    /// Its latest state.
    pub fn telemetry(&self) -> Option<&Telemetry> {
        self.view.telemetry.as_ref()
    }

    /// Whether the gateway hears it.
    pub const fn is_online(&self) -> bool {
        matches!(self.view.presence, Presence::Online { .. })
    }

    /// Adds the present place to the trail.
    pub(super) fn follow(&mut self) {
        let Some(pose) = self.view.telemetry.as_ref().map(|state| state.pose) else {
            return;
        };
        let here = [pose.x_m, pose.y_m];
        if let Some(last) = self.trail.back() {
            let step = (here[0] - last[0]).hypot(here[1] - last[1]);
            if step < TRAIL_SPACING_M {
                return;
            }
            if step > TRAIL_BREAK_M {
                self.trail.clear();
            }
        }
        if self.trail.len() == MAX_TRAIL_POINTS {
            self.trail.pop_front();
        }
        self.trail.push_back(here);
    }
}
