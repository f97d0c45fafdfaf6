//! Waiting for something to become true, with a bound. The only place in this crate where time is let pass.

use std::{fmt::Display, future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::Instant;

/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(25);

/// Looks at `condition` until it gives a value, at most for `within`. The error says `what` was waited for and, where the
/// condition fails rather than being untrue, why.
pub async fn until<T, F, Fut>(what: impl Display, within: Duration, mut condition: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + within;
    let mut beat = tokio::time::interval(EVERY);
    loop {
        beat.tick().await;
        let last_failure = match condition().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() >= deadline {
            match last_failure {
                Some(error) => {
                    bail!("waited {within:?} for {what}; the last try failed: {error:#}")
                }
                None => bail!("waited {within:?} for {what}"),
            }
        }
    }
}
