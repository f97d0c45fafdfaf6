//! `POST /api/v1/session/passkey`

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::StatusCode,
};
use axum_extra::extract::cookie::CookieJar;
use protocol::views::{PasskeyAnswer, Problem, SessionView};

use crate::{
    app::App,
    error::ApiError,
    flows::passkeys::sign_in::sign_in_by_passkey,
    http::{
        auth::{limit_tries, session_cookie},
        extract::Body,
        session::view,
    },
};

/// Signs in with a passkey. The answer sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session/passkey", tag = "session", request_body = PasskeyAnswer, responses(
    (status = 201, description = "Signed in", body = SessionView),
    (status = 400, description = "`passkey_malformed` or `body_malformed`", body = Problem),
    (status = 403, description = "`passkey_unknown`, `passkey_another_challenge`, `passkey_another_origin`, \
        `passkey_another_site`, `passkey_another_type`, `passkey_nobody_present`, `passkey_unverified`, `passkey_copied`, \
        `passkey_unproven` or `origin_refused`", body = Problem),
    (status = 409, description = "`passkey_challenge_unknown` or `passkeys_unavailable`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    Body(body): Body<PasskeyAnswer>,
) -> Result<(StatusCode, CookieJar, Json<SessionView>), ApiError> {
    limit_tries(&app, &peer.ip().to_string()).await?;
    let signed_in = sign_in_by_passkey(&app, &body).await?;
    let (expires_at, passkey) = (signed_in.expires_at, signed_in.passkey);
    let lasts = expires_at - app.clock.now();
    let cookie = session_cookie(signed_in.secret.expose().to_owned(), lasts);
    let view = view(&app, &signed_in.person, expires_at, passkey);
    Ok((StatusCode::CREATED, jar.add(cookie), Json(view)))
}
