//! Somebody wants to add a passkey: a challenge for its authenticator, good for this sign-in.

use protocol::views::PasskeyChallengeView;
use serde_json::json;
use uuid::Uuid;

use super::{fresh::fresh_session, site::site};
use crate::{app::App, error::ApiError, flows::jobs::act_on_job::limit_acts, http::auth::Caller};

/// ES256, as COSE numbers it: the one kind that robots check.
const ES256: i32 = -7;

/// Makes the challenge and keeps what its answer is held against.
pub async fn begin_adding(app: &App, caller: &Caller) -> Result<PasskeyChallengeView, ApiError> {
    limit_acts(app, caller).await?;
    let session = fresh_session(app, caller)?;
    let site = site(app)?;
    let person = &caller.person;
    let theirs = identity::store::list_passkeys(&app.pool, person.person).await?;
    let known = (theirs.into_iter())
        .map(|passkey| passkey.credential_id)
        .collect();
    let (asked, state) = site
        .checks
        .start_passkey_registration(person.person.0, &person.name, &person.name, Some(known))
        .map_err(|error| ApiError::internal(&error))?;
    let broken = |error: serde_json::Error| ApiError::internal(&error);
    let mut options = serde_json::to_value(asked.public_key).map_err(broken)?;
    // Found again without a name being typed.
    options["authenticatorSelection"]["residentKey"] = json!("required");
    options["authenticatorSelection"]["requireResidentKey"] = json!(true);
    options["pubKeyCredParams"] = json!([{ "type": "public-key", "alg": ES256 }]);
    let state = serde_json::to_value(state).map_err(broken)?;
    let (challenge, now) = (Uuid::now_v7(), app.clock.now());
    identity::store::keep_passkey_challenge(&app.pool, challenge, Some(session), &state, now)
        .await?;
    Ok(PasskeyChallengeView { challenge, options })
}
