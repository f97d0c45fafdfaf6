//! Extractors whose refusals are problems with a frozen code, not axum's plain text.

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection},
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, request::Parts},
};
use protocol::PersonId;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use spine::idempotency;
use uuid::Uuid;

use super::MAX_BODY_BYTES;
use crate::{app::App, error::ApiError};

/// A JSON body.
#[derive(Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub(super) struct Body<T>(pub(super) T);

/// What the path names.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(super) struct Named<T>(pub(super) T);

/// What the query asks.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(super) struct Asked<T>(pub(super) T);

/// A JSON body whose effect comes once: `Idempotency-Key` and what the request is told apart by.
#[derive(Debug)]
pub(super) struct Once<T> {
    pub(super) body: T,
    key: Uuid,
    hash: [u8; 32],
}

impl<T> Once<T> {
    /// The request of this caller.
    pub(super) fn of(&self, caller: PersonId) -> idempotency::Request {
        idempotency::Request {
            caller: caller.0,
            key: self.key,
            hash: self.hash,
        }
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Once<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let key = idempotency_key(request.headers())?;
        let line = format!("{} {}", request.method(), request.uri().path());
        let bytes = Bytes::from_request(request, app).await?;
        let hash = Sha256::new()
            .chain_update(line.as_bytes())
            .chain_update([0])
            .chain_update(&bytes)
            .finalize()
            .into();
        let body = serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::malformed("body_malformed", error.to_string()))?;
        Ok(Self { body, key, hash })
    }
}

/// The key that the caller chose for this request.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Uuid, ApiError> {
    headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .and_then(|key| key.parse().ok())
        .ok_or_else(|| {
            ApiError::malformed(
                "idempotency_key_missing",
                "send a fresh UUID as Idempotency-Key; the same one again gives the first answer",
            )
        })
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::body_too_large();
        }
        Self::malformed("body_malformed", rejection.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::too_large(MAX_BODY_BYTES);
        }
        Self::malformed("body_malformed", rejection.body_text())
    }
}

/// A socket's handshake.
pub(crate) struct Upgrade(pub(crate) WebSocketUpgrade);

impl FromRequestParts<App> for Upgrade {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Ok(Self(
            WebSocketUpgrade::from_request_parts(parts, app).await?,
        ))
    }
}

impl From<WebSocketUpgradeRejection> for ApiError {
    fn from(rejection: WebSocketUpgradeRejection) -> Self {
        Self::malformed("upgrade_expected", rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::malformed("path_malformed", rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::malformed("query_malformed", rejection.body_text())
    }
}
