//! A person's key is not to be believed any more: a lost laptop, a browser that others use.

use protocol::{roster::KeyTier, sealed::KeyId};
use spine::Tx;

use crate::{
    app::App,
    error::ApiError,
    flows::{grants::revoke::revoke_now, passkeys::fresh::fresh_session},
    http::auth::{Caller, Credential},
};

/// Removes a key of the caller's own, of this tier; every robot hears of it at once, whatever roster it holds. A passkey goes only
/// at the wish of who showed just now that it is them, and with it goes what it signed in to elsewhere.
pub async fn remove_key(
    app: &App,
    caller: &Caller,
    key: KeyId,
    tier: KeyTier,
) -> Result<(), ApiError> {
    let person = &caller.person;
    let here = match tier {
        KeyTier::Passkey => Some(fresh_session(app, caller)?),
        KeyTier::Browser => match caller.credential {
            Credential::Session(session) => Some(session),
            Credential::Token(..) => None,
        },
    };
    let theirs = identity::store::person_keys(&app.pool, person.person).await?;
    if !(theirs.iter()).any(|theirs| theirs.key == key && theirs.tier() == tier) {
        return Err(ApiError::not_found("key of yours"));
    }
    let mut tx = Tx::begin(&app.pool);
    let removed = identity::store::remove_person_key(
        &mut tx,
        person.organisation,
        person.person,
        key,
        (Some(person.person), here),
        app.clock.now(),
    )
    .await?;
    if !removed {
        return Err(ApiError::not_found("key of yours"));
    }
    tx.commit(&app.signer, app.clock.micros()).await?;
    // It is removed, whatever comes now; who follows the log brings the list to robots, too.
    if let Err(error) = revoke_now(app, person.organisation).await {
        tracing::warn!(
            code = error.code(),
            "a key is removed; robots hear of it later"
        );
    }
    Ok(())
}
