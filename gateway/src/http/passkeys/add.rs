//! `POST /api/v1/session/passkeys`

use axum::{Json, extract::State, http::StatusCode};
use protocol::views::{AddPasskey, PasskeyView, Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::passkeys::add::add_passkey,
    http::{auth::Caller, extract::Body},
};

/// Adds a passkey: ES256, found without a name being typed, by an authenticator that looked who used it. It signs its person in
/// from now on, and binds grants once the root key has signed a roster with it; a demo does that by itself.
#[utoipa::path(post, path = "/api/v1/session/passkeys", tag = "session", request_body = AddPasskey, responses(
    (status = 201, description = "Added", body = PasskeyView),
    (status = 400, description = "`passkey_malformed`, `name_empty`, `name_too_long`, `name_unprintable` or `body_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`proof_stale`, `passkey_another_challenge`, `passkey_another_origin`, `passkey_another_site`,         `passkey_another_type`, `passkey_nobody_present`, `passkey_unverified` or `passkey_unproven`", body = Problem),
    (status = 409, description = "`passkey_challenge_unknown`, `passkey_unsupported`, `too_many_passkeys`, `key_taken`,         `passkeys_unavailable` or `not_a_session`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<AddPasskey>,
) -> Result<(StatusCode, Json<PasskeyView>), ApiError> {
    let view = add_passkey(&app, &caller, &body).await?;
    Ok((StatusCode::CREATED, Json(view)))
}
