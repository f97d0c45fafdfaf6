//! `POST /api/v1/cases/{case}/events`

use axum::extract::State;
use protocol::{
    CaseId,
    views::{CaseAct, CaseView, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::{cases::act_on_case::act_on_case, once::Answer},
    http::{
        auth::Caller,
        extract::{Named, Once},
    },
};

/// Does something to a case: triages it, begins its review, rules on it with a reason, or takes it back.
#[utoipa::path(post, path = "/api/v1/cases/{case}/events", tag = "cases", request_body = CaseAct,
    params(("case" = CaseId, Path), ("Idempotency-Key" = uuid::Uuid, Header, description = "A UUID of the caller's choice. The same request again under it gives the first answer for a day and has no second effect. A refusal changed nothing and is not kept: the request may be sent again under its key")), responses(
    (status = 200, description = "It happened", body = CaseView),
    (status = 400, description = "`idempotency_key_missing`, `body_malformed`, `reason_missing` or `signature_refused`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "A refusal of the case's rules, such as `own_case`; `idempotency_key_reused`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(case): Named<CaseId>,
    once: Once<CaseAct>,
) -> Result<Answer, ApiError> {
    super::case_for(&app, &caller, case).await?;
    let request = once.of(caller.person.person);
    act_on_case(&app, &caller, &request, case, once.body).await
}
