//! `DELETE /api/v1/session/person-keys/{key}`

use axum::{extract::State, http::StatusCode};
use protocol::{roster::KeyTier, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::grants::{issue_grant::key_named, remove_key::remove_key},
    http::{auth::Caller, extract::Named},
};

/// Removes a key of the caller's: robots believe it no more from the next moment on, whatever roster they hold.
#[utoipa::path(delete, path = "/api/v1/session/person-keys/{key}", tag = "grants",
    params(("key" = String, Path, description = "Its name: SHA-256 of it, hex")), responses(
    (status = 204, description = "Removed"),
    (status = 400, description = "`key_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(key): Named<String>,
) -> Result<StatusCode, ApiError> {
    remove_key(&app, &caller, key_named(&key)?, KeyTier::Browser).await?;
    Ok(StatusCode::NO_CONTENT)
}
