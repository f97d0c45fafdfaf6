//! A passkey's answer to a challenge of a sign-in: whose it is, and what is remembered of it.

use identity::Passkey;
use protocol::{PersonId, views::PasskeyAnswer};
use spine::Tx;
use webauthn_rs::prelude::{DiscoverableAuthentication, PublicKeyCredential};

use super::site::{believed, no_challenge, site};
use crate::{app::App, error::ApiError};

/// The passkey that answered. Its challenge is used up whatever comes of it; its counter moves with the transaction.
pub async fn used_passkey(
    app: &App,
    tx: &mut Tx,
    body: &PasskeyAnswer,
) -> Result<Passkey, ApiError> {
    let site = site(app)?;
    let now = app.clock.now();
    let state = identity::store::take_passkey_challenge(&app.pool, body.challenge, None, now)
        .await?
        .ok_or_else(no_challenge)?;
    let state: DiscoverableAuthentication =
        serde_json::from_value(state).map_err(|error| ApiError::internal(&error))?;
    let answer: PublicKeyCredential = serde_json::from_value(body.credential.clone())
        .map_err(|error| ApiError::malformed("passkey_malformed", error.to_string()))?;
    let (person, credential_id) =
        believed(site.checks.identify_discoverable_authentication(&answer))?;
    let known = identity::store::passkey_by_credential(tx, credential_id)
        .await?
        .filter(|known| known.person == PersonId(person))
        .ok_or_else(|| {
            ApiError::forbidden(
                "passkey_unknown",
                "this passkey is nobody's here: it was removed, or made for another gateway",
            )
        })?;
    let mut passkey: webauthn_rs::prelude::Passkey =
        serde_json::from_value(known.credential.clone())
            .map_err(|error| ApiError::internal(&error))?;
    let checks = &site.checks;
    let result = believed(checks.finish_discoverable_authentication_v2(&answer, state, &passkey))?;
    // It names the very credential that it was checked with.
    let _changed = passkey.update_credential(&result);
    let credential = serde_json::to_value(&passkey).map_err(|error| ApiError::internal(&error))?;
    identity::store::passkey_was_used(tx, known.key, &credential, now).await?;
    Ok(known)
}
