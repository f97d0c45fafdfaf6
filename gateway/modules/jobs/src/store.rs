//! Jobs, the moments that they wait for and the pictures that prove them in Postgres. The only place that names the `jobs`
//! schema. Records no events.

use protocol::{
    JobId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros, job::PhaseName, views::Page,
};
use serde_json::Value;
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    deadline::{DeadlineKind, deadlines},
    job::Job,
};

mod evidence;

pub use evidence::{
    EvidenceFile, all_evidence, evidence, evidence_here, forget_evidence, put_evidence,
};

/// The index that lets a robot have one live job.
const ONE_PER_ROBOT: &str = "job_one_per_robot";

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first. Nothing was changed; load again.
    #[error("job {0} was changed by someone else")]
    Stale(JobId),
    /// The robot has another job that is not over, so this one can't be its.
    #[error("the robot has another job than {0}")]
    RobotBusy(JobId),
    /// The row is one that we never write.
    #[error("job {0} has a row that no history explains")]
    Corrupt(JobId),
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// A job and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The job.
    pub job: Job,
    /// The organisation that its site belongs to.
    pub organisation: OrganisationId,
}

/// Which jobs are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this organisation.
    pub organisation: OrganisationId,
    /// At one of these sites; everywhere when absent.
    pub sites: Option<Vec<SiteId>>,
    /// Asked for by this person.
    pub requester: Option<PersonId>,
    /// In one of these phases; in any when empty.
    pub phases: Vec<PhaseName>,
    /// That this robot has, is offered or had last.
    pub robot: Option<RobotId>,
}

/// A moment that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Of which job.
    pub job: JobId,
    /// What it is the end of.
    pub kind: DeadlineKind,
    /// When it came.
    pub due_at: UnixMicros,
}

struct JobRow {
    job_id: Uuid,
    organisation_id: Uuid,
    phase: String,
    robot_id: Option<Uuid>,
    version: i64,
    state: Value,
}

impl JobRow {
    fn stored(self) -> Result<Stored, StoreError> {
        let corrupt = || StoreError::Corrupt(JobId(self.job_id));
        let job: Job = serde_json::from_value(self.state).map_err(|_unreadable| corrupt())?;
        let is_the_rows = job.id().0 == self.job_id
            && job.phase_name().word() == self.phase
            && job.robot().map(|robot| robot.0) == self.robot_id
            && i64::try_from(job.version) == Ok(self.version);
        is_the_rows
            .then_some(Stored {
                job,
                organisation: OrganisationId(self.organisation_id),
            })
            .ok_or_else(corrupt)
    }
}

/// What the columns hold beside the state.
struct Columns {
    robot: Option<Uuid>,
    epoch: i64,
    window_from: OffsetDateTime,
    window_until: OffsetDateTime,
    requested_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    version: i64,
    state: Value,
}

impl Columns {
    fn of(job: &Job) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt(job.id());
        Ok(Self {
            robot: job.robot().map(|robot| robot.0),
            epoch: i64::try_from(job.epoch).map_err(|_huge| corrupt())?,
            window_from: moment(job, job.window.from)?,
            window_until: moment(job, job.window.until)?,
            requested_at: moment(job, job.requested_at)?,
            updated_at: moment(job, job.updated_at)?,
            version: i64::try_from(job.version).map_err(|_huge| corrupt())?,
            state: serde_json::to_value(job).map_err(|_unwritable| corrupt())?,
        })
    }
}

fn moment(job: &Job, at: UnixMicros) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .map_err(|_beyond_the_calendar| StoreError::Corrupt(job.id()))
}

fn micros(at: OffsetDateTime) -> Option<UnixMicros> {
    i64::try_from(at.unix_timestamp_nanos() / 1_000)
        .ok()
        .map(UnixMicros)
}

