//! The one way in which a signature is checked: Ed25519 (RFC 8032), strictly, so that everybody agrees on every signature.

use ed25519_dalek::{Signature, VerifyingKey};

/// The signature does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct BadSignature;

/// Whether `key` signed exactly `message`.
///
/// Strictly: a key or nonce of small order is refused, with which one signature would fit many messages, and so is every
/// second spelling of a signature.
pub fn verify_strict(
    key: &VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), BadSignature> {
    let signature = Signature::from_slice(signature).map_err(|_length| BadSignature)?;
    key.verify_strict(message, &signature)
        .map_err(|_mismatch| BadSignature)
}
