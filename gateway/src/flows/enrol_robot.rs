//! A robot proves the key that it will sign with.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use identity::Robot;
use protocol::{
    event::EnrolmentProof,
    sealed::{self, Kind},
    views::{Enrolment, EnrolmentView},
};
use sha2::{Digest as _, Sha256};
use spine::Tx;

use crate::{app::App, error::ApiError};

/// Binds the key in `enrolment` to the robot behind `token`. Enrolling again with the same key changes nothing.
pub async fn enrol_robot(
    app: &App,
    robot: &Robot,
    token: &str,
    enrolment: &Enrolment,
) -> Result<EnrolmentView, ApiError> {
    let public_key = proven_key(token, enrolment)?;

    let mut tx = Tx::begin(&app.pool);
    let now = app.clock.now();
    identity::store::bind_robot_key(&mut tx, robot, public_key, now).await?;
    let pinned = identity::store::root_of(tx.connection().await?, robot.organisation).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;

    tracing::info!(robot.id = %robot.robot, "{} enrolled", robot.name);
    Ok(EnrolmentView {
        robot: robot.robot,
        name: robot.name.clone(),
        gateway_key: BASE64_STANDARD.encode(app.signer.verifying_key().as_bytes()),
        organisation: robot.organisation,
        site: robot.site,
        root: pinned.map(|root| BASE64_STANDARD.encode(root)),
    })
}

/// The key, if the proof was sealed with it and names this very token: a proof made for another token proves nothing here.
fn proven_key(token: &str, enrolment: &Enrolment) -> Result<[u8; 32], ApiError> {
    let refused = |why: &str| ApiError::malformed("enrolment_unproven", why);
    let public_key: [u8; 32] = BASE64_STANDARD
        .decode(&enrolment.public_key)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| refused("the public key is not 32 bytes in base64"))?;
    let key = VerifyingKey::from_bytes(&public_key)
        .map_err(|_not_a_point| refused("the public key is no Ed25519 key"))?;
    let proof = BASE64_STANDARD
        .decode(&enrolment.proof)
        .map_err(|_not_base64| refused("the proof is not base64"))?;
    let proof: EnrolmentProof = sealed::open(Kind::Enrolment, &proof, &key)
        .map_err(|_unproven| refused("the proof was not sealed with this key"))?;
    let expected: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    if proof.token_hash != expected {
        return Err(refused("the proof was made for another token"));
    }
    Ok(public_key)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    fn enrolment(token: &str, signing: u8, claimed: u8) -> Enrolment {
        let key = |seed: u8| SigningKey::from_bytes(&[seed; 32]);
        let proof = EnrolmentProof {
            token_hash: Sha256::digest(token.as_bytes()).into(),
        };
        Enrolment {
            proof: BASE64_STANDARD
                .encode(sealed::seal(Kind::Enrolment, &proof, &key(signing)).unwrap()),
            public_key: BASE64_STANDARD.encode(key(claimed).verifying_key().as_bytes()),
        }
    }

    #[test]
    fn only_the_holder_of_the_key_enrols_it_and_only_for_its_own_token() {
        assert!(proven_key("a", &enrolment("a", 1, 1)).is_ok());
        for (case, body) in [
            ("somebody else's key", enrolment("a", 1, 2)),
            ("a proof for another token", enrolment("b", 1, 1)),
            (
                "no proof",
                Enrolment {
                    proof: String::new(),
                    ..enrolment("a", 1, 1)
                },
            ),
            (
                "no key",
                Enrolment {
                    public_key: "AAAA".to_owned(),
                    ..enrolment("a", 1, 1)
                },
            ),
        ] {
            assert!(proven_key("a", &body).is_err(), "{case} was accepted");
        }
    }
}
