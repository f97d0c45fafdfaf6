//! Frames between a browser and the gateway, on `GET /api/v1/console/socket` (WebSocket, JSON text; stills are binary).
//!
//! The same [`FromConsole::Command`] and [`ToConsole::Command`] also travel on the reliable data channel of a view.

use serde::{Deserialize, Serialize};

use crate::{
    CommandId, RobotId, UnixMicros,
    command::CommandRequest,
    control::ControlView,
    robot::{Scan, Telemetry},
    robot_socket::Goodbye,
    views::{AssistView, CaseView, CommandView, Degradation, JobView, RobotView},
};

/// What a console says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromConsole {
    /// Must be the first frame.
    Hello {
        /// [`crate::limits::PROTOCOL_VERSION`] of the console.
        protocol: u16,
    },
    /// Stills of these robots are on screen; replaces what was said before.
    WantThumbnails {
        /// At most [`MAX_THUMBNAIL_ROBOTS`].
        robots: Vec<RobotId>,
    },
    /// Opens a view: the browser's offer with one recvonly video line per camera, in order.
    View {
        /// Chosen by the console; unique in its session.
        view: u32,
        /// Which robot.
        robot: RobotId,
        /// Which of its cameras, one per video line of the offer.
        cameras: Vec<String>,
        /// The session description.
        sdp: String,
    },
    /// Closes a view.
    EndView {
        /// Which.
        view: u32,
    },
    /// Tells a robot to do something.
    Command(CommandRequest),
    /// What this page wants of a robot's wheels now. For who has no view: those say it on its fast channel, as bytes. Never
    /// answered: the robot's own words and its record show what came of it.
    Drive {
        /// Which robot.
        robot: RobotId,
        /// A sealed [`crate::drive::DriveCommand`], base64.
        sealed: String,
    },
    /// Who steers this robot from this page is there. Answered by [`ToConsole::Present`], or by [`ToConsole::Control`] where
    /// they don't steer it any more.
    Present {
        /// Which robot.
        robot: RobotId,
        /// Under which epoch.
        epoch: u64,
        /// The browser's wall clock: the answer repeats it.
        at: UnixMicros,
    },
    /// Asks for a [`ToConsole::Pong`].
    Ping {
        /// The browser's wall clock.
        at: UnixMicros,
    },
}

/// Robots whose stills one console may want at once: more don't fit on a screen.
pub const MAX_THUMBNAIL_ROBOTS: usize = 64;

/// Calls for help in a snapshot: more than one person can answer in a shift.
pub const SNAPSHOT_ASSISTS: u32 = 100;

/// Views that one console may hold at once: a large one and a few beside it.
pub const MAX_VIEWS: usize = 4;

/// What the gateway says to a console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToConsole {
    /// The hello was accepted; a snapshot follows.
    Welcome {
        /// The gateway's wall clock.
        gateway_at: UnixMicros,
    },
    /// Everything that this person may see, replacing what the console knew.
    Snapshot {
        /// Robots, by name.
        robots: Vec<RobotView>,
        /// What is out of order.
        degraded: Vec<Degradation>,
        /// The latest commands to these robots, newest first, at most [`SNAPSHOT_COMMANDS`].
        commands: Vec<CommandView>,
        /// Calls for help that are not over, the longest waiting first, at most [`SNAPSHOT_ASSISTS`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assists: Vec<AssistView>,
        /// Who steers these robots, as far as anybody ever did. Absent where it can't be told now, or may not be known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        controls: Option<Vec<ControlView>>,
    },
    /// A job that this person may see was added or changed.
    Job(Box<JobView>),
    /// A call for help that this person may see was added or changed.
    Assist(Box<AssistView>),
    /// A complaint that this person may see was filed or changed.
    Case(Box<CaseView>),
    /// Who steers a robot changed.
    Control(Box<ControlView>),
    /// A sign of life was taken: control lasts its full time from the moment when that was given.
    Present {
        /// Which robot.
        robot: RobotId,
        /// Under which epoch.
        epoch: u64,
        /// The moment from the sign, unchanged.
        at: UnixMicros,
    },
    /// A robot was added or changed in more than its telemetry.
    Robot(Box<RobotView>),
    /// A robot left the roster.
    RobotGone {
        /// Which.
        robot: RobotId,
    },
    /// A robot's state.
    Telemetry {
        /// Which.
        robot: RobotId,
        /// Its state.
        telemetry: Telemetry,
        /// Its link.
        link: Link,
    },
    /// A lidar scan of a robot that this console views.
    Scan {
        /// Which.
        robot: RobotId,
        /// The scan.
        scan: Scan,
    },
    /// The answer to [`FromConsole::View`].
    ViewAnswer {
        /// Which view.
        view: u32,
        /// The session description.
        sdp: String,
    },
    /// The view was turned down.
    ViewRefused {
        /// Which view.
        view: u32,
        /// Frozen code.
        code: String,
        /// In words.
        words: String,
    },
    /// The view ended on the gateway's side.
    ViewEnded {
        /// Which view.
        view: u32,
        /// Frozen code.
        code: String,
    },
    /// A command was recorded, or its fate changed.
    Command(CommandView),
    /// A command was turned down before it was recorded: the robot never heard of it.
    CommandRefused {
        /// Which.
        command: CommandId,
        /// Frozen code.
        code: String,
        /// In words.
        words: String,
    },
    /// What is out of order, replacing what was said before.
    Degraded {
        /// Empty when all is well.
        degraded: Vec<Degradation>,
    },
    /// This session fell behind and frames were dropped; a snapshot follows.
    Resync,
    /// Answers a ping.
    Pong {
        /// The moment from the ping, unchanged.
        at: UnixMicros,
        /// The gateway's wall clock.
        gateway_at: UnixMicros,
    },
    /// The gateway closes the socket, and says why.
    Goodbye {
        /// Why.
        reason: Goodbye,
        /// In words.
        words: String,
    },
}

/// Commands that a snapshot brings along: what fits on a screen with some to scroll.
pub const SNAPSHOT_COMMANDS: u32 = 50;

/// The link between a robot and its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Link {
    /// Round trip on the socket, milliseconds; absent before the first pong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// Microseconds to add to the robot's wall clock to get the gateway's.
    pub clock_offset_us: i64,
    /// The gateway's clock when the latest telemetry came in.
    pub heard_at: UnixMicros,
}
