//! `GET /api/v1/log/tile/{path}`

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::IntoResponse,
};
use ledger::log::TileId;
use protocol::views::Problem;

use crate::{app::App, error::ApiError, http::extract::Named};

/// A path never changes what it holds.
const HEADERS: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/octet-stream"),
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
];

/// A tile of the log's tree as C2SP tlog-tiles has it: up to 256 hashes of 32 bytes, from which clients make any proof. The
/// entries themselves are not served this way, since they are of every organisation: each reads its own at `/api/v1/events`.
#[utoipa::path(get, path = "/api/v1/log/tile/{path}", tag = "log", security(()),
    params(("path" = String, Path, description = "Level and index, such as `0/x001/067` or `0/x001/067.p/5`")),
    responses(
        (status = 200, description = "The hashes", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, description = "`tile_malformed`", body = Problem),
        (status = 403, description = "`entries_not_served`", body = Problem),
        (status = 404, description = "`not_found`: the log has not grown so far", body = Problem),
    )
)]
pub(crate) async fn handler(
    State(app): State<App>,
    Named(path): Named<String>,
) -> Result<impl IntoResponse, ApiError> {
    if path.starts_with("entries/") {
        return Err(ApiError::forbidden(
            "entries_not_served",
            "entries are of every organisation; read your own at /api/v1/events",
        ));
    }
    let id: TileId = format!("tile/{path}").parse().map_err(|_unreadable| {
        ApiError::malformed(
            "tile_malformed",
            "a tile looks like tile/0/x001/067 or tile/0/x001/067.p/5",
        )
    })?;
    let tile = spine::log::tile(&app.pool, id)
        .await?
        .ok_or_else(|| ApiError::not_found("tile"))?;
    Ok((HEADERS, tile.to_bytes()))
}
