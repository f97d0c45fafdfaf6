//! `GET /api/v1/jobs/{job}/events`: one job's record. A page as JSON, or from there on as it grows (SSE).

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use protocol::{
    JobId,
    job::job_stream,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    views::{EventView, Page, Problem},
};
use serde::Deserialize;
use spine::tail::{StoredEvent, StreamFollower, read_stream};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior},
};

use crate::{
    app::{App, EVENT_STREAMS},
    error::ApiError,
    http::{
        auth::Caller,
        event_view::event_view,
        extract::{Asked, Named},
    },
};

/// Events read at once for a stream.
const BATCH: u32 = 100;

/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// Events behind this place in the job's record; from the beginning when absent.
    cursor: Option<u64>,
    /// Rows, at most 200.
    limit: Option<u32>,
}

/// The job's record in its own order. With `Accept: text/event-stream` it is sent as it grows, starting behind
/// `Last-Event-ID` or `cursor`; the ids are places in the record, from 1.
#[utoipa::path(get, path = "/api/v1/jobs/{job}/events", tag = "jobs", params(("job" = JobId, Path), Query), responses(
    (status = 200, description = "A page, or a stream of `EventView`s", body = Page<EventView>),
    (status = 400, description = "`position_malformed` or `query_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 503, description = "`too_many_streams`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(job): Named<JobId>,
    headers: HeaderMap,
    Asked(query): Asked<Query>,
) -> Result<Response, ApiError> {
    super::job_for(&app, &caller, job).await?;
    let header_of = |name| {
        let value: Option<&str> = headers.get(name).and_then(|value| value.to_str().ok());
        value
    };
    if header_of(header::ACCEPT).is_some_and(|accept| accept.contains("text/event-stream")) {
        let last_seen = last_seen(&headers)?;
        let after = last_seen.or(query.cursor).unwrap_or(0);
        let place = Arc::clone(&app.event_streams)
            .try_acquire_owned()
            .map_err(|_full| ApiError::too_many_streams(EVENT_STREAMS))?;
        let events = follow(app, caller, job, after, place);
        let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
        return Ok(stream.into_response());
    }
    let limit = query
        .limit
        .unwrap_or(DEFAULT_PAGE_ROWS)
        .clamp(1, MAX_PAGE_ROWS);
    let after = query.cursor.unwrap_or(0);
    let events = read_stream(&app.pool, &job_stream(job), after, limit).await?;
    let is_full = u32::try_from(events.len()).is_ok_and(|rows| rows == limit);
    let next = events
        .last()
        .filter(|_| is_full)
        .map(|last| last.stream_number.to_string());
    let items = events.into_iter().map(event_view).collect();
    Ok(Json(Page { items, next }).into_response())
}

/// The place in the record up to which the client has the events. One that can't be read is no beginning: it would get
/// all of them again.
fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let place = |id: &HeaderValue| id.to_str().ok()?.parse().ok();
    let id = headers.get("last-event-id");
    id.map(|id| {
        place(id).ok_or_else(|| {
            ApiError::malformed(
                "position_malformed",
                "a place in a job's record is a number; take it from an earlier event",
            )
        })
    })
    .transpose()
}

/// The stream ends when the sign-in ends or loses a role, when the process goes down, or when the database fails: the
/// client comes back with the last id. Who may see a job never changes but by a role: its requester and its site don't.
fn follow(
    app: App,
    caller: Caller,
    job: JobId,
    after: u64,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    struct Following {
        app: App,
        caller: Caller,
        follower: StreamFollower,
        check: Interval,
        waiting: std::vec::IntoIter<StoredEvent>,
        /// Given back with the stream.
        _place: OwnedSemaphorePermit,
    }

    let mut check = tokio::time::interval(app.check_streams_every);
    check.reset();
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let start = Following {
        check,
        follower: StreamFollower::new(app.pool.clone(), job_stream(job), after),
        app,
        caller,
        waiting: Vec::new().into_iter(),
        _place: place,
    };
    stream::unfold(start, async |mut following| {
        loop {
            if let Some(event) = following.waiting.next() {
                return Some((Ok(as_sse(event)), following));
            }
            tokio::select! {
                biased;
                () = following.app.stopping.cancelled() => return None,
                _ = following.check.tick() => {
                    if !following.caller.still_holds(&following.app).await.unwrap_or(true) {
                        return None;
                    }
                }
                read = following.follower.next(BATCH) => match read {
                    Ok(events) => following.waiting = events.into_iter(),
                    Err(error) => {
                        tracing::warn!(%error, "a job's event stream ends: the log can't be read");
                        return None;
                    }
                },
            }
        }
    })
}

fn as_sse(event: StoredEvent) -> Event {
    let id = event.stream_number.to_string();
    let view = event_view(event);
    match Event::default().id(&id).event(&view.kind).json_data(&view) {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(%error, "an event has no JSON");
            Event::default()
                .id(id)
                .comment("an event that can't be shown")
        }
    }
}
