//! A recorded event as its readers get it: what its sealed bytes say, whatever else stands in its row.

use protocol::views::EventView;
use spine::tail::StoredEvent;

/// The view; a row that somebody changed is reported besides.
pub(super) fn event_view(event: StoredEvent) -> EventView {
    if let Some(damage) = event.damage {
        let (stream, number) = (&event.stream, event.stream_number);
        tracing::error!(%stream, number, "event {number} of {stream} was changed in the database: {damage}");
    }
    EventView::from(event)
}
