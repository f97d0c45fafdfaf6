//! A browser, or a script, offers a key of its person's for the roster. In a demo it is put there at once, and marked.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use protocol::{
    PersonId,
    grant::PersonKeyProof,
    sealed::{self, Kind},
    views::{OfferPersonKey, PersonKeyView},
};
use spine::Tx;

use crate::{
    admin::demo_root,
    app::App,
    error::ApiError,
    flows::{
        grants::{roster_view::keys_of, tell::tell_organisation},
        jobs::act_on_job::limit_acts,
    },
    http::auth::Caller,
};

/// Keeps the key until the root signs a roster that has it.
pub async fn offer_key(
    app: &App,
    caller: &Caller,
    offer: &OfferPersonKey,
) -> Result<PersonKeyView, ApiError> {
    limit_acts(app, caller).await?;
    let person = &caller.person;
    let public_key = proven(person.person, offer)?;
    let now = app.clock.now();
    let mut tx = Tx::begin(&app.pool);
    let known = identity::store::person_keys(tx.connection().await?, person.person).await?;
    let offered =
        identity::store::offer_person_key(&mut tx, person, public_key, offer.tier, now).await?;
    let is_new = known.iter().all(|key| key.key != offered.key);
    let root = if app.config.is_demo && is_new {
        demo_root(&app.config.data_dir).map_err(|error| ApiError::internal(&error))?
    } else {
        None
    };
    let is_published = root.is_some();
    if let Some(root) = root {
        let policy_keys = vec![app.policy.verifying_key().to_bytes()];
        let organisation = person.organisation;
        identity::store::publish_demo_roster(&mut tx, organisation, &root, policy_keys, now)
            .await?;
    }
    tx.commit(&app.signer, app.clock.micros()).await?;
    if is_published {
        tell_organisation(app, person.organisation).await;
    }
    let keys = keys_of(app, person).await?;
    let name = offered.key.to_string();
    (keys.into_iter().find(|view| view.key == name)).ok_or_else(ApiError::broken)
}

fn proven(person: PersonId, offer: &OfferPersonKey) -> Result<[u8; 32], ApiError> {
    let refused = |why: &str| ApiError::malformed("person_key_unproven", why);
    let public_key: [u8; 32] = BASE64_STANDARD
        .decode(&offer.public_key)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| refused("the public key is not 32 bytes in base64"))?;
    let key = VerifyingKey::from_bytes(&public_key)
        .map_err(|_not_a_point| refused("the public key is no Ed25519 key"))?;
    let proof = BASE64_STANDARD
        .decode(&offer.proof)
        .map_err(|_not_base64| refused("the proof is not base64"))?;
    let proof: PersonKeyProof = sealed::open(Kind::PersonKey, &proof, &key)
        .map_err(|_unproven| refused("the proof was not sealed with this key"))?;
    if proof.person != person {
        return Err(refused("the proof was made for another person"));
    }
    Ok(public_key)
}
