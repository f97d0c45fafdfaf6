//! A browser, or a script, offers a key of its person's for the roster. In a demo it is put there at once, and marked.

use protocol::{
    PersonId,
    grant::PersonKeyProof,
    roster::KeyTier,
    sealed::Kind,
    views::{OfferPersonKey, PersonKeyView},
};
use spine::Tx;

use crate::{
    app::App,
    error::ApiError,
    flows::{
        grants::{demo_roster::publish_if_demo, roster_view::keys_of, tell::tell_organisation},
        jobs::act_on_job::limit_acts,
        proven::proven,
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
    let public_key = proven_key(person.person, offer)?;
    let now = app.clock.now();
    let mut tx = Tx::begin(&app.pool);
    let known = identity::store::person_keys(tx.connection().await?, person.person).await?;
    let offered = identity::store::offer_person_key(&mut tx, person, public_key, now).await?;
    let is_new = known.iter().all(|key| key.key != offered.key);
    let is_published = is_new && publish_if_demo(app, &mut tx, person.organisation).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    if is_published {
        tell_organisation(app, person.organisation).await;
    }
    let keys = keys_of(app, person).await?;
    let name = offered.key.to_string();
    (keys.into_iter().find(|view| view.key == name)).ok_or_else(ApiError::broken)
}

fn proven_key(person: PersonId, offer: &OfferPersonKey) -> Result<[u8; 32], ApiError> {
    let code = "person_key_unproven";
    let refused = |why: &str| ApiError::malformed(code, why);
    if offer.tier != KeyTier::Browser {
        return Err(refused("an authenticator's key is added as a passkey"));
    }
    let (public_key, proof) =
        proven::<PersonKeyProof>(Kind::PersonKey, code, &offer.public_key, &offer.proof)?;
    if proof.person != person {
        return Err(refused("the proof was made for another person"));
    }
    Ok(public_key)
}
