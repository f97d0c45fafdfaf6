//! The one way in which a signature is checked: Ed25519 (RFC 8032), strictly, so that everybody agrees on every signature.

#[cfg(not(target_arch = "wasm32"))]
mod table;

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

/// A key that many signatures are checked with. It says of each what [`verify_strict`] says, in about half the time.
#[derive(Clone)]
pub struct PreparedKey {
    key: VerifyingKey,
    #[cfg(not(target_arch = "wasm32"))]
    table: Option<table::Table>,
}

impl PreparedKey {
    /// `key`, of which about so many signatures are to be checked: a few are not worth preparing for.
    #[cfg_attr(
        target_arch = "wasm32",
        expect(unused_variables, reason = "a page has no tables")
    )]
    pub fn new(key: VerifyingKey, signatures: usize) -> Self {
        Self {
            key,
            #[cfg(not(target_arch = "wasm32"))]
            table: table::Table::worth_it(&key, signatures),
        }
    }

    /// The key itself.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// As [`verify_strict`] with this key.
    pub fn verify_strict(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(table) = &self.table {
            return table.verify_strict(message, signature);
        }
        verify_strict(&self.key, message, signature)
    }
}

impl std::fmt::Debug for PreparedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.key.fmt(formatter)
    }
}
