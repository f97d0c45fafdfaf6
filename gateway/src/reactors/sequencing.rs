//! Gives committed events their leaves in the log, while this process leads it.

use std::time::Duration;

use spine::sequencer::{Leader, SequencerError, lead};

use crate::app::App;

/// Who leads is asked this often: an event is in a checkpoint a second after its commit, also when a leader has just died.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What is damaged does not mend itself; somebody may have put it right.
const DAMAGED_AGAIN_AFTER: Duration = Duration::from_secs(10);

pub(super) async fn run(app: App) {
    loop {
        let ended = match lead(&app.pool, app.log.key()).await {
            Ok(Some(leader)) => follow(&app, leader).await,
            Ok(None) => {
                app.log.led_elsewhere();
                tokio::time::sleep(ASK_EVERY).await;
                continue;
            }
            Err(error) => error,
        };
        tokio::time::sleep(report(&app, &ended)).await;
    }
}

/// Leads until it can't any more.
async fn follow(app: &App, mut leader: Leader) -> SequencerError {
    app.log.led_here(true);
    tracing::info!(size = leader.size(), "leading the log of events");
    let ended = loop {
        if let Err(error) = leader.next().await {
            break error;
        }
    };
    app.log.led_here(false);
    ended
}

/// Says what happened, and after which time to try again.
fn report(app: &App, error: &SequencerError) -> Duration {
    match error {
        SequencerError::Refused(fault) => {
            if app.log.note_fault(&fault.to_string()) {
                tracing::error!(%fault, "the log of events is not continued: {fault}");
            }
            DAMAGED_AGAIN_AFTER
        }
        SequencerError::Overtaken => {
            tracing::warn!("another process leads the log of events");
            ASK_EVERY
        }
        // A lost database is reported once, by `live::dependencies`.
        SequencerError::Failed(error) => {
            tracing::debug!(%error, "the log of events waits");
            ASK_EVERY
        }
    }
}
