//! Who may watch a robot: whose role says so, and the requester for whom it is at work just now.

use identity::Permission;
use jobs::{Job, Work};
use protocol::{PersonId, RobotId, SiteId};

use crate::{app::App, http::auth::Caller};

/// What a right to watch stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchRight {
    /// A role at the robot's site.
    Role,
    /// The job that the robot is doing.
    Job,
}

/// What the caller's right to watch this robot stands on, if they have one.
pub async fn watch_right(
    app: &App,
    caller: &Caller,
    robot: RobotId,
    site: SiteId,
) -> Option<WatchRight> {
    if caller.may_at(Permission::Watch, site).is_ok() {
        return Some(WatchRight::Role);
    }
    caller.may_at(Permission::RequestWork, site).ok()?;
    is_at_work_for(app, caller.person.person, robot)
        .await
        .then_some(WatchRight::Job)
}

/// Whether the robot is at the place of a job that this person asked for. Not yet on the way there: it passes other people's
/// doors.
pub async fn is_at_work_for(app: &App, person: PersonId, robot: RobotId) -> bool {
    match jobs::store::held_by(&app.pool, robot).await {
        Ok(Some(stored)) => stored.job.requester == person && is_at_place(&stored.job),
        Ok(None) => false,
        Err(error) => {
            tracing::warn!(%error, "who may watch can't be found out; nobody may by their job");
            false
        }
    }
}

/// Whether the robot is where the job is done, whatever keeps it from going on.
fn is_at_place(job: &Job) -> bool {
    job.phase
        .engaged()
        .is_some_and(|engaged| match engaged.work {
            Work::AtSite | Work::Executing | Work::AwaitingApproval(_) => true,
            // On its way it passes other people's doors; afterwards it may be at another's.
            Work::Travelling | Work::Verifying { .. } => false,
        })
}
