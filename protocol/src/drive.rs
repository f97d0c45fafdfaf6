//! Driving by hand: what a page says twenty times a second while it steers, what the robot says of it as often, and the second of
//! it that goes in the log.
//!
//! Nothing here is queued. Both ways go over a channel that loses rather than delays; the newest counts, and what is old is
//! dropped. Motion needs a fresh word: the robot stops by itself when none comes.

use serde::{Deserialize, Serialize};

use crate::{
    CommandId, GrantId, RobotId, UnixMicros,
    command::{CommandHash, FrameSeen, RobotRefusal, SealedCommand},
    ladder::{Level, Limits},
    picture::PictureSeen,
    robot::Pose,
    sealed::bytes32,
};

/// One sealed drive command: about 450 bytes with every field.
pub const MAX_SEALED_DRIVE_BYTES: usize = 1_024;

/// One report: under 700 bytes.
pub const MAX_REPORT_BYTES: usize = 2_048;

/// How often a page says what it wants while somebody drives.
pub const DRIVE_EVERY_MS: u32 = 50;

/// How often it says so while nobody does: the robot measures the delay by it.
pub const MEASURE_EVERY_MS: u32 = 200;

/// Drive commands a second that a gateway passes on from one page: the fastest that a page may send, and some.
pub const MAX_DRIVES_PER_S: u32 = 80;

/// How fast. Whole numbers: there is none that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Twist {
    /// Millimetres a second forward; negative is backward.
    pub speed_mm_s: i32,
    /// Milliradians a second, counter-clockwise.
    pub turn_mrad_s: i32,
}

impl Twist {
    /// Stand.
    pub const ZERO: Self = Self {
        speed_mm_s: 0,
        turn_mrad_s: 0,
    };

    /// Whether it asks for no motion.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

/// What a page wants of the wheels now. Sealed as [`crate::sealed::Kind::Drive`] by the key of the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriveCommand {
    /// To whom.
    pub robot: RobotId,
    /// Under which grant.
    pub grant: GrantId,
    /// The challenge with which the page was bound.
    #[serde(with = "bytes32")]
    pub binding: [u8; 32],
    /// Under which epoch of control.
    pub epoch: u64,
    /// Rises with every drive command of the page; counted apart from its other commands, which go another way.
    pub sequence: u64,
    /// The latest tick of the robot's own clock that the page had seen.
    pub seen_tick_ms: u64,
    /// The picture on screen; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<FrameSeen>,
    /// How fast. Nothing while no key is held: also that is said, and measured.
    pub twist: Twist,
}

/// Why a robot that could be driven can't any more, until somebody arms it again. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disarm {
    /// Nobody armed it yet.
    NotArmed,
    /// It moved, and no fresh word came in time.
    DeadMan,
    /// The picture that the person went by was too old.
    StaleFrame,
    /// The control delay left too little authority.
    Delay,
    /// It was stopped.
    Stopped,
    /// Who armed it steers no more.
    ControlEnded,
    /// The battery is at its floor.
    BatteryLow,
    /// What was done could not be written down any more.
    Fault,
}

/// What held the robot back from what was asked. Codes are frozen; of several in a second the last of this list is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clamp {
    /// It goes no faster.
    TopSpeed,
    /// Who drives it was granted no more.
    Granted,
    /// The delay allows no more.
    Delay,
    /// Somebody is near.
    PeopleNear,
    /// A nudge is over: the key has to be let go first.
    NudgeOver,
    /// The edge of where it may be.
    Workspace,
    /// A zone that it keeps out of.
    KeepOut,
}

