//! `POST /api/v1/jobs/{job}/cases`

use axum::extract::State;
use protocol::{
    JobId,
    views::{CaseView, Complaint, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::{cases::file_complaint::file_complaint, once::Answer},
    http::{
        auth::Caller,
        extract::{Named, Once},
        jobs::job_for,
    },
};

/// Complains about a finished job. Words and pictures are kept beside the log, which holds their salted hashes.
#[utoipa::path(post, path = "/api/v1/jobs/{job}/cases", tag = "cases", request_body = Complaint,
    params(("job" = JobId, Path), ("Idempotency-Key" = uuid::Uuid, Header, description = "A UUID of the caller's choice. The same request again under it gives the first answer for a day and has no second effect. A refusal changed nothing and is not kept: the request may be sent again under its key")), responses(
    (status = 201, description = "Filed, with the job's evidence frozen", body = CaseView),
    (status = 400, description = "`idempotency_key_missing`, `body_malformed`, `salt_malformed`, `picture_malformed` or `signature_refused`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "A refusal of the case's rules, such as `job_not_over`; `idempotency_key_reused`", body = Problem),
    (status = 413, description = "`body_too_large`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(job): Named<JobId>,
    once: Once<Complaint>,
) -> Result<Answer, ApiError> {
    let about = job_for(&app, &caller, job).await?;
    let request = once.of(caller.person.person);
    file_complaint(&app, &caller, &request, &about, once.body).await
}
