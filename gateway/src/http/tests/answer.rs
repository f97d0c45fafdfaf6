//! What came back, and how a request is put together.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, header, request::Builder},
    response::Response,
};
use protocol::views::Problem;
use serde_json::Value;

use super::house::{PUBLIC_URL, Who};

/// No answer of ours is larger.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, MAX_ANSWER_BYTES).await.unwrap().to_vec(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{} is no JSON: {error}", self.text()))
    }

    pub(crate) fn header(&self, name: impl Into<header::HeaderName>) -> &str {
        let name = name.into();
        self.headers
            .get(&name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
            .to_str()
            .unwrap()
    }

    /// Status and frozen code of a refusal, which must be a whole RFC 9457 problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header(header::CONTENT_TYPE),
            "application/problem+json",
            "{} {}",
            self.status,
            self.text()
        );
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status);
        assert_eq!(
            problem.kind,
            format!("https://nooterra.dev/problems/{}", problem.code)
        );
        assert!(!problem.title.is_empty() && !problem.detail.is_empty());
        (self.status, problem.code)
    }
}

pub(crate) fn get(path: &str) -> Builder {
    asking(Method::GET, path)
}

pub(crate) fn post(path: &str) -> Builder {
    asking(Method::POST, path)
}

pub(crate) fn delete(path: &str) -> Builder {
    asking(Method::DELETE, path)
}

pub(crate) fn asking(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

/// How requests are signed and closed.
pub(crate) trait Asking {
    /// Under the person's bearer token.
    fn by(self, who: Who) -> Self;
    /// Under any bearer token.
    fn bearing(self, token: &str) -> Self;
    /// As a page of ours does: with the cookie and our origin.
    fn on_page(self, cookie: &str) -> Self;
    fn empty(self) -> Request<Body>;
    fn json(self, body: &Value) -> Request<Body>;
}

impl Asking for Builder {
    fn by(self, who: Who) -> Self {
        self.bearing(&who.token())
    }

    fn bearing(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, format!("Bearer {token}"))
    }

    fn on_page(self, cookie: &str) -> Self {
        self.header(header::COOKIE, cookie)
            .header(header::ORIGIN, PUBLIC_URL)
    }

    fn empty(self) -> Request<Body> {
        self.body(Body::empty()).unwrap()
    }

    fn json(self, body: &Value) -> Request<Body> {
        self.header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap()
    }
}
