//! The last two steps: whether words and pictures are those that were logged, and which of them are no longer kept.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    CaseId,
    case::{CaseEvent, SaltedHash},
    event::Payload,
    job::{EvidenceHash, JobEvent},
};

use super::{
    fault::Fault,
    proofs::skipped,
    report::{Failure, Findings, Outcome, Step, StepName, Subject},
    unpack::{Content, Unpacked},
};
use crate::{bundle::AttachmentName, log::Hash};

/// What the events name, and its salted hash.
type Named = BTreeMap<AttachmentName, Hash>;

fn named(unpacked: &Unpacked) -> Named {
    let mut named = Named::new();
    for entry in &unpacked.entries {
        if let Ok(content) = &entry.content {
            collect(content, &mut named);
        }
    }
    named
}

pub(super) fn check_contents(unpacked: &Unpacked) -> Step {
    let named = named(unpacked);
    let name = StepName::Attachments;
    let mut findings = Findings::default();
    for attachment in &unpacked.attachments {
        let SaltedHash(found) = SaltedHash::of(&attachment.salt, &attachment.content);
        let fault = match named.get(&attachment.name) {
            None => Some(Fault::Unnamed),
            Some(&logged) => {
                (logged != found).then_some(Fault::AttachmentChanged { logged, found })
            }
        };
        if let Some(fault) = fault {
            findings.add(Failure {
                item: Some(attachment.item),
                subject: Subject::Attachment(attachment.name),
                fault,
            });
        }
    }
    let all = unpacked.attachments.len();
    if all == 0 {
        return skipped(
            name,
            "None",
            "No words and no pictures came with the bundle",
        );
    }
    let summary = format!("{} of {all}", all - findings.count());
    let detail = "Words and pictures hash to what was logged".to_owned();
    findings.into_step(name, Outcome::Passed, summary, detail)
}

/// The log proves that something was there, not what, once the thing itself is gone.
pub(super) fn check_absent(unpacked: &Unpacked) -> Step {
    let named = named(unpacked);
    let here: BTreeSet<AttachmentName> = unpacked
        .attachments
        .iter()
        .map(|attachment| attachment.name)
        .collect();
    let absent = named.keys().filter(|name| !here.contains(name)).count();
    let (summary, detail) = if absent == 0 {
        let detail = "Nothing that the events name was deleted or left out".to_owned();
        ("None".to_owned(), detail)
    } else {
        let detail = format!(
            "Not in the bundle: {absent} of {} things that the events name: deleted, not handed out or not brought yet. Their hashes stay proved",
            named.len()
        );
        (format!("{absent} not here"), detail)
    };
    skipped(StepName::PrivacyDeletions, &summary, &detail)
}

fn collect(content: &Content, named: &mut Named) {
    let event = &content.event.payload;
    match &event.payload {
        Payload::Case(CaseEvent::Opened {
            case,
            words,
            pictures,
            ..
        }) => {
            add(AttachmentName::Words { case: *case }, words.0, named);
            for picture in pictures {
                let (case, evidence) = (*case, picture.evidence);
                let name = AttachmentName::Picture { case, evidence };
                add(name, picture.salted_sha256, named);
            }
        }
        Payload::Case(CaseEvent::Ruled { reason, .. }) => {
            let case: Option<CaseId> = event
                .stream
                .strip_prefix("case/")
                .and_then(|id| id.parse().ok());
            if let Some(case) = case {
                add(AttachmentName::Reason { case }, reason.0, named);
            }
        }
        Payload::Case(CaseEvent::EvidenceFrozen { files, .. }) => add_files(files, named),
        Payload::Job(JobEvent::CheckpointDone { evidence, .. }) => add_files(evidence, named),
        _names_nothing => {}
    }
}

fn add_files(files: &[EvidenceHash], named: &mut Named) {
    for file in files {
        let evidence = file.evidence;
        add(
            AttachmentName::Evidence { evidence },
            file.salted_sha256,
            named,
        );
    }
}

/// The first event that names it counts: who comes later can't change what it was.
fn add(name: AttachmentName, hash: Hash, named: &mut Named) {
    named.entry(name).or_insert(hash);
}
