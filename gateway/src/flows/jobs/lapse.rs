//! Deadlines of jobs and of calls for help: what the cloud says when nobody else did.

use jobs::Actor;
use spine::Tx;

use super::{
    happen::{Proposal, happen},
    word::Word,
};
use crate::{app::App, error::ApiError};

/// Deadlines taken in one look. What is left is due at the next.
const BATCH: u32 = 50;

/// Lets every deadline that has passed take effect, each job in a transaction of its own, and returns how many did.
pub async fn lapse_jobs(app: &App) -> Result<usize, ApiError> {
    let mut lapsed = 0;
    while lapsed < BATCH as usize {
        let mut tx = Tx::begin(&app.pool).await?;
        let now = app.clock.micros();
        let due = jobs::store::claim_due(&mut tx, now, 1).await?;
        let Some(due) = due.into_iter().next() else {
            break;
        };
        lapsed += 1;
        let before = jobs::store::load(&mut tx, due.job)
            .await?
            .ok_or_else(ApiError::broken)?;
        // The row was locked with its job and is as old as it: what it says is due.
        let Some(event) = jobs::lapse(&before.job, due.kind, now) else {
            break;
        };
        let proposal = Proposal {
            event,
            actor: Actor::Cloud,
            word: Word::Cloud,
        };
        let organisation = before.organisation;
        let happened = happen(app, &mut tx, organisation, Some(before), proposal, now).await?;
        tx.commit(&app.signer, now).await?;
        happened.news.tell(app);
    }
    Ok(lapsed)
}

/// The same for calls for help, whose events stand in their job's stream.
pub async fn lapse_calls(app: &App) -> Result<usize, ApiError> {
    let mut lapsed = 0;
    while lapsed < BATCH as usize {
        let mut tx = Tx::begin(&app.pool).await?;
        let now = app.clock.micros();
        let due = assist::store::claim_due_calls(&mut tx, app.clock.now(), 1).await?;
        let Some(stored) = due.into_iter().next() else {
            break;
        };
        lapsed += 1;
        let Some(event) = assist::lapse_call(&stored.call, now) else {
            break;
        };
        let before = jobs::store::load(&mut tx, stored.call.job)
            .await?
            .ok_or_else(ApiError::broken)?;
        let proposal = Proposal {
            event,
            actor: Actor::Cloud,
            word: Word::Cloud,
        };
        let organisation = before.organisation;
        let happened = happen(app, &mut tx, organisation, Some(before), proposal, now).await?;
        tx.commit(&app.signer, now).await?;
        happened.news.tell(app);
    }
    Ok(lapsed)
}
