//! Jobs, calls for help and complaints as the API shows them, and the bodies that move them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Role;
use crate::{
    ApprovalId, AssistId, CaseId, EvidenceId, JobId, OrganisationId, PersonId, RobotId, SiteId,
    assist::{AssistPhase, AssistQuestion},
    case::{CaseKind, CasePhase, Ruling},
    job::{AccessPlan, PhaseName, Plan, TemplateName, Window},
};

/// A job and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobView {
    /// Its id.
    pub job: JobId,
    /// Short and for people: "J-48210".
    pub number: String,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Where.
    pub site: SiteId,
    /// The site's name.
    pub site_name: String,
    /// Which template.
    pub template: TemplateName,
    /// What is to be done, with its title and place.
    pub plan: Plan,
    /// When.
    pub window: Window,
    /// Whether an operator is called when the robot stalls or asks.
    pub operator_cover: bool,
    /// Who asked.
    pub requester: PersonId,
    /// Their name.
    pub requester_name: String,
    /// Where it stands.
    pub phase: PhaseName,
    /// The phase that it returns to, while it is interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<PhaseName>,
    /// Where a stop leads to, while the robot is stopping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops_for: Option<PhaseName>,
    /// Whether it stands because an operator or the house wanted so: it goes on when one of them says so, too.
    #[serde(default)]
    pub is_held: bool,
    /// The robot that holds it or is offered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robot: Option<RobotId>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robot_name: Option<String>,
    /// The latest fencing number; 0 before the first.
    pub epoch: u64,
    /// Steps done.
    pub checkpoint: u32,
    /// Leave to enter that is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessPlan>,
    /// Whether the robot verified it under the present epoch.
    pub is_access_verified: bool,
    /// The question that the requester has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalView>,
    /// The question that they said yes to, while the robot may still act on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<ApprovalId>,
    /// The call for help that is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assist: Option<AssistId>,
    /// The operator who took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_name: Option<String>,
    /// The moment after which work that is done counts as accepted.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub accept_by: Option<OffsetDateTime>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
    /// When anything last happened to it.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Count of events applied.
    pub version: u64,
    /// Complaints about it, oldest first.
    #[serde(default)]
    pub cases: Vec<CaseId>,
}

/// A person who did something to a job, by name: signatures name people by their ids only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonName {
    /// Who.
    pub person: PersonId,
    /// What they are called now.
    pub name: String,
}

/// A question that the requester has not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalView {
    /// Which.
    pub approval: ApprovalId,
    /// In words.
    pub words: String,
    /// No answer by then means no.
    #[serde(with = "time::serde::rfc3339")]
    pub answer_by: OffsetDateTime,
}

/// A picture that a robot took as evidence of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvidenceView {
    /// Its name.
    pub evidence: EvidenceId,
    /// The step that it belongs to, from 1.
    pub step: u32,
    /// The step's title.
    pub title: String,
    /// "image/jpeg".
    pub media_type: String,
    /// When the robot's word on it was recorded.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// Whether it can be fetched from `/api/v1/jobs/{job}/evidence/{evidence}`. A robot brings its pictures once it has a
    /// network; until then, and after a picture was deleted, the log holds its salted hash alone.
    pub is_here: bool,
}

/// A call for help and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssistView {
    /// Which.
    pub assist: AssistId,
    /// For which job.
    pub job: JobId,
    /// The job's title.
    pub title: String,
    /// Where.
    pub site: SiteId,
    /// Whose organisation.
    pub organisation: OrganisationId,
    /// Which robot.
    pub robot: RobotId,
    /// Its name.
    pub robot_name: String,
    /// What is asked.
    pub question: AssistQuestion,
    /// Where it stands.
    pub phase: AssistPhase,
    /// Since when it waits.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
    /// When somebody should have taken it.
    #[serde(with = "time::serde::rfc3339")]
    pub answer_by: OffsetDateTime,
    /// Who took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<PersonId>,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_name: Option<String>,
    /// The option that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<u32>,
    /// When it was over.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<OffsetDateTime>,
}

/// A complaint as its author sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Complaint {
    /// Chosen by the sender; the same id again is the same case.
    pub case: CaseId,
    /// What about.
    pub about: CaseKind,
    /// From 1, hardly, to 5, as bad as can be.
    pub severity: u8,
    /// What happened, in words.
    pub words: String,
    /// Random, 32 bytes, hex: what the hash of the words is salted with.
    pub salt: String,
    /// At most [`crate::limits::MAX_CASE_PICTURES`].
    #[serde(default)]
    pub pictures: Vec<ComplaintPicture>,
    /// The event `case.opened` as the requester's session key sealed it, base64; absent for callers without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// A picture that comes with a complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComplaintPicture {
    /// Chosen by the sender.
    pub evidence: EvidenceId,
    /// "image/jpeg", "image/png" or "image/webp".
    pub media_type: String,
    /// Random, 32 bytes, hex.
    pub salt: String,
    /// The picture, base64; at most [`crate::limits::MAX_PICTURE_BYTES`].
    pub content: String,
}

/// What is done to a case by a person, beyond filing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseAct {
    /// The event: for callers without a key. Exactly one of this and `sealed` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<crate::case::CaseEvent>,
    /// The event as the person's session key sealed it, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// In which role, for callers without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_as: Option<Role>,
    /// For a ruling: why, in words, and the salt of their hash (32 bytes, hex).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SaltedWords>,
}

/// Words and what their hash is salted with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SaltedWords {
    /// The words.
    pub words: String,
    /// 32 bytes, hex.
    pub salt: String,
}

/// What is done to a job by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobAct {
    /// The event: for callers without a key, recorded by the cloud on their behalf. Exactly one of this and `sealed` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<crate::job::JobEvent>,
    /// The event as the person's session key sealed it, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// In which role, for callers without a key who have several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_as: Option<Role>,
}

/// A new job: the request, for callers without a key, or the sealed event `job.requested`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewJob {
    /// The order form: for callers without a key. Exactly one of this and `sealed` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<crate::job::JobRequest>,
    /// `job.requested` as the person's session key sealed it, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// A complaint and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseView {
    /// Its id.
    pub case: CaseId,
    /// Short and for people: "C-0112".
    pub number: String,
    /// About which job.
    pub job: JobId,
    /// The job's title.
    pub job_title: String,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Where.
    pub site: SiteId,
    /// What about.
    pub about: CaseKind,
    /// From 1 to 5, as the requester sees it.
    pub severity: u8,
    /// The same, as the reviewer sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triaged_severity: Option<u8>,
    /// What they wrote; absent when it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// What they photographed; fetched from `/api/v1/cases/{case}/pictures/{evidence}`.
    #[serde(default)]
    pub pictures: Vec<EvidenceId>,
    /// Who.
    pub requester: PersonId,
    /// Their name.
    pub requester_name: String,
    /// Where it stands.
    pub phase: CasePhase,
    /// Entries of the job's record that are fixed as evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_entries: Option<u64>,
    /// The decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was filed.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// When anything last happened to it.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Count of events applied.
    pub version: u64,
}

/// Body of `POST /api/v1/session/key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BindSessionKey {
    /// Base64 of the [`crate::event::SessionKeyProof`], sealed by the browser's new key.
    pub proof: String,
    /// The public key (32 bytes), base64.
    pub public_key: String,
}

/// A session key that was bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionKeyView {
    /// The key's name, hex.
    pub key: String,
    /// Highest number of the key's events that the log holds; the next one is one more.
    pub number: u64,
    /// When it is no longer believed.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}
