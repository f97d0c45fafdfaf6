//! Calls in Postgres.
//!
//! Records no event: each is its actor's own word, which the caller records in the same transaction.

use protocol::{
    AssistId, JobId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    assist::{AssistPhase, AssistQuestion, AssistReason},
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Call, Caller, call_due};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CallStoreError {
    /// Another writer was first, or the job has another call that is not over. Nothing was changed; load again.
    #[error("call {0} was changed by someone else")]
    Stale(AssistId),
    /// The row is one that we never write.
    #[error("call {0} has a row that no phase explains")]
    Corrupt(AssistId),
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// A call as it is kept: what its events make of it, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCall {
    /// The job's organisation.
    pub organisation: OrganisationId,
    /// Where the job is.
    pub site: SiteId,
    /// What its events make of it.
    pub call: Call,
}

struct CallRow {
    assist_id: Uuid,
    organisation_id: Uuid,
    site_id: Uuid,
    job_id: Uuid,
    robot_id: Uuid,
    caller: String,
    reason: String,
    words: String,
    options: Vec<String>,
    camera: String,
    phase: String,
    requested_at: OffsetDateTime,
    escalate_at: OffsetDateTime,
    expire_at: OffsetDateTime,
    offered_to: Vec<Uuid>,
    operator_id: Option<Uuid>,
    claimed_at: Option<OffsetDateTime>,
    option: Option<i32>,
    ended_at: Option<OffsetDateTime>,
    version: i64,
}

impl CallRow {
    fn stored(self) -> Result<StoredCall, CallStoreError> {
        let id = AssistId(self.assist_id);
        self.read().ok_or(CallStoreError::Corrupt(id))
    }

    fn read(self) -> Option<StoredCall> {
        let moment = |at: Option<OffsetDateTime>| at.map(|at| micros(at).ok_or(())).transpose();
        let call = Call {
            assist: AssistId(self.assist_id),
            job: JobId(self.job_id),
            robot: RobotId(self.robot_id),
            caller: match self.caller.as_str() {
                "robot" => Caller::Robot,
                "cloud" => Caller::Cloud,
                _ => return None,
            },
            question: AssistQuestion {
                reason: REASONS.into_iter().find(|one| word(*one) == self.reason)?,
                words: self.words,
                options: self.options,
                camera: self.camera,
            },
            phase: AssistPhase::parse(&self.phase)?,
            requested_at: micros(self.requested_at)?,
            escalate_at: micros(self.escalate_at)?,
            expire_at: micros(self.expire_at)?,
            offered_to: self.offered_to.into_iter().map(PersonId).collect(),
            operator: self.operator_id.map(PersonId),
            claimed_at: moment(self.claimed_at).ok()?,
            option: self.option.map(u32::try_from).transpose().ok()?,
            ended_at: moment(self.ended_at).ok()?,
            version: u64::try_from(self.version).ok()?,
        };
        Some(StoredCall {
            organisation: OrganisationId(self.organisation_id),
            site: SiteId(self.site_id),
            call,
        })
    }
}

const REASONS: [AssistReason; 4] = [
    AssistReason::Unsure,
    AssistReason::Blocked,
    AssistReason::Stalled,
    AssistReason::Asked,
];

const fn word(reason: AssistReason) -> &'static str {
    match reason {
        AssistReason::Unsure => "unsure",
        AssistReason::Blocked => "blocked",
        AssistReason::Stalled => "stalled",
        AssistReason::Asked => "asked",
    }
}

/// Writes a call that was just opened. `Stale` when the id is there already or the job has a call that is not over.
pub async fn insert_call(
    tx: &mut Tx,
    organisation: OrganisationId,
    site: SiteId,
    call: &Call,
) -> Result<(), CallStoreError> {
    let columns = Columns::of(call)?;
    let inserted = sqlx::query!(
        "INSERT INTO assist.call (assist_id, organisation_id, site_id, job_id, robot_id, caller, reason, words, options, camera,
                                  phase, requested_at, escalate_at, expire_at, offered_to, operator_id, claimed_at, option,
                                  ended_at, due_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
         ON CONFLICT DO NOTHING",
        call.assist.0,
        organisation.0,
        site.0,
        call.job.0,
        call.robot.0,
        match call.caller {
            Caller::Robot => "robot",
            Caller::Cloud => "cloud",
        },
        word(call.question.reason),
        call.question.words,
        &call.question.options,
        call.question.camera,
        call.phase.word(),
        moment(call, call.requested_at)?,
        columns.escalate_at,
        columns.expire_at,
        &columns.offered_to,
        columns.operator,
        columns.claimed_at,
        columns.option,
        columns.ended_at,
        columns.due_at,
        columns.version,
    )
    .execute(tx.connection().await?)
    .await?;
    if inserted.rows_affected() != 1 {
        return Err(CallStoreError::Stale(call.assist));
    }
    Ok(())
}

