//! What stands in the log, as its API shows it.

use anyhow::Result;
use protocol::views::{EventView, Page};
use serde_json::Value;

use crate::stack::Stack;

/// The payloads of a stream's events of one kind, oldest first.
pub async fn payloads(stack: &Stack, stream: &str, kind: &str) -> Result<Vec<Value>> {
    let admin = stack.admin()?;
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/events?limit=200{cursor}");
        let page: Page<EventView> = admin.read(&path).await?;
        let wanted = |event: &EventView| event.stream == stream && event.kind == kind;
        found.extend(
            (page.items.into_iter()).filter_map(|event| wanted(&event).then_some(event.payload)),
        );
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(found),
        }
    }
}
