//! `GET /api/v1/log/checkpoint`

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::IntoResponse,
};
use protocol::views::Problem;

use crate::{app::App, error::ApiError};

/// There is a new one every second, and whoever asks wants to know.
const HEADERS: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
    (header::CACHE_CONTROL, "no-cache"),
];

/// The log's latest checkpoint: a C2SP signed note with the tree's size and root. Checked with a key of `/api/v1/log/keys`.
#[utoipa::path(get, path = "/api/v1/log/checkpoint", tag = "log", security(()), responses(
    (status = 200, description = "The signed note", body = String, content_type = "text/plain"),
    (status = 404, description = "`not_found`: nothing is logged yet", body = Problem),
))]
pub(crate) async fn handler(State(app): State<App>) -> Result<impl IntoResponse, ApiError> {
    let last = spine::log::latest_checkpoint(&app.pool)
        .await?
        .ok_or_else(|| ApiError::not_found("checkpoint"))?;
    Ok((HEADERS, last.note))
}
