//! `GET /api/v1/log/proof`

use axum::{Json, extract::State};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::views::{ConsistencyView, Problem};
use serde::Deserialize;

use crate::{app::App, error::ApiError, http::extract::Asked};

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// Leaves of the earlier tree, at least one.
    from: u64,
    /// Leaves of the later tree.
    to: u64,
}

/// Proof (RFC 9162) that the log of `to` events begins with the log of `from` events: nothing was taken out or changed in between.
#[utoipa::path(get, path = "/api/v1/log/proof", tag = "log", security(()), params(Query), responses(
    (status = 200, description = "The proof", body = ConsistencyView),
    (status = 400, description = "`query_malformed`", body = Problem),
    (status = 404, description = "`not_found`: the log is not so long", body = Problem),
    (status = 409, description = "`log_shrunk`, `log_empty`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    Asked(query): Asked<Query>,
) -> Result<Json<ConsistencyView>, ApiError> {
    let hashes = spine::log::consistency_proof(&app.pool, query.from, query.to).await?;
    Ok(Json(ConsistencyView {
        from: query.from,
        to: query.to,
        hashes: hashes
            .iter()
            .map(|hash| BASE64_STANDARD.encode(hash))
            .collect(),
    }))
}
