//! `GET /api/v1/robots/{robot}/receipts`

use axum::{Json, extract::State};
use identity::Permission;
use protocol::{
    RobotId,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    views::{Page, Problem, ReceiptView},
};
use serde::Deserialize;

use crate::{
    app::App,
    error::ApiError,
    flows::receipts::list_receipts,
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
    /// `next` of the page before: a place in the robot's stream.
    cursor: Option<u64>,
    /// Rows, at most 200.
    limit: Option<u32>,
}

/// What the robot said of commands, of being driven and of its own stops, newest first, for whoever may watch it. It names the
/// picture that the person saw where there was one.
#[utoipa::path(get, path = "/api/v1/robots/{robot}/receipts", tag = "commands", params(("robot" = RobotId, Path), Query), responses(
    (status = 200, description = "A page", body = Page<ReceiptView>),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
    Asked(query): Asked<Query>,
) -> Result<Json<Page<ReceiptView>>, ApiError> {
    let robot = robot_for(&app, &caller, Permission::Watch, robot).await?;
    let limit = query
        .limit
        .unwrap_or(DEFAULT_PAGE_ROWS)
        .clamp(1, MAX_PAGE_ROWS);
    Ok(Json(
        list_receipts(&app, &robot, query.cursor, limit).await?,
    ))
}
