//! `POST /api/v1/robots/{robot}/control/events`

use axum::extract::State;
use identity::Permission;
use protocol::{
    RobotId,
    control::{ControlAct, ControlView},
    views::Problem,
};

use crate::{
    app::App,
    error::ApiError,
    flows::{control::act_on_control::act_on_control, once::Answer},
    http::{
        auth::Caller,
        extract::{Named, Once},
        robots::robot_for,
    },
};

/// Takes control of a robot, asks for it, answers who asks, takes it over with a reason, or lets it go: the event itself,
/// signed by the caller's session key or, for scripts, to be recorded on the caller's behalf. Whoever takes control keeps it
/// for 15 s after each sign of life (`PUT …/control/presence`).
#[utoipa::path(post, path = "/api/v1/robots/{robot}/control/events", tag = "control", request_body = ControlAct,
    params(("robot" = RobotId, Path), ("Idempotency-Key" = uuid::Uuid, Header, description = "A UUID of the caller's choice. The same request again under it gives the first answer for a day and has no second effect. A refusal changed nothing and is not kept: the request may be sent again under its key")), responses(
    (status = 200, description = "It happened", body = ControlView),
    (status = 400, description = "`idempotency_key_missing`, `body_malformed` or `signature_refused`", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`control_held`, `control_already_yours`, `nobody_in_control`, `not_in_control`, `control_asked_already`, `nobody_asks`, `reason_missing`, `words_too_long` or `role_not_allowed`; `stale` when somebody else was first; `idempotency_key_reused`", body = Problem),
    (status = 429, description = "`too_many_requests`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(robot): Named<RobotId>,
    once: Once<ControlAct>,
) -> Result<Answer, ApiError> {
    let robot = robot_for(&app, &caller, Permission::Command, robot).await?;
    let request = once.of(caller.person.person);
    act_on_control(&app, &caller, &request, &robot, once.body).await
}
