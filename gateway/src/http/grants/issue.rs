//! `POST /api/v1/robots/{robot}/grants`

use axum::{Json, extract::State, http::StatusCode};
use identity::Permission;
use protocol::{
    RobotId,
    views::{GrantAsk, GrantView, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::grants::issue_grant::issue_grant,
    http::{
        auth::Caller,
        extract::{Body, Named},
        robots::robot_for,
    },
};

/// Asks for leave to steer a robot with a session key, by who has control of it. The answer moves nothing yet: bind it with your
/// rostered key and show it to the robot (`POST …/grants/{grant}/presentation`); `docs/grants.md` says how. Each answer, yes or
/// no, is an event of the robot's stream.
#[utoipa::path(post, path = "/api/v1/robots/{robot}/grants", tag = "grants", request_body = GrantAsk,
    params(("robot" = RobotId, Path)), responses(
    (status = 201, description = "Issued, for ten minutes", body = GrantView),
    (status = 400, description = "`session_key_unproven`, `key_malformed` or `body_malformed`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`not_in_control`, `control_held`, `stale_epoch`, `another_page`, `no_root`, `no_roster`, `roster_expired`, `not_rostered`, `key_not_rostered`, `policy_not_rostered`, `robot_offline`, `robot_without_root`, `robot_behind` or `nothing_left`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
    Body(ask): Body<GrantAsk>,
) -> Result<(StatusCode, Json<GrantView>), ApiError> {
    let robot = robot_for(&app, &caller, Permission::Command, robot).await?;
    let view = issue_grant(&app, &caller, &robot, &ask).await?;
    Ok((StatusCode::CREATED, Json(view)))
}
