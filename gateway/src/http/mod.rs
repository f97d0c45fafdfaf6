//! The API and the console's files: one folder per resource, one file per verb. Parses, proves who, calls a flow.

mod assists;
pub mod auth;
mod cases;
mod commands;
mod console_files;
mod control;
mod event_view;
mod events;
mod evidence;
pub(crate) mod extract;
#[cfg(feature = "fuzzed")]
pub mod fuzzed;
mod grants;
mod health;
mod jobs;
mod log;
mod openapi;
mod origin;
mod passkeys;
mod person_keys;
mod picture;
mod receipts;
mod robots;
mod security_headers;
mod session;
mod sites;
mod telling;
#[cfg(test)]
pub(crate) mod tests;

use std::{any::Any, convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use protocol::{
    limits::{MAX_CASE_PICTURES, MAX_EVIDENCE_BYTES, MAX_PICTURE_BYTES, SALT_BYTES},
    picture::MAX_CLIP_BYTES,
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use crate::{app::App, error::ApiError, ws};

pub use openapi::document as openapi_document;

/// Bodies of the API: the largest is an enrolment of under 1 KiB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A complaint: its pictures in base64, its words, and its event.
const MAX_COMPLAINT_BYTES: usize =
    MAX_CASE_PICTURES * MAX_PICTURE_BYTES.div_ceil(3) * 4 + MAX_BODY_BYTES;

/// A request that takes longer is given up; sockets and event streams are not counted.
const REQUEST_WITHIN: Duration = Duration::from_secs(15);

/// The largest picture over a link of a hundred kilobits a second.
const BROUGHT_WITHIN: Duration = Duration::from_mins(1);

/// Everything the process answers.
pub fn router(app: App) -> Router {
    let api = Router::new()
        .merge(fleet())
        .merge(work())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .route(
            "/jobs/{job}/cases",
            post(cases::file::handler).layer(DefaultBodyLimit::max(MAX_COMPLAINT_BYTES)),
        )
        .layer(in_time())
        .route("/jobs/{job}/evidence/{evidence}", one_picture())
        .route("/robots/{robot}/clips/{clip}", one_clip())
        .route("/events", get(events::list::handler))
        .route(
            "/jobs/{job}/events",
            post(jobs::act::handler)
                .layer::<_, Infallible>(in_time())
                .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
                .get(jobs::events::handler),
        )
        .route("/robots/socket", get(ws::robot::handler))
        .route("/console/socket", get(ws::console::handler))
        .fallback(async || ApiError::not_found("endpoint"))
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .layer(middleware::from_fn_with_state(
            app.clone(),
            origin::only_our_pages,
        ));
    let everything = Router::new()
        .nest("/api/v1", api)
        .route("/api/openapi.json", get(openapi::handler))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback_service(console_files::service(app.console.as_ref()));
    let everything = everything.layer(middleware::from_fn(telling::tell));
    guarded(everything, &app).with_state(app)
}

/// Who is signed in, robots and what they are told, and the log as anyone may check it.
fn fleet() -> Router<App> {
    Router::new()
        .route(
            "/session",
            get(session::read::handler)
                .post(session::open::handler)
                .delete(session::close::handler),
        )
        .route("/session/key", post(session::bind_key::handler))
        .route(
            "/session/person-keys",
            get(person_keys::list::handler).post(person_keys::offer::handler),
        )
        .route(
            "/session/person-keys/{key}",
            delete(person_keys::remove::handler),
        )
        .merge(by_passkey())
        .route("/robots", get(robots::list::handler))
        .route("/robots/{robot}", get(robots::read::handler))
        .route("/robots/enrolment", post(robots::enrol::handler))
        .route(
            "/robots/{robot}/tokens/{token}",
            delete(robots::revoke_token::handler),
        )
        .route(
            "/robots/{robot}/commands",
            get(commands::list::handler).post(commands::issue::handler),
        )
        .route("/robots/{robot}/receipts", get(receipts::list::handler))
        .route("/robots/{robot}/control", get(control::read::handler))
        .route(
            "/robots/{robot}/control/events",
            post(control::act::handler),
        )
        .route(
            "/robots/{robot}/control/presence",
            put(control::present::handler),
        )
        .route("/robots/{robot}/grants", post(grants::issue::handler))
        .route(
            "/robots/{robot}/grants/{grant}/presentation",
            post(grants::present::handler),
        )
        .route("/sites/{site}/stop", post(sites::stop::handler))
        .route("/roster", get(grants::roster::handler))
        .route("/commands/{command}", get(commands::read::handler))
        .route("/log/checkpoint", get(log::checkpoint::handler))
        .route("/log/keys", get(log::keys::handler))
        .route("/log/proof", get(log::proof::handler))
        .route("/log/tile/{*path}", get(log::tile::handler))
}

/// Passkeys, and signing in with one.
fn by_passkey() -> Router<App> {
    Router::new()
        .route(
            "/session/passkeys",
            get(passkeys::list::handler).post(passkeys::add::handler),
        )
        .route(
            "/session/passkeys/challenge",
            post(passkeys::begin_adding::handler),
        )
        .route("/session/passkeys/{key}", delete(passkeys::remove::handler))
        .route("/session/passkey", post(passkeys::sign_in::handler))
        .route(
            "/session/passkey/challenge",
            post(passkeys::begin_sign_in::handler),
        )
        .route("/session/passkey/proof", post(passkeys::prove::handler))
}

/// Jobs, calls for help and complaints, but for what takes longer or is larger.
fn work() -> Router<App> {
    Router::new()
        .route(
            "/jobs",
            get(jobs::list::handler).post(jobs::create::handler),
        )
        .route("/jobs/{job}", get(jobs::read::handler))
        .route("/jobs/{job}/bundle", get(jobs::bundle::handler))
        .route("/jobs/{job}/evidence", get(evidence::list::handler))
        .route("/jobs/{job}/people", get(jobs::people::handler))
        .route("/assists", get(assists::list::handler))
        .route("/cases", get(cases::list::handler))
        .route("/cases/{case}", get(cases::read::handler))
        .route("/cases/{case}/events", post(cases::act::handler))
        .route(
            "/cases/{case}/pictures/{evidence}",
            get(cases::picture::handler),
        )
}

/// A picture of a job: large when a robot brings it, and its link may be slow.
fn one_picture() -> MethodRouter<App> {
    let brought = put(evidence::bring::handler)
        .layer::<_, Infallible>(DefaultBodyLimit::max(SALT_BYTES + MAX_EVIDENCE_BYTES))
        .layer(within(BROUGHT_WITHIN));
    get(evidence::read::handler).layer(in_time()).merge(brought)
}

/// What a person saw: likewise.
fn one_clip() -> MethodRouter<App> {
    let brought = put(receipts::bring_clip::handler)
        .layer::<_, Infallible>(DefaultBodyLimit::max(MAX_CLIP_BYTES))
        .layer(within(BROUGHT_WITHIN));
    get(receipts::read_clip::handler)
        .layer(in_time())
        .merge(brought)
}

/// Gives up what takes too long.
fn in_time() -> TimeoutLayer {
    within(REQUEST_WITHIN)
}

fn within(longest: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, longest)
}

/// What holds for every answer, also for that to a request that we break on.
fn guarded(router: Router<App>, app: &App) -> Router<App> {
    router
        .layer(CatchPanicLayer::custom(broken))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            security_headers::add,
        ))
}

/// A panic is a fault of ours: said loudly here, without a word about it to the caller.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
fn broken(panic: Box<dyn Any + Send>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no words");
    tracing::error!(words, "a request broke its handler");
    ApiError::broken().into_response()
}
