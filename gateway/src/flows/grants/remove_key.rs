//! A person's key is not to be believed any more: a lost laptop, a browser that others use.

use protocol::sealed::KeyId;
use spine::Tx;

use crate::{app::App, error::ApiError, flows::grants::revoke::revoke_now, http::auth::Caller};

/// Removes a key of the caller's own; every robot hears of it at once, whatever roster it holds.
pub async fn remove_key(app: &App, caller: &Caller, key: KeyId) -> Result<(), ApiError> {
    let person = &caller.person;
    let mut tx = Tx::begin(&app.pool);
    let removed = identity::store::remove_person_key(
        &mut tx,
        person.organisation,
        person.person,
        key,
        Some(person.person),
        app.clock.now(),
    )
    .await?;
    if !removed {
        return Err(ApiError::not_found("key of yours"));
    }
    tx.commit(&app.signer, app.clock.micros()).await?;
    revoke_now(app, person.organisation).await
}
