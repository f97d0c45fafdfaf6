//! `DELETE /api/v1/session/passkeys/{key}`

use axum::{extract::State, http::StatusCode};
use protocol::{roster::KeyTier, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::grants::{issue_grant::key_named, remove_key::remove_key},
    http::{auth::Caller, extract::Named},
};

/// Removes a passkey of the caller's: it signs nobody in any more, what it had signed in to elsewhere ends, and robots believe it
/// no more, whatever roster they hold.
#[utoipa::path(delete, path = "/api/v1/session/passkeys/{key}", tag = "session",
    params(("key" = String, Path, description = "Its name: SHA-256 of its public key, hex")), responses(
    (status = 204, description = "Removed"),
    (status = 400, description = "`key_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`proof_stale`: sign in again, or prove yourself by a passkey", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`not_a_session`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(key): Named<String>,
) -> Result<StatusCode, ApiError> {
    remove_key(&app, &caller, key_named(&key)?, KeyTier::Passkey).await?;
    Ok(StatusCode::NO_CONTENT)
}
