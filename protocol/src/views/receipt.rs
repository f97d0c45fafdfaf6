//! What robots said of what people asked of them, as the API shows it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    UnixMicros,
    command::{FrameSeen, Receipt},
    drive::{DriveEvent, DriveSegment, StopCause},
    event::Payload,
    picture::PictureSeen,
    robot::Pose,
    views::CommandView,
};

/// Kinds of events that are a robot's word on what was asked of it.
pub const RECEIPT_KINDS: [&str; 3] = ["command.receipt", "drive.segment", "robot.stopped"];

/// One signed word of a robot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptView {
    /// Its place in the robot's stream, from 1.
    pub number: u64,
    /// When the gateway recorded it.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// What it is of.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub said: ReceiptSaid,
    /// The command that it answers, or that made the robot ready to be driven; absent where nobody's is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandView>,
    /// Whether the picture that the person saw is here to be looked at.
    pub clip_is_here: bool,
}

/// What a robot's word is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", content = "said", rename_all = "snake_case")]
pub enum ReceiptSaid {
    /// Of a command.
    Command(Box<Receipt>),
    /// Of a second of driving.
    Drive(Box<DriveSegment>),
    /// Of a stop that nobody ordered.
    Stop {
        /// Why.
        cause: StopCause,
        /// The robot's wall clock.
        at: UnixMicros,
        /// Where it was.
        pose: Pose,
    },
}

impl ReceiptSaid {
    /// What an event says, where it is one of [`RECEIPT_KINDS`].
    pub fn of(payload: Payload) -> Option<Self> {
        match payload {
            Payload::CommandReceipt(receipt) => Some(Self::Command(Box::new(receipt))),
            Payload::Drive(DriveEvent::Segment(segment)) => Some(Self::Drive(segment)),
            Payload::Drive(DriveEvent::Stopped { cause, at, pose }) => {
                Some(Self::Stop { cause, at, pose })
            }
            _ => None,
        }
    }

    /// The frame that the person saw, and what the robot knows of it.
    pub const fn sight(&self) -> (Option<&FrameSeen>, Option<PictureSeen>) {
        match self {
            Self::Command(receipt) => (receipt.frame.as_ref(), receipt.picture),
            Self::Drive(segment) => (segment.frame.as_ref(), segment.picture),
            Self::Stop { .. } => (None, None),
        }
    }
}
