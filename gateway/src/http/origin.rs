//! Keeps other people's pages from speaking with a visitor's cookie: cross-site requests and sockets are refused.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::Response,
};
use url::{Host, Url};

use crate::{app::App, error::ApiError};

/// Refuses a change that carries our cookie but does not come from our own page. Bearer tokens are never sent by a
/// browser on its own and need no such check.
pub(super) async fn only_our_pages(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let headers = request.headers();
    let is_browser = headers.contains_key(header::COOKIE) || headers.contains_key(header::ORIGIN);
    if changes && is_browser {
        check(headers, &app.config.public_url)?;
    }
    Ok(next.run(request).await)
}

/// The request's origin must be ours: the address people were given, or, on a loopback address, any name of this machine.
pub(super) fn check(headers: &HeaderMap, public_url: &str) -> Result<(), ApiError> {
    let refused = || {
        ApiError::forbidden(
            "origin_refused",
            "this request did not come from a page of this gateway",
        )
    };
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok())
        .and_then(|origin| Url::parse(origin).ok())
        .ok_or_else(refused)?;
    let own = Url::parse(public_url).map_err(|_ours| refused())?;
    let same_scheme_and_port = origin.scheme() == own.scheme()
        && origin.port_or_known_default() == own.port_or_known_default();
    let same_host = origin.host() == own.host() || (is_loopback(&origin) && is_loopback(&own));
    (same_scheme_and_port && same_host)
        .then_some(())
        .ok_or_else(refused)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_origin_passes() {
        for (public_url, origin, passes) in [
            ("https://fleet.example", Some("https://fleet.example"), true),
            ("https://fleet.example", Some("http://fleet.example"), false),
            ("https://fleet.example", Some("https://evil.example"), false),
            (
                "https://fleet.example",
                Some("https://fleet.example.evil.example"),
                false,
            ),
            (
                "https://fleet.example",
                Some("https://fleet.example:444"),
                false,
            ),
            ("https://fleet.example", Some("null"), false),
            ("https://fleet.example", None, false),
            ("http://localhost:8420", Some("http://127.0.0.1:8420"), true),
            ("http://127.0.0.1:8420", Some("http://localhost:8420"), true),
            (
                "http://localhost:8420",
                Some("http://localhost:9000"),
                false,
            ),
            ("https://fleet.example", Some("https://localhost"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }

            assert_eq!(
                check(&headers, public_url).is_ok(),
                passes,
                "{origin:?} at {public_url}"
            );
        }
    }
}