/// A call, locked until the transaction ends.
pub async fn load_call(
    tx: &mut Tx,
    assist: AssistId,
) -> Result<Option<StoredCall>, CallStoreError> {
    sqlx::query_as!(
        CallRow,
        "SELECT assist_id, organisation_id, site_id, job_id, robot_id, caller, reason, words, options, camera, phase,
                requested_at, escalate_at, expire_at, offered_to, operator_id, claimed_at, option, ended_at, version
         FROM assist.call
         WHERE assist_id = $1
         FOR UPDATE",
        assist.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(CallRow::stored)
    .transpose()
}

/// A call as it stands, unlocked.
pub async fn peek_call(
    executor: impl PgExecutor<'_>,
    assist: AssistId,
) -> Result<Option<StoredCall>, CallStoreError> {
    sqlx::query_as!(
        CallRow,
        "SELECT assist_id, organisation_id, site_id, job_id, robot_id, caller, reason, words, options, camera, phase,
                requested_at, escalate_at, expire_at, offered_to, operator_id, claimed_at, option, ended_at, version
         FROM assist.call
         WHERE assist_id = $1",
        assist.0,
    )
    .fetch_optional(executor)
    .await?
    .map(CallRow::stored)
    .transpose()
}

/// The latest call of a job, over or not. Of several, only this one can still be open.
pub async fn call_of_job(
    executor: impl PgExecutor<'_>,
    job: JobId,
) -> Result<Option<StoredCall>, CallStoreError> {
    sqlx::query_as!(
        CallRow,
        "SELECT assist_id, organisation_id, site_id, job_id, robot_id, caller, reason, words, options, camera, phase,
                requested_at, escalate_at, expire_at, offered_to, operator_id, claimed_at, option, ended_at, version
         FROM assist.call
         WHERE job_id = $1
         ORDER BY requested_at DESC, assist_id DESC
         LIMIT 1",
        job.0,
    )
    .fetch_optional(executor)
    .await?
    .map(CallRow::stored)
    .transpose()
}

/// Writes where a call stands now, or fails as `Stale` when another writer was first.
pub async fn save_call(tx: &mut Tx, before: &Call, after: &Call) -> Result<(), CallStoreError> {
    let columns = Columns::of(after)?;
    let updated = sqlx::query!(
        "UPDATE assist.call
         SET phase = $2, escalate_at = $3, expire_at = $4, offered_to = $5, operator_id = $6, claimed_at = $7, option = $8,
             ended_at = $9, due_at = $10, version = $11
         WHERE assist_id = $1 AND version = $12",
        after.assist.0,
        after.phase.word(),
        columns.escalate_at,
        columns.expire_at,
        &columns.offered_to,
        columns.operator,
        columns.claimed_at,
        columns.option,
        columns.ended_at,
        columns.due_at,
        columns.version,
        version(before)?,
    )
    .execute(tx.connection().await?)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(CallStoreError::Stale(after.assist));
    }
    Ok(())
}

/// Calls of an organisation that are not over, at these sites (absent for all), who waits longest first.
pub async fn list_open_calls(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    sites: Option<&[SiteId]>,
    limit: u32,
) -> Result<Vec<StoredCall>, CallStoreError> {
    let sites: Option<Vec<Uuid>> = sites.map(|sites| sites.iter().map(|site| site.0).collect());
    sqlx::query_as!(
        CallRow,
        "SELECT assist_id, organisation_id, site_id, job_id, robot_id, caller, reason, words, options, camera, phase,
                requested_at, escalate_at, expire_at, offered_to, operator_id, claimed_at, option, ended_at, version
         FROM assist.call
         WHERE organisation_id = $1 AND ended_at IS NULL AND ($2::uuid[] IS NULL OR site_id = ANY ($2))
         ORDER BY requested_at, assist_id
         LIMIT $3",
        organisation.0,
        sites.as_deref(),
        i64::from(limit),
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(CallRow::stored)
    .collect()
}

/// Calls about which the cloud must do something by `now`, longest overdue first, locked; those that another gateway is
/// at are left out.
pub async fn claim_due_calls(
    tx: &mut Tx,
    now: OffsetDateTime,
    limit: u32,
) -> Result<Vec<StoredCall>, CallStoreError> {
    sqlx::query_as!(
        CallRow,
        "SELECT assist_id, organisation_id, site_id, job_id, robot_id, caller, reason, words, options, camera, phase,
                requested_at, escalate_at, expire_at, offered_to, operator_id, claimed_at, option, ended_at, version
         FROM assist.call
         WHERE due_at <= $1
         ORDER BY due_at
         LIMIT $2
         FOR UPDATE SKIP LOCKED",
        now,
        i64::from(limit),
    )
    .fetch_all(tx.connection().await?)
    .await?
    .into_iter()
    .map(CallRow::stored)
    .collect()
}

/// What of a call changes, as Postgres keeps it.
struct Columns {
    escalate_at: OffsetDateTime,
    expire_at: OffsetDateTime,
    offered_to: Vec<Uuid>,
    operator: Option<Uuid>,
    claimed_at: Option<OffsetDateTime>,
    option: Option<i32>,
    ended_at: Option<OffsetDateTime>,
    due_at: Option<OffsetDateTime>,
    version: i64,
}

impl Columns {
    fn of(call: &Call) -> Result<Self, CallStoreError> {
        let at = |at: Option<UnixMicros>| at.map(|at| moment(call, at)).transpose();
        Ok(Self {
            escalate_at: moment(call, call.escalate_at)?,
            expire_at: moment(call, call.expire_at)?,
            offered_to: call.offered_to.iter().map(|person| person.0).collect(),
            operator: call.operator.map(|person| person.0),
            claimed_at: at(call.claimed_at)?,
            option: call
                .option
                .map(i32::try_from)
                .transpose()
                .map_err(|_huge| CallStoreError::Corrupt(call.assist))?,
            ended_at: at(call.ended_at)?,
            due_at: at(call_due(call).map(|(_, at)| at))?,
            version: version(call)?,
        })
    }
}

fn version(call: &Call) -> Result<i64, CallStoreError> {
    i64::try_from(call.version).map_err(|_huge| CallStoreError::Corrupt(call.assist))
}

fn moment(call: &Call, at: UnixMicros) -> Result<OffsetDateTime, CallStoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .map_err(|_beyond_the_calendar| CallStoreError::Corrupt(call.assist))
}

fn micros(at: OffsetDateTime) -> Option<UnixMicros> {
    i64::try_from(at.unix_timestamp_nanos() / 1_000)
        .ok()
        .map(UnixMicros)
}

#[cfg(test)]
mod tests;
