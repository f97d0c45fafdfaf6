//! A robot proves the key that it will sign with.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use identity::Robot;
use protocol::{
    event::EnrolmentProof,
    sealed::Kind,
    views::{Enrolment, EnrolmentView},
};
use sha2::{Digest as _, Sha256};
use spine::Tx;

use crate::{app::App, error::ApiError, flows::proven::proven};

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
    let code = "enrolment_unproven";
    let refused = |why: &str| ApiError::malformed(code, why);
    let (public_key, proof) = proven::<EnrolmentProof>(
        Kind::Enrolment,
        code,
        &enrolment.public_key,
        &enrolment.proof,
    )?;
    let expected: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    if proof.token_hash != expected {
        return Err(refused("the proof was made for another token"));
    }
    Ok(public_key)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use protocol::sealed;

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
