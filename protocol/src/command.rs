//! Commands to robots and what becomes of them. The rules are in `assist`; these are the words.

use serde::{Deserialize, Serialize};

use crate::{
    CommandId, GrantId, RobotId, UnixMicros,
    picture::{FrameHash, PictureSeen},
    robot::Pose,
    sealed::{byte_string, bytes32},
};

/// What a robot is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// Drive to a place; the heading there matters only when given.
    NavigateTo {
        /// Metres east of the map's origin.
        x_m: f64,
        /// Metres north of the map's origin.
        y_m: f64,
        /// Radians counter-clockwise from east.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heading_rad: Option<f64>,
    },
    /// Come to a controlled stop, drop the target and stay. Latches: the robot moves for nobody until somebody releases it.
    Stop,
    /// Be ready to be driven by hand, from here on until something speaks against it.
    ArmDrive,
    /// Lift a stop. The robot stays where it is. Says why in words.
    ReleaseStop,
}

/// A person's wish, as the console or a script sends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandRequest {
    /// Chosen by the sender; the same id again is the same command.
    pub command: CommandId,
    /// To whom.
    pub robot: RobotId,
    /// Under which epoch of control. A stop needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub verb: Verb,
    /// The sealed [`SignedCommand`] that says the same, base64: what the robot believes. A stop needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
}

/// Body of `POST /api/v1/robots/{robot}/commands`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandBody {
    /// Under which epoch of control (`GET /api/v1/robots/{robot}/control`). A stop needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub verb: Verb,
    /// For all but a stop: the command as the caller's session key sealed it, base64 (`docs/grants.md`). It must say the same
    /// and carry the id that is this call's `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
}

/// An order as the robot gets it. One that moves it is somebody's signed word, which no gateway can write; anybody may stop it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Stop.
    Stop {
        /// Which command this is; repeated orders are recognised by it.
        command: CommandId,
    },
    /// A [`SignedCommand`].
    Signed {
        /// Which command it is said to be: names the receipt of one that can't be believed.
        command: CommandId,
        /// As the page sealed it, base64.
        sealed: String,
    },
}

impl Order {
    /// Which command it is said to be.
    pub const fn command(&self) -> CommandId {
        match self {
            Self::Stop { command } | Self::Signed { command, .. } => *command,
        }
    }
}

/// One sealed command: less than 700 bytes with every field but words, of which there are up to 1,120 bytes.
pub const MAX_SEALED_COMMAND_BYTES: usize = 2_048;

/// A command to a robot. Sealed as [`crate::sealed::Kind::Command`] by the session key of the page that gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedCommand {
    /// Which command this is.
    pub command: CommandId,
    /// To whom.
    pub robot: RobotId,
    /// Under which grant.
    pub grant: GrantId,
    /// The challenge with which the page was bound: it names the robot's nonce of then, so that the command is of this sitting alone.
    #[serde(with = "bytes32")]
    pub binding: [u8; 32],
    /// Under which epoch of control.
    pub epoch: u64,
    /// Rises with every command of the page: the robot takes none that is not above the last.
    pub sequence: u64,
    /// The latest tick of the robot's own clock that the page had seen.
    pub seen_tick_ms: u64,
    /// How long after that tick it may be obeyed, by the robot's clock.
    pub valid_ms: u32,
    /// What the person was looking at; absent when no picture was on the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<FrameSeen>,
    /// What to do.
    pub verb: Verb,
    /// Why, for the log; at most [`crate::limits::MAX_NOTE_CHARS`]. Only a release needs it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// The picture that was on screen when a person gave a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FrameSeen {
    /// The camera's name.
    pub camera: String,
    /// When the robot took it, by the robot's wall clock.
    pub captured_at: UnixMicros,
    /// How old it was on the screen, milliseconds.
    pub age_ms: u32,
    /// The frame itself as it was encoded; absent where the browser does not hand frames out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<FrameHash>,
}

/// Why a robot turned an order down. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RobotRefusal {
    /// The target lies off the map.
    OutsideMap,
    /// The target lies in a wall or a thing.
    InsideObstacle,
    /// No way leads there.
    Unreachable,
    /// Not enough energy for the way.
    BatteryLow,
    /// The order reached the robot after its time.
    Stale,
    /// The robot can't do this at all.
    Unsupported,
    /// A part that is needed has failed.
    Fault,
    /// The order names no epoch of control, or one that the robot knows to be over.
    StaleEpoch,
    /// The order is not signed by the page whose grant the robot believes, or can't be read.
    NotSigned,
    /// The robot believes no grant just now, or another one than the order names.
    NoGrant,
    /// The grant does not allow this.
    OutsideGrant,
    /// It came after a later one, or came before.
    OutOfSequence,
    /// It was signed for another robot.
    AnotherRobot,
    /// The robot is stopped; the stop has to be released first.
    Stopped,
    /// The stop can't be released: the robot moves still, or its own stop button is pressed.
    NotReleasable,
    /// The robot is not armed for driving.
    NotArmed,
    /// The picture that it was given on is too old, or there was none.
    StaleFrame,
    /// The control delay leaves too little authority for it.
    Delay,
    /// The target lies in a zone that the robot keeps out of, or off its workspace.
    KeepOut,
    /// The frame that the command names is none that the robot took of late: it was altered on its way, or is another's.
    UnknownFrame,
}

