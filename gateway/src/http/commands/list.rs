//! `GET /api/v1/robots/{robot}/commands`

use axum::{Json, extract::State};
use identity::Permission;
use protocol::{
    CommandId, RobotId,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    views::{CommandView, Page, Problem},
};
use serde::Deserialize;

use crate::{
    app::App,
    error::ApiError,
    flows::command_views::list_commands,
    http::{
        auth::Caller,
        extract::{Asked, Named},
        robots::robot_for,
    },
};

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// `next` of the page before.
    cursor: Option<CommandId>,
    /// Rows, at most 200.
    limit: Option<u32>,
}

/// The commands of a robot, newest first.
#[utoipa::path(get, path = "/api/v1/robots/{robot}/commands", tag = "commands", params(("robot" = RobotId, Path), Query), responses(
    (status = 200, description = "A page", body = Page<CommandView>),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
    Asked(query): Asked<Query>,
) -> Result<Json<Page<CommandView>>, ApiError> {
    let robot = robot_for(&app, &caller, Permission::SeeFleet, robot).await?;
    let limit = query
        .limit
        .unwrap_or(DEFAULT_PAGE_ROWS)
        .clamp(1, MAX_PAGE_ROWS);
    let page = list_commands(&app, robot.robot, query.cursor, limit).await?;
    Ok(Json(page))
}
