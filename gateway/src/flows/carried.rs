//! Work that outlives the request that asked for it: what was begun towards a robot is carried through, also when nobody waits any more.

use std::future::Future;

use crate::{app::App, error::ApiError};

/// Does the work to its end, which the shutdown waits for, and returns what came of it to who still waits.
pub async fn carried_through<T: Send + 'static>(
    app: &App,
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match app.sessions.spawn(work).await {
        Ok(done) => done,
        Err(broken) => Err(ApiError::internal(&broken)),
    }
}
