//! `DELETE /api/v1/robots/{robot}/tokens/{token}`

use axum::{extract::State, http::StatusCode};
use identity::Permission;
use protocol::{RobotId, TokenId, views::Problem};

use super::robot_for;
use crate::{
    app::App,
    error::ApiError,
    flows::revoke_robot_token::revoke_robot_token,
    http::{auth::Caller, extract::Named},
};

/// Revokes a robot's token. A session that stands on it ends at once.
#[utoipa::path(delete, path = "/api/v1/robots/{robot}/tokens/{token}", tag = "robots",
    params(("robot" = RobotId, Path), ("token" = TokenId, Path)), responses(
    (status = 204, description = "Revoked"),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`token_unknown`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named((robot, token)): Named<(RobotId, TokenId)>,
) -> Result<StatusCode, ApiError> {
    let robot = robot_for(&app, &caller, Permission::Administer, robot).await?;
    revoke_robot_token(&app, caller.person.person, &robot, token).await?;
    Ok(StatusCode::NO_CONTENT)
}