/// What a robot says of being driven, some twenty times a second while somebody steers it. Latest wins; never an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriveReport {
    /// The robot's monotonic clock, milliseconds: what the next command names.
    pub tick_ms: u64,
    /// What may be done.
    pub level: Level,
    /// The control delay as the robot measures it, milliseconds; absent while nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    /// Whether a step was taken away since somebody sat down there.
    pub was_lowered: bool,
    /// When the next step is back if all stays as it is, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns_in_ms: Option<u32>,
    /// Up to which delay each step is left.
    pub limits: Limits,
    /// Silence after which a moving robot stops, milliseconds.
    pub dead_man_ms: u32,
    /// How fast it may be driven now, millimetres a second.
    pub cap_mm_s: u32,
    /// Why it can't be driven; absent while it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disarmed: Option<Disarm>,
    /// How long it took to stand still after the last word that moved it, milliseconds; absent while it moves or never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_after_ms: Option<u32>,
    /// What it does.
    pub given: Twist,
    /// What held it back from what was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamp: Option<Clamp>,
    /// The zone's name, for a keep-out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// The newest drive command that it took.
    pub heard: u64,
    /// How long ago, milliseconds.
    pub heard_age_ms: u32,
    /// The drive command that it refused last, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<(u64, RobotRefusal)>,
    /// Drive commands that came late or behind a newer one and were dropped, since the agent started.
    pub dropped: u32,
}

/// Motions that one segment tells apart: more than a second of driving has at 60 Hz, with some that were refused.
pub const MAX_SEGMENT_STEPS: usize = 96;

/// What a robot did at the wheels, or to them. Signed by the robot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum DriveEvent {
    /// One second, or less at the end.
    #[serde(rename = "drive.segment")]
    Segment(Box<DriveSegment>),
    /// The robot stopped by itself, and stays so until somebody releases it.
    #[serde(rename = "robot.stopped")]
    Stopped {
        /// Why.
        cause: StopCause,
        /// The robot's wall clock.
        at: UnixMicros,
        /// Where it was.
        pose: Pose,
    },
}

/// Why a robot stopped that nobody told to. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    /// Its own stop button was pressed, or can't be read.
    Button,
    /// It did what its policy forbids.
    Policy,
}

impl DriveEvent {
    /// The frozen name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Segment(_) => "drive.segment",
            Self::Stopped { .. } => "robot.stopped",
        }
    }
}

/// What was asked and what was done in a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriveSegment {
    /// The command that armed it.
    pub armed_by: CommandId,
    /// Under which grant.
    pub grant: GrantId,
    /// Under which epoch.
    pub epoch: u64,
    /// The robot's monotonic clock when it began, milliseconds.
    pub from_tick_ms: u64,
    /// The robot's wall clock then.
    pub at: UnixMicros,
    /// How long it lasted, milliseconds.
    pub lasts_ms: u32,
    /// Where the robot was at its begin.
    pub from: Pose,
    /// And at its end.
    pub to: Pose,
    /// Each command that was taken, in order.
    pub steps: Vec<DriveStep>,
    /// SHA-256 over SHA-256 of each of them as it was sealed, in order.
    pub commands_sha256: CommandHash,
    /// The last of them as the page sealed it: the person's own word on this second.
    pub last: SealedCommand,
    /// The picture that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<FrameSeen>,
    /// What the robot knows of that picture; said where something held it back anew, and where driving ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureSeen>,
    /// Commands that were refused, and why: each reason once, with how many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<(RobotRefusal, u32)>,
    /// Commands that came behind a newer one.
    #[serde(default)]
    pub dropped: u32,
    /// What held the robot back most, and the zone's name for a keep-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clamp: Option<Clamp>,
    /// The zone's name, for a keep-out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// Where authority stood at its end.
    pub level: Level,
    /// The control delay then, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    /// Why driving ended in it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disarmed: Option<Disarm>,
}

/// One command of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriveStep {
    /// Its place among the page's drive commands.
    pub sequence: u64,
    /// When it was taken, milliseconds after the segment's begin.
    pub after_ms: u32,
    /// What was asked.
    pub asked: Twist,
    /// What the robot set out to do.
    pub given: Twist,
}
