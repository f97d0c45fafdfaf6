//! `GET /api/v1/cases/{case}/pictures/{evidence}`

use axum::{extract::State, response::Response};
use protocol::{CaseId, EvidenceId, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    http::{auth::Caller, extract::Named, picture},
};

/// A picture that came with a complaint.
#[utoipa::path(get, path = "/api/v1/cases/{case}/pictures/{evidence}", tag = "cases",
    params(("case" = CaseId, Path), ("evidence" = EvidenceId, Path)), responses(
    (status = 200, description = "The picture", content_type = "image/*"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named((case, evidence)): Named<(CaseId, EvidenceId)>,
) -> Result<Response, ApiError> {
    super::case_for(&app, &caller, case).await?;
    let found = trust::store::picture(&app.pool, case, evidence)
        .await?
        .ok_or_else(|| ApiError::not_found("picture"))?;
    picture::answer(found.content)
}
