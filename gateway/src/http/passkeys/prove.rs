//! `POST /api/v1/session/passkey/proof`

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, State},
    http::StatusCode,
};
use protocol::views::{PasskeyAnswer, Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::passkeys::prove::prove_by_passkey,
    http::{
        auth::{Caller, limit_tries},
        extract::Body,
    },
};

/// Shows anew that it is the caller, by a passkey of theirs. What asks for a fresh proof is open for five minutes then.
#[utoipa::path(post, path = "/api/v1/session/passkey/proof", tag = "session", request_body = PasskeyAnswer, responses(
    (status = 204, description = "Proven"),
    (status = 400, description = "`passkey_malformed` or `body_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`passkey_unknown`, `passkey_another_challenge`, `passkey_another_origin`, \
        `passkey_another_site`, `passkey_another_type`, `passkey_nobody_present`, `passkey_unverified`, `passkey_copied`, \
        `passkey_unproven` or `passkey_anothers`", body = Problem),
    (status = 409, description = "`passkey_challenge_unknown`, `passkeys_unavailable` or `not_a_session`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    caller: Caller,
    Body(body): Body<PasskeyAnswer>,
) -> Result<StatusCode, ApiError> {
    limit_tries(&app, &peer.ip().to_string()).await?;
    prove_by_passkey(&app, &caller, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}
