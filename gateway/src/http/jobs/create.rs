//! `POST /api/v1/jobs`

use axum::extract::State;
use protocol::views::{JobView, NewJob, Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::{jobs::request_job::request_job, once::Answer},
    http::{auth::Caller, extract::Once},
};

/// Asks for work. The job's id is chosen by the sender. Either `sealed` holds the event `job.requested`, signed by the session
/// key; or `request` is recorded by the cloud on the caller's behalf.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs", request_body = NewJob,
    params(("Idempotency-Key" = uuid::Uuid, Header, description = "A UUID of the caller's choice. The same request again under it gives the first answer for a day and has no second effect. A refusal changed nothing and is not kept: the request may be sent again under its key")), responses(
    (status = 201, description = "Recorded", body = JobView),
    (status = 400, description = "`idempotency_key_missing`, `body_malformed` or `signature_refused`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 409, description = "A refusal of the job's rules, such as `parameter_missing` or `window_over`; `idempotency_key_reused`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    once: Once<NewJob>,
) -> Result<Answer, ApiError> {
    let request = once.of(caller.person.person);
    request_job(&app, &caller, &request, once.body).await
}
