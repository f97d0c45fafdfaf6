//! What people wrote and photographed: kept beside the log, which holds its salted hashes, and deleted without it.

use std::collections::BTreeMap;

use protocol::{CaseId, EvidenceId, case::SaltedHash};
use spine::Tx;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::{StoreError, bytes32};
use crate::{Picture, SaltedText};

/// What is still kept of what people wrote and photographed for a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// What the requester wrote; absent when it was deleted.
    pub words: Option<String>,
    /// Why it was ruled as it was; absent before, and when it was deleted.
    pub reason: Option<String>,
    /// Pictures that can still be fetched.
    pub pictures: Vec<EvidenceId>,
}

const COMPLAINT: &str = "complaint";
const REASON: &str = "reason";

/// Keeps what the requester wrote. The caller has checked it ([`crate::check_complaint`]).
pub async fn put_words(tx: &mut Tx, case: CaseId, text: &SaltedText) -> Result<(), StoreError> {
    put(tx, case, COMPLAINT, text).await
}

/// Keeps why the case was ruled as it was. The caller has checked it ([`crate::check_reason`]).
pub async fn put_reason(tx: &mut Tx, case: CaseId, text: &SaltedText) -> Result<(), StoreError> {
    put(tx, case, REASON, text).await
}

async fn put(tx: &mut Tx, case: CaseId, part: &str, text: &SaltedText) -> Result<(), StoreError> {
    let hash = SaltedHash::of(&text.salt, text.words.as_bytes());
    sqlx::query!(
        "INSERT INTO trust.case_words (case_id, part, words, salt, salted_hash) VALUES ($1, $2, $3, $4, $5)",
        case.0,
        part,
        text.words,
        text.salt.as_slice(),
        hash.0.as_slice(),
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

/// What the requester wrote, with its salt, so that it can be checked against the log; absent when it was deleted.
pub async fn words(
    executor: impl PgExecutor<'_>,
    case: CaseId,
) -> Result<Option<SaltedText>, StoreError> {
    part(executor, case, COMPLAINT).await
}

/// Why the case was ruled as it was, with its salt; absent before, and when it was deleted.
pub async fn reason(
    executor: impl PgExecutor<'_>,
    case: CaseId,
) -> Result<Option<SaltedText>, StoreError> {
    part(executor, case, REASON).await
}

async fn part(
    executor: impl PgExecutor<'_>,
    case: CaseId,
    part: &str,
) -> Result<Option<SaltedText>, StoreError> {
    let row = sqlx::query!(
        "SELECT words, salt FROM trust.case_words WHERE case_id = $1 AND part = $2",
        case.0,
        part,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        Ok(SaltedText {
            words: row.words,
            salt: bytes32(&row.salt).ok_or(StoreError::Corrupt(case))?,
        })
    })
    .transpose()
}

/// Keeps a picture. The caller has checked it ([`crate::check_complaint`]).
pub async fn put_picture(tx: &mut Tx, case: CaseId, picture: &Picture) -> Result<(), StoreError> {
    let hash = SaltedHash::of(&picture.salt, &picture.content);
    sqlx::query!(
        "INSERT INTO trust.case_picture (case_id, evidence_id, media_type, salt, salted_hash, content)
         VALUES ($1, $2, $3, $4, $5, $6)",
        case.0,
        picture.evidence.0,
        picture.media_type,
        picture.salt.as_slice(),
        hash.0.as_slice(),
        picture.content,
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

/// A picture with its content and salt; absent when there is none of that name or it was deleted.
pub async fn picture(
    executor: impl PgExecutor<'_>,
    case: CaseId,
    evidence: EvidenceId,
) -> Result<Option<Picture>, StoreError> {
    let row = sqlx::query!(
        "SELECT media_type, salt, content FROM trust.case_picture WHERE case_id = $1 AND evidence_id = $2",
        case.0,
        evidence.0,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        Ok(Picture {
            evidence,
            media_type: row.media_type,
            salt: bytes32(&row.salt).ok_or(StoreError::Corrupt(case))?,
            content: row.content,
        })
    })
    .transpose()
}

/// What is kept for each of these cases, for a page of them in one question. Cases of which nothing is kept are left out.
pub async fn contents(
    executor: impl PgExecutor<'_>,
    cases: &[CaseId],
) -> Result<BTreeMap<CaseId, Content>, StoreError> {
    let cases: Vec<Uuid> = cases.iter().map(|case| case.0).collect();
    let rows = sqlx::query!(
        r#"SELECT case_id AS "case_id!", part, words, evidence_id
           FROM (SELECT case_id, part, words, NULL::uuid AS evidence_id FROM trust.case_words
                 UNION ALL
                 SELECT case_id, NULL, NULL, evidence_id FROM trust.case_picture) AS kept
           WHERE case_id = ANY ($1)
           ORDER BY case_id, evidence_id"#,
        &cases,
    )
    .fetch_all(executor)
    .await?;
    let mut found: BTreeMap<CaseId, Content> = BTreeMap::new();
    for row in rows {
        let case = CaseId(row.case_id);
        let content = found.entry(case).or_default();
        match (row.part.as_deref(), row.words, row.evidence_id) {
            (Some(COMPLAINT), words, None) => content.words = words,
            (Some(REASON), words, None) => content.reason = words,
            (None, None, Some(evidence)) => content.pictures.push(EvidenceId(evidence)),
            _ => return Err(StoreError::Corrupt(case)),
        }
    }
    Ok(found)
}

/// Deletes all that people wrote for a case. The case stays, and the log still proves what the words were.
pub async fn forget_words(tx: &mut Tx, case: CaseId) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM trust.case_words WHERE case_id = $1", case.0)
        .execute(tx.connection().await?)
        .await?;
    Ok(())
}

/// Deletes the pictures of a case. The case stays, and the log still proves what they showed.
pub async fn forget_pictures(tx: &mut Tx, case: CaseId) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM trust.case_picture WHERE case_id = $1", case.0)
        .execute(tx.connection().await?)
        .await?;
    Ok(())
}
