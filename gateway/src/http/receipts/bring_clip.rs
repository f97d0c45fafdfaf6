//! `PUT /api/v1/robots/{robot}/clips/{clip}`

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
};
use protocol::{RobotId, picture::ClipHash, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::receipts::take_clip,
    http::{auth::RobotCaller, extract::Named},
};

/// A robot brings what a person saw, under its bearer token, once the event that names it is held. The same again changes nothing.
#[utoipa::path(put, path = "/api/v1/robots/{robot}/clips/{clip}", tag = "robots",
    params(("robot" = RobotId, Path), ("clip" = String, Path, description = "SHA-256, hex")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 204, description = "Held"),
    (status = 401, description = "`robot_token_unknown`", body = Problem),
    (status = 404, description = "`not_found`: another robot's", body = Problem),
    (status = 409, description = "`clip_unknown`, `clip_does_not_match` or `clip_malformed`", body = Problem),
    (status = 413, description = "`body_too_large`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    // Before the body: nobody sends a megabyte to a gateway that does not know them.
    caller: RobotCaller,
    Named((robot, clip)): Named<(RobotId, ClipHash)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    if caller.robot.robot != robot {
        return Err(ApiError::not_found("robot"));
    }
    take_clip(&app, &caller.robot, clip, &body?).await?;
    Ok(StatusCode::NO_CONTENT)
}
