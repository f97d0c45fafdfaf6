//! The only place where a refusal or a failure becomes an HTTP status. Bodies are RFC 9457 problems with a frozen `code`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use protocol::views::Problem;

/// What went wrong, as the caller may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    retry_after_s: Option<u32>,
}

impl ApiError {
    const fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: String,
    ) -> Self {
        Self {
            status,
            code,
            title,
            detail,
            retry_after_s: None,
        }
    }

    /// 400: the request can't be understood.
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            code,
            "The request can't be understood",
            detail.into(),
        )
    }

    /// 401: nobody is signed in, or the sign-in is over.
    pub fn signed_out(code: &'static str, detail: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            code,
            "Not signed in",
            detail.to_owned(),
        )
    }

    /// 403: signed in, but not for this.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, "Not allowed", detail.into())
    }

    /// 404.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Not found",
            format!("there is no such {what}"),
        )
    }

    /// 405.
    pub fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            "this endpoint has no such method".to_owned(),
        )
    }

    /// 413: the request is larger than anything we ask for.
    pub fn too_large(most_bytes: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "Too large",
            format!("a body may have {most_bytes} bytes at most"),
        )
    }

    /// 413, where the bound is the route's own.
    pub fn body_too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "Too large",
            "the body is larger than this endpoint takes".to_owned(),
        )
    }

    /// 409: understood and turned down; the caller can act on the code.
    pub fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "Refused", detail.into())
    }

    /// 429.
    pub fn too_many(retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Too many requests",
                format!("try again in {retry_after_s} s"),
            )
        }
    }

    /// 503: as many event streams as the process keeps open are open.
    pub fn too_many_streams(most: usize) -> Self {
        Self {
            retry_after_s: Some(10),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_streams",
                "Too many event streams",
                format!("{most} are open; close one, or read pages"),
            )
        }
    }

    /// 500, logged here, once; the caller learns nothing about our insides.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "request failed");
        Self::broken()
    }

    /// 500 for what was logged already.
    pub fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The gateway failed",
            "the failure was recorded; trying again may help".to_owned(),
        )
    }

    /// 500: the database holds what we never wrote. Logged here, once; the caller is told what it is about.
    pub fn damaged(detail: String) -> Self {
        tracing::error!("the database was changed by somebody else: {detail}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "record_damaged",
            "The record is damaged",
            detail,
        )
    }

    /// 503: a server that we stand on does not answer.
    pub fn unavailable(part: &str) -> Self {
        Self {
            retry_after_s: Some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Temporarily unavailable",
                format!("{part} does not answer; nothing was changed"),
            )
        }
    }

    /// 503: the robot was told to stop, and the database can't keep that yet.
    pub fn stop_unrecorded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stop_unrecorded",
            "Sent, and not recorded yet",
            "the robot was told to stop; the record of it follows when the database is back"
                .to_owned(),
        )
    }

    /// The frozen code.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// For people.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("https://nooterra.dev/problems/{}", self.code),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail,
        };
        let mut response = (self.status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl ApiError {
    /// Somebody may try again where the database is away for a while.
    fn of_database(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                tracing::warn!(%error, "the database does not answer");
                Self::unavailable("the database")
            }
            sqlx::Error::Database(failure) if spine::ends_connection(&**failure) => {
                tracing::warn!(error = %failure, "the database goes down or comes up");
                Self::unavailable("the database")
            }
            other => Self::internal(other),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        Self::of_database(&error)
    }
}

impl From<spine::SpineError> for ApiError {
    fn from(error: spine::SpineError) -> Self {
        match error {
            spine::SpineError::Database(error) => error.into(),
            spine::SpineError::Shared(error) => Self::of_database(&error),
            other => Self::internal(&other),
        }
    }
}

impl From<spine::log::ProofError> for ApiError {
    fn from(error: spine::log::ProofError) -> Self {
        use ledger::log::ProofFailure;
        use spine::log::ProofError;
        match error {
            ProofError::Failed(error) => error.into(),
            ProofError::Refused(failure) => match failure {
                ProofFailure::Missing(_) | ProofFailure::BeyondTree { .. } => {
                    Self::not_found("tree: the log is not so long")
                }
                ProofFailure::Shrunk { .. } => Self::refused("log_shrunk", failure.to_string()),
                ProofFailure::Empty => Self::refused("log_empty", failure.to_string()),
                ProofFailure::Length { .. } | ProofFailure::Root | ProofFailure::OldRoot => {
                    Self::internal(&failure)
                }
            },
        }
    }
}

