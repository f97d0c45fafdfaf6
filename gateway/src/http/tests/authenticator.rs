//! An authenticator and the browser before it: what they make of a challenge, byte for byte, right or wrong.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ciborium::Value as Cbor;
use p256::ecdsa::{DerSignature, SigningKey, signature::Signer as _};
use protocol::{PersonId, passkey::POINT_BYTES, roster::name_of_passkey, sealed::KeyId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::house::PUBLIC_URL;

/// Somebody was there, and it looked who.
const PRESENT_AND_VERIFIED: u8 = 0b101;
const CREDENTIAL_INCLUDED: u8 = 1 << 6;

/// One credential, and how it answers.
#[derive(Debug, Clone)]
pub(crate) struct Authenticator {
    pub(crate) key: SigningKey,
    pub(crate) person: PersonId,
    pub(crate) origin: String,
    pub(crate) relying_party: String,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
}

impl Authenticator {
    /// Holds a credential of this person's, for the house.
    pub(crate) fn of(person: PersonId, seed: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[seed; 32]).unwrap(),
            person,
            origin: PUBLIC_URL.to_owned(),
            relying_party: "fleet.example".to_owned(),
            flags: PRESENT_AND_VERIFIED,
            counter: 1,
        }
    }

    fn point(&self, is_compressed: bool) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(is_compressed);
        point.as_bytes().to_vec()
    }

    pub(crate) fn name(&self) -> KeyId {
        let point: [u8; POINT_BYTES] = self.point(true).try_into().unwrap();
        name_of_passkey(&point)
    }

    pub(crate) fn credential_id(&self) -> Vec<u8> {
        Sha256::digest(self.point(true)).to_vec()
    }

    pub(crate) fn id_text(&self) -> String {
        text(&self.credential_id())
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let origin = &self.origin;
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
            .into_bytes()
    }

    fn head(&self, more_flags: u8) -> Vec<u8> {
        let mut head = Sha256::digest(&self.relying_party).to_vec();
        head.push(self.flags | more_flags);
        head.extend(self.counter.to_be_bytes());
        head
    }

    /// Makes the credential that these options ask for.
    pub(crate) fn makes(&self, options: &Value) -> Value {
        let challenge = options["challenge"].as_str().unwrap();
        let client_data = self.client_data("webauthn.create", challenge);
        let id = self.credential_id();
        let mut data = self.head(CREDENTIAL_INCLUDED);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend(&id);
        data.extend(self.cose_key());
        let attestation = Cbor::Map(vec![
            ("fmt".into(), "none".into()),
            ("attStmt".into(), Cbor::Map(Vec::new())),
            ("authData".into(), Cbor::Bytes(data)),
        ]);
        let response = json!({
            "attestationObject": text(&written(&attestation)),
            "clientDataJSON": text(&client_data),
            "transports": ["internal"],
        });
        credential(&id, &response)
    }

    fn cose_key(&self) -> Vec<u8> {
        let point = self.point(false);
        let number = |number: i64| Cbor::from(number);
        written(&Cbor::Map(vec![
            (number(1), number(2)),
            (number(3), number(-7)),
            (number(-1), number(1)),
            (number(-2), Cbor::Bytes(point[1..33].to_vec())),
            (number(-3), Cbor::Bytes(point[33..].to_vec())),
        ]))
    }

    /// Signs the challenge of these options.
    pub(crate) fn answers(&mut self, options: &Value) -> Value {
        self.counter += 1;
        self.signs(options["challenge"].as_str().unwrap())
    }

    /// Signs a challenge, without counting.
    pub(crate) fn signs(&self, challenge: &str) -> Value {
        let client_data = self.client_data("webauthn.get", challenge);
        let head = self.head(0);
        let message = [&head[..], &Sha256::digest(&client_data)[..]].concat();
        let signature: DerSignature = self.key.sign(&message);
        let response = json!({
            "authenticatorData": text(&head),
            "clientDataJSON": text(&client_data),
            "signature": text(signature.as_bytes()),
            "userHandle": text(self.person.0.as_bytes()),
        });
        credential(&self.credential_id(), &response)
    }
}

fn credential(id: &[u8], response: &Value) -> Value {
    json!({
        "id": text(id),
        "rawId": text(id),
        "type": "public-key",
        "response": response,
        "clientExtensionResults": {},
    })
}

fn text(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn written(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}
