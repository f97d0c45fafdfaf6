//! The check that anybody makes of a bundle: needs no server, no network, no clock. It never panics, whatever the bytes.
//!
//! Each step stands on its own, so that one failure does not hide another; only the replay wants events that are believed.

mod align;
mod attachments;
mod chains;
mod fan;
mod fault;
mod proofs;
mod replay;
mod report;
mod signatures;
mod trust;
mod unpack;

use std::collections::BTreeSet;

pub use fault::Fault;
pub use replay::{Replay, ReplayFault, ReplayedEvent};
pub use report::{
    EntryName, EntryPlace, Facts, Failure, MOST_FAILURES, Outcome, Report, Step, StepName, Subject,
    TreeFacts, Verdict,
};
pub use signatures::Actor;
pub use trust::{BadKey, BadKeys, KnownCheckpoint, KnownProof, NoProof, Trust};

use crate::{
    bundle::Manifest,
    log::{Checkpoint, CheckpointFault},
};
use signatures::Signatures;
use trust::Keys;
use unpack::{Unpacked, Unpacking};

/// Items read or entries checked in one go: some 5 ms in a browser, so that a page stays smooth.
const SLICE: usize = 16;

/// The same for each of several threads: starting one takes as long as two checks.
const THREAD_SLICE: usize = 1_024;

/// Verifies `file` at once.
pub fn verify(file: &[u8], trust: &Trust, replays: &mut [&mut dyn Replay]) -> Report {
    let mut verification = Verification::new(file, trust);
    while !matches!(verification.advance(replays), Progress::Over) {}
    verification.into_report()
}

/// What one call of [`Verification::advance`] brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A part of this step.
    Working {
        /// Which step.
        step: StepName,
        /// How much of it is done.
        done: usize,
        /// How much there is.
        of: usize,
    },
    /// The end of this step: see [`Verification::steps`].
    Finished(StepName),
    /// Nothing is left to do.
    Over,
}

/// A verification in small parts, for a page that must not stand still.
#[derive(Debug)]
pub struct Verification<'file> {
    trust: &'file Trust,
    stage: Stage<'file>,
    slice: usize,
    threads: usize,
    unpacked: Unpacked,
    keys: Keys,
    actors: Vec<Option<Actor>>,
    claimed: Result<Checkpoint, CheckpointFault>,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Stage<'file> {
    Unpacking(Box<Unpacking<'file>>),
    Signatures(Signatures),
    /// A step that is done in one go.
    Whole(StepName),
    Over,
}

impl<'file> Verification<'file> {
    /// A verification of which nothing is done yet.
    pub fn new(file: &'file [u8], trust: &'file Trust) -> Self {
        Self {
            trust,
            stage: Stage::Unpacking(Box::new(Unpacking::new(file))),
            slice: SLICE,
            threads: 1,
            unpacked: Unpacked::default(),
            keys: Keys::default(),
            actors: Vec::new(),
            claimed: Err(CheckpointFault::Malformed),
            steps: Vec::with_capacity(StepName::ALL.len()),
        }
    }

    /// Works on so many threads, in larger parts.
    #[must_use]
    pub fn on_threads(mut self, threads: usize) -> Self {
        self.slice = THREAD_SLICE.saturating_mul(threads.max(1));
        self.threads = threads;
        self
    }

