//! `GET /api/v1/robots/{robot}/clips/{clip}`

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use identity::Permission;
use protocol::{RobotId, picture::ClipHash, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    http::{auth::Caller, extract::Named, robots::robot_for},
};

/// The frames that a person saw, for whoever may watch the robot: from a key frame up to the very frame that their command names.
/// Deterministic CBOR; its SHA-256 is the name under which the robot's receipt has it.
#[utoipa::path(get, path = "/api/v1/robots/{robot}/clips/{clip}", tag = "commands",
    params(("robot" = RobotId, Path), ("clip" = String, Path, description = "SHA-256, hex")), responses(
    (status = 200, description = "The clip", content_type = "application/cbor"),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`: also while the robot has not brought it yet", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named((robot, clip)): Named<(RobotId, ClipHash)>,
) -> Result<Response, ApiError> {
    let robot = robot_for(&app, &caller, Permission::Watch, robot).await?;
    let content = assist::store::clip(&app.pool, robot.robot, clip)
        .await?
        .ok_or_else(|| ApiError::not_found("clip"))?;
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/cbor"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=3600, immutable"),
    );
    Ok(response)
}
