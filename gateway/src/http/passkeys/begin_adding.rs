//! `POST /api/v1/session/passkeys/challenge`

use axum::{Json, extract::State, http::StatusCode};
use protocol::views::{PasskeyChallengeView, Problem};

use crate::{
    app::App, error::ApiError, flows::passkeys::begin_adding::begin_adding, http::auth::Caller,
};

/// A challenge for a new passkey, for `navigator.credentials.create`. Good for five minutes and one answer.
#[utoipa::path(post, path = "/api/v1/session/passkeys/challenge", tag = "session", responses(
    (status = 201, description = "Made", body = PasskeyChallengeView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`proof_stale`: sign in again, or prove yourself by a passkey", body = Problem),
    (status = 409, description = "`passkeys_unavailable` or `not_a_session`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
) -> Result<(StatusCode, Json<PasskeyChallengeView>), ApiError> {
    let view = begin_adding(&app, &caller).await?;
    Ok((StatusCode::CREATED, Json(view)))
}
