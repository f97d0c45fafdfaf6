//! A sign-in link becomes a browser's session.

use identity::{Person, Secret, SecretHash, SecretKind, StoreError};
use protocol::sealed::KeyId;
use spine::Tx;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{app::App, error::ApiError};

/// A session that was just opened.
pub struct SignedIn {
    /// Whose.
    pub person: Person,
    /// The cookie's value.
    pub secret: Secret,
    /// When it ends.
    pub expires_at: OffsetDateTime,
    /// The passkey that opened it; nothing for a link.
    pub passkey: Option<KeyId>,
}

/// A secret for a session's cookie.
pub fn fresh_secret() -> Result<Secret, ApiError> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut()).map_err(|error| ApiError::internal(&error))?;
    Ok(Secret::new(SecretKind::Session, &random))
}

/// Opens a session for who the link was made for.
pub async fn sign_in(app: &App, link: &str) -> Result<SignedIn, ApiError> {
    let now = app.clock.now();
    let unknown = || {
        ApiError::signed_out(
            "link_unknown",
            "this sign-in link is unknown; ask for a new one",
        )
    };
    let link = SecretHash::of(SecretKind::Link, link).ok_or_else(unknown)?;
    let secret = fresh_secret()?;
    let mut tx = Tx::begin(&app.pool);
    let person = match identity::store::use_link(&mut tx, link, now).await {
        Ok(person) => person,
        Err(StoreError::Refused(identity::Refusal::LinkUnknown)) => return Err(unknown()),
        Err(StoreError::Refused(refusal)) => {
            return Err(ApiError::signed_out(refusal.code(), &refusal.to_string()));
        }
        Err(failure) => return Err(failure.into()),
    };
    let expires_at =
        identity::store::open_session(&mut tx, &person, secret.hash(), None, now).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    tracing::info!(person.id = %person.person, "signed in");
    Ok(SignedIn {
        person,
        secret,
        expires_at,
        passkey: None,
    })
}
