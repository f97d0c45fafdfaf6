//! How a picture that somebody else made is answered: as the kind that its first bytes say, and in a box of its own.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use trust::PictureType;

use crate::error::ApiError;

/// Opened by itself a picture is a document: it loads nothing, runs nothing and is of no origin.
const HEADERS: [(HeaderName, &str); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    ),
    (header::CACHE_CONTROL, "private, max-age=3600"),
];

/// The picture, which was checked when it was taken in: a type of our own list is said and no other.
pub(super) fn answer(content: Vec<u8>) -> Result<Response, ApiError> {
    let kind = PictureType::of_content(&content).ok_or_else(ApiError::broken)?;
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind.word()));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
