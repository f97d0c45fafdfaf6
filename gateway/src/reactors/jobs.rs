//! Deadlines of jobs and calls for help, and the beats that robots owe.

use std::time::Duration;

use crate::{
    app::App,
    flows::jobs::{
        lapse::{lapse_calls, lapse_jobs},
        watch_beats::{Beats, watch_beats},
    },
};

/// Four looks a second: a deadline takes effect within a quarter of a second of its time.
const DEADLINES_EVERY: Duration = Duration::from_millis(250);

/// Beats are counted in seconds.
const BEATS_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn deadlines(app: App) {
    let mut beat = tokio::time::interval(DEADLINES_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        for lapsed in [lapse_jobs(&app).await, lapse_calls(&app).await] {
            // A lost database is reported once, by `live::dependencies`; the rows wait.
            if let Err(error) = lapsed {
                tracing::debug!(code = error.code(), "deadlines of jobs wait");
            }
        }
    }
}

pub(super) async fn beats(app: App) {
    let mut beats = Beats::default();
    let mut beat = tokio::time::interval(BEATS_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(error) = watch_beats(&app, &mut beats).await {
            tracing::debug!(code = error.code(), "beats can't be judged now");
        }
    }
}
