//! `GET /api/v1/cases/{case}`

use axum::{Json, extract::State};
use protocol::{
    CaseId,
    views::{CaseView, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::cases::views::views,
    http::{auth::Caller, extract::Named},
};

/// A complaint and where it stands.
#[utoipa::path(get, path = "/api/v1/cases/{case}", tag = "cases", params(("case" = CaseId, Path)), responses(
    (status = 200, description = "The case", body = CaseView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(case): Named<CaseId>,
) -> Result<Json<CaseView>, ApiError> {
    let stored = super::case_for(&app, &caller, case).await?;
    let mut connection = app.pool.acquire().await?;
    let view = views(&app, &mut connection, std::slice::from_ref(&stored))
        .await?
        .pop()
        .ok_or_else(ApiError::broken)?;
    Ok(Json(view))
}