    /// The steps that are done.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the bundle says it holds, once it was unpacked. By nobody's word yet: the steps say what of it holds.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.unpacked.claimed_manifest()
    }

    /// Does a little more.
    pub fn advance(&mut self, replays: &mut [&mut dyn Replay]) -> Progress {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Unpacking(unpacking) => self.unpack(unpacking),
            Stage::Signatures(signatures) => self.check_signatures(signatures),
            Stage::Whole(step) => {
                self.do_whole(step, replays);
                Progress::Finished(step)
            }
            Stage::Over => Progress::Over,
        }
    }

    /// What was found. Steps that were not done are not in it.
    pub fn into_report(self) -> Report {
        let has_failed = |step: &Step| step.outcome == Outcome::Failed;
        let is_complete = self.steps.len() == StepName::ALL.len();
        let verdict = if self.steps.iter().any(has_failed) || !is_complete {
            Verdict::NotIntact
        } else if self.trust.is_complete() {
            Verdict::Intact
        } else {
            Verdict::KeysUnchecked
        };
        let facts = (self.unpacked.claimed_manifest())
            .map(|manifest| facts(manifest, &self.unpacked, self.claimed.as_ref().ok()));
        Report {
            verdict,
            facts,
            steps: self.steps,
        }
    }

    fn unpack(&mut self, mut unpacking: Box<Unpacking<'file>>) -> Progress {
        let is_more = unpacking.read(self.slice, self.threads);
        if is_more {
            let (done, of) = unpacking.progress();
            self.stage = Stage::Unpacking(unpacking);
            let step = StepName::Unpack;
            return Progress::Working { step, done, of };
        }
        let choose = |manifest: Option<&Manifest>| Keys::choose(self.trust, manifest);
        let (unpacked, step) = unpacking.finish(choose);
        self.keys = choose(unpacked.claimed_manifest());
        self.claimed = proofs::claimed_checkpoint(&unpacked);
        self.unpacked = unpacked;
        self.steps.push(step);
        self.stage = Stage::Signatures(Signatures::default());
        Progress::Finished(StepName::Unpack)
    }

    fn check_signatures(&mut self, mut signatures: Signatures) -> Progress {
        let is_more = signatures.check(&self.unpacked, &self.keys, self.slice, self.threads);
        if is_more {
            let (done, of) = signatures.progress(&self.unpacked);
            self.stage = Stage::Signatures(signatures);
            let step = StepName::Signatures;
            return Progress::Working { step, done, of };
        }
        let (actors, step) = signatures.finish(&self.keys);
        self.actors = actors;
        self.steps.push(step);
        self.stage = Stage::Whole(StepName::EventChains);
        Progress::Finished(StepName::Signatures)
    }

    fn do_whole(&mut self, step: StepName, replays: &mut [&mut dyn Replay]) {
        let (unpacked, trust) = (&self.unpacked, self.trust);
        let claimed = self.claimed.as_ref().ok();
        let (done, next) = match step {
            // Done before, in parts.
            StepName::Unpack | StepName::Signatures => return,
            StepName::EventChains => {
                let done = chains::check(unpacked, &self.keys);
                (done, Some(StepName::InclusionProofs))
            }
            StepName::InclusionProofs => {
                let done = proofs::check_inclusion(unpacked, claimed);
                (done, Some(StepName::Checkpoint))
            }
            StepName::Checkpoint => {
                let done = proofs::check_checkpoint(unpacked, &self.claimed, trust);
                (done, Some(StepName::Consistency))
            }
            StepName::Consistency => {
                let done = proofs::check_consistency(unpacked, claimed, trust);
                (done, Some(StepName::Witness))
            }
            StepName::Witness => {
                let done = proofs::check_witness(unpacked, trust);
                (done, Some(StepName::Replay))
            }
            StepName::Replay => {
                let unsound = unsound(&self.steps);
                let done = replay::check(unpacked, &self.actors, &unsound, replays);
                (done, Some(StepName::Attachments))
            }
            StepName::Attachments => {
                let done = attachments::check_contents(unpacked);
                (done, Some(StepName::PrivacyDeletions))
            }
            StepName::PrivacyDeletions => (attachments::check_absent(unpacked), None),
        };
        self.steps.push(done);
        self.stage = next.map_or(Stage::Over, Stage::Whole);
    }
}

/// Items that a step before did not believe.
fn unsound(steps: &[Step]) -> BTreeSet<usize> {
    let failures = steps.iter().flat_map(|step| &step.failures);
    failures.filter_map(|failure| failure.item).collect()
}

fn facts(manifest: &Manifest, unpacked: &Unpacked, claimed: Option<&Checkpoint>) -> Facts {
    let keys = manifest.gateway_keys.iter();
    Facts {
        organisation: manifest.about.organisation,
        job: manifest.about.job,
        cases: manifest.about.cases.clone(),
        exported_at: manifest.exported_at,
        entries: manifest.entries.len(),
        attachments: manifest.attachments.len(),
        gateway_keys: keys.map(|key| hex::encode(key.0)).collect(),
        log_key: manifest.log_key.clone(),
        checkpoint: claimed.map(TreeFacts::from),
        note: unpacked.note.clone(),
    }
}
