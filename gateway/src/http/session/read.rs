//! `GET /api/v1/session`

use axum::{Json, extract::State};
use protocol::views::{Problem, SessionView};

use super::view;
use crate::{app::App, error::ApiError, http::auth::Caller};

/// Who the caller is and what they may do.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, description = "Signed in", body = SessionView),
    (status = 401, description = "`signed_out`, `session_over` or `token_unknown`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<SessionView>, ApiError> {
    // A bearer token has no end of its own; for the caller it holds as long as a session would.
    let expires_at = caller
        .expires_at
        .unwrap_or_else(|| app.clock.now() + identity::SESSION_LASTS);
    Ok(Json(view(&app, &caller.person, expires_at, caller.passkey)))
}
