//! What a passkey signed, in two ways: as anybody may send it, and with whatever is in it truly signed by the passkey.

use std::sync::LazyLock;

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use p256::ecdsa::{DerSignature, SigningKey, signature::Signer as _};
use protocol::{
    RobotId,
    grant::Binding,
    passkey::{
        Expected, MAX_AUTHENTICATOR_DATA_BYTES, MAX_CLIENT_DATA_BYTES, POINT_BYTES,
        PasskeyAssertion, binding_challenge,
    },
    roster::{RelyingParty, name_of_passkey},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Seed, Target,
    input::{Input, block},
};

pub(crate) const TARGET: Target = Target {
    name: "passkey",
    run,
    seeds,
    longest: 4_096,
};

const SITE: &str = "fleet.example";
const ORIGIN: &str = "https://fleet.example";

/// A passkey, its point, and what it has to bind.
struct Bound {
    key: SigningKey,
    point: [u8; POINT_BYTES],
    site: RelyingParty,
    challenge: String,
}

const fn binding() -> Binding<'static> {
    Binding {
        grant: b"a sealed grant",
        session_key: [5; 32],
        robot: RobotId(Uuid::from_u128(14)),
        nonce: [9; 32],
    }
}

static BOUND: LazyLock<Bound> = LazyLock::new(|| {
    let key = SigningKey::from_slice(&[7; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(true);
    let challenge = binding_challenge(&binding().challenge().unwrap());
    Bound {
        point: point.as_bytes().try_into().unwrap(),
        key,
        site: RelyingParty {
            id: SITE.to_owned(),
            origins: vec![ORIGIN.to_owned()],
        },
        challenge: BASE64_URL_SAFE_NO_PAD.encode(challenge),
    }
});

fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    if input.coin() {
        let raw: Result<PasskeyAssertion, _> = serde_json::from_slice(input.rest());
        return raw.is_ok_and(|assertion| {
            assert!(!is_believed(&assertion), "nobody signed it");
            true
        });
    }
    let (client_data, authenticator_data) = (input.block(), input.block());
    let hash = Sha256::digest(client_data);
    let signature: DerSignature = BOUND.key.sign(&[authenticator_data, &hash[..]].concat());
    let is_believed = is_believed(&PasskeyAssertion {
        key: name_of_passkey(&BOUND.point),
        authenticator_data: BASE64_STANDARD.encode(authenticator_data),
        client_data: BASE64_STANDARD.encode(client_data),
        signature: BASE64_STANDARD.encode(signature.as_bytes()),
    });
    if is_believed {
        binds(client_data, authenticator_data);
    }
    is_believed
}

fn is_believed(assertion: &PasskeyAssertion) -> bool {
    let expected = Expected {
        public_key: &BOUND.point,
        relying_party: &BOUND.site,
        binding: &binding(),
    };
    assertion.check(&expected).is_ok()
}

/// Whatever else it says, it says this: the site, the person there and looked at, the page, and what is bound.
fn binds(client_data: &[u8], authenticator_data: &[u8]) {
    assert!(client_data.len() <= MAX_CLIENT_DATA_BYTES);
    assert!(authenticator_data.len() <= MAX_AUTHENTICATOR_DATA_BYTES);
    assert_eq!(authenticator_data[..32], Sha256::digest(SITE)[..]);
    assert_eq!(authenticator_data[32] & 0b101, 0b101, "not verified");
    let said: Value = serde_json::from_slice(client_data).unwrap();
    assert_eq!(said["type"], "webauthn.get");
    assert_eq!(said["challenge"], BOUND.challenge.as_str());
    assert_eq!(said["origin"], ORIGIN);
    assert!(said["crossOrigin"] != true && said["topOrigin"].is_null());
}

fn seeds() -> Vec<Seed> {
    let challenge = &BOUND.challenge;
    let said = |kind: &str, challenge: &str, origin: &str, more: &str| {
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{more}}}"#)
    };
    let head =
        |flags: u8, more: &[u8]| [&Sha256::digest(SITE)[..], &[flags, 0, 0, 0, 1], more].concat();
    let get = |more: &str| said("webauthn.get", challenge, ORIGIN, more);
    let signed: [(&str, String, Vec<u8>); 9] = [
        (
            "as browsers write it",
            get(r#","crossOrigin":false"#),
            head(5, &[]),
        ),
        ("with extensions", get(""), head(0x85, &[0xa0])),
        (
            "with a key that nobody knows",
            get(r#","other_keys":"x""#),
            head(5, &[]),
        ),
        (
            "with a key twice",
            get(r#","type":"webauthn.get""#),
            head(5, &[]),
        ),
        (
            "within a page of others",
            get(r#","crossOrigin":true"#),
            head(5, &[]),
        ),
        ("nobody there", get(""), head(0, &[])),
        ("with a credential", get(""), head(0x45, &[0; 20])),
        ("cut short", get(""), head(5, &[])[..36].to_vec()),
        (
            "made",
            said("webauthn.create", challenge, ORIGIN, ""),
            head(5, &[]),
        ),
    ];
    let mut seeds: Vec<_> = signed
        .into_iter()
        .map(|(name, client_data, authenticator_data)| {
            let parts = [block(client_data.as_bytes()), block(&authenticator_data)];
            Seed::new(name, [vec![0], parts.concat()].concat())
        })
        .collect();
    let raw = PasskeyAssertion {
        key: name_of_passkey(&BOUND.point),
        authenticator_data: BASE64_STANDARD.encode(head(5, &[])),
        client_data: BASE64_STANDARD.encode(get("")),
        signature: BASE64_STANDARD.encode([0x30, 6, 2, 1, 1, 2, 1, 1]),
    };
    let raw = serde_json::to_vec(&raw).unwrap();
    seeds.push(Seed::new("as anybody sends it", [vec![1], raw].concat()));
    seeds
}
