//! Followers: what has to happen because something was recorded, or because time passed.

mod deadlines;
mod forgetting;
mod jobs;
mod listing;
mod revoking;
pub mod roster;
mod sequencing;
mod starting;

use std::time::Duration;

use crate::app::App;

/// A reactor that broke begins anew after this long: soon enough for deadlines, slow enough for the log.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Starts all of them. They end with the process.
pub fn start(app: &App) {
    keep("starting", app, starting::run);
    keep("deadlines", app, deadlines::run);
    keep("revoking", app, revoking::run);
    keep("roster", app, roster::run);
    keep("forgetting", app, forgetting::run);
    keep("sequencing", app, sequencing::run);
    keep("revocations", app, listing::run);
    keep("job deadlines", app, jobs::deadlines);
    keep("beats", app, jobs::beats);
}

/// Runs `work` until the process goes down. Work that panics is a fault of ours: said loudly, counted, begun anew.
pub(crate) fn keep<F>(name: &'static str, app: &App, work: fn(App) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let app = app.clone();
    tokio::spawn(async move {
        while !app.stopping.is_cancelled() {
            let one = tokio::spawn(until_stopping(app.clone(), work(app.clone())));
            if let Err(error) = one.await {
                tracing::error!(%error, name, "{name} broke and begins anew");
                metrics::counter!("nooterra_background_restarts_total", "name" => name)
                    .increment(1);
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN_AFTER) => {}
                () = app.stopping.cancelled() => {}
            }
        }
    });
}

async fn until_stopping(app: App, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = app.stopping.cancelled() => {}
    }
}
