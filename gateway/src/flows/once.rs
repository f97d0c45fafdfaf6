//! What has its effect once, however often it is sent: the first answer is kept with the work and given again. A
//! refusal did no work and is not kept: what is asked too early may be asked again under the same key.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use spine::{
    Tx,
    idempotency::{self, Known, Request},
};

use crate::{app::App, error::ApiError};

/// An answer, as it is kept and given.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    status: u16,
    body: serde_json::Value,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        (status, Json(self.body)).into_response()
    }
}

/// The first answer, if this request was answered before. A key that was used for another request is refused.
pub async fn earlier(
    app: &App,
    tx: &mut Tx,
    request: &Request,
) -> Result<Option<Answer>, ApiError> {
    match idempotency::claim(tx, request, app.clock.now()).await? {
        Known::New => Ok(None),
        Known::Answered { status, answer } => Ok(Some(Answer {
            status,
            body: answer,
        })),
        Known::Reused => Err(ApiError::refused(
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request; choose a fresh one",
        )),
    }
}

/// Keeps the answer in the transaction that did the work.
pub fn first<T: Serialize>(
    tx: &mut Tx,
    request: &Request,
    status: StatusCode,
    body: &T,
) -> Result<Answer, ApiError> {
    let body = serde_json::to_value(body).map_err(|error| ApiError::internal(&error))?;
    idempotency::keep(tx, request, status.as_u16(), body.clone())?;
    Ok(Answer {
        status: status.as_u16(),
        body,
    })
}
