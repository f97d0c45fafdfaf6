//! What an on-caller learns of each request: a span around it, its answer counted and timed by route. Ids and queries are in
//! neither: a route is one of a few dozen words, and no secret.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use metrics::{counter, histogram};
use tokio::time::Instant;
use tracing::Instrument as _;

/// Stands for every path that is no route.
const NO_ROUTE: &str = "none";

/// Watches one request.
pub(super) async fn tell(request: Request, next: Next) -> Response {
    let method = method_word(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE, MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("request", method, route);
    let began = Instant::now();

    let response = next.run(request).instrument(span.clone()).await;

    let seconds = began.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    counter!(
        "nooterra_http_requests_total",
        "method" => method, "route" => route.clone(), "status" => status.to_string()
    )
    .increment(1);
    histogram!("nooterra_http_request_seconds", "route" => route).record(seconds);
    if response.status().is_server_error() {
        span.in_scope(|| tracing::warn!(status, seconds, "answered with {status}"));
    }
    response
}

/// Anybody may invent methods, and every word is a series of numbers that we keep.
fn method_word(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
