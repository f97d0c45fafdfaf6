//! A stream of events as a client reads it.

use axum::{
    body::{Body, BodyDataStream},
    http::{Request, header, request::Builder},
};
use futures_util::StreamExt as _;
use protocol::views::EventView;
use tower::ServiceExt as _;

use super::{answer::Asking as _, house::House, until::soon};

/// A stream that was opened.
pub(super) struct Stream {
    body: BodyDataStream,
    text: String,
}

/// An event, and what the client would name to go on behind it.
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) event: EventView,
}

/// A request for a stream, behind the event that was seen last.
pub(super) fn streaming(asking: Builder, last_event_id: Option<&str>) -> Request<Body> {
    let asking = asking.header(header::ACCEPT, "text/event-stream");
    match last_event_id {
        Some(id) => asking.header("last-event-id", id).empty(),
        None => asking.empty(),
    }
}

impl Stream {
    pub(super) async fn open(house: &House, request: Request<Body>) -> Self {
        let response = house.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/event-stream"
        );
        Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next event, or nothing at the stream's end.
    pub(super) async fn next_or_end(&mut self) -> Option<Sent> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
            }
            let piece = soon("an event", self.body.next()).await?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    pub(super) async fn next(&mut self) -> Sent {
        self.next_or_end().await.expect("the stream ended")
    }

    pub(super) async fn take(&mut self, count: usize) -> Vec<Sent> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await);
        }
        events
    }

    /// Reads on to the end, whatever comes before it.
    pub(super) async fn end(&mut self) {
        while self.next_or_end().await.is_some() {}
    }
}

/// One block of the stream; comments are none.
fn parse(block: &str) -> Option<Sent> {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let event: EventView = serde_json::from_str(field("data")?).unwrap();
    assert_eq!(field("event"), Some(event.kind.as_str()));
    let id = field("id").expect("an event without an id").to_owned();
    Some(Sent { id, event })
}
