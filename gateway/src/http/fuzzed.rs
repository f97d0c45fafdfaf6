//! Headers of requests, for the fuzz targets.

use axum::http::{HeaderMap, HeaderValue, header};

use super::origin;

/// Whether these bytes are the origin of the pages of `https://fleet.example:8443`.
///
/// # Panics
///
/// When another site's passes for it.
pub fn is_own_origin(bytes: &[u8]) -> bool {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return false;
    };
    let headers = HeaderMap::from_iter([(header::ORIGIN, value)]);
    let is_own = origin::check(&headers, "https://fleet.example:8443").is_ok();
    let lower = bytes.to_ascii_lowercase();
    let names_it = lower.windows(b"fleet".len()).any(|part| part == b"fleet");
    // Browsers write letters as they are; a host may be written in other ways, and never as one without them.
    assert!(!is_own || names_it || lower.contains(&b'%') || !lower.is_ascii());
    is_own
}
