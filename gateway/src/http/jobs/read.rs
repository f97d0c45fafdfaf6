//! `GET /api/v1/jobs/{job}`

use axum::{Json, extract::State};
use protocol::{
    JobId,
    views::{JobView, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::jobs::views::view,
    http::{auth::Caller, extract::Named},
};

/// A job and where it stands.
#[utoipa::path(get, path = "/api/v1/jobs/{job}", tag = "jobs", params(("job" = JobId, Path)), responses(
    (status = 200, description = "The job", body = JobView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 500, description = "`record_damaged`: the job's row was changed in the database by somebody else", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(job): Named<JobId>,
) -> Result<Json<JobView>, ApiError> {
    let stored = super::job_for(&app, &caller, job).await?;
    Ok(Json(view(&app, &stored).await?))
}
