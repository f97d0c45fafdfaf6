//! An authenticator made a passkey. In a demo it is put on the roster at once, and marked.

use identity::{Name, store::NewPasskey};
use protocol::{
    passkey::{MAX_CREDENTIAL_ID_BYTES, POINT_BYTES},
    views::{AddPasskey, PasskeyView},
};
use spine::Tx;
use webauthn_rs::prelude::{
    COSEAlgorithm, COSEKey, COSEKeyType, PasskeyRegistration, RegisterPublicKeyCredential,
};

use super::{
    fresh::fresh_session,
    list::list_passkeys,
    site::{believed, no_challenge, site},
};
use crate::{
    app::App,
    error::ApiError,
    flows::{
        grants::{demo_roster::publish_if_demo, tell::tell_organisation},
        jobs::act_on_job::limit_acts,
    },
    http::auth::Caller,
};

/// Keeps the passkey, if its authenticator answered the challenge that this sign-in was given.
pub async fn add_passkey(
    app: &App,
    caller: &Caller,
    body: &AddPasskey,
) -> Result<PasskeyView, ApiError> {
    limit_acts(app, caller).await?;
    let session = fresh_session(app, caller)?;
    let site = site(app)?;
    let name = Name::parse(&body.name)
        .map_err(|refusal| ApiError::malformed(refusal.code(), refusal.to_string()))?;
    let now = app.clock.now();
    let state =
        identity::store::take_passkey_challenge(&app.pool, body.challenge, Some(session), now)
            .await?
            .ok_or_else(no_challenge)?;
    let state: PasskeyRegistration =
        serde_json::from_value(state).map_err(|error| ApiError::internal(&error))?;
    let answer: RegisterPublicKeyCredential = serde_json::from_value(body.credential.clone())
        .map_err(|error| ApiError::malformed("passkey_malformed", error.to_string()))?;
    let theirs = identity::store::list_passkeys(&app.pool, caller.person.person).await?;
    if theirs
        .iter()
        .any(|known| known.credential_id == answer.raw_id)
    {
        return Err(ApiError::refused(
            "key_taken",
            "this authenticator has a passkey of yours already",
        ));
    }
    let passkey = believed(site.checks.finish_passkey_registration(&answer, &state))?;
    let credential_id = passkey.cred_id().clone();
    let public_key = point(passkey.get_public_key())
        .filter(|_| (1..=MAX_CREDENTIAL_ID_BYTES).contains(&credential_id.len()))
        .ok_or_else(|| {
            ApiError::refused(
                "passkey_unsupported",
                "this authenticator makes no ES256 keys, which are the ones that robots check",
            )
        })?;
    let new = NewPasskey {
        public_key,
        credential_id,
        name,
        site: site.party,
        credential: serde_json::to_value(&passkey).map_err(|error| ApiError::internal(&error))?,
    };
    let person = &caller.person;
    let mut tx = Tx::begin(&app.pool);
    let added = identity::store::add_passkey(&mut tx, person, &new, now).await?;
    let is_published = publish_if_demo(app, &mut tx, person.organisation).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    tracing::info!(person.id = %person.person, key = %added.key, "passkey added");
    if is_published {
        tell_organisation(app, person.organisation).await;
    }
    let name = added.key.to_string();
    let all = list_passkeys(app, person).await?;
    (all.into_iter().find(|view| view.key == name)).ok_or_else(ApiError::broken)
}

/// The key as a compressed point (SEC 1 §2.3.3), if it is one on P-256.
fn point(key: &COSEKey) -> Option<[u8; POINT_BYTES]> {
    let (COSEAlgorithm::ES256, COSEKeyType::EC_EC2(key)) = (&key.type_, &key.key) else {
        return None;
    };
    let is_odd = key.y.last()? & 1;
    let mut point = [2 + is_odd; POINT_BYTES];
    (key.x.len() == POINT_BYTES - 1).then(|| point[1..].copy_from_slice(&key.x))?;
    Some(point)
}
