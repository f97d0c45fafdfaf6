//! `POST /api/v1/sites/{site}/stop`

use axum::{Json, extract::State, http::HeaderMap};
use protocol::{
    SiteId,
    views::{Problem, SiteStopView},
};

use crate::{
    app::App,
    error::ApiError,
    flows::{carried::carried_through, stop_site::stop_site},
    http::{
        auth::Caller,
        extract::{Named, idempotency_key},
    },
};

/// Stops every robot of a site, for its supervisors: a stop for each that is connected, which latches until somebody releases it
/// there. It needs no control and no signature. The same again under its key stops nothing twice.
#[utoipa::path(post, path = "/api/v1/sites/{site}/stop", tag = "commands",
    params(("site" = SiteId, Path), ("Idempotency-Key" = uuid::Uuid, Header, description = "A UUID of the caller's choice")), responses(
    (status = 200, description = "Sent to all; the fate of each stop follows. `not_reached` says which are not on their way, `robot_offline`, or not on record yet, `stop_unrecorded`", body = SiteStopView),
    (status = 400, description = "`idempotency_key_missing`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`: also a site without robots", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(site): Named<SiteId>,
    headers: HeaderMap,
) -> Result<Json<SiteStopView>, ApiError> {
    let key = idempotency_key(&headers)?;
    let shared = app.clone();
    let stopped = async move { stop_site(&shared, &caller.person, site, key).await };
    Ok(Json(carried_through(&app, stopped).await?))
}
