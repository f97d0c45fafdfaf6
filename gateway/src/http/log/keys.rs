//! `GET /api/v1/log/keys`

use axum::{Json, extract::State};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::views::LogKeysView;

use crate::app::App;

/// The keys that checkpoints and entries are checked with. Whoever checks the gateway itself has them from elsewhere.
#[utoipa::path(get, path = "/api/v1/log/keys", tag = "log", security(()), responses(
    (status = 200, description = "The keys", body = LogKeysView),
))]
pub(crate) async fn handler(State(app): State<App>) -> Json<LogKeysView> {
    let key = app.log.key();
    Json(LogKeysView {
        origin: key.origin().to_owned(),
        log: key.public().to_string(),
        gateway: BASE64_STANDARD.encode(app.signer.verifying_key().as_bytes()),
        gateway_id: app.signer.id().to_string(),
    })
}
