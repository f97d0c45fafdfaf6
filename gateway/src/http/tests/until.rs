//! Waiting for what must come, with an end to the wait.

use std::time::Duration;

/// What is due is there within this, also on a machine that builds something else meanwhile.
pub(crate) const WITHIN: Duration = Duration::from_secs(20);

/// A look takes microseconds; more often would only take time from what is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until there is something to see.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        let mut beat = tokio::time::interval(LOOK_EVERY);
        loop {
            beat.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    soon(what, looking).await
}

/// Waits for what must come.
pub(crate) async fn soon<F: Future>(what: &str, happens: F) -> F::Output {
    tokio::time::timeout(WITHIN, happens)
        .await
        .unwrap_or_else(|_late| panic!("{what} never came"))
}
