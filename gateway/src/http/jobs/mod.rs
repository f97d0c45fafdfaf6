//! `/api/v1/jobs`: work that was asked for, and what happens to it.

pub(super) mod act;
pub(super) mod bundle;
pub(super) mod create;
pub(super) mod events;
pub(super) mod list;
pub(super) mod people;
pub(super) mod read;

use jobs::store::Stored;
use protocol::JobId;

use crate::{app::App, error::ApiError, flows::jobs::act_on_job::may_see, http::auth::Caller};

/// The job, if the caller asked for it or may see everybody's where it is. One that may not be seen is not found.
pub(super) async fn job_for(app: &App, caller: &Caller, job: JobId) -> Result<Stored, ApiError> {
    let stored = jobs::store::peek(&app.pool, job)
        .await?
        .filter(|stored| may_see(caller, stored))
        .ok_or_else(|| ApiError::not_found("job"))?;
    Ok(stored)
}
