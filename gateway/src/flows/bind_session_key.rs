//! A browser proves the key that it signs with for the person who is signed in there.

use protocol::{
    PersonId, UnixMicros,
    event::SessionKeyProof,
    sealed::Kind,
    views::{BindSessionKey, SessionKeyView},
};
use spine::Tx;

use crate::{
    app::App,
    error::ApiError,
    flows::proven::proven,
    http::auth::{Caller, Credential},
};

/// A proof is made and sent at once; clocks of browsers are off by minutes, not by more.
const PROOF_VALID_US: i64 = 10 * 60 * 1_000_000;

/// Binds the key to the caller's sign-in. A bearer token binds none: what a script does is recorded on behalf of its owner.
pub async fn bind_session_key(
    app: &App,
    caller: &Caller,
    body: &BindSessionKey,
) -> Result<SessionKeyView, ApiError> {
    let (Credential::Session(session), Some(expires_at)) = (caller.credential, caller.expires_at)
    else {
        return Err(ApiError::refused(
            "not_a_session",
            "a bearer token binds no key; what it does is recorded on your behalf",
        ));
    };
    let public_key = proven_key(caller.person.person, app.clock.micros(), body)?;
    let mut tx = Tx::begin(&app.pool);
    let now = app.clock.now();
    let bound = identity::store::bind_session_key(
        &mut tx,
        &caller.person,
        session,
        public_key,
        expires_at,
        now,
    )
    .await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    Ok(SessionKeyView {
        key: bound.key.to_string(),
        number: spine::actor_held(&app.pool, bound.key).await?,
        expires_at: bound.expires_at,
    })
}

/// The key, if the proof was sealed with it, for this person, just now.
pub fn proven_key(
    person: PersonId,
    now: UnixMicros,
    body: &BindSessionKey,
) -> Result<[u8; 32], ApiError> {
    let code = "session_key_unproven";
    let refused = |why: &str| ApiError::malformed(code, why);
    let (public_key, proof) =
        proven::<SessionKeyProof>(Kind::SessionKey, code, &body.public_key, &body.proof)?;
    if proof.person != person {
        return Err(refused("the proof was made for another person"));
    }
    if now.since(proof.at).abs() > PROOF_VALID_US {
        return Err(refused(
            "the proof is older or newer than ten minutes: set this computer's clock",
        ));
    }
    Ok(public_key)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use ed25519_dalek::SigningKey;
    use protocol::sealed;
    use uuid::Uuid;

    use super::*;

    const MIRA: PersonId = PersonId(Uuid::from_u128(1));
    const NOW: UnixMicros = UnixMicros(1_700_000_000_000_000);

    fn body(person: PersonId, at: UnixMicros, signing: u8, claimed: u8) -> BindSessionKey {
        let key = |seed: u8| SigningKey::from_bytes(&[seed; 32]);
        let proof = SessionKeyProof { person, at };
        BindSessionKey {
            proof: BASE64_STANDARD
                .encode(sealed::seal(Kind::SessionKey, &proof, &key(signing)).unwrap()),
            public_key: BASE64_STANDARD.encode(key(claimed).verifying_key().as_bytes()),
        }
    }

    #[test]
    fn only_the_holder_of_a_key_binds_it_for_themself_and_now() {
        assert!(proven_key(MIRA, NOW, &body(MIRA, NOW, 1, 1)).is_ok());
        for (case, body) in [
            ("somebody else's key", body(MIRA, NOW, 1, 2)),
            (
                "made for another person",
                body(PersonId(Uuid::from_u128(2)), NOW, 1, 1),
            ),
            (
                "an old one",
                body(MIRA, NOW.plus(-PROOF_VALID_US - 1), 1, 1),
            ),
            (
                "one of tomorrow",
                body(MIRA, NOW.plus(PROOF_VALID_US + 1), 1, 1),
            ),
        ] {
            assert!(proven_key(MIRA, NOW, &body).is_err(), "{case} was taken");
        }
    }
}
