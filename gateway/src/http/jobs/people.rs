//! `GET /api/v1/jobs/{job}/people`

use axum::{Json, extract::State};
use protocol::{
    JobId,
    views::{Page, PersonName, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::jobs::people::people,
    http::{auth::Caller, extract::Named},
};

/// The names of those who did something to the job: its record says who they are by their ids only.
#[utoipa::path(get, path = "/api/v1/jobs/{job}/people", tag = "jobs", params(("job" = JobId, Path)), responses(
    (status = 200, description = "All of them, on one page", body = Page<PersonName>),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(job): Named<JobId>,
) -> Result<Json<Page<PersonName>>, ApiError> {
    let stored = super::job_for(&app, &caller, job).await?;
    Ok(Json(Page {
        items: people(&app, &stored).await?,
        next: None,
    }))
}
