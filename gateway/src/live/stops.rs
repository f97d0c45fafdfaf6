//! Stops that went out before they were on record. A robot answers within a millisecond; its receipt waits for what it answers.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::CommandId;
use tokio::sync::Notify;

/// Stops that are remembered as sent: who asks again after an answer that was lost does so within moments.
const REMEMBERED: usize = 1024;

/// A receipt waits this long at a time for the record of what it answers; then the robot is to send it again.
const RECORDED_WITHIN: Duration = Duration::from_secs(2);

/// What went out, and what of it is not on record yet.
#[derive(Debug, Default)]
pub struct Stops {
    state: Mutex<State>,
    recorded: Notify,
}

#[derive(Debug, Default)]
struct State {
    sent: VecDeque<CommandId>,
    unrecorded: BTreeSet<CommandId>,
}

impl Stops {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves both whole: every change is one call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this one goes out now, for the first time; its receipt waits from here on until [`Self::is_recorded`].
    pub fn begin(&self, stop: CommandId) -> bool {
        let mut state = self.state();
        if state.sent.contains(&stop) {
            return false;
        }
        if state.sent.len() == REMEMBERED {
            state.sent.pop_front();
        }
        state.sent.push_back(stop);
        state.unrecorded.insert(stop);
        true
    }

    /// It could not be sent: whoever asks again sends it then.
    pub fn never_left(&self, stop: CommandId) {
        self.state().sent.retain(|sent| *sent != stop);
        self.is_recorded(stop);
    }

    /// It is on record, or never will be.
    pub fn is_recorded(&self, stop: CommandId) {
        self.state().unrecorded.remove(&stop);
        self.recorded.notify_waiters();
    }

    /// Whether it went out and is not on record yet.
    pub fn is_awaited(&self, stop: CommandId) -> bool {
        self.state().unrecorded.contains(&stop)
    }

    /// Returns once it is on record, or after a while.
    pub async fn settled(&self, stop: CommandId) {
        let settled = async {
            loop {
                // Made before the look: what is told between the two is not missed.
                let told = self.recorded.notified();
                if !self.is_awaited(stop) {
                    return;
                }
                told.await;
            }
        };
        // Who waited in vain finds it awaited still.
        let _in_time = tokio::time::timeout(RECORDED_WITHIN, settled).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;

    fn stop(number: u128) -> CommandId {
        CommandId(Uuid::from_u128(number))
    }

    #[test]
    fn a_stop_goes_out_once_unless_it_never_left() {
        let stops = Stops::default();

        assert!(stops.begin(stop(1)));
        assert!(!stops.begin(stop(1)));
        stops.is_recorded(stop(1));
        assert!(!stops.begin(stop(1)), "on record, and sent");
        assert!(stops.begin(stop(2)));
        stops.never_left(stop(2));
        assert!(stops.begin(stop(2)), "asked for again");
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let stops = Stops::default();
        let all = 0..REMEMBERED as u128 + 1;
        for number in all {
            stops.begin(stop(number));
            stops.is_recorded(stop(number));
        }

        assert_eq!(stops.state().sent.len(), REMEMBERED);
        assert!(stops.begin(stop(0)), "the oldest is forgotten");
    }

    #[tokio::test]
    async fn a_receipt_waits_for_the_record_of_what_it_answers() {
        let stops = Arc::new(Stops::default());
        stops.begin(stop(1));
        stops.settled(stop(2)).await;

        let waiting = tokio::spawn({
            let stops = Arc::clone(&stops);
            async move { stops.settled(stop(1)).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        stops.is_recorded(stop(1));
        waiting.await.unwrap();
        assert!(!stops.is_awaited(stop(1)));
    }
}
