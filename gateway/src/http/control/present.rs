//! `PUT /api/v1/robots/{robot}/control/presence`

use axum::{extract::State, http::StatusCode};
use identity::Permission;
use protocol::{RobotId, control::ControlPresence, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::{control::present::present, jobs::act_on_job::limit_acts},
    http::{
        auth::Caller,
        extract::{Body, Named},
        robots::robot_for,
    },
};

/// Says that who steers a robot is still there. Without one for 15 s, control ends and the robot gives up what it was told.
#[utoipa::path(put, path = "/api/v1/robots/{robot}/control/presence", tag = "control", request_body = ControlPresence,
    params(("robot" = RobotId, Path)), responses(
    (status = 204, description = "They have the full time again"),
    (status = 400, description = "`body_malformed`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`control_held`, `not_in_control` or `stale_epoch`: they don't steer it any more", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
    Body(sign): Body<ControlPresence>,
) -> Result<StatusCode, ApiError> {
    limit_acts(&app, &caller).await?;
    let robot = robot_for(&app, &caller, Permission::Command, robot).await?;
    present(&app, &caller.person, robot.robot, sign.epoch).await?;
    Ok(StatusCode::NO_CONTENT)
}
