//! `POST /api/v1/session/key`

use axum::{Json, extract::State, http::StatusCode};
use protocol::views::{BindSessionKey, Problem, SessionKeyView};

use crate::{
    app::App,
    error::ApiError,
    flows::bind_session_key::bind_session_key,
    http::{auth::Caller, extract::Body},
};

/// Binds a key that the browser made to this sign-in. What is signed under it from then on is the person's own word.
#[utoipa::path(post, path = "/api/v1/session/key", tag = "session", request_body = BindSessionKey, responses(
    (status = 201, description = "Bound; the same key again gives the same answer", body = SessionKeyView),
    (status = 400, description = "`session_key_unproven` or `body_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "`not_a_session` or `key_taken`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<BindSessionKey>,
) -> Result<(StatusCode, Json<SessionKeyView>), ApiError> {
    let bound = bind_session_key(&app, &caller, &body).await?;
    Ok((StatusCode::CREATED, Json(bound)))
}
