//! The check of an assertion: in the order of `WebAuthn` §7.2, and of its §5.8.1.2 for how the JSON is written.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use p256::ecdsa::{DerSignature, VerifyingKey, signature::Verifier as _};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    AssertionFlaw, Expected, MAX_AUTHENTICATOR_DATA_BYTES, MAX_CLIENT_DATA_BYTES,
    MAX_SIGNATURE_BYTES, PasskeyAssertion, binding_challenge,
};

/// Hash of the site's name, flags, counter.
const HEAD_BYTES: usize = 37;

const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
/// A credential is shown where one is made, not where one is used.
const CREDENTIAL_INCLUDED: u8 = 1 << 6;
const EXTENSIONS_INCLUDED: u8 = 1 << 7;

/// What a browser says of what it had signed. What it says twice makes it unreadable; what nobody knows is passed over.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    is_cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<IgnoredAny>,
}

impl PasskeyAssertion {
    /// Whether this passkey signed this binding, on its own site, with its person there.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), AssertionFlaw> {
        let client_data = decode(&self.client_data, MAX_CLIENT_DATA_BYTES)?;
        let authenticator_data = decode(&self.authenticator_data, MAX_AUTHENTICATOR_DATA_BYTES)?;
        let signature = decode(&self.signature, MAX_SIGNATURE_BYTES)?;
        check_client_data(&client_data, expected)?;
        check_authenticator_data(&authenticator_data, &expected.relying_party.id)?;
        let key = VerifyingKey::from_sec1_bytes(expected.public_key)
            .map_err(|_no_point| AssertionFlaw::BadSignature)?;
        let signature = DerSignature::from_bytes(&signature)
            .map_err(|_no_signature| AssertionFlaw::Unreadable)?;
        let signed = [
            authenticator_data.as_slice(),
            &Sha256::digest(&client_data)[..],
        ]
        .concat();
        key.verify(&signed, &signature)
            .map_err(|_not_theirs| AssertionFlaw::BadSignature)
    }
}

fn decode(text: &str, most_bytes: usize) -> Result<Vec<u8>, AssertionFlaw> {
    if text.len() > most_bytes.div_ceil(3) * 4 {
        return Err(AssertionFlaw::Unreadable);
    }
    BASE64_STANDARD
        .decode(text)
        .ok()
        .filter(|bytes| bytes.len() <= most_bytes)
        .ok_or(AssertionFlaw::Unreadable)
}

fn check_client_data(bytes: &[u8], expected: &Expected<'_>) -> Result<(), AssertionFlaw> {
    let said: ClientData =
        serde_json::from_slice(bytes).map_err(|_json| AssertionFlaw::Unreadable)?;
    // What is passed over is not looked at: another reader must not find that it is no JSON.
    if serde_json::from_slice::<Value>(bytes).is_err() {
        return Err(AssertionFlaw::Unreadable);
    }
    if said.kind != "webauthn.get" {
        return Err(AssertionFlaw::AnotherType);
    }
    let challenge =
        (expected.binding.challenge()).map_err(|_unwritable| AssertionFlaw::Unreadable)?;
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(binding_challenge(&challenge));
    if said.challenge != challenge {
        return Err(AssertionFlaw::AnotherChallenge);
    }
    let is_here = !said.is_cross_origin
        && said.top_origin.is_none()
        && expected.relying_party.origins.contains(&said.origin);
    if !is_here {
        return Err(AssertionFlaw::AnotherOrigin);
    }
    // As every browser begins: no other text says the same.
    let origin = said.origin;
    let begins =
        format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}""#);
    let rest = (bytes.strip_prefix(begins.as_bytes())).and_then(|rest| rest.first());
    matches!(rest, Some(b',' | b'}'))
        .then_some(())
        .ok_or(AssertionFlaw::Unreadable)
}

fn check_authenticator_data(bytes: &[u8], relying_party: &str) -> Result<(), AssertionFlaw> {
    let (hash, flags) = match bytes {
        [hash @ .., flags, _, _, _, _] if bytes.len() == HEAD_BYTES => (hash, *flags),
        longer if longer.len() > HEAD_BYTES => (&longer[..32], longer[32]),
        _ => return Err(AssertionFlaw::Unreadable),
    };
    let has_more = flags & EXTENSIONS_INCLUDED != 0;
    if flags & CREDENTIAL_INCLUDED != 0 || has_more != (bytes.len() > HEAD_BYTES) {
        return Err(AssertionFlaw::Unreadable);
    }
    if hash != &Sha256::digest(relying_party)[..] {
        return Err(AssertionFlaw::AnotherRelyingParty);
    }
    if flags & USER_PRESENT == 0 {
        return Err(AssertionFlaw::NobodyPresent);
    }
    if flags & USER_VERIFIED == 0 {
        return Err(AssertionFlaw::Unverified);
    }
    Ok(())
}
