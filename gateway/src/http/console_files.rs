//! The console's files: hashed names for good, the page itself always fresh, a missing asset is a 404 and not the page.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tower::{ServiceExt as _, service_fn};
use tower_http::services::{ServeDir, ServeFile};

use crate::{console_bundle::ConsoleBundle, error::ApiError};

/// Names carry a hash of the content, so they never change meaning.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The list of the console's files, whose SHA-256 the log has.
const LIST: &str = "/console.sha256";

/// Answers everything that is no endpoint. Paths under `/assets/` and names with a dot are files; the rest is the
/// console's own routes, which all open the same page.
pub(super) fn service(
    bundle: Option<&ConsoleBundle>,
) -> impl tower::Service<Request<Body>, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let bundle = bundle.cloned();
    service_fn(move |request: Request<Body>| {
        let bundle = bundle.clone();
        async move { Ok(answer(bundle, request).await) }
    })
}

async fn answer(bundle: Option<ConsoleBundle>, request: Request<Body>) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::not_found("endpoint").into_response();
    }
    let Some(bundle) = bundle else {
        return ApiError::not_found("console: this gateway was started without its files")
            .into_response();
    };
    if path == LIST {
        let Some(list) = bundle.list().map(ToOwned::to_owned) else {
            return ApiError::not_found("list: the console's files could not be read")
                .into_response();
        };
        let plain = [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        return (plain, list).into_response();
    }
    let folder = bundle.folder();
    let is_hashed = path.starts_with("/assets/");
    let is_file = is_hashed
        || path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains('.'));
    let served = if is_file {
        ServeDir::new(folder)
            .precompressed_br()
            .precompressed_gzip()
            .append_index_html_on_directories(false)
            .oneshot(request)
            .await
            .map(|response| response.map(Body::new))
    } else {
        ServeFile::new(folder.join("index.html"))
            .precompressed_br()
            .precompressed_gzip()
            .oneshot(request)
            .await
            .map(|response| response.map(Body::new))
    };
    let mut response = match served {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.status() == StatusCode::NOT_FOUND {
        return ApiError::not_found("file").into_response();
    }
    let policy = if is_hashed {
        FOR_GOOD
    } else {
        HeaderValue::from_static("no-cache")
    };
    response.headers_mut().insert(header::CACHE_CONTROL, policy);
    response
}
