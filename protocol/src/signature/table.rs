//! Multiples of one key, so that checking a signature of it takes no doublings.
//!
//! The same equation as `VerifyingKey::verify_strict`: the nonce that follows from the signature, the key and the message is
//! the very bytes of the nonce in the signature, and neither it nor the key is of small order. All of it is public, so that
//! how long it takes tells nobody anything. The public vectors are held against both (ADR 0008).

use std::sync::{Arc, LazyLock};

use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT, edwards::CompressedEdwardsY,
    traits::Identity as _,
};
use ed25519_dalek::{SIGNATURE_LENGTH, VerifyingKey};
use sha2::{Digest as _, Sha512};

use super::BadSignature;

/// Making a table takes about as long as so many checks save twice over.
const WORTH_IT: usize = 128;

/// Bits of a scalar that are looked up at once. With fewer there is more to add, with more the tables leave the cache.
const WINDOW_BITS: usize = 6;

/// Windows of a scalar.
const WINDOWS: usize = 256_usize.div_ceil(WINDOW_BITS);

/// Multiples of a window's unit, but for none of it.
const MULTIPLES: usize = (1 << WINDOW_BITS) - 1;

/// The curve's own base point.
static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(ED25519_BASEPOINT_POINT));

/// A point's multiples: 420 KB.
struct Multiples(Vec<EdwardsPoint>);

impl Multiples {
    fn of(point: EdwardsPoint) -> Self {
        let mut multiples = Vec::with_capacity(WINDOWS * MULTIPLES);
        let mut unit = point;
        for _ in 0..WINDOWS {
            let mut multiple = unit;
            for _ in 0..MULTIPLES {
                multiples.push(multiple);
                multiple += unit;
            }
            unit = multiple;
        }
        Self(multiples)
    }

    /// `sum`, and `scalar` times the point.
    fn add(&self, scalar: &Scalar, mut sum: EdwardsPoint) -> EdwardsPoint {
        let bytes = scalar.as_bytes();
        for window in 0..WINDOWS {
            let bit = window * WINDOW_BITS;
            let low = usize::from(bytes[bit / 8]);
            let high = bytes.get(bit / 8 + 1).map_or(0, |&byte| usize::from(byte));
            let times = ((high << 8 | low) >> (bit % 8)) & MULTIPLES;
            if let Some(multiple) = times.checked_sub(1) {
                sum += self.0[window * MULTIPLES + multiple];
            }
        }
        sum
    }
}

/// A key, and its multiples.
#[derive(Clone)]
pub(super) struct Table {
    key: [u8; 32],
    negated: Arc<Multiples>,
}

impl Table {
    /// None for few signatures, and for a key of small order, which the plain check refuses.
    pub(super) fn worth_it(key: &VerifyingKey, signatures: usize) -> Option<Self> {
        if signatures < WORTH_IT || key.is_weak() {
            return None;
        }
        let point = CompressedEdwardsY(key.to_bytes()).decompress()?;
        Some(Self {
            key: key.to_bytes(),
            negated: Arc::new(Multiples::of(-point)),
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
        let expected = BASE.add(&scalar, EdwardsPoint::identity());
        let expected = self.negated.add(&challenge, expected);
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
