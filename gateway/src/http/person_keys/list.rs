//! `GET /api/v1/session/person-keys`

use axum::{Json, extract::State};
use protocol::views::{PersonKeyView, Problem};

use crate::{app::App, error::ApiError, flows::grants::roster_view::keys_of, http::auth::Caller};

/// The caller's keys of both tiers, the oldest first, at most eight of each.
#[utoipa::path(get, path = "/api/v1/session/person-keys", tag = "grants", responses(
    (status = 200, description = "The keys that were not removed", body = Vec<PersonKeyView>),
    (status = 401, description = "Not signed in", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Vec<PersonKeyView>>, ApiError> {
    Ok(Json(keys_of(&app, &caller.person).await?))
}
