//! Somebody wants to show by a passkey who they are: a challenge for whichever authenticator answers.

use protocol::views::PasskeyChallengeView;
use uuid::Uuid;

use super::site::site;
use crate::{app::App, error::ApiError};

/// Makes the challenge and keeps what its answer is held against. The library makes 32 random bytes of it, which is what pages
/// hold it against before they have it signed.
pub async fn begin_sign_in(app: &App) -> Result<PasskeyChallengeView, ApiError> {
    let site = site(app)?;
    let (asked, state) = site
        .checks
        .start_discoverable_authentication()
        .map_err(|error| ApiError::internal(&error))?;
    let broken = |error: serde_json::Error| ApiError::internal(&error);
    let options = serde_json::to_value(asked.public_key).map_err(broken)?;
    let state = serde_json::to_value(state).map_err(broken)?;
    let (challenge, now) = (Uuid::now_v7(), app.clock.now());
    identity::store::keep_passkey_challenge(&app.pool, challenge, None, &state, now).await?;
    Ok(PasskeyChallengeView { challenge, options })
}
