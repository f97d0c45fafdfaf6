//! Cases in Postgres, and apart from them what people wrote and photographed. The only place that names the `trust` schema.
//!
//! Records no event: each is its actor's own word, which the caller records in the same transaction.

use protocol::{
    CaseId, JobId, OrganisationId, PersonId, SiteId, UnixMicros,
    case::{CaseKind, CasePhase, SaltedHash},
    job::EvidenceHash,
    views::Page,
};
use spine::Tx;
use sqlx::{PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Case, CaseCursor, FrozenEvidence};

mod content;

pub use content::{
    Content, contents, forget_pictures, forget_words, picture, put_picture, put_reason, put_words,
    reason, words,
};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first. Nothing was changed; load again.
    #[error("case {0} was changed by someone else")]
    Stale(CaseId),
    /// The row is one that we never write.
    #[error("case {0} has a row that no phase explains")]
    Corrupt(CaseId),
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// A case as it is kept: what its events make of it, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCase {
    /// Short and for people.
    pub number: u64,
    /// The job's organisation.
    pub organisation: OrganisationId,
    /// Where the job was.
    pub site: SiteId,
    /// What its events make of it.
    pub case: Case,
}

/// Which cases of an organisation to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFilter {
    /// Whose.
    pub organisation: OrganisationId,
    /// At these sites only; absent for all.
    pub sites: Option<Vec<SiteId>>,
    /// Of this requester only.
    pub requester: Option<PersonId>,
    /// About this job only.
    pub job: Option<JobId>,
    /// In these phases only; absent for all.
    pub phases: Option<Vec<CasePhase>>,
}

struct CaseRow {
    case_id: Uuid,
    number: i64,
    organisation_id: Uuid,
    site_id: Uuid,
    job_id: Uuid,
    requester_id: Uuid,
    about: String,
    severity: i16,
    words_hash: Vec<u8>,
    pictures: Json<Vec<EvidenceHash>>,
    phase: String,
    frozen_entries: Option<i64>,
    frozen_head: Option<Vec<u8>>,
    frozen_files: Option<Json<Vec<EvidenceHash>>>,
    triaged_severity: Option<i16>,
    reason_hash: Option<Vec<u8>>,
    opened_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    version: i64,
}

impl CaseRow {
    fn stored(self) -> Result<StoredCase, StoreError> {
        let id = CaseId(self.case_id);
        self.read().ok_or(StoreError::Corrupt(id))
    }

    fn read(self) -> Option<StoredCase> {
        let frozen = match (self.frozen_entries, self.frozen_head, self.frozen_files) {
            (None, None, None) => None,
            (Some(entries), Some(head), Some(Json(files))) => Some(FrozenEvidence {
                entries: u64::try_from(entries).ok()?,
                head: bytes32(&head)?,
                files,
            }),
            _ => return None,
        };
        let case = Case {
            case: CaseId(self.case_id),
            job: JobId(self.job_id),
            about: CaseKind::parse(&self.about)?,
            severity: u8::try_from(self.severity).ok()?,
            requester: PersonId(self.requester_id),
            words: SaltedHash(bytes32(&self.words_hash)?),
            pictures: self.pictures.0,
            phase: CasePhase::parse(&self.phase)?,
            frozen,
            triaged_severity: self.triaged_severity.map(u8::try_from).transpose().ok()?,
            reason: match self.reason_hash {
                None => None,
                Some(hash) => Some(SaltedHash(bytes32(&hash)?)),
            },
            opened_at: micros(self.opened_at)?,
            updated_at: micros(self.updated_at)?,
            version: u64::try_from(self.version).ok()?,
        };
        Some(StoredCase {
            number: u64::try_from(self.number).ok()?,
            organisation: OrganisationId(self.organisation_id),
            site: SiteId(self.site_id),
            case,
        })
    }
}

