//! A case as its events make it, and who may want something of it.

use protocol::{
    CaseId, JobId, PersonId, UnixMicros,
    case::{CaseKind, CasePhase, Ruling, SaltedHash},
    job::EvidenceHash,
    sealed::bytes32,
    views::Role,
};
use serde::{Deserialize, Serialize};

/// Who proposes something, and in which role. Robots have no word in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who books work.
    Requester(PersonId),
    /// Somebody who watches and helps robots.
    Operator(PersonId),
    /// Somebody who supplies robots.
    Owner(PersonId),
    /// Somebody who runs the organisation.
    Admin(PersonId),
    /// The gateway, for itself.
    Cloud,
}

impl Actor {
    /// A person in one of their roles.
    pub const fn of(role: Role, person: PersonId) -> Self {
        match role {
            Role::Requester => Self::Requester(person),
            Role::Operator | Role::Supervisor => Self::Operator(person),
            Role::Owner => Self::Owner(person),
            Role::Admin => Self::Admin(person),
        }
    }

    /// The person, whatever their role.
    pub const fn person(self) -> Option<PersonId> {
        match self {
            Self::Requester(person)
            | Self::Operator(person)
            | Self::Owner(person)
            | Self::Admin(person) => Some(person),
            Self::Cloud => None,
        }
    }
}

/// A complaint and what became of it. Holds hashes only: what people wrote and photographed is kept, and deleted, elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Which.
    pub case: CaseId,
    /// About which job.
    pub job: JobId,
    /// What about.
    pub about: CaseKind,
    /// From 1 to 5, as the requester sees it.
    pub severity: u8,
    /// Who complains.
    pub requester: PersonId,
    /// What they wrote.
    pub words: SaltedHash,
    /// What they photographed.
    pub pictures: Vec<EvidenceHash>,
    /// Where it stands.
    pub phase: CasePhase,
    /// What the job's record held; absent until it is fixed.
    pub frozen: Option<FrozenEvidence>,
    /// From 1 to 5, as the reviewer sees it.
    pub triaged_severity: Option<u8>,
    /// Why it was ruled as it was; present exactly when it was ruled.
    pub reason: Option<SaltedHash>,
    /// When it was filed.
    pub opened_at: UnixMicros,
    /// When anything last happened to it.
    pub updated_at: UnixMicros,
    /// Count of events applied.
    pub version: u64,
}

/// What a job's record held when somebody complained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenEvidence {
    /// Entries in the job's stream.
    pub entries: u64,
    /// Hash of the last of them.
    #[serde(with = "bytes32")]
    pub head: [u8; 32],
    /// Files that the entries name.
    pub files: Vec<EvidenceHash>,
}

impl Case {
    /// The decision, if there is one.
    pub const fn ruling(&self) -> Option<Ruling> {
        match self.phase {
            CasePhase::Upheld => Some(Ruling::Upheld),
            CasePhase::PartlyUpheld => Some(Ruling::PartlyUpheld),
            CasePhase::Rejected => Some(Ruling::Rejected),
            CasePhase::Opened
            | CasePhase::EvidenceFrozen
            | CasePhase::Triaged
            | CasePhase::UnderReview
            | CasePhase::Withdrawn => None,
        }
    }

    /// How grave it is: the reviewer's word where there is one, the requester's until then.
    pub fn gravity(&self) -> u8 {
        self.triaged_severity.unwrap_or(self.severity)
    }
}
