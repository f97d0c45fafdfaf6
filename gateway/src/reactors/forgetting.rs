//! What is over: sessions, sign-in links, grants, and what people saw long ago. Deleted from time to time, so that tables stay
//! small and pictures of people's rooms do not lie about.

use std::time::Duration;

use crate::app::App;

/// They open nothing any more; an hour more or less is nothing to anybody.
const EVERY: Duration = Duration::from_hours(1);

/// What a person saw when they gave a command is asked for within days, and argued about within weeks. The log keeps its hash.
const CLIPS_LAST: time::Duration = time::Duration::days(90);

/// Clips that are forgotten at once: some hundred MiB.
const CLIPS_AT_ONCE: u32 = 500;

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
        forget_clips(&app).await;
        if let Err(error) = spine::idempotency::forget(&app.pool, app.clock.now()).await {
            tracing::debug!(%error, "first answers stay for now");
        }
    }
}

async fn forget_clips(app: &App) {
    let until = app.clock.now() - CLIPS_LAST;
    let mut all = 0;
    loop {
        match assist::store::forget_clips(&app.pool, until, CLIPS_AT_ONCE).await {
            Ok(count) => {
                all += count;
                if count < u64::from(CLIPS_AT_ONCE) || app.stopping.is_cancelled() {
                    break;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "what people saw long ago stays for now");
                break;
            }
        }
    }
    if all > 0 {
        tracing::info!(count = all, "forgot what people saw a season ago");
    }
}