/// Writes a case that was just opened and gives it its number. `Stale` when the id is there already.
pub async fn insert(
    tx: &mut Tx,
    organisation: OrganisationId,
    site: SiteId,
    case: &Case,
) -> Result<StoredCase, StoreError> {
    let columns = Columns::of(case)?;
    let number = sqlx::query_scalar!(
        "INSERT INTO trust.case_file (case_id, organisation_id, site_id, job_id, requester_id, about, severity, words_hash,
                                      pictures, phase, frozen_entries, frozen_head, frozen_files, triaged_severity,
                                      reason_hash, opened_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (case_id) DO NOTHING
         RETURNING number",
        case.case.0,
        organisation.0,
        site.0,
        case.job.0,
        case.requester.0,
        case.about.word(),
        i16::from(case.severity),
        case.words.0.as_slice(),
        Json(&case.pictures) as _,
        case.phase.word(),
        columns.frozen_entries,
        columns.frozen_head,
        columns.frozen_files as _,
        columns.triaged_severity,
        columns.reason_hash,
        moment(case.case, case.opened_at)?,
        columns.updated_at,
        columns.version,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .ok_or(StoreError::Stale(case.case))?;
    Ok(StoredCase {
        number: u64::try_from(number).map_err(|_negative| StoreError::Corrupt(case.case))?,
        organisation,
        site,
        case: case.clone(),
    })
}

/// A case, locked until the transaction ends.
pub async fn load(tx: &mut Tx, case: CaseId) -> Result<Option<StoredCase>, StoreError> {
    sqlx::query_as!(
        CaseRow,
        r#"SELECT case_id, number, organisation_id, site_id, job_id, requester_id, about, severity, words_hash,
                  pictures AS "pictures: Json<Vec<EvidenceHash>>", phase, frozen_entries, frozen_head,
                  frozen_files AS "frozen_files: Json<Vec<EvidenceHash>>", triaged_severity, reason_hash, opened_at,
                  updated_at, version
           FROM trust.case_file
           WHERE case_id = $1
           FOR UPDATE"#,
        case.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(CaseRow::stored)
    .transpose()
}

/// A case as it stands, unlocked.
pub async fn peek(
    executor: impl PgExecutor<'_>,
    case: CaseId,
) -> Result<Option<StoredCase>, StoreError> {
    sqlx::query_as!(
        CaseRow,
        r#"SELECT case_id, number, organisation_id, site_id, job_id, requester_id, about, severity, words_hash,
                  pictures AS "pictures: Json<Vec<EvidenceHash>>", phase, frozen_entries, frozen_head,
                  frozen_files AS "frozen_files: Json<Vec<EvidenceHash>>", triaged_severity, reason_hash, opened_at,
                  updated_at, version
           FROM trust.case_file
           WHERE case_id = $1"#,
        case.0,
    )
    .fetch_optional(executor)
    .await?
    .map(CaseRow::stored)
    .transpose()
}

/// Writes where a case stands now, or fails as `Stale` when another writer was first.
pub async fn save(tx: &mut Tx, before: &Case, after: &Case) -> Result<(), StoreError> {
    let columns = Columns::of(after)?;
    let updated = sqlx::query!(
        "UPDATE trust.case_file
         SET phase = $2, frozen_entries = $3, frozen_head = $4, frozen_files = $5, triaged_severity = $6, reason_hash = $7,
             updated_at = $8, version = $9
         WHERE case_id = $1 AND version = $10",
        after.case.0,
        after.phase.word(),
        columns.frozen_entries,
        columns.frozen_head,
        columns.frozen_files as _,
        columns.triaged_severity,
        columns.reason_hash,
        columns.updated_at,
        columns.version,
        version(before)?,
    )
    .execute(tx.connection().await?)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Stale(after.case));
    }
    Ok(())
}

