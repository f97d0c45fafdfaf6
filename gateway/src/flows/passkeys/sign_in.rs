//! A passkey's answer becomes a browser's session, which says so.

use protocol::views::PasskeyAnswer;
use spine::Tx;

use super::used::used_passkey;
use crate::{
    app::App,
    error::ApiError,
    flows::sign_in::{SignedIn, fresh_secret},
};

/// Opens a session for whose passkey answered.
pub async fn sign_in_by_passkey(app: &App, body: &PasskeyAnswer) -> Result<SignedIn, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let passkey = used_passkey(app, &mut tx, body).await?;
    let person = identity::store::load_person(tx.connection().await?, passkey.person)
        .await?
        .ok_or_else(ApiError::broken)?;
    let (secret, now) = (fresh_secret()?, app.clock.now());
    let hash = secret.hash();
    let expires_at =
        identity::store::open_session(&mut tx, &person, hash, Some(passkey.key), now).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    tracing::info!(person.id = %person.person, key = %passkey.key, "signed in by passkey");
    Ok(SignedIn {
        person,
        secret,
        expires_at,
        passkey: Some(passkey.key),
    })
}