impl From<spine::RecordError> for ApiError {
    fn from(error: spine::RecordError) -> Self {
        match error {
            spine::RecordError::Refused(refusal) => {
                Self::refused(refusal.code(), refusal.to_string())
            }
            spine::RecordError::Failed(error) => error.into(),
        }
    }
}

impl From<identity::StoreError> for ApiError {
    fn from(error: identity::StoreError) -> Self {
        match error {
            identity::StoreError::Refused(refusal) => {
                Self::refused(refusal.code(), refusal.to_string())
            }
            identity::StoreError::Database(error) => error.into(),
            other @ identity::StoreError::Corrupt(_) => Self::internal(&other),
        }
    }
}

impl From<assist::Refusal> for ApiError {
    fn from(refusal: assist::Refusal) -> Self {
        Self::refused(refusal.code(), refusal.to_string())
    }
}

impl From<assist::store::StoreError> for ApiError {
    fn from(error: assist::store::StoreError) -> Self {
        use assist::store::StoreError;
        match error {
            StoreError::Stale(_) => Self::refused("stale", error.to_string()),
            StoreError::Database(error) => error.into(),
            other @ StoreError::Corrupt(_) => Self::internal(&other),
        }
    }
}

impl From<jobs::Refusal> for ApiError {
    fn from(refusal: jobs::Refusal) -> Self {
        Self::refused(refusal.code(), refusal.to_string())
    }
}

impl From<jobs::EvidenceRefusal> for ApiError {
    fn from(refusal: jobs::EvidenceRefusal) -> Self {
        Self::refused(refusal.code(), refusal.to_string())
    }
}

impl From<jobs::store::StoreError> for ApiError {
    fn from(error: jobs::store::StoreError) -> Self {
        use jobs::store::StoreError;
        match error {
            StoreError::Stale(_) => Self::refused("stale", error.to_string()),
            StoreError::RobotBusy(_) => Self::refused("robot_busy", error.to_string()),
            StoreError::Database(error) => error.into(),
            StoreError::Corrupt(job) => {
                Self::damaged(format!("the row of job {job} says what no record explains"))
            }
        }
    }
}

impl From<assist::CallRefusal> for ApiError {
    fn from(refusal: assist::CallRefusal) -> Self {
        Self::refused(refusal.code(), refusal.to_string())
    }
}

impl From<assist::ControlRefusal> for ApiError {
    fn from(refusal: assist::ControlRefusal) -> Self {
        Self::refused(refusal.code(), refusal.to_string())
    }
}

impl From<assist::store::ControlStoreError> for ApiError {
    fn from(error: assist::store::ControlStoreError) -> Self {
        use assist::store::ControlStoreError;
        match error {
            ControlStoreError::Stale(_) => Self::refused("stale", error.to_string()),
            ControlStoreError::Database(error) => error.into(),
            other @ ControlStoreError::Corrupt(_) => Self::internal(&other),
        }
    }
}

impl From<assist::store::GrantStoreError> for ApiError {
    fn from(error: assist::store::GrantStoreError) -> Self {
        use assist::store::GrantStoreError;
        match error {
            GrantStoreError::Database(error) => error.into(),
            other @ GrantStoreError::Corrupt(_) => Self::internal(&other),
        }
    }
}

impl From<assist::store::CallStoreError> for ApiError {
    fn from(error: assist::store::CallStoreError) -> Self {
        use assist::store::CallStoreError;
        match error {
            CallStoreError::Stale(_) => Self::refused("stale", error.to_string()),
            CallStoreError::Database(error) => error.into(),
            other @ CallStoreError::Corrupt(_) => Self::internal(&other),
        }
    }
}

impl From<trust::Refusal> for ApiError {
    fn from(refusal: trust::Refusal) -> Self {
        Self::refused(refusal.code(), refusal.to_string())
    }
}

impl From<trust::store::StoreError> for ApiError {
    fn from(error: trust::store::StoreError) -> Self {
        use trust::store::StoreError;
        match error {
            StoreError::Stale(_) => Self::refused("stale", error.to_string()),
            StoreError::Database(error) => error.into(),
            other @ StoreError::Corrupt(_) => Self::internal(&other),
        }
    }
}
