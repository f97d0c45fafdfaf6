//! `GET /api/v1/jobs/{job}/evidence/{evidence}`

use axum::{extract::State, response::Response};
use identity::Permission;
use protocol::{EvidenceId, JobId, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    http::{auth::Caller, extract::Named, jobs::job_for, picture},
};

/// A picture that a robot took as evidence of a step, for whoever may see the job.
#[utoipa::path(get, path = "/api/v1/jobs/{job}/evidence/{evidence}", tag = "jobs",
    params(("job" = JobId, Path), ("evidence" = EvidenceId, Path)), responses(
    (status = 200, description = "The picture", content_type = "image/*"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`: the job may be seen, its pictures may not", body = Problem),
    (status = 404, description = "`not_found`: also while the robot has not brought it yet", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named((job, evidence)): Named<(JobId, EvidenceId)>,
) -> Result<Response, ApiError> {
    let stored = job_for(&app, &caller, job).await?;
    // Pictures show people's rooms: to who asked for the work, and to who may watch there.
    if stored.job.requester != caller.person.person {
        caller.may_at(Permission::Watch, stored.job.site())?;
    }
    let file = jobs::store::evidence(&app.pool, job, evidence)
        .await?
        .ok_or_else(|| ApiError::not_found("picture"))?;
    picture::answer(file.content)
}
