//! `GET /api/v1/jobs/{job}/evidence`

use axum::{Json, extract::State};
use protocol::{
    JobId,
    views::{EvidenceView, Page, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::jobs::evidence::list_evidence,
    http::{auth::Caller, extract::Named, jobs::job_for},
};

/// The pictures that the job's record names, and which of them are here; at most 512.
#[utoipa::path(get, path = "/api/v1/jobs/{job}/evidence", tag = "jobs", params(("job" = JobId, Path)), responses(
    (status = 200, description = "All of them, on one page", body = Page<EvidenceView>),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(job): Named<JobId>,
) -> Result<Json<Page<EvidenceView>>, ApiError> {
    let stored = job_for(&app, &caller, job).await?;
    let items = list_evidence(&app, &stored).await?;
    Ok(Json(Page { items, next: None }))
}
