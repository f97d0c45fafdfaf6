//! `GET /api/v1/robots/{robot}`

use axum::{Json, extract::State};
use identity::Permission;
use protocol::{
    RobotId,
    views::{Problem, RobotView},
};

use super::{robot_for, view};
use crate::{
    app::App,
    error::ApiError,
    http::{auth::Caller, extract::Named},
};

/// One robot, with its map, cameras, state and link.
#[utoipa::path(get, path = "/api/v1/robots/{robot}", tag = "robots", params(("robot" = RobotId, Path)), responses(
    (status = 200, description = "The robot", body = RobotView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
) -> Result<Json<RobotView>, ApiError> {
    let robot = robot_for(&app, &caller, Permission::SeeFleet, robot).await?;
    Ok(Json(view(&app, &robot)))
}
