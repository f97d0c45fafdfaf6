//! `PUT /api/v1/jobs/{job}/evidence/{evidence}`

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
};
use protocol::{EvidenceId, JobId, views::Problem};

use crate::{
    app::App,
    error::ApiError,
    flows::jobs::evidence::take_evidence,
    http::{auth::RobotCaller, extract::Named},
};

/// A robot brings a picture that it took, under its bearer token, once the event that names it is held. The body is 32 bytes of
/// salt and behind them the picture: its SHA-256 is what the event says. The same again changes nothing.
#[utoipa::path(put, path = "/api/v1/jobs/{job}/evidence/{evidence}", tag = "robots",
    params(("job" = JobId, Path), ("evidence" = EvidenceId, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 204, description = "Held"),
    (status = 400, description = "`salt_malformed`", body = Problem),
    (status = 401, description = "`robot_token_unknown`", body = Problem),
    (status = 404, description = "`not_found`: no such job of the robot's organisation", body = Problem),
    (status = 409, description = "`evidence_unknown`, `not_the_holder`, `pictures_do_not_match`, `picture_not_its_type`, \
        `media_type_unknown` or `evidence_full`", body = Problem),
    (status = 413, description = "`body_too_large`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    // Before the body: nobody sends half a megabyte to a gateway that does not know them.
    caller: RobotCaller,
    Named((job, evidence)): Named<(JobId, EvidenceId)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, ApiError> {
    take_evidence(&app, &caller.robot, (job, evidence), &body?).await?;
    Ok(StatusCode::NO_CONTENT)
}