/// Writes a job that was just asked for, and the moments that it waits for. `Stale` when the id is there already: of two senders at
/// once the second loads and decides again.
pub async fn insert(
    tx: &mut Tx,
    organisation: OrganisationId,
    job: &Job,
) -> Result<(), StoreError> {
    let columns = Columns::of(job)?;
    let (kinds, dues) = moments(job)?;
    let inserted = sqlx::query_scalar!(
        r#"WITH inserted AS (
               INSERT INTO jobs.job (job_id, organisation_id, site_id, requester_id, title, phase, robot_id, epoch,
                                     window_from, window_until, requested_at, updated_at, version, state)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
               ON CONFLICT (job_id) DO NOTHING
               RETURNING job_id
           ), written AS (
               INSERT INTO jobs.deadline (job_id, kind, due_at)
               SELECT inserted.job_id, wanted.kind, wanted.due_at
               FROM inserted
               CROSS JOIN unnest($15::text[], $16::timestamptz[]) AS wanted (kind, due_at)
           )
           SELECT count(*) AS "count!" FROM inserted"#,
        job.id().0,
        organisation.0,
        job.site().0,
        job.requester.0,
        job.plan.title,
        job.phase_name().word(),
        columns.robot,
        columns.epoch,
        columns.window_from,
        columns.window_until,
        columns.requested_at,
        columns.updated_at,
        columns.version,
        columns.state,
        &kinds,
        &dues,
    )
    .fetch_one(tx.connection().await?)
    .await?;
    if inserted != 1 {
        return Err(StoreError::Stale(job.id()));
    }
    Ok(())
}

/// The moments that the job waits for, as columns.
fn moments(job: &Job) -> Result<(Vec<String>, Vec<OffsetDateTime>), StoreError> {
    let (mut kinds, mut dues) = (Vec::new(), Vec::new());
    for (kind, due_at) in deadlines(job) {
        kinds.push(kind.word().to_owned());
        dues.push(moment(job, due_at)?);
    }
    Ok((kinds, dues))
}

/// A job as it stands, for deciding. Not locked: [`save`] finds out who was first.
pub async fn load(tx: &mut Tx, job: JobId) -> Result<Option<Stored>, StoreError> {
    peek(tx.connection().await?, job).await
}

/// A job as it stands.
pub async fn peek(executor: impl PgExecutor<'_>, job: JobId) -> Result<Option<Stored>, StoreError> {
    sqlx::query_as!(
        JobRow,
        "SELECT job_id, organisation_id, phase, robot_id, version, state FROM jobs.job WHERE job_id = $1",
        job.0,
    )
    .fetch_optional(executor)
    .await?
    .map(JobRow::stored)
    .transpose()
}

/// Writes where a job stands now and the moments that it waits for, or fails as `Stale` when another writer was first.
///
/// After `RobotBusy` the transaction is of no more use.
pub async fn save(tx: &mut Tx, before: &Job, after: &Job) -> Result<(), StoreError> {
    let columns = Columns::of(after)?;
    let earlier = Columns::of(before)?.version;
    let (kinds, dues) = moments(after)?;
    // One statement, one way to the server: the row, the moments that are gone, those that are new or moved.
    let saved = sqlx::query_scalar!(
        r#"WITH saved AS (
               UPDATE jobs.job
               SET phase = $2, robot_id = $3, epoch = $4, window_from = $5, window_until = $6, updated_at = $7,
                   version = $8, state = $9
               WHERE job_id = $1 AND version = $10
               RETURNING job_id
           ), gone AS (
               DELETE FROM jobs.deadline
               WHERE job_id IN (SELECT job_id FROM saved) AND kind <> ALL ($11::text[])
           ), written AS (
               INSERT INTO jobs.deadline (job_id, kind, due_at)
               SELECT saved.job_id, wanted.kind, wanted.due_at
               FROM saved
               CROSS JOIN unnest($11::text[], $12::timestamptz[]) AS wanted (kind, due_at)
               ON CONFLICT (job_id, kind) DO UPDATE SET due_at = excluded.due_at
           )
           SELECT count(*) AS "count!" FROM saved"#,
        after.id().0,
        after.phase_name().word(),
        columns.robot,
        columns.epoch,
        columns.window_from,
        columns.window_until,
        columns.updated_at,
        columns.version,
        columns.state,
        earlier,
        &kinds,
        &dues,
    )
    .fetch_one(tx.connection().await?)
    .await
    .map_err(|error| busy_or_failed(after.id(), error))?;
    if saved != 1 {
        return Err(StoreError::Stale(after.id()));
    }
    Ok(())
}

fn busy_or_failed(job: JobId, error: sqlx::Error) -> StoreError {
    let constraint = error
        .as_database_error()
        .and_then(|failure| failure.constraint());
    if constraint == Some(ONE_PER_ROBOT) {
        return StoreError::RobotBusy(job);
    }
    error.into()
}

/// A page of jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Those that can be read.
    pub page: Page<Stored>,
    /// Those whose row somebody else has changed, so that no history explains it: they keep nobody from seeing the others.
    pub unreadable: Vec<JobId>,
}

