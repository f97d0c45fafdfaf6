//! `/healthz`, `/readyz`, `/metrics`: what an on-caller and a load balancer ask.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, live::dependencies::Dependency};

/// What `/readyz` says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Whether everything that is required answers.
    is_ready: bool,
    /// Each server that we stand on.
    dependencies: Vec<Dependency>,
}

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "The process runs")))]
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// Whether the process can serve, and what each dependency says.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "Ready", body = Readiness),
    (status = 503, description = "Something that is required does not answer", body = Readiness),
))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let dependencies = app.dependencies.latest();
    let is_ready = !app.stopping.is_cancelled()
        && dependencies
            .iter()
            .all(|dependency| dependency.is_up || !dependency.is_required);
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let readiness = Readiness {
        is_ready,
        dependencies,
    };
    (status, Json(readiness)).into_response()
}

/// Counters and gauges in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, description = "Prometheus text format", body = String)))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    crate::metrics::collect(&app);
    let mut response = app.metrics.render().into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}
