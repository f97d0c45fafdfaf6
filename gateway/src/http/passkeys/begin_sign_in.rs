//! `POST /api/v1/session/passkey/challenge`

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::StatusCode,
};
use protocol::views::{PasskeyChallengeView, Problem};

use crate::{
    app::App, error::ApiError, flows::passkeys::begin_sign_in::begin_sign_in,
    http::auth::limit_tries,
};

/// A challenge for whichever passkey answers, for `navigator.credentials.get`. Good for five minutes and one answer.
#[utoipa::path(post, path = "/api/v1/session/passkey/challenge", tag = "session", responses(
    (status = 201, description = "Made", body = PasskeyChallengeView),
    (status = 403, description = "`origin_refused`", body = Problem),
    (status = 409, description = "`passkeys_unavailable`: the gateway is reached by a number", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> Result<(StatusCode, Json<PasskeyChallengeView>), ApiError> {
    limit_tries(&app, &peer.ip().to_string()).await?;
    Ok((StatusCode::CREATED, Json(begin_sign_in(&app).await?)))
}
