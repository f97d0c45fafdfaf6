//! Everything that was logged about a job and what proves it, as one file that anybody verifies without us.

use std::{collections::BTreeSet, time::Duration};

use jobs::store::Stored;
use ledger::bundle::{About, Attachment, AttachmentName, Part, Parts, ProvedEntry, write};
use protocol::{CaseId, case::case_stream, job::job_stream, sealed::KeyId};
use spine::{
    evidence::{LoggedEntry, MAX_ENTRIES, begin_snapshot, lengths, read_bindings, read_streams},
    log::{ProofError, SignedCheckpoint, inclusion_proofs, latest_checkpoint},
};

use super::undamaged::{self, Snapshot};
use crate::{app::App, error::ApiError};

/// The sequencer signs every second; three times that is a sequencer that does not run.
const SEQUENCED_WITHIN: Duration = Duration::from_secs(3);

/// How often it is looked whether it has been there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What comes with the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attached {
    /// The words and pictures that are kept.
    Everything,
    /// Nothing: whoever checks the events alone needs no pictures on the way.
    Nothing,
}

/// The bundle of a job and of these complaints about it.
pub async fn export_bundle(
    app: &App,
    stored: &Stored,
    cases: Vec<CaseId>,
    attached: Attached,
) -> Result<Vec<u8>, ApiError> {
    let about = About {
        organisation: stored.organisation,
        job: stored.job.id(),
        cases,
    };
    // Before the entries: a picture comes after the event that names it, and no event may lack that is to name one.
    let attachments = match attached {
        Attached::Everything => attachments(app, &about).await?,
        Attached::Nothing => Vec::new(),
    };
    let (snapshot, checkpoint) = sequenced(app, &about).await?;
    undamaged::check(&snapshot, app.signer.id())?;
    let parts = Parts {
        exported_at: app.clock.micros(),
        older_gateway_keys: Vec::new(),
        log_key: app.log.key().public().to_string(),
        checkpoint: checkpoint.note,
        entries: prove(app, snapshot.entries, checkpoint.tree.size).await?,
        attachments,
        about,
    };
    write(parts, app.signer.key()).map_err(|error| ApiError::internal(&error))
}

/// The entries, every one with its leaf, and a checkpoint that covers them. Waits for what was recorded a moment ago.
async fn sequenced(app: &App, about: &About) -> Result<(Snapshot, SignedCheckpoint), ApiError> {
    let waited = async {
        loop {
            let snapshot = gather(app, about).await?;
            let checkpoint = latest_checkpoint(&app.pool).await?;
            let entries = &snapshot.entries;
            let last = entries.iter().map(|(_, entry)| entry.leaf_index).max();
            let is_whole = entries.iter().all(|(_, entry)| entry.leaf_index.is_some());
            if let (true, Some(Some(last)), Some(checkpoint)) = (is_whole, last, checkpoint)
                && last < checkpoint.tree.size
            {
                return Ok((snapshot, checkpoint));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(SEQUENCED_WITHIN, waited)
        .await
        .unwrap_or_else(|_late| {
            Err(ApiError::refused(
                "not_sequenced_yet",
                "the latest events are not in a signed checkpoint yet; try again in a second",
            ))
        })
}

async fn gather(app: &App, about: &About) -> Result<Snapshot, ApiError> {
    let record = job_stream(about.job);
    let mut streams = vec![record.clone()];
    streams.extend(about.cases.iter().map(|case| case_stream(*case)));
    let mut moment = begin_snapshot(&app.pool).await?;
    let lengths = lengths(&mut *moment, &streams).await?;
    let entries = read_streams(&mut *moment, about.organisation, &streams).await?;
    if entries.len() > MAX_ENTRIES {
        return Err(ApiError::refused(
            "bundle_too_large",
            format!("the job has more than {MAX_ENTRIES} entries"),
        ));
    }
    let keys: BTreeSet<KeyId> = entries.iter().map(|entry| entry.actor_key).collect();
    let keys: Vec<KeyId> = keys.into_iter().collect();
    let bindings = read_bindings(&mut *moment, about.organisation, &keys).await?;
    let job = jobs::store::peek(&mut *moment, about.job)
        .await?
        .ok_or_else(|| ApiError::not_found("job"))?;
    let mut cases = Vec::with_capacity(about.cases.len());
    for case in &about.cases {
        cases.extend(trust::store::peek(&mut *moment, *case).await?);
    }
    let part = |stream: &str| {
        if stream == record {
            Part::Job
        } else {
            Part::Case
        }
    };
    let bound = bindings.into_iter().map(|entry| (Part::Binding, entry));
    let of_streams = entries
        .into_iter()
        .map(|entry| (part(&entry.stream), entry));
    Ok(Snapshot {
        entries: of_streams.chain(bound).collect(),
        lengths,
        job,
        cases,
    })
}

async fn prove(
    app: &App,
    entries: Vec<(Part, LoggedEntry)>,
    size: u64,
) -> Result<Vec<ProvedEntry>, ApiError> {
    let leaves: Vec<u64> = entries
        .iter()
        .filter_map(|(_, entry)| entry.leaf_index)
        .collect();
    let proofs = inclusion_proofs(&app.pool, &leaves, size)
        .await
        .map_err(|error| match error {
            ProofError::Refused(hole) => ApiError::damaged(format!("the log's tree: {hole}")),
            ProofError::Failed(error) => error.into(),
        })?;
    Ok(entries
        .into_iter()
        .zip(leaves)
        .zip(proofs)
        .map(|(((part, entry), leaf_index), proof)| ProvedEntry {
            part,
            stream: entry.stream,
            stream_number: entry.stream_number,
            sealed: entry.entry,
            leaf_index,
            proof,
        })
        .collect())
}

/// What robots and people photographed and wrote, as far as it is kept.
async fn attachments(app: &App, about: &About) -> Result<Vec<Attachment>, ApiError> {
    let of_job = jobs::store::all_evidence(&app.pool, about.job).await?;
    let mut attachments: Vec<Attachment> = of_job
        .into_iter()
        .map(|file| Attachment {
            name: AttachmentName::Evidence {
                evidence: file.evidence,
            },
            media_type: file.media_type,
            salt: file.salt,
            content: file.content,
        })
        .collect();
    let contents = trust::store::contents(&app.pool, &about.cases).await?;
    for case in about.cases.iter().copied() {
        let words = trust::store::words(&app.pool, case).await?;
        let reason = trust::store::reason(&app.pool, case).await?;
        let texts = [
            (AttachmentName::Words { case }, words),
            (AttachmentName::Reason { case }, reason),
        ];
        for (name, text) in texts {
            attachments.extend(text.map(|text| Attachment {
                name,
                media_type: "text/plain".to_owned(),
                salt: text.salt,
                content: text.words.into_bytes(),
            }));
        }
        let pictures = contents
            .get(&case)
            .map(|content| content.pictures.as_slice());
        for evidence in pictures.unwrap_or_default() {
            let picture = trust::store::picture(&app.pool, case, *evidence).await?;
            attachments.extend(picture.map(|picture| Attachment {
                name: AttachmentName::Picture {
                    case,
                    evidence: picture.evidence,
                },
                media_type: picture.media_type,
                salt: picture.salt,
                content: picture.content,
            }));
        }
    }
    Ok(attachments)
}
