//! Calls to the gateway's API: JSON in and out, a problem as the answer to what did not work, and a bound on every wait.

use js_sys::Uint8Array;
use leptos::prelude::window;
use protocol::views::Problem;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestCredentials, RequestInit, Response};

use crate::browser;

/// A gateway that has not answered by then is told as one that does not answer. Its own slowest path, a database that comes
/// back, is given up by it after five seconds.
const ANSWER_WITHIN_MS: u32 = 10_000;

/// Asks for something.
pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Problem> {
    read(&bytes(path).await?)
}

/// Asks for something that is no JSON.
pub(crate) async fn bytes(path: &str) -> Result<Vec<u8>, Problem> {
    send("GET", path, None).await
}

/// Sends something, once: a repeated call is another wish.
pub(crate) async fn post<T: DeserializeOwned>(
    path: &str,
    body: &impl Serialize,
) -> Result<T, Problem> {
    read(&send("POST", path, Some((write(body)?, browser::fresh_id()))).await?)
}

/// A value as the body of a call.
pub(crate) fn write(body: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(body).map_err(|_unwritable| unreadable())
}

/// What an answer says.
pub(crate) fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(answer).map_err(|_unreadable| unreadable())
}

/// Any call, with its answer as it came. A body goes with its `Idempotency-Key`: the same two again are the same wish.
pub(crate) async fn send(
    method: &str,
    path: &str,
    body: Option<(String, Uuid)>,
) -> Result<Vec<u8>, Problem> {
    let (status, answer) = fetch(method, path, body)
        .await
        .map_err(|_error| unreachable())?;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    Err(
        serde_json::from_slice(&answer).unwrap_or_else(|_foreign| Problem {
            status,
            ..unreadable()
        }),
    )
}

async fn fetch(
    method: &str,
    path: &str,
    body: Option<(String, Uuid)>,
) -> Result<(u16, Vec<u8>), JsValue> {
    let headers = Headers::new()?;
    headers.set("Accept", "application/json, application/problem+json, */*")?;
    let options = RequestInit::new();
    options.set_method(method);
    options.set_credentials(RequestCredentials::SameOrigin);
    options.set_cache(RequestCache::NoStore);
    options.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_WITHIN_MS)));
    if let Some((body, key)) = body {
        headers.set("Content-Type", "application/json")?;
        headers.set("Idempotency-Key", &key.to_string())?;
        options.set_body(&JsValue::from_str(&body));
    }
    options.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(path, &options)).await?;
    let response: Response = response.dyn_into()?;
    let answer = JsFuture::from(response.array_buffer()?).await?;
    Ok((response.status(), Uint8Array::new(&answer).to_vec()))
}

/// Our own words for a gateway that did not answer at all.
pub(crate) fn unreachable() -> Problem {
    problem(
        0,
        "unreachable",
        "The gateway does not answer",
        "Check the network between this computer and the gateway, then try again.",
    )
}

/// Our own words for an answer that is none of the gateway's.
pub(crate) fn unreadable() -> Problem {
    problem(
        502,
        "unreadable",
        "The answer can't be read",
        "Something between this page and the gateway answered in its place.",
    )
}

/// Somebody acted whose sign-in has ended meanwhile.
pub(crate) fn signed_out() -> Problem {
    problem(
        401,
        "signed_out",
        "Not signed in",
        "The sign-in has ended. Open a new link to go on.",
    )
}

/// A problem that this page itself has.
pub(crate) fn problem(status: u16, code: &str, title: &str, detail: &str) -> Problem {
    Problem {
        kind: format!("https://nooterra.dev/problems/{code}"),
        title: title.to_owned(),
        status,
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}
