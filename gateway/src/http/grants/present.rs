//! `POST /api/v1/robots/{robot}/grants/{grant}/presentation`

use axum::{extract::State, http::StatusCode};
use identity::Permission;
use protocol::{GrantId, RobotId, grant::Presentation, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::grants::present_grant::present_grant,
    http::{
        auth::Caller,
        extract::{Body, Named},
        robots::robot_for,
    },
};

/// Shows the robot a grant that was issued to the caller. What the robot makes of it stands in the robot's view as `trust`, and
/// in its stream as `grant.accepted` or `grant.refused`.
#[utoipa::path(post, path = "/api/v1/robots/{robot}/grants/{grant}/presentation", tag = "grants", request_body = Presentation,
    params(("robot" = RobotId, Path), ("grant" = GrantId, Path)), responses(
    (status = 202, description = "Handed on to the robot"),
    (status = 400, description = "`path_malformed`, `grant_malformed` or `body_malformed`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`grant_unknown`, `key_not_rostered` or `robot_offline`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named((robot, grant)): Named<(RobotId, GrantId)>,
    Body(presentation): Body<Presentation>,
) -> Result<StatusCode, ApiError> {
    let robot = robot_for(&app, &caller, Permission::Command, robot).await?;
    present_grant(&app, &caller, &robot, grant, presentation).await?;
    Ok(StatusCode::ACCEPTED)
}
