//! What a verification found, in steps that people and machines read.

use std::fmt;

use protocol::{CaseId, JobId, OrganisationId, UnixMicros};
use serde::Serialize;

use super::fault::Fault;
use crate::bundle::AttachmentName;

/// Failures that a step keeps one by one; the rest is counted.
pub const MOST_FAILURES: usize = 20;

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The word that counts.
    pub verdict: Verdict,
    /// What the bundle says it is; absent if its manifest can't be read.
    pub facts: Option<Facts>,
    /// What was looked at, in order.
    pub steps: Vec<Step>,
}

impl Report {
    /// The first failure of the first step that failed.
    pub fn first_failure(&self) -> Option<(&Step, &Failure)> {
        self.steps
            .iter()
            .find_map(|step| Some((step, step.failures.first()?)))
    }

    /// Whether the reader brought a checkpoint that could not be compared with the bundle's.
    pub fn is_uncompared(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.name == StepName::Consistency && step.outcome == Outcome::Weak)
    }
}

/// Whether the bundle can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything holds, under keys that the reader trusts.
    Intact,
    /// It agrees with itself, which anybody can forge: no trusted keys were given.
    KeysUnchecked,
    /// Something does not hold.
    NotIntact,
}

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Whose events they are.
    pub organisation: OrganisationId,
    /// The job.
    pub job: JobId,
    /// The complaints about it.
    pub cases: Vec<CaseId>,
    /// When it was written.
    pub exported_at: UnixMicros,
    /// Entries listed.
    pub entries: usize,
    /// Attachments listed.
    pub attachments: usize,
    /// The gateway's keys as it claims them, in hex.
    pub gateway_keys: Vec<String>,
    /// The log's key as it claims it.
    pub log_key: String,
    /// The checkpoint's tree, if the note can be read.
    pub checkpoint: Option<TreeFacts>,
    /// That checkpoint as it was signed, to keep and to compare later ones with.
    pub note: Option<String>,
}

/// The tree that the proofs lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeFacts {
    /// Which log.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The hash over all of them, in hex.
    pub root: String,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// How it ended.
    pub outcome: Outcome,
    /// In two or three words: "61 of 61".
    pub summary: String,
    /// In a sentence.
    pub detail: String,
    /// What does not hold, at most [`MOST_FAILURES`] of it.
    pub failures: Vec<Failure>,
    /// How much does not hold.
    pub failed: usize,
}

/// The steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Everything that the manifest lists is there, and nothing else.
    Unpack,
    /// Every event was sealed by its actor, every entry by the gateway.
    Signatures,
    /// No event of the job, of a case or of an actor is missing, doubled or moved.
    EventChains,
    /// The log holds every entry.
    InclusionProofs,
    /// The log signed the tree that the proofs lead to.
    Checkpoint,
    /// That tree and the one that is known from elsewhere are the same log's.
    Consistency,
    /// Others saw that tree too.
    Witness,
    /// The events are possible by the rules, and lead to the state that they lead to.
    Replay,
    /// What is kept outside of the log is what was logged.
    Attachments,
    /// What of it is no longer kept.
    PrivacyDeletions,
}

impl StepName {
    /// Every step, in order.
    pub const ALL: [Self; 10] = [
        Self::Unpack,
        Self::Signatures,
        Self::EventChains,
        Self::InclusionProofs,
        Self::Checkpoint,
        Self::Consistency,
        Self::Witness,
        Self::Replay,
        Self::Attachments,
        Self::PrivacyDeletions,
    ];

    /// From 1.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unpack => 1,
            Self::Signatures => 2,
            Self::EventChains => 3,
            Self::InclusionProofs => 4,
            Self::Checkpoint => 5,
            Self::Consistency => 6,
            Self::Witness => 7,
            Self::Replay => 8,
            Self::Attachments => 9,
            Self::PrivacyDeletions => 10,
        }
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Unpack => "Unpack",
            Self::Signatures => "Signatures",
            Self::EventChains => "Event chains",
            Self::InclusionProofs => "Inclusion proofs",
            Self::Checkpoint => "Checkpoint",
            Self::Consistency => "Consistency",
            Self::Witness => "Witness",
            Self::Replay => "Replay",
            Self::Attachments => "Attachments",
            Self::PrivacyDeletions => "Privacy deletions",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It holds and proves little.
    Weak,
    /// There was nothing to look at, or nothing to look with.
    Skipped,
    /// It does not hold.
    Failed,
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Which item of the file, from 0; absent for what concerns no single one.
    pub item: Option<usize>,
    /// Which entry or attachment.
    pub subject: Subject,
    /// What is wrong with it.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What a failure is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The file as a whole.
    Bundle,
    /// The manifest.
    Manifest,
    /// The checkpoint.
    Checkpoint,
    /// One entry.
    Entry(EntryName),
    /// One attachment.
    Attachment(AttachmentName),
    /// An item that can't be told apart.
    Item,
}

/// An entry, so that people and machines find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryName {
    /// Its place among the bundle's entries, from 0.
    pub index: usize,
    /// Where it belongs, as far as it can be told.
    pub place: Option<EntryPlace>,
}

/// Where an entry belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryPlace {
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub stream_number: u64,
    /// Its place in the log's tree.
    pub leaf_index: u64,
    /// The event's frozen name, as far as it can be read.
    pub kind: Option<&'static str>,
}

impl fmt::Display for EntryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "entry {}", self.index)?;
        let Some(place) = &self.place else {
            return Ok(());
        };
        let (stream, number) = (&place.stream, place.stream_number);
        write!(formatter, " ({stream}, number {number}")?;
        if let Some(kind) = place.kind {
            write!(formatter, ", {kind}")?;
        }
        formatter.write_str(")")
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle => formatter.write_str("the bundle"),
            Self::Manifest => formatter.write_str("the manifest"),
            Self::Checkpoint => formatter.write_str("the checkpoint"),
            Self::Entry(name) => name.fmt(formatter),
            Self::Attachment(name) => name.fmt(formatter),
            Self::Item => formatter.write_str("an item"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.subject, self.fault)
    }
}

/// What a step found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    failures: Vec<Failure>,
    failed: usize,
}

impl Findings {
    pub(super) fn add(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < MOST_FAILURES {
            self.failures.push(failure);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.failed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.failed == 0
    }

    /// The step, failed if there was any failure; else as `words` say.
    pub(super) fn into_step(
        self,
        name: StepName,
        otherwise: Outcome,
        summary: String,
        detail: String,
    ) -> Step {
        let outcome = if self.is_empty() {
            otherwise
        } else {
            Outcome::Failed
        };
        let detail = self
            .failures
            .first()
            .map_or(detail, |failure| sentence(&failure.to_string()));
        Step {
            name,
            outcome,
            summary,
            detail,
            failures: self.failures,
            failed: self.failed,
        }
    }
}

/// With a capital letter in front.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
