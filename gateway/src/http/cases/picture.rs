//! `GET /api/v1/cases/{case}/pictures/{evidence}`

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use protocol::{CaseId, EvidenceId, views::Problem};
use trust::PictureType;

use crate::{
    app::App,
    error::ApiError,
    http::{auth::Caller, extract::Named},
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
    let picture = trust::store::picture(&app.pool, case, evidence)
        .await?
        .ok_or_else(|| ApiError::not_found("picture"))?;
    // Checked when it was taken in; a type of our own list and no other is ever said.
    let kind = PictureType::of_content(&picture.content).ok_or_else(ApiError::broken)?;
    let mut response = picture.content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind.word()));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=3600"),
    );
    Ok(response)
}
