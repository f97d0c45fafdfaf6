//! `GET /api/v1/session/passkeys`

use axum::{Json, extract::State};
use protocol::views::{PasskeyView, Problem};

use crate::{app::App, error::ApiError, flows::passkeys::list::list_passkeys, http::auth::Caller};

/// The caller's passkeys, the oldest first, at most eight.
#[utoipa::path(get, path = "/api/v1/session/passkeys", tag = "session", responses(
    (status = 200, description = "The passkeys that were not removed", body = Vec<PasskeyView>),
    (status = 401, description = "Not signed in", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Vec<PasskeyView>>, ApiError> {
    Ok(Json(list_passkeys(&app, &caller.person).await?))
}
