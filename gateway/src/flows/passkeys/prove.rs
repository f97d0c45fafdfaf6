//! Somebody who is signed in shows anew, by a passkey, that it is them.

use protocol::views::PasskeyAnswer;
use spine::Tx;

use super::used::used_passkey;
use crate::{
    app::App,
    error::ApiError,
    http::auth::{Caller, Credential},
};

/// From here on the caller's sign-in is as fresh as a new one.
pub async fn prove_by_passkey(
    app: &App,
    caller: &Caller,
    body: &PasskeyAnswer,
) -> Result<(), ApiError> {
    let Credential::Session(session) = caller.credential else {
        return Err(ApiError::refused(
            "not_a_session",
            "a bearer token is no sign-in that could be proven",
        ));
    };
    let mut tx = Tx::begin(&app.pool);
    let passkey = used_passkey(app, &mut tx, body).await?;
    if passkey.person != caller.person.person {
        return Err(ApiError::forbidden(
            "passkey_anothers",
            "this passkey is another person's",
        ));
    }
    identity::store::prove_session(&mut tx, session, app.clock.now()).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    Ok(())
}
