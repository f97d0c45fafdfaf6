//! Commands whose time ran out without a word from the robot, and people who steered and are gone.

use std::time::Duration;

use crate::{
    app::App,
    flows::{control::lapse_control::lapse_controls, time_out_commands::time_out_commands},
};

/// Two looks a second: "unanswered" is said within half a second of its time.
const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(app: App) {
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        match time_out_commands(&app).await {
            Ok(timed_out) => timed_out.iter().for_each(|view| app.live.command(view)),
            // The database is reported once, by `live::dependencies`; the rows wait.
            Err(error) => tracing::debug!(code = error.code(), "deadlines wait"),
        }
        if let Err(error) = lapse_controls(&app).await {
            tracing::debug!(code = error.code(), "who is gone steers on for now");
        }
    }
}
