//! Complaints, in the words that cross a wire. The rules are in `trust`.
//!
//! What people wrote and photographed is never in the log: it holds salted hashes, so that the words can be deleted and
//! the log still proves what was said while they are kept.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{CaseId, JobId, PersonId, job::EvidenceHash, sealed::bytes32};

/// What a complaint is about. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// Something was broken.
    PropertyDamage,
    /// Something was seen or kept that must not be.
    PrivacyViolation,
    /// Somebody was nearly hurt.
    SafetyNearMiss,
    /// The work was not done, or not well.
    FailureToComplete,
    /// The robot did not get in, or left a door open.
    AccessFailure,
    /// Something is missing.
    TheftAllegation,
    /// The robot was stuck.
    RobotStuck,
    /// The robot touched somebody.
    HumanContact,
    /// The bill is wrong.
    Billing,
}

impl CaseKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::PropertyDamage,
        Self::PrivacyViolation,
        Self::SafetyNearMiss,
        Self::FailureToComplete,
        Self::AccessFailure,
        Self::TheftAllegation,
        Self::RobotStuck,
        Self::HumanContact,
        Self::Billing,
    ];

    /// The frozen word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::PropertyDamage => "property_damage",
            Self::PrivacyViolation => "privacy_violation",
            Self::SafetyNearMiss => "safety_near_miss",
            Self::FailureToComplete => "failure_to_complete",
            Self::AccessFailure => "access_failure",
            Self::TheftAllegation => "theft_allegation",
            Self::RobotStuck => "robot_stuck",
            Self::HumanContact => "human_contact",
            Self::Billing => "billing",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CasePhase {
    /// Filed.
    Opened,
    /// What the job's record held is fixed.
    EvidenceFrozen,
    /// Somebody looked at how grave it is.
    Triaged,
    /// Somebody is at it.
    UnderReview,
    /// The complaint is right.
    Upheld,
    /// It is right in part.
    PartlyUpheld,
    /// It is not right.
    Rejected,
    /// The requester took it back.
    Withdrawn,
}

impl CasePhase {
    /// Every phase, in the order of a case's life.
    pub const ALL: [Self; 8] = [
        Self::Opened,
        Self::EvidenceFrozen,
        Self::Triaged,
        Self::UnderReview,
        Self::Upheld,
        Self::PartlyUpheld,
        Self::Rejected,
        Self::Withdrawn,
    ];

    /// The frozen word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::EvidenceFrozen => "evidence_frozen",
            Self::Triaged => "triaged",
            Self::UnderReview => "under_review",
            Self::Upheld => "upheld",
            Self::PartlyUpheld => "partly_upheld",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The phase of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.word() == word)
    }

    /// Whether nothing more can become of it.
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Upheld | Self::PartlyUpheld | Self::Rejected | Self::Withdrawn
        )
    }
}

/// What was decided about a complaint. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It is right.
    Upheld,
    /// It is right in part.
    PartlyUpheld,
    /// It is not right.
    Rejected,
}

/// Words that are kept elsewhere, by their salted hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct SaltedHash(#[serde(with = "bytes32")] pub [u8; 32]);

impl SaltedHash {
    /// SHA-256 over the salt and then the content.
    pub fn of(salt: &[u8; 32], content: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update(salt)
                .chain_update(content)
                .finalize()
                .into(),
        )
    }
}

/// Everything that can happen to a case, recorded in the stream `case/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind")]
pub enum CaseEvent {
    /// Somebody complains.
    #[serde(rename = "case.opened")]
    Opened {
        /// Which case.
        case: CaseId,
        /// About which job.
        job: JobId,
        /// What about.
        about: CaseKind,
        /// From 1, hardly, to 5, as bad as can be.
        severity: u8,
        /// Who.
        requester: PersonId,
        /// What they wrote.
        words: SaltedHash,
        /// What they photographed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pictures: Vec<EvidenceHash>,
    },
    /// What the job's record held at that moment is fixed.
    #[serde(rename = "case.evidence_frozen")]
    EvidenceFrozen {
        /// Entries in the job's stream.
        entries: u64,
        /// Hash of the last of them, which names all before it.
        #[serde(with = "bytes32")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        head: [u8; 32],
        /// Files that the entries name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<EvidenceHash>,
    },
    /// Somebody looked at how grave it is.
    #[serde(rename = "case.triaged")]
    Triaged {
        /// From 1 to 5, as the reviewer sees it.
        severity: u8,
    },
    /// Somebody is at it.
    #[serde(rename = "case.review_started")]
    ReviewStarted {},
    /// The decision.
    #[serde(rename = "case.ruled")]
    Ruled {
        /// Which.
        ruling: Ruling,
        /// Why, in words that are kept elsewhere.
        reason: SaltedHash,
    },
    /// The requester takes it back.
    #[serde(rename = "case.withdrawn")]
    Withdrawn {},
}

impl CaseEvent {
    /// The frozen name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "case.opened",
            Self::EvidenceFrozen { .. } => "case.evidence_frozen",
            Self::Triaged { .. } => "case.triaged",
            Self::ReviewStarted {} => "case.review_started",
            Self::Ruled { .. } => "case.ruled",
            Self::Withdrawn {} => "case.withdrawn",
        }
    }
}

/// The name of a case's stream.
pub fn case_stream(case: CaseId) -> String {
    format!("case/{case}")
}
