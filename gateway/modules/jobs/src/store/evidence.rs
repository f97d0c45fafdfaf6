//! What robots photographed: kept beside the log, which holds its salted hashes, and deleted without it.

use std::collections::BTreeMap;

use protocol::{EvidenceId, JobId, case::SaltedHash};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::StoreError;

/// A picture with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Its name.
    pub evidence: EvidenceId,
    /// "image/jpeg".
    pub media_type: String,
    /// Random.
    pub salt: [u8; 32],
    /// The picture.
    pub content: Vec<u8>,
}

struct EvidenceRow {
    evidence_id: Uuid,
    media_type: String,
    salt: Vec<u8>,
    content: Vec<u8>,
}

impl EvidenceRow {
    fn file(self, job: JobId) -> Result<EvidenceFile, StoreError> {
        Ok(EvidenceFile {
            evidence: EvidenceId(self.evidence_id),
            media_type: self.media_type,
            salt: self
                .salt
                .try_into()
                .map_err(|_length| StoreError::Corrupt(job))?,
            content: self.content,
        })
    }
}

/// Keeps a picture, which the caller has checked against the job's record. One that is here already stays as it is: it has the
/// same hash.
pub async fn put_evidence(
    executor: impl PgExecutor<'_>,
    job: JobId,
    file: &EvidenceFile,
) -> Result<(), StoreError> {
    let hash = SaltedHash::of(&file.salt, &file.content);
    sqlx::query!(
        "INSERT INTO jobs.evidence (job_id, evidence_id, media_type, salt, salted_hash, content)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (job_id, evidence_id) DO NOTHING",
        job.0,
        file.evidence.0,
        file.media_type,
        file.salt.as_slice(),
        hash.0.as_slice(),
        file.content,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// A picture of the job; absent when the robot did not bring it yet, and when it was deleted.
pub async fn evidence(
    executor: impl PgExecutor<'_>,
    job: JobId,
    evidence: EvidenceId,
) -> Result<Option<EvidenceFile>, StoreError> {
    sqlx::query_as!(
        EvidenceRow,
        "SELECT evidence_id, media_type, salt, content FROM jobs.evidence WHERE job_id = $1 AND evidence_id = $2",
        job.0,
        evidence.0,
    )
    .fetch_optional(executor)
    .await?
    .map(|row| row.file(job))
    .transpose()
}

/// Every picture of the job that is here, oldest name first; [`protocol::limits::MAX_JOB_EVIDENCE_BYTES`] bounds them.
pub async fn all_evidence(
    executor: impl PgExecutor<'_>,
    job: JobId,
) -> Result<Vec<EvidenceFile>, StoreError> {
    sqlx::query_as!(
        EvidenceRow,
        "SELECT evidence_id, media_type, salt, content FROM jobs.evidence WHERE job_id = $1 ORDER BY evidence_id",
        job.0,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(|row| row.file(job))
    .collect()
}

/// Which pictures of the job are here, each with how many bytes it has.
pub async fn evidence_here(
    executor: impl PgExecutor<'_>,
    job: JobId,
) -> Result<BTreeMap<EvidenceId, usize>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT evidence_id, octet_length(content) AS "bytes!" FROM jobs.evidence WHERE job_id = $1"#,
        job.0,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            let bytes = usize::try_from(row.bytes).map_err(|_negative| StoreError::Corrupt(job))?;
            Ok((EvidenceId(row.evidence_id), bytes))
        })
        .collect()
}

/// Deletes the pictures of the job. The log still proves what they were, to whoever has them.
pub async fn forget_evidence(executor: impl PgExecutor<'_>, job: JobId) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM jobs.evidence WHERE job_id = $1", job.0)
        .execute(executor)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