impl RobotRefusal {
    /// Every reason, for tables and tests.
    pub const ALL: [Self; 20] = [
        Self::OutsideMap,
        Self::InsideObstacle,
        Self::Unreachable,
        Self::BatteryLow,
        Self::Stale,
        Self::Unsupported,
        Self::Fault,
        Self::StaleEpoch,
        Self::NotSigned,
        Self::NoGrant,
        Self::OutsideGrant,
        Self::OutOfSequence,
        Self::AnotherRobot,
        Self::Stopped,
        Self::NotReleasable,
        Self::NotArmed,
        Self::StaleFrame,
        Self::Delay,
        Self::KeepOut,
        Self::UnknownFrame,
    ];

    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OutsideMap => "outside_map",
            Self::InsideObstacle => "inside_obstacle",
            Self::Unreachable => "unreachable",
            Self::BatteryLow => "battery_low",
            Self::Stale => "stale",
            Self::Unsupported => "unsupported",
            Self::Fault => "fault",
            Self::StaleEpoch => "stale_epoch",
            Self::NotSigned => "not_signed",
            Self::NoGrant => "no_grant",
            Self::OutsideGrant => "outside_grant",
            Self::OutOfSequence => "out_of_sequence",
            Self::AnotherRobot => "another_robot",
            Self::Stopped => "stopped",
            Self::NotReleasable => "not_releasable",
            Self::NotArmed => "not_armed",
            Self::StaleFrame => "stale_frame",
            Self::Delay => "delay",
            Self::KeepOut => "keep_out",
            Self::UnknownFrame => "unknown_frame",
        }
    }

    /// The reason in words for the person who asked.
    pub const fn words(self) -> &'static str {
        match self {
            Self::OutsideMap => "target is off the map",
            Self::InsideObstacle => "target is inside an obstacle",
            Self::Unreachable => "no way leads there",
            Self::BatteryLow => "battery too low for the way",
            Self::Stale => "order came too late",
            Self::Unsupported => "robot can't do this",
            Self::Fault => "a part has failed",
            Self::StaleEpoch => "control had passed on",
            Self::NotSigned => "not signed by the page that steers",
            Self::NoGrant => "robot believes no grant of this page",
            Self::OutsideGrant => "the grant does not allow it",
            Self::OutOfSequence => "a later order had come before",
            Self::AnotherRobot => "meant for another robot",
            Self::Stopped => "robot is stopped; release the stop first",
            Self::NotReleasable => "robot moves still, or its stop button is pressed",
            Self::NotArmed => "not armed for driving",
            Self::StaleFrame => "picture too old",
            Self::Delay => "control delay too long",
            Self::KeepOut => "in a zone it keeps out of",
            Self::UnknownFrame => "picture on screen is none that the robot took",
        }
    }
}

/// Why a robot gave up what it had accepted. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AbandonReason {
    /// Something stood in the way longer than the robot waits.
    Blocked,
    /// A newer target took its place.
    Superseded,
    /// Somebody stopped the robot.
    Stopped,
    /// A part failed on the way.
    Fault,
    /// The agent restarted and no longer knows the target.
    Restarted,
    /// Who gave it does not steer the robot any more.
    ControlEnded,
    /// Driving: no fresh word came in time.
    DeadMan,
    /// Driving: the picture that the person went by was too old.
    StaleFrame,
    /// Driving: the control delay left too little authority.
    Delay,
    /// The battery is at its floor.
    BatteryLow,
}

/// What a robot says became of an order. One order gets `Accepted` or `Refused` first, then at most one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The robot will do it.
    Accepted,
    /// The robot won't.
    Refused {
        /// Why not.
        reason: RobotRefusal,
    },
    /// Done: at the target, or standing still after a stop.
    Done,
    /// Accepted, then given up.
    Abandoned {
        /// Why.
        reason: AbandonReason,
    },
}

/// The robot's signed word on an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which order.
    pub command: CommandId,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The robot's monotonic clock, milliseconds.
    pub tick_ms: u64,
    /// The robot's wall clock.
    pub at: UnixMicros,
    /// Where it was.
    pub pose: Pose,
    /// SHA-256 of the sealed command that it answers, when that was believed: the receipt is of these bytes and no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_sha256: Option<CommandHash>,
    /// The frame that the command names, in the first receipt of one that was believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<FrameSeen>,
    /// What the robot knows of that frame; absent where it is not named by its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureSeen>,
}

/// SHA-256 of a command as it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandHash(#[serde(with = "bytes32")] pub [u8; 32]);

/// A command as a page sealed it, as a byte string that may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedCommand(#[serde(with = "byte_string")] pub Vec<u8>);

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// Recorded and on its way; the robot has not answered.
    Sent,
    /// The robot is at it.
    Accepted,
    /// The robot turned it down.
    Refused {
        /// Why.
        reason: RobotRefusal,
    },
    /// Done.
    Done,
    /// The robot gave it up.
    Abandoned {
        /// Why.
        reason: AbandonReason,
    },
    /// The robot never answered in the time that the order was valid. Whether it heard is unknown.
    Unanswered,
}

impl Fate {
    /// Whether nothing more can become of it.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Sent | Self::Accepted => false,
            Self::Refused { .. } | Self::Done | Self::Abandoned { .. } | Self::Unanswered => true,
        }
    }
}
