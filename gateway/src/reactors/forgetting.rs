//! Sessions and sign-in links that are over: deleted from time to time, so that their tables stay small.

use std::time::Duration;

use crate::app::App;

/// They open nothing any more; an hour more or less is nothing to anybody.
const EVERY: Duration = Duration::from_hours(1);

pub(super) async fn run(app: App) {
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        match identity::store::forget_expired(&app.pool, app.clock.now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "forgot sessions and links that are over"),
            // A lost database is reported once, by `live::dependencies`; the rows wait for the next hour.
            Err(error) => tracing::debug!(%error, "sessions and links that are over stay for now"),
        }
        let yesterday = app.clock.now() - time::Duration::DAY;
        if let Err(error) = assist::store::forget_grants(&app.pool, yesterday).await {
            tracing::debug!(%error, "grants that are over stay for now");
        }
        if let Err(error) = spine::idempotency::forget(&app.pool, app.clock.now()).await {
            tracing::debug!(%error, "first answers stay for now");
        }
    }
}
