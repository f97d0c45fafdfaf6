//! A browser's session ends, and with it everything live that stands on it.

use spine::Tx;

use crate::{
    app::App,
    error::ApiError,
    http::auth::{Caller, Credential},
};

/// Ends the caller's session. A bearer token is not a session and is refused.
pub async fn sign_out(app: &App, caller: &Caller) -> Result<(), ApiError> {
    let Credential::Session(hash) = caller.credential else {
        return Err(ApiError::refused(
            "not_a_session",
            "a bearer token is revoked, not signed out",
        ));
    };
    let mut tx = Tx::begin(&app.pool);
    identity::store::close_session(&mut tx, hash, app.clock.now()).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    app.live.end_consoles_with(&caller.credential.name());
    Ok(())
}
