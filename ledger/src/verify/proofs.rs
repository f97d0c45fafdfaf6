//! Steps four to seven: the log holds the entries, signed that it does, tells everybody the same, and others saw it.

use super::{
    fault::Fault,
    report::{Failure, Findings, Outcome, Step, StepName, Subject, TreeFacts},
    trust::Trust,
    unpack::Unpacked,
};
use crate::log::{
    Checkpoint, CheckpointFault, NoteFault, NoteKey, SignedNote, TreeHead, verify_consistency,
    verify_inclusion,
};

impl From<&Checkpoint> for TreeFacts {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            origin: checkpoint.origin.clone(),
            size: checkpoint.tree.size,
            root: hex::encode(checkpoint.tree.root),
        }
    }
}

/// The bundle's checkpoint, checked by nobody yet.
pub(super) fn claimed_checkpoint(unpacked: &Unpacked) -> Result<Checkpoint, CheckpointFault> {
    let note = unpacked.note.as_deref();
    Checkpoint::claimed(note.ok_or(CheckpointFault::Malformed)?)
}

pub(super) fn check_inclusion(unpacked: &Unpacked, claimed: Option<&Checkpoint>) -> Step {
    let mut findings = Findings::default();
    let Some(claimed) = claimed else {
        let detail = "There is no checkpoint that the proofs could lead to";
        return skipped(StepName::InclusionProofs, "Not checked", detail);
    };
    for entry in &unpacked.entries {
        let (tree, proof) = (&claimed.tree, entry.proof.as_slice());
        if let Err(failure) = verify_inclusion(&entry.hash, entry.leaf_index, tree, proof) {
            findings.add(entry.failure(Fault::NotIncluded(failure)));
        }
    }
    let all = unpacked.entries.len();
    let summary = format!("{} of {all}", all - findings.count());
    let root = hex::encode(claimed.tree.root);
    let detail = format!(
        "Each entry rebuilds root {}…{}",
        &root[..4],
        &root[root.len() - 4..]
    );
    findings.into_step(StepName::InclusionProofs, Outcome::Passed, summary, detail)
}

pub(super) fn check_checkpoint(
    unpacked: &Unpacked,
    claimed: &Result<Checkpoint, CheckpointFault>,
    trust: &Trust,
) -> Step {
    let mut findings = Findings::default();
    let is_trusted = !trust.log.is_empty();
    let checked = claimed.clone().map_err(Fault::Checkpoint).and_then(|_| {
        let keys = if is_trusted {
            trust.log.clone()
        } else {
            vec![claimed_log_key(unpacked)?]
        };
        let note = unpacked.note.as_deref().unwrap_or_default();
        Checkpoint::open(note, &keys).map_err(Fault::Checkpoint)
    });
    let size = match checked {
        Ok(witnessed) => witnessed.checkpoint.tree.size,
        Err(fault) => {
            findings.add(of_checkpoint(fault));
            0
        }
    };
    let (outcome, whose) = if is_trusted {
        (Outcome::Passed, "Log key you trust")
    } else {
        let whose = "The log's key came inside the bundle, which proves nothing";
        (Outcome::Weak, whose)
    };
    let summary = if !findings.is_empty() {
        "Not signed"
    } else if is_trusted {
        "Signed"
    } else {
        "Key unchecked"
    };
    let detail = format!("{whose}. Tree size {size}");
    findings.into_step(StepName::Checkpoint, outcome, summary.to_owned(), detail)
}

