//! Jobs in the words that cross a wire: what was asked for, the plan that follows from it, and everything that can happen
//! to it. The rules are in `jobs`; names and meanings never change, new ones are added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    AccessId, EvidenceId, JobId, SiteId, UnixMicros, assist::AssistQuestion, sealed::bytes32,
};

mod assignment;
mod event;
mod phase;

pub use assignment::{ApprovalVerdict, Assignment, AssistVerdict, Directive};
pub use event::JobEvent;
pub use phase::PhaseName;

/// From when to when, on the gateway's clock. `until` is the first moment that is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Window {
    /// First moment inside.
    pub from: UnixMicros,
    /// First moment outside.
    pub until: UnixMicros,
}

/// A template in one of its versions: `reset_room`, 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateName {
    /// Frozen.
    pub name: String,
    /// Rises whenever the plan that follows from the same answers changes.
    pub version: u32,
}

/// What was filled in for one parameter of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum ParameterValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A place's name, a choice's word, or free words.
    Text(String),
}

/// What a requester asks for: an order form that is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobRequest {
    /// Chosen by the sender; the same id again is the same job.
    pub job: JobId,
    /// Where.
    pub site: SiteId,
    /// Which template.
    pub template: TemplateName,
    /// The template's parameters by their names.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// When it is to be done.
    pub window: Window,
    /// Whether an operator is to be called when the robot stalls or asks.
    pub operator_cover: bool,
}

/// What the robot does in one step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum StepAction {
    /// Work at a spot of the place.
    Work {
        /// How long it takes a robot that is sure of itself, seconds.
        seconds: u32,
    },
    /// Work that the robot is unsure of: it asks for a person's help before it goes on.
    UnsureWork {
        /// How long it takes once somebody answered, seconds.
        seconds: u32,
        /// What it asks.
        question: AssistQuestion,
    },
    /// Work that the requester must allow first. Without a yes the step is left out.
    ApprovedWork {
        /// How long it takes, seconds.
        seconds: u32,
        /// What the requester is asked: "May the robot open the drawer of the bedside table?"
        words: String,
        /// How long the answer may take, seconds. No answer means no.
        answer_within_s: u32,
    },
    /// A picture of the place, whose hash becomes evidence.
    Photograph,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanStep {
    /// In the requester's words: "Clear bedside table".
    pub title: String,
    /// What to do.
    #[serde(flatten)]
    pub action: StepAction,
}

/// What the robot is to do: travel to a place, be let in, do the steps in order. Follows from the request alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// For people: "Reset Room 3".
    pub title: String,
    /// The name of a place on the site's map.
    pub place: String,
    /// In order. Checkpoint 1 is the end of the first.
    pub steps: Vec<PlanStep>,
}

/// Leave to enter a place for a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessPlan {
    /// Chosen by who grants it.
    pub access: AccessId,
    /// What it opens, in words: "Room 3 and corridor B".
    pub place: String,
    /// When. Outside of it nothing is executed.
    pub window: Window,
    /// Where the door's secret is kept ("vault://…"); never the secret. Absent where no door is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A file of which the log holds the hash only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvidenceHash {
    /// Its name.
    pub evidence: EvidenceId,
    /// "image/jpeg".
    pub media_type: String,
    /// SHA-256 over salt and content: what was deleted can't be guessed from it.
    #[serde(with = "bytes32")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub salted_sha256: [u8; 32],
}

/// The beats that a robot owes while it holds a job, and how many may fail to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeartbeatPolicy {
    /// One beat at least this often, milliseconds.
    pub beat_ms: u32,
    /// After so many missed ones the job counts as stalled.
    pub missed_beats: u32,
}

/// Why a robot gives a reservation back, or loses it. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ForfeitReason {
    /// It never acknowledged in time.
    NotAcknowledged,
    /// It has another job.
    Busy,
    /// It knows no place of that name.
    PlaceUnknown,
    /// No way leads there.
    Unreachable,
    /// Not enough energy.
    BatteryLow,
    /// It can't do a step of the plan.
    Unsupported,
    /// A part has failed.
    Fault,
}

/// Why access could not be verified. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessFailure {
    /// The plan's window is not open.
    OutsideWindow,
    /// The door did not open.
    DoorClosed,
    /// The plan is for another place.
    WrongPlace,
}

/// What went wrong beyond the ordinary. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// The robot was told to stop and did not report that it stands.
    StopUnconfirmed,
    /// Somebody was hurt or nearly.
    HumanContact,
    /// Something was broken.
    PropertyDamage,
    /// Something was seen that must not be.
    PrivacyViolation,
    /// The robot can't get away by itself.
    RobotStuck,
    /// Anything else.
    Other,
}

/// What is to become of a job after an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentDecision {
    /// Back to what was interrupted.
    Resume,
    /// The job ends here.
    Abort,
}

/// The name of a job's stream.
pub fn job_stream(job: JobId) -> String {
    format!("job/{job}")
}
