//! `POST /api/v1/robots/enrolment`

use axum::{Json, extract::State, http::HeaderMap};
use protocol::views::{Enrolment, EnrolmentView, Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::enrol_robot::enrol_robot,
    http::{
        auth::{bearer, robot_of},
        extract::Body,
    },
};

/// Binds the robot's own key, under the robot's bearer token. Doing it again with the same key changes nothing.
#[utoipa::path(post, path = "/api/v1/robots/enrolment", tag = "robots", request_body = Enrolment, responses(
    (status = 200, description = "Enrolled", body = EnrolmentView),
    (status = 400, description = "`enrolment_unproven` or `body_malformed`", body = Problem),
    (status = 401, description = "`robot_token_unknown`", body = Problem),
    (status = 413, description = "`body_too_large`", body = Problem),
    (status = 409, description = "`key_taken`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    headers: HeaderMap,
    Body(enrolment): Body<Enrolment>,
) -> Result<Json<EnrolmentView>, ApiError> {
    let caller = robot_of(&app, &headers).await?;
    let token = bearer(&headers).unwrap_or_default();
    Ok(Json(
        enrol_robot(&app, &caller.robot, token, &enrolment).await?,
    ))
}
