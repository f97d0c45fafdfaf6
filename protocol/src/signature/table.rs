//! Multiples of one key, so that checking a signature of it takes no doublings: as for the curve's own base point.
//!
//! The same equation as `VerifyingKey::verify_strict`: the nonce that follows from the signature, the key and the message is
//! the very bytes of the nonce in the signature, and neither it nor the key is of small order. The public vectors are held
//! against both.

use std::sync::Arc;

use curve25519_dalek::{
    EdwardsPoint, Scalar, edwards::CompressedEdwardsY, edwards::EdwardsBasepointTable,
    traits::BasepointTable as _,
};
use ed25519_dalek::{SIGNATURE_LENGTH, VerifyingKey};
use sha2::{Digest as _, Sha512};

use super::BadSignature;

/// Making a table takes about as long as so many checks save.
const WORTH_IT: usize = 64;

/// A key, and 30 KB of its multiples.
#[derive(Clone)]
pub(super) struct Table {
    key: [u8; 32],
    negated: Arc<EdwardsBasepointTable>,
}

impl Table {
    /// None for few signatures, and for a key of small order, which the plain check refuses.
    pub(super) fn worth_it(key: &VerifyingKey, signatures: usize) -> Option<Self> {
        (signatures >= WORTH_IT && !key.is_weak()).then(|| Self::new(key))?
    }

    fn new(key: &VerifyingKey) -> Option<Self> {
        let point = CompressedEdwardsY(key.to_bytes()).decompress()?;
        Some(Self {
            key: key.to_bytes(),
            negated: Arc::new(EdwardsBasepointTable::create(&-point)),
        })
    }

    pub(super) fn verify_strict(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let signature: &[u8; SIGNATURE_LENGTH] =
            signature.try_into().map_err(|_length| BadSignature)?;
        let (nonce, scalar) = signature.split_at(32);
        let scalar = <[u8; 32]>::try_from(scalar).map_err(|_length| BadSignature)?;
        let scalar =
            Option::<Scalar>::from(Scalar::from_canonical_bytes(scalar)).ok_or(BadSignature)?;
        let hash = Sha512::new()
            .chain_update(nonce)
            .chain_update(self.key)
            .chain_update(message)
            .finalize();
        let challenge = Scalar::from_bytes_mod_order_wide(&hash.into());
        let expected = &*self.negated * &challenge + EdwardsPoint::mul_base(&scalar);
        let is_good = expected.compress().as_bytes() == nonce && !expected.is_small_order();
        is_good.then_some(()).ok_or(BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;

    use crate::signature::{PreparedKey, verify_strict};

    proptest! {
        #[test]
        fn a_prepared_key_says_what_the_plain_check_says(
            seed: [u8; 32],
            message: Vec<u8>,
            byte in 0_usize..64,
            flip in 0_u8..=255,
        ) {
            let signer = SigningKey::from_bytes(&seed);
            let key = signer.verifying_key();
            let mut signature = signer.sign(&message).to_bytes();
            signature[byte] ^= flip;

            let prepared = PreparedKey::new(key, usize::MAX);

            let said = prepared.verify_strict(&message, &signature);
            prop_assert_eq!(said, verify_strict(&key, &message, &signature));
            prop_assert_eq!(said.is_ok(), flip == 0);
        }
    }

    #[test]
    fn only_a_whole_signature_is_one() {
        let signer = SigningKey::from_bytes(&[1; 32]);
        let prepared = PreparedKey::new(signer.verifying_key(), usize::MAX);
        let signature = signer.sign(b"done").to_bytes();

        assert!(prepared.verify_strict(b"done", &signature).is_ok());
        assert!(prepared.verify_strict(b"done", &signature[..63]).is_err());
        assert!(prepared.verify_strict(b"done", &[]).is_err());
    }
}
