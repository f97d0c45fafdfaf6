//! Commands to robots and what becomes of them. The rules are in `assist`; these are the words.

use serde::{Deserialize, Serialize};

use crate::{CommandId, RobotId, UnixMicros, robot::Pose};

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
    /// Come to a controlled stop, drop the target and stay.
    Stop,
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
}

/// Body of `POST /api/v1/robots/{robot}/commands`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandBody {
    /// Under which epoch of control (`GET /api/v1/robots/{robot}/control`). A stop needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub verb: Verb,
}

/// The order as the robot gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Which command this is; repeated orders are recognised by it.
    pub command: CommandId,
    /// What to do.
    #[serde(flatten)]
    pub verb: Verb,
    /// The latest tick of the robot's own clock that the gateway had seen when it sent this.
    pub seen_tick_ms: u64,
    /// How long after that tick the order may still be obeyed, by the robot's clock.
    pub valid_ms: u32,
    /// Under which epoch of control it was given. A stop needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

/// Why a robot turned an order down. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl RobotRefusal {
    /// Every reason, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::OutsideMap,
        Self::InsideObstacle,
        Self::Unreachable,
        Self::BatteryLow,
        Self::Stale,
        Self::Unsupported,
        Self::Fault,
        Self::StaleEpoch,
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
}

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
