//! `GET /api/v1/robots/{robot}/control`

use axum::{Json, extract::State};
use identity::Permission;
use protocol::{RobotId, control::ControlView, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::control::views::controls,
    http::{auth::Caller, extract::Named, robots::robot_for},
};

/// Who steers a robot, who asks for it, and what last happened.
#[utoipa::path(get, path = "/api/v1/robots/{robot}/control", tag = "control", params(("robot" = RobotId, Path)), responses(
    (status = 200, description = "How it stands; epoch 0 for a robot that nobody ever steered", body = ControlView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
) -> Result<Json<ControlView>, ApiError> {
    let robot = robot_for(&app, &caller, Permission::RunJobs, robot).await?;
    let known = controls(&app, &[robot.robot]).await?.pop();
    Ok(Json(known.unwrap_or(ControlView {
        robot: robot.robot,
        epoch: 0,
        holder: None,
        request: None,
        last: None,
        version: 0,
    })))
}
