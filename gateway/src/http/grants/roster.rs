//! `GET /api/v1/roster`

use axum::{Json, extract::State};
use identity::Permission;
use protocol::views::{Problem, RosterView};

use crate::{
    app::App, error::ApiError, flows::grants::roster_view::roster_view, http::auth::Caller,
};

/// The latest roster: who may steer the organisation's robots, as its root key signed it. `sealed` is what robots check.
#[utoipa::path(get, path = "/api/v1/roster", tag = "grants", responses(
    (status = 200, description = "The latest one", body = RosterView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`: the root signed none yet", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<RosterView>, ApiError> {
    caller.may(Permission::SeeFleet)?;
    roster_view(&app, caller.person.organisation)
        .await?
        .map(Json)
        .ok_or_else(|| ApiError::not_found("roster"))
}
