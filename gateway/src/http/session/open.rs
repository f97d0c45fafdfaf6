//! `POST /api/v1/session`

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::StatusCode,
};
use axum_extra::extract::cookie::CookieJar;
use protocol::views::{Problem, SessionView, SignIn};

use super::view;
use crate::{
    app::App,
    error::ApiError,
    flows::sign_in::sign_in,
    http::{
        auth::{limit_tries, session_cookie},
        extract::Body,
    },
};

/// Signs in with a link's secret. The answer sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn, responses(
    (status = 201, description = "Signed in", body = SessionView),
    (status = 400, description = "`body_malformed`", body = Problem),
    (status = 401, description = "`link_unknown`, `link_expired` or `link_spent`", body = Problem),
    (status = 403, description = "`origin_refused`", body = Problem),
    (status = 413, description = "`body_too_large`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    jar: CookieJar,
    Body(body): Body<SignIn>,
) -> Result<(StatusCode, CookieJar, Json<SessionView>), ApiError> {
    limit_tries(&app, &peer.ip().to_string()).await?;
    let signed_in = sign_in(&app, &body.link).await?;
    let cookie = session_cookie(
        signed_in.secret.expose().to_owned(),
        signed_in.expires_at - app.clock.now(),
    );
    let view = view(
        &app,
        &signed_in.person,
        signed_in.expires_at,
        signed_in.passkey,
    );
    Ok((StatusCode::CREATED, jar.add(cookie), Json(view)))
}
