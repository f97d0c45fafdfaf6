//! `GET /api/v1/jobs/{job}/evidence/{evidence}`

use axum::{extract::State, response::Response};
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
    (status = 404, description = "`not_found`: also while the robot has not brought it yet", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named((job, evidence)): Named<(JobId, EvidenceId)>,
) -> Result<Response, ApiError> {
    job_for(&app, &caller, job).await?;
    let file = jobs::store::evidence(&app.pool, job, evidence)
        .await?
        .ok_or_else(|| ApiError::not_found("picture"))?;
    picture::answer(file.content)
}
