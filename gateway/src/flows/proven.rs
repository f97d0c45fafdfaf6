//! A key that somebody shows to be theirs: what it sealed proves that they hold it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use protocol::sealed::{self, Kind};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The key in `public_key` (base64) and what the proof (base64) says that it sealed as `kind`. For whom and when it was made is
/// the caller's to check. Whatever is wrong is refused under `code`.
pub fn proven<T: DeserializeOwned>(
    kind: Kind,
    code: &'static str,
    public_key: &str,
    proof: &str,
) -> Result<([u8; 32], T), ApiError> {
    let refused = |why: &str| ApiError::malformed(code, why);
    let public_key: [u8; 32] = BASE64_STANDARD
        .decode(public_key)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| refused("the public key is not 32 bytes in base64"))?;
    let key = VerifyingKey::from_bytes(&public_key)
        .map_err(|_not_a_point| refused("the public key is no Ed25519 key"))?;
    let proof = BASE64_STANDARD
        .decode(proof)
        .map_err(|_not_base64| refused("the proof is not base64"))?;
    let proof = sealed::open(kind, &proof, &key)
        .map_err(|_unproven| refused("the proof was not sealed with this key"))?;
    Ok((public_key, proof))
}
