//! The evidence bundle: everything that was logged about one job and what proves it, as one file that needs no server.
//!
//! The file is a CBOR sequence (RFC 8742). After a fixed first item each item is embedded CBOR in deterministic form, so
//! that damage stays inside its item: the manifest, the log's checkpoint, the entries in the manifest's order, the
//! attachments. The gateway signs the manifest, and the manifest has the hash of every item behind it.

mod frame;
mod write;

use std::fmt;

use protocol::{
    CaseId, EvidenceId, JobId, OrganisationId, UnixMicros,
    case::case_stream,
    event::{ActorEvent, Payload},
    job::job_stream,
    sealed::{byte_string, bytes32},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub(crate) use frame::{MAGIC, put, take};
pub use write::{Attachment, Parts, ProvedEntry, WriteFailure, write};

use crate::log::Hash;

/// What the file's name ends with.
pub const EXTENSION: &str = "nooterra";

/// What a bundle is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Whose events they are.
    pub organisation: OrganisationId,
    /// The job, from its first event to its last at the time of the export.
    pub job: JobId,
    /// The complaints about it, likewise.
    pub cases: Vec<CaseId>,
}

/// Why an entry is in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It happened to the job.
    Job,
    /// It happened to a complaint about the job.
    Case,
    /// It says whose a key is, or no longer is.
    Binding,
}

impl Part {
    /// The part that `event` has in a bundle about `about`, if any.
    pub fn of(event: &ActorEvent, about: &About) -> Option<Self> {
        if event.stream == job_stream(about.job) {
            return Some(Self::Job);
        }
        let is_case = about
            .cases
            .iter()
            .any(|&case| event.stream == case_stream(case));
        if is_case {
            return Some(Self::Case);
        }
        matches!(
            event.payload,
            Payload::RobotKeyBound { .. }
                | Payload::SessionKeyBound { .. }
                | Payload::SessionKeyEnded { .. }
        )
        .then_some(Self::Binding)
    }
}

/// What the gateway says is in the bundle. Sealed as [`protocol::sealed::Kind::Bundle`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is about.
    pub about: About,
    /// The gateway's clock when it wrote the bundle.
    pub exported_at: UnixMicros,
    /// The keys that the gateway says are its own. They come with the bundle, so that they prove nothing.
    pub gateway_keys: Vec<PublicKey>,
    /// The key of the log, as text `name+id+key`. It comes with the bundle too.
    pub log_key: String,
    /// SHA-256 of the checkpoint's item.
    #[serde(with = "bytes32")]
    pub checkpoint: Hash,
    /// The entries, in their order.
    pub entries: Vec<ListedEntry>,
    /// The attachments, in their order.
    pub attachments: Vec<ListedAttachment>,
}

/// The 32 bytes of an Ed25519 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "bytes32")] pub [u8; 32]);

/// An entry as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedEntry {
    /// Why it is here.
    pub part: Part,
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub stream_number: u64,
    /// Its place in the log's tree.
    pub leaf_index: u64,
    /// Its name: [`crate::log::entry_hash`].
    #[serde(with = "bytes32")]
    pub entry_hash: Hash,
    /// SHA-256 of its item, the proof included.
    #[serde(with = "bytes32")]
    pub sha256: Hash,
}

/// An attachment as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAttachment {
    /// What it is.
    pub name: AttachmentName,
    /// "text/plain", "image/jpeg".
    pub media_type: String,
    /// SHA-256 of its item.
    #[serde(with = "bytes32")]
    pub sha256: Hash,
}

/// What is kept outside of the log, which holds its salted hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum AttachmentName {
    /// What the requester wrote.
    Words {
        /// In which complaint.
        case: CaseId,
    },
    /// Why it was ruled as it was.
    Reason {
        /// Which complaint.
        case: CaseId,
    },
    /// What the requester photographed. Who files a complaint chooses its name, so it is one within that complaint.
    Picture {
        /// In which complaint.
        case: CaseId,
        /// Which.
        evidence: EvidenceId,
    },
    /// What the robot photographed.
    Evidence {
        /// Which.
        evidence: EvidenceId,
    },
}

impl fmt::Display for AttachmentName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words { case } => write!(formatter, "words/{case}"),
            Self::Reason { case } => write!(formatter, "reason/{case}"),
            Self::Picture { case, evidence } => write!(formatter, "picture/{case}/{evidence}"),
            Self::Evidence { evidence } => write!(formatter, "evidence/{evidence}"),
        }
    }
}

/// What one item of the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Item {
    /// The sealed [`Manifest`].
    Manifest {
        #[serde(with = "byte_string")]
        sealed: Vec<u8>,
    },
    /// The log's signed note.
    Checkpoint { note: String },
    /// A sealed entry and the proof that the log holds it.
    Entry {
        #[serde(with = "byte_string")]
        sealed: Vec<u8>,
        leaf_index: u64,
        /// The hashes of the inclusion proof, one after the other.
        #[serde(with = "byte_string")]
        proof: Vec<u8>,
    },
    /// What a salted hash in the log stands for.
    Attachment {
        name: AttachmentName,
        #[serde(with = "bytes32")]
        salt: [u8; 32],
        #[serde(with = "byte_string")]
        content: Vec<u8>,
    },
}

/// What the manifest says of an item.
pub(crate) fn item_hash(item: &[u8]) -> Hash {
    Sha256::digest(item).into()
}
