//! Followers: what has to happen because something was recorded, or because time passed.

mod deadlines;
mod revoking;
pub mod roster;

use crate::app::App;

/// Starts all of them. They end with the process.
pub fn start(app: &App) {
    for reactor in [
        tokio::spawn(until_stopping(app.clone(), deadlines::run(app.clone()))),
        tokio::spawn(until_stopping(app.clone(), revoking::run(app.clone()))),
        tokio::spawn(until_stopping(app.clone(), roster::run(app.clone()))),
    ] {
        // A reactor that panics is a fault of ours: said loudly, for nothing else would show it.
        tokio::spawn(async move {
            if let Err(error) = reactor.await {
                tracing::error!(%error, "a reactor broke");
            }
        });
    }
}

async fn until_stopping(app: App, reactor: impl Future<Output = ()>) {
    tokio::select! {
        () = reactor => {}
        () = app.stopping.cancelled() => {}
    }
}
