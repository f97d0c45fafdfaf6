//! `POST /api/v1/robots/{robot}/commands`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use identity::Permission;
use protocol::{
    CommandId, RobotId,
    command::{CommandBody, CommandRequest},
    views::{CommandView, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::{carried::carried_through, issue_command::issue_command},
    http::{
        auth::Caller,
        extract::{Body, Named},
        robots::robot_for,
    },
};

/// Tells a robot to do something. To move it takes control of it (`POST …/control/events`), the epoch that came with that,
/// and a signature under a grant (`POST …/grants`, `docs/grants.md`); a stop takes none of it. `Idempotency-Key` becomes the command's id: sent again with the same body, it gives the
/// first answer and nothing is sent twice; with another body it is refused.
#[utoipa::path(post, path = "/api/v1/robots/{robot}/commands", tag = "commands", request_body = CommandBody,
    params(("robot" = RobotId, Path), ("Idempotency-Key" = CommandId, Header, description = "A UUID of the caller's choice; it becomes the command's id. A refusal changed nothing: the request may be sent again under its key")), responses(
    (status = 202, description = "Recorded and sent; its fate follows", body = CommandView),
    (status = 400, description = "`idempotency_key_missing`, `path_malformed` or `body_malformed`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`robot_offline`, `not_in_control`, `control_held`, `stale_epoch`, `not_signed`, `signed_otherwise`, `grant_unknown`, `command_id_reused`, `target_not_finite` or `target_out_of_reach`", body = Problem),
    (status = 413, description = "`body_too_large`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
    (status = 503, description = "`stop_unrecorded`: the robot was told to stop, and the record follows; `unavailable`: nothing was changed", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
    headers: HeaderMap,
    Body(body): Body<CommandBody>,
) -> Result<(StatusCode, Json<CommandView>), ApiError> {
    let command: CommandId = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .and_then(|key| key.parse().ok())
        .ok_or_else(|| {
            ApiError::malformed(
                "idempotency_key_missing",
                "send a fresh UUID as Idempotency-Key; it becomes the command's id",
            )
        })?;
    robot_for(&app, &caller, Permission::Command, robot).await?;
    let request = CommandRequest {
        command,
        robot,
        epoch: body.epoch,
        verb: body.verb,
        signed: body.signed,
    };
    let shared = app.clone();
    let issued = async move { issue_command(&shared, &caller.person, request).await };
    let view = carried_through(&app, issued).await?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}
