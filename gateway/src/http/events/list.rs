//! `GET /api/v1/events`: recorded events in the order of the log. A page as JSON, or from there on as they come (SSE).

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use identity::Permission;
use protocol::{
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    views::{EventView, Page},
};
use serde::Deserialize;
use spine::{
    Position,
    tail::{Filter, Follower, StoredEvent, read_after},
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior},
};

use crate::{
    app::{App, EVENT_STREAMS},
    error::ApiError,
    http::{auth::Caller, event_view::event_view, extract::Asked},
};

/// Events read at once for a stream: enough to catch up quickly, few enough to stay in memory.
const BATCH: u32 = 100;

/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// Events after this position; from the beginning when absent.
    cursor: Option<String>,
    /// Rows, at most 200.
    limit: Option<u32>,
}

/// Events of the caller's organisation. With `Accept: text/event-stream` they are sent as they are recorded, starting
/// after `Last-Event-ID` (or `cursor`; or, with neither, with the next event to come); else one page is sent.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(Query), responses(
    (status = 200, description = "A page, or a stream of `EventView`s", body = Page<EventView>),
    (status = 400, description = "`position_malformed`", body = protocol::views::Problem),
    (status = 401, description = "Not signed in", body = protocol::views::Problem),
    (status = 403, description = "`role_missing`", body = protocol::views::Problem),
    (status = 503, description = "`too_many_streams`", body = protocol::views::Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Asked(query): Asked<Query>,
) -> Result<Response, ApiError> {
    let sight = caller.may(Permission::SeeEvents)?;
    let filter = Filter {
        organisation: Some(sight.organisation),
        sites: sight.sites.map(|sites| sites.into_iter().collect()),
    };
    let wants_stream = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"));
    let last_seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .filter(|_| wants_stream);
    let after = match last_seen.or(query.cursor.as_deref()) {
        Some(position) => position.parse().map_err(|_unreadable| {
            ApiError::malformed(
                "position_malformed",
                "a position looks like 1234-56; take it from an earlier event",
            )
        })?,
        None if wants_stream => spine::tail::end(&app.pool).await?,
        None => Position::START,
    };
    if wants_stream {
        let place = Arc::clone(&app.event_streams)
            .try_acquire_owned()
            .map_err(|_full| ApiError::too_many_streams(EVENT_STREAMS))?;
        let events = follow(app, caller, after, filter, place);
        let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
        return Ok(stream.into_response());
    }
    let limit = query
        .limit
        .unwrap_or(DEFAULT_PAGE_ROWS)
        .clamp(1, MAX_PAGE_ROWS);
    let events = read_after(&app.pool, after, limit, &filter).await?;
    let is_full = u32::try_from(events.len()).is_ok_and(|rows| rows == limit);
    let next = events
        .last()
        .filter(|_| is_full)
        .map(|last| last.position.to_string());
    let items = events.into_iter().map(event_view).collect();
    Ok(Json(Page { items, next }).into_response())
}

/// The stream ends when the sign-in ends, when the process goes down, or when the database fails: the client comes back
/// with the last position.
fn follow(
    app: App,
    caller: Caller,
    after: Position,
    filter: Filter,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    struct Following {
        app: App,
        caller: Caller,
        follower: Follower,
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
        follower: Follower::new(app.pool.clone(), after, filter),
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
                // Before the log, and counted across events: on a busy log the check must have its turn, too.
                _ = following.check.tick() => {
                    if !following.caller.still_holds(&following.app).await.unwrap_or(true) {
                        return None;
                    }
                }
                read = following.follower.next(BATCH) => match read {
                    Ok(events) => following.waiting = events.into_iter(),
                    Err(error) => {
                        tracing::warn!(%error, "an event stream ends: the log can't be read");
                        return None;
                    }
                },
            }
        }
    })
}

fn as_sse(event: StoredEvent) -> Event {
    let id = event.position.to_string();
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
