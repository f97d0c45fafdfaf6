//! `/api/v1/jobs`: work that was asked for, and what happens to it.

pub(super) mod act;
pub(super) mod bundle;
pub(super) mod create;
pub(super) mod events;
pub(super) mod list;
pub(super) mod people;
pub(super) mod read;

use identity::Permission;
use jobs::store::Stored;
use protocol::JobId;

use crate::{app::App, error::ApiError, http::auth::Caller};

/// The job, if the caller asked for it or may see everybody's where it is. One that may not be seen is not found.
pub(super) async fn job_for(app: &App, caller: &Caller, job: JobId) -> Result<Stored, ApiError> {
    let stored = jobs::store::peek(&app.pool, job)
        .await?
        .filter(|stored| may_see(caller, stored))
        .ok_or_else(|| ApiError::not_found("job"))?;
    Ok(stored)
}

fn may_see(caller: &Caller, stored: &Stored) -> bool {
    let is_own =
        stored.job.requester == caller.person.person && caller.may(Permission::RequestWork).is_ok();
    let is_seen = caller
        .may(Permission::SeeJobs)
        .is_ok_and(|sight| sight.covers(stored.organisation, stored.job.site()));
    stored.organisation == caller.person.organisation && (is_own || is_seen)
}
