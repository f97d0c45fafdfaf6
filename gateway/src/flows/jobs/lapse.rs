//! Deadlines of jobs and of calls for help: what the cloud says when nobody else did.

use jobs::{Actor, DeadlineKind};
use protocol::{AssistId, JobId};
use spine::Tx;

use super::{
    happen::{Proposal, happen},
    word::Word,
};
use crate::{app::App, error::ApiError};

/// Deadlines taken in one look. What is left is due at the next.
const BATCH: u32 = 50;

/// Lets the deadlines of jobs that have passed take effect, each in a transaction of its own, and returns how many did. One
/// that can't take effect now keeps no other from it: the next look finds it again.
pub async fn lapse_jobs(app: &App) -> Result<usize, ApiError> {
    let mut claim = Tx::begin(&app.pool);
    let due = jobs::store::claim_due(&mut claim, app.clock.micros(), BATCH).await?;
    drop(claim);
    let mut lapsed = 0;
    for due in due {
        match lapse_job(app, due.job, due.kind).await {
            Ok(has_lapsed) => lapsed += usize::from(has_lapsed),
            Err(error) => note(due.job, error.code()),
        }
    }
    Ok(lapsed)
}

async fn lapse_job(app: &App, job: JobId, kind: DeadlineKind) -> Result<bool, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let before = jobs::store::load(&mut tx, job)
        .await?
        .ok_or_else(ApiError::broken)?;
    let now = app.clock.micros();
    // By the job's own state: the row only says when to look.
    let Some(event) = jobs::lapse(&before.job, kind, now) else {
        return Ok(false);
    };
    let organisation = before.organisation;
    let happened = happen(app, &mut tx, organisation, Some(before), cloud(event), now).await?;
    tx.commit(&app.signer, now).await?;
    happened.news.tell(app);
    Ok(true)
}

/// The same for calls for help, whose events stand in their job's stream.
pub async fn lapse_calls(app: &App) -> Result<usize, ApiError> {
    let mut claim = Tx::begin(&app.pool);
    let due = assist::store::claim_due_calls(&mut claim, app.clock.now(), BATCH).await?;
    drop(claim);
    let mut lapsed = 0;
    for due in due {
        match lapse_call(app, due.call.job, due.call.assist).await {
            Ok(has_lapsed) => lapsed += usize::from(has_lapsed),
            Err(error) => note(due.call.job, error.code()),
        }
    }
    Ok(lapsed)
}

async fn lapse_call(app: &App, job: JobId, assist: AssistId) -> Result<bool, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let call = assist::store::load_call(&mut tx, assist)
        .await?
        .ok_or_else(ApiError::broken)?;
    let before = jobs::store::load(&mut tx, job)
        .await?
        .ok_or_else(ApiError::broken)?;
    let now = app.clock.micros();
    let Some(event) = assist::lapse_call(&call.call, now) else {
        return Ok(false);
    };
    let organisation = before.organisation;
    let happened = happen(app, &mut tx, organisation, Some(before), cloud(event), now).await?;
    tx.commit(&app.signer, now).await?;
    happened.news.tell(app);
    Ok(true)
}

fn cloud(event: protocol::job::JobEvent) -> Proposal {
    Proposal {
        event,
        actor: Actor::Cloud,
        word: Word::Cloud,
    }
}

/// Somebody else moved the job in this moment, or the rules won't have it now.
fn note(job: JobId, code: &'static str) {
    tracing::debug!(job.id = %job, code, "a deadline of {job} waits for the next look");
}