pub(super) fn check_consistency(
    unpacked: &Unpacked,
    claimed: Option<&Checkpoint>,
    trust: &Trust,
) -> Step {
    let name = StepName::Consistency;
    let Some(known) = &trust.known else {
        let detail = "Give a checkpoint that you saw before to learn whether the log tells everybody the same";
        return skipped(name, "Nothing to compare", detail);
    };
    let Some(claimed) = claimed else {
        return skipped(name, "Not checked", "There is no checkpoint to compare");
    };
    let mut findings = Findings::default();
    let keys = if trust.log.is_empty() {
        claimed_log_key(unpacked).ok().into_iter().collect()
    } else {
        trust.log.clone()
    };
    let earlier = match Checkpoint::open(&known.note, &keys) {
        Ok(witnessed) if witnessed.checkpoint.origin == claimed.origin => witnessed.checkpoint.tree,
        Ok(_of_another_log) => {
            findings.add(of_checkpoint(Fault::OtherLog));
            return failed(findings, name);
        }
        Err(fault) => {
            findings.add(of_checkpoint(Fault::Earlier(fault)));
            return failed(findings, name);
        }
    };
    let (old, new) = in_order(&earlier, &claimed.tree);
    if old.size == 0 {
        return skipped(
            name,
            "Nothing to compare",
            "Every tree begins with an empty one",
        );
    }
    let proof = match &known.proof {
        _ if old.size == new.size => &[],
        Some(proof) if (proof.from, proof.to) == (old.size, new.size) => proof.hashes.as_slice(),
        // One of other trees says nothing of these: that is no fault of the log's.
        given => {
            let (summary, of) = given.as_ref().map_or_else(
                || ("No proof given", String::new()),
                |proof| {
                    let of = format!(", not from {} to {}", proof.from, proof.to);
                    ("Another proof", of)
                },
            );
            let detail = format!(
                "The known tree has {} entries, the bundle's {}: give the log's proof from {} to {}{of}",
                earlier.size, claimed.tree.size, old.size, new.size
            );
            // Not a fault, and not what was asked for either.
            return Findings::default().into_step(name, Outcome::Weak, summary.to_owned(), detail);
        }
    };
    if let Err(failure) = verify_consistency(old, new, proof) {
        findings.add(of_checkpoint(Fault::Forked(failure)));
        return failed(findings, name);
    }
    let detail = format!(
        "The tree of {} entries begins with that of {}",
        new.size, old.size
    );
    findings.into_step(name, Outcome::Passed, "Same history".to_owned(), detail)
}

pub(super) fn check_witness(unpacked: &Unpacked, trust: &Trust) -> Step {
    let name = StepName::Witness;
    let note = unpacked.note.as_deref().unwrap_or_default();
    let signed = SignedNote::parse(note).and_then(|note| {
        let keys = note.verify(&trust.witnesses)?;
        Ok(keys.len())
    });
    let all = trust.witnesses.len();
    let (outcome, summary, detail) = match signed {
        Ok(1) => {
            let detail = "One witness detects a split view, it cannot rule it out";
            (Outcome::Weak, format!("1 of {all}, weak"), detail)
        }
        Ok(count) => {
            let detail = "They rule a split view out only if they are independent";
            (Outcome::Passed, format!("{count} of {all}"), detail)
        }
        Err(NoteFault::BadSignature) => {
            let mut findings = Findings::default();
            findings.add(of_checkpoint(Fault::Checkpoint(
                NoteFault::BadSignature.into(),
            )));
            return failed(findings, name);
        }
        Err(_unsigned) => {
            let detail =
                "Nobody but the log vouches for this tree: it could show others another one";
            (Outcome::Weak, "None, weak".to_owned(), detail)
        }
    };
    Findings::default().into_step(name, outcome, summary, detail.to_owned())
}

fn claimed_log_key(unpacked: &Unpacked) -> Result<NoteKey, Fault> {
    let manifest = unpacked.claimed_manifest().ok_or(Fault::LogKey)?;
    (manifest.log_key.parse()).map_err(|_no_key| Fault::LogKey)
}

const fn in_order<'tree>(
    one: &'tree TreeHead,
    other: &'tree TreeHead,
) -> (&'tree TreeHead, &'tree TreeHead) {
    if one.size <= other.size {
        (one, other)
    } else {
        (other, one)
    }
}

/// The checkpoint is the third item of a bundle.
fn of_checkpoint(fault: Fault) -> Failure {
    Failure {
        item: Some(2),
        subject: Subject::Checkpoint,
        fault,
    }
}

fn failed(findings: Findings, name: StepName) -> Step {
    findings.into_step(name, Outcome::Failed, "Failed".to_owned(), String::new())
}

pub(super) fn skipped(name: StepName, summary: &str, detail: &str) -> Step {
    let (summary, detail) = (summary.to_owned(), detail.to_owned());
    Findings::default().into_step(name, Outcome::Skipped, summary, detail)
}