/// Jobs, the one that was asked for last first, from the one before `cursor` on (the `next` of the page before). A cursor
/// that names no job gives an empty page.
pub async fn list(
    executor: impl PgExecutor<'_>,
    filter: &Filter,
    cursor: Option<JobId>,
    limit: u32,
) -> Result<Listed, StoreError> {
    let sites: Option<Vec<Uuid>> = filter
        .sites
        .as_ref()
        .map(|sites| sites.iter().map(|site| site.0).collect());
    let phases: Vec<String> = filter
        .phases
        .iter()
        .map(|phase| phase.word().to_owned())
        .collect();
    let mut rows = sqlx::query_as!(
        JobRow,
        "SELECT job_id, organisation_id, phase, robot_id, version, state
         FROM jobs.job
         WHERE organisation_id = $1
           AND ($2::uuid[] IS NULL OR site_id = ANY ($2))
           AND ($3::uuid IS NULL OR requester_id = $3)
           AND (cardinality($4::text[]) = 0 OR phase = ANY ($4))
           AND ($5::uuid IS NULL OR robot_id = $5)
           AND ($6::uuid IS NULL OR (requested_at, job_id) < (SELECT last.requested_at, last.job_id
                                                              FROM jobs.job AS last
                                                              WHERE last.job_id = $6 AND last.organisation_id = $1))
         ORDER BY requested_at DESC, job_id DESC
         LIMIT $7",
        filter.organisation.0,
        sites.as_deref(),
        filter.requester.map(|person| person.0),
        &phases,
        filter.robot.map(|robot| robot.0),
        cursor.map(|job| job.0),
        i64::from(limit) + 1,
    )
    .fetch_all(executor)
    .await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > page;
    rows.truncate(page);
    let last = rows.last().filter(|_| has_more);
    let next = last.map(|row| row.job_id.to_string());
    let (mut items, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let job = JobId(row.job_id);
        match row.stored() {
            Ok(stored) => items.push(stored),
            Err(_corrupt) => unreadable.push(job),
        }
    }
    Ok(Listed {
        page: Page { items, next },
        unreadable,
    })
}

/// The job that the robot has or is offered; there is at most one.
pub async fn held_by(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
) -> Result<Option<Stored>, StoreError> {
    sqlx::query_as!(
        JobRow,
        "SELECT job_id, organisation_id, phase, robot_id, version, state
         FROM jobs.job
         WHERE busy_robot_id = $1",
        robot.0,
    )
    .fetch_optional(executor)
    .await?
    .map(JobRow::stored)
    .transpose()
}

/// A job in the hands of a robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Which job.
    pub job: JobId,
    /// Whose hands.
    pub robot: RobotId,
    /// Where it stands.
    pub phase: PhaseName,
}

/// Every job that a robot is at, of all organisations, and those whose robot finished while nothing was heard of it.
pub async fn held(executor: impl PgExecutor<'_>) -> Result<Vec<Held>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT job_id, robot_id AS "robot_id!", phase
           FROM jobs.job
           WHERE (busy_robot_id IS NOT NULL AND phase <> 'dispatching') OR silent_robot_id IS NOT NULL"#
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            let job = JobId(row.job_id);
            Ok(Held {
                job,
                robot: RobotId(row.robot_id),
                phase: PhaseName::parse(&row.phase).ok_or(StoreError::Corrupt(job))?,
            })
        })
        .collect()
}

/// Moments that came, longest overdue first. Their jobs are locked until the transaction ends; those that another gateway is
/// at are left out. The job is locked, not the moment: whoever saves it writes both, in this order.
pub async fn claim_due(tx: &mut Tx, now: UnixMicros, batch: u32) -> Result<Vec<Due>, StoreError> {
    let now = OffsetDateTime::from_unix_timestamp_nanos(i128::from(now.0) * 1_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let rows = sqlx::query!(
        "SELECT deadline.job_id, deadline.kind, deadline.due_at
         FROM jobs.deadline
         JOIN jobs.job USING (job_id)
         WHERE deadline.due_at <= $1
         ORDER BY deadline.due_at, deadline.job_id
         LIMIT $2
         FOR UPDATE OF job SKIP LOCKED",
        now,
        i64::from(batch),
    )
    .fetch_all(tx.connection().await?)
    .await?;
    rows.into_iter()
        .map(|row| {
            let job = JobId(row.job_id);
            let corrupt = || StoreError::Corrupt(job);
            Ok(Due {
                job,
                kind: DeadlineKind::parse(&row.kind).ok_or_else(corrupt)?,
                due_at: micros(row.due_at).ok_or_else(corrupt)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
