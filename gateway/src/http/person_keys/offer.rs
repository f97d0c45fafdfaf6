//! `POST /api/v1/session/person-keys`

use axum::{Json, extract::State, http::StatusCode};
use protocol::views::{OfferPersonKey, PersonKeyView, Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::grants::offer_key::offer_key,
    http::{auth::Caller, extract::Body},
};

/// Offers a key of the caller's for the roster. It moves nothing before the organisation's root key has signed a roster that has
/// it; a demo does that by itself. With eight keys the oldest is removed.
#[utoipa::path(post, path = "/api/v1/session/person-keys", tag = "grants", request_body = OfferPersonKey, responses(
    (status = 201, description = "Kept; the same key again gives the same answer", body = PersonKeyView),
    (status = 400, description = "`person_key_unproven` or `body_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 409, description = "`key_taken`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(offer): Body<OfferPersonKey>,
) -> Result<(StatusCode, Json<PersonKeyView>), ApiError> {
    let view = offer_key(&app, &caller, &offer).await?;
    Ok((StatusCode::CREATED, Json(view)))
}