/// Cases in the order of triage: open ones first, gravest first, oldest first, from behind `cursor` on (the `next` of the
/// page before).
pub async fn list(
    executor: impl PgExecutor<'_>,
    filter: &CaseFilter,
    cursor: Option<CaseCursor>,
    limit: u32,
) -> Result<Page<StoredCase>, StoreError> {
    let sites: Option<Vec<Uuid>> = filter
        .sites
        .as_ref()
        .map(|sites| sites.iter().map(|site| site.0).collect());
    let phases: Option<Vec<String>> = filter
        .phases
        .as_ref()
        .map(|phases| phases.iter().map(|phase| phase.word().to_owned()).collect());
    let after = cursor
        .map(|cursor| moment(cursor.case, cursor.opened_at))
        .transpose()?;
    let mut items = sqlx::query_as!(
        CaseRow,
        r#"SELECT case_id, number, organisation_id, site_id, job_id, requester_id, about, severity, words_hash,
                  pictures AS "pictures: Json<Vec<EvidenceHash>>", phase, frozen_entries, frozen_head,
                  frozen_files AS "frozen_files: Json<Vec<EvidenceHash>>", triaged_severity, reason_hash, opened_at,
                  updated_at, version
           FROM trust.case_file
           WHERE organisation_id = $1
             AND ($2::uuid[] IS NULL OR site_id = ANY ($2))
             AND ($3::uuid IS NULL OR requester_id = $3)
             AND ($4::uuid IS NULL OR job_id = $4)
             AND ($5::text[] IS NULL OR phase = ANY ($5))
             AND ($6::smallint IS NULL OR (triage_rank, opened_at, case_id) > ($6, $7, $8))
           ORDER BY triage_rank, opened_at, case_id
           LIMIT $9"#,
        filter.organisation.0,
        sites.as_deref(),
        filter.requester.map(|person| person.0),
        filter.job.map(|job| job.0),
        phases.as_deref(),
        cursor.map(|cursor| cursor.rank),
        after,
        cursor.map(|cursor| cursor.case.0),
        i64::from(limit) + 1,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(CaseRow::stored)
    .collect::<Result<Vec<_>, _>>()?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > page;
    items.truncate(page);
    let next = items
        .last()
        .filter(|_| has_more)
        .map(|last| CaseCursor::of(&last.case).to_string());
    Ok(Page { items, next })
}

/// Complaints about a job, oldest first.
pub async fn of_job(executor: impl PgExecutor<'_>, job: JobId) -> Result<Vec<CaseId>, StoreError> {
    let cases = sqlx::query_scalar!(
        "SELECT case_id FROM trust.case_file WHERE job_id = $1 ORDER BY opened_at, case_id",
        job.0,
    )
    .fetch_all(executor)
    .await?;
    Ok(cases.into_iter().map(CaseId).collect())
}

/// Complaints about any of these jobs, oldest first: for a page of jobs in one question.
pub async fn of_jobs(
    executor: impl PgExecutor<'_>,
    jobs: &[JobId],
) -> Result<Vec<(JobId, CaseId)>, StoreError> {
    let jobs: Vec<Uuid> = jobs.iter().map(|job| job.0).collect();
    let rows = sqlx::query!(
        "SELECT job_id, case_id FROM trust.case_file WHERE job_id = ANY ($1) ORDER BY opened_at, case_id",
        &jobs,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (JobId(row.job_id), CaseId(row.case_id)))
        .collect())
}

/// What of a case changes, as Postgres keeps it.
struct Columns<'a> {
    frozen_entries: Option<i64>,
    frozen_head: Option<&'a [u8]>,
    frozen_files: Option<Json<&'a [EvidenceHash]>>,
    triaged_severity: Option<i16>,
    reason_hash: Option<&'a [u8]>,
    updated_at: OffsetDateTime,
    version: i64,
}

impl<'a> Columns<'a> {
    fn of(case: &'a Case) -> Result<Self, StoreError> {
        let frozen = case.frozen.as_ref();
        let entries = frozen.map(|frozen| i64::try_from(frozen.entries));
        Ok(Self {
            frozen_entries: entries
                .transpose()
                .map_err(|_huge| StoreError::Corrupt(case.case))?,
            frozen_head: frozen.map(|frozen| frozen.head.as_slice()),
            frozen_files: frozen.map(|frozen| Json(frozen.files.as_slice())),
            triaged_severity: case.triaged_severity.map(i16::from),
            reason_hash: case.reason.as_ref().map(|hash| hash.0.as_slice()),
            updated_at: moment(case.case, case.updated_at)?,
            version: version(case)?,
        })
    }
}

fn version(case: &Case) -> Result<i64, StoreError> {
    i64::try_from(case.version).map_err(|_huge| StoreError::Corrupt(case.case))
}

fn bytes32(bytes: &[u8]) -> Option<[u8; 32]> {
    bytes.try_into().ok()
}

fn moment(case: CaseId, at: UnixMicros) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .map_err(|_beyond_the_calendar| StoreError::Corrupt(case))
}

fn micros(at: OffsetDateTime) -> Option<UnixMicros> {
    i64::try_from(at.unix_timestamp_nanos() / 1_000)
        .ok()
        .map(UnixMicros)
}

#[cfg(test)]
mod tests;
