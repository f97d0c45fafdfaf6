//! `POST /api/v1/jobs/{job}/events`

use axum::extract::State;
use protocol::{
    JobId,
    views::{JobAct, JobView, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::{jobs::act_on_job::act_on_job, once::Answer},
    http::{
        auth::Caller,
        extract::{Named, Once},
    },
};

/// Does something to a job: what is to happen is sent as the event itself, either signed by the caller's session key or, for
/// scripts, to be recorded by the cloud on the caller's behalf. The job's rules say whether it may happen.
#[utoipa::path(post, path = "/api/v1/jobs/{job}/events", tag = "jobs", request_body = JobAct,
    params(("job" = JobId, Path), ("Idempotency-Key" = uuid::Uuid, Header, description = "A UUID of the caller's choice. The same request again under it gives the first answer for a day and has no second effect. A refusal changed nothing and is not kept: the request may be sent again under its key")), responses(
    (status = 200, description = "It happened", body = JobView),
    (status = 400, description = "`idempotency_key_missing`, `body_malformed` or `signature_refused`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "A refusal of the job's rules, such as `wrong_phase`; `stale` when somebody else was first; `idempotency_key_reused`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(job): Named<JobId>,
    once: Once<JobAct>,
) -> Result<Answer, ApiError> {
    let request = once.of(caller.person.person);
    act_on_job(&app, &caller, &request, job, once.body).await
}
