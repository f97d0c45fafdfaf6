//! Events towards the owner of a connection: bounded, in order, and never waited for.

use std::collections::VecDeque;

use tokio::sync::mpsc;

/// Events kept while the owner's channel is full; the owner is a socket task that reads all the time.
const WAITING_LIMIT: usize = 256;

/// One connection's events.
pub(super) struct Outbox<E> {
    channel: mpsc::Sender<E>,
    waiting: VecDeque<E>,
}

impl<E> Outbox<E> {
    pub(super) fn new(channel: mpsc::Sender<E>) -> Self {
        Self {
            channel,
            waiting: VecDeque::new(),
        }
    }

    /// Posts an event that must arrive. `false` when the owner is too far behind for that.
    pub(super) fn post(&mut self, event: E) -> bool {
        if self.waiting.is_empty() {
            match self.channel.try_send(event) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => return true,
                Err(mpsc::error::TrySendError::Full(event)) => self.waiting.push_back(event),
            }
        } else {
            self.waiting.push_back(event);
        }
        self.waiting.len() <= WAITING_LIMIT
    }

    /// Posts an event that is worthless when late. `false` when it was dropped.
    pub(super) fn post_if_room(&mut self, event: E) -> bool {
        self.waiting.is_empty() && self.channel.try_send(event).is_ok()
    }

    /// Moves one waiting event on when there is room; pends for ever when none waits.
    pub(super) async fn drain(&mut self) {
        if self.waiting.is_empty() {
            return std::future::pending().await;
        }
        let permit = self.channel.reserve().await;
        let event = self.waiting.pop_front();
        if let (Ok(permit), Some(event)) = (permit, event) {
            permit.send(event);
        }
    }

    /// Posts the last event, waiting for room: the connection is gone already and holds nobody up.
    pub(super) async fn finish(mut self, event: E) {
        self.waiting.push_back(event);
        while !self.waiting.is_empty() {
            self.drain().await;
        }
    }
}
