//! Claims about what a passkey signs: it binds one grant for one page, robot and nonce, on its own site, with its person there,
//! and nothing else that an authenticator ever signs does.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use p256::ecdsa::{DerSignature, SigningKey, signature::Signer as _};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::*;
use crate::RobotId;

const ORIGIN: &str = "https://fleet.example";

fn site() -> RelyingParty {
    RelyingParty {
        id: "fleet.example".to_owned(),
        origins: vec![ORIGIN.to_owned(), "https://fleet.example:8443".to_owned()],
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn point(key: &SigningKey) -> [u8; POINT_BYTES] {
    let point = key.verifying_key().to_sec1_point(true);
    point.as_bytes().try_into().unwrap()
}

fn binding() -> Binding<'static> {
    Binding {
        grant: b"a sealed grant",
        session_key: [7; 32],
        robot: RobotId(Uuid::from_u128(14)),
        nonce: [9; 32],
    }
}

fn challenge(binding: &Binding<'_>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(binding_challenge(&binding.challenge().unwrap()))
}

/// What a browser writes.
fn said(kind: &str, challenge: &str, origin: &str, more: &str) -> String {
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{more}}}"#)
}

fn good() -> String {
    said(
        "webauthn.get",
        &challenge(&binding()),
        ORIGIN,
        r#","crossOrigin":false"#,
    )
}

/// What an authenticator says of itself.
fn head(relying_party: &str, flags: u8) -> Vec<u8> {
    let mut head = Sha256::digest(relying_party).to_vec();
    head.push(flags);
    head.extend(7_u32.to_be_bytes());
    head
}

fn present() -> Vec<u8> {
    head("fleet.example", 0b101)
}

fn signed(key: &SigningKey, client_data: &[u8], authenticator_data: &[u8]) -> PasskeyAssertion {
    let message = [authenticator_data, &Sha256::digest(client_data)[..]].concat();
    let signature: DerSignature = key.sign(&message);
    PasskeyAssertion {
        key: crate::roster::name_of_passkey(&point(key)),
        authenticator_data: BASE64_STANDARD.encode(authenticator_data),
        client_data: BASE64_STANDARD.encode(client_data),
        signature: BASE64_STANDARD.encode(signature.as_bytes()),
    }
}

fn checked(assertion: &PasskeyAssertion) -> Result<(), AssertionFlaw> {
    assertion.check(&Expected {
        public_key: &point(&key(1)),
        relying_party: &site(),
        binding: &binding(),
    })
}

#[test]
fn a_passkey_binds_a_grant_under_every_address_of_its_site_whatever_else_its_browser_says() {
    let challenge = challenge(&binding());
    for (origin, more) in [
        (ORIGIN, ""),
        (ORIGIN, r#","crossOrigin":false"#),
        (
            "https://fleet.example:8443",
            r#","crossOrigin":false,"other_keys":"may come""#,
        ),
    ] {
        let client_data = said("webauthn.get", &challenge, origin, more);
        let assertion = signed(&key(1), client_data.as_bytes(), &present());
        assert_eq!(checked(&assertion), Ok(()), "{client_data}");
    }
    let mut with_extensions = head("fleet.example", 0b1000_0101);
    with_extensions.extend([0xa0]);
    assert_eq!(
        checked(&signed(&key(1), good().as_bytes(), &with_extensions)),
        Ok(())
    );
}

#[expect(
    clippy::too_many_lines,
    reason = "a table: one row for each way to be wrong"
)]
#[test]
fn everything_else_that_an_authenticator_signs_is_refused_for_what_it_is() {
    use AssertionFlaw::{AnotherChallenge, AnotherOrigin, AnotherType, Unreadable};
    let fits = challenge(&binding());
    let bare = BASE64_URL_SAFE_NO_PAD.encode(binding().challenge().unwrap());
    let elsewhere = |change: fn(&mut Binding<'static>)| {
        let mut binding = binding();
        change(&mut binding);
        said("webauthn.get", &challenge(&binding), ORIGIN, "")
    };
    let of = |kind: &str, origin: &str, more: &str| said(kind, &fits, origin, more);
    let get = "webauthn.get";
    for (case, client_data, flaw) in [
        (
            "a passkey that is made",
            of("webauthn.create", ORIGIN, ""),
            AnotherType,
        ),
        ("a payment", of("payment.get", ORIGIN, ""), AnotherType),
        (
            "a sign-in",
            said(get, &BASE64_URL_SAFE_NO_PAD.encode([3; 32]), ORIGIN, ""),
            AnotherChallenge,
        ),
        // What a gateway would have signed as a sign-in, if it could.
        (
            "a sign-in over what binds",
            said(get, &bare, ORIGIN, ""),
            AnotherChallenge,
        ),
        (
            "padded",
            said(get, &format!("{fits}="), ORIGIN, ""),
            AnotherChallenge,
        ),
        (
            "another grant",
            elsewhere(|binding| binding.grant = b"another"),
            AnotherChallenge,
        ),
        (
            "another page",
            elsewhere(|binding| binding.session_key = [8; 32]),
            AnotherChallenge,
        ),
        (
            "another robot",
            elsewhere(|binding| binding.robot = RobotId(Uuid::from_u128(21))),
            AnotherChallenge,
        ),
        (
            "another nonce",
            elsewhere(|binding| binding.nonce = [8; 32]),
            AnotherChallenge,
        ),
        (
            "another host",
            of(get, "https://evil.example", ""),
            AnotherOrigin,
        ),
        (
            "another scheme",
            of(get, "http://fleet.example", ""),
            AnotherOrigin,
        ),
        (
            "another port",
            of(get, "https://fleet.example:444", ""),
            AnotherOrigin,
        ),
        (
            "its name as a beginning",
            of(get, "https://fleet.example.evil.example", ""),
            AnotherOrigin,
        ),
        (
            "within another's page",
            of(get, ORIGIN, r#","crossOrigin":true"#),
            AnotherOrigin,
        ),
        (
            "under another's page",
            of(get, ORIGIN, r#","topOrigin":"https://evil.example""#),
            AnotherOrigin,
        ),
        (
            "a key twice",
            of(get, ORIGIN, &format!(r#","origin":"{ORIGIN}""#)),
            Unreadable,
        ),
        (
            "a challenge twice",
            of(get, ORIGIN, r#","challenge":"AAAA""#),
            Unreadable,
        ),
        (
            "a type twice",
            of(get, ORIGIN, r#","type":"webauthn.get""#),
            Unreadable,
        ),
        ("spaces", good().replace(",\"", ", \""), Unreadable),
        (
            "another order",
            format!(r#"{{"challenge":"{fits}","type":"{get}","origin":"{ORIGIN}"}}"#),
            Unreadable,
        ),
        (
            "escapes",
            good().replace("webauthn.get", r"\u0077ebauthn.get"),
            Unreadable,
        ),
        ("more behind", format!("{} {{}}", good()), Unreadable),
        (
            "no origin",
            format!(r#"{{"type":"{get}","challenge":"{fits}"}}"#),
            Unreadable,
        ),
        ("no JSON", "nonsense".to_owned(), Unreadable),
        (
            "half a character in what is passed over",
            of(get, ORIGIN, r#","x":"\ud800""#),
            Unreadable,
        ),
        (
            "beyond bounds",
            of(
                get,
                ORIGIN,
                &format!(r#","x":"{}""#, "x".repeat(MAX_CLIENT_DATA_BYTES)),
            ),
            Unreadable,
        ),
    ] {
        let assertion = signed(&key(1), client_data.as_bytes(), &present());
        assert_eq!(checked(&assertion), Err(flaw), "{case}: {client_data}");
    }
}

#[test]
fn what_is_no_text_where_nobody_looks_is_refused_as_well() {
    let text = said(
        "webauthn.get",
        &challenge(&binding()),
        ORIGIN,
        r#","x":"~""#,
    );
    let bytes = text.into_bytes();
    let bytes: Vec<u8> = (bytes.into_iter())
        .map(|byte| if byte == b'~' { 0xc3 } else { byte })
        .collect();

    let assertion = signed(&key(1), &bytes, &present());

    assert_eq!(checked(&assertion), Err(AssertionFlaw::Unreadable));
}

#[test]
fn an_authenticator_that_says_something_else_of_itself_or_did_not_sign_is_refused() {
    use AssertionFlaw::{AnotherRelyingParty, BadSignature, NobodyPresent, Unreadable, Unverified};
    for (case, head, flaw) in [
        (
            "another site",
            head("evil.example", 0b101),
            AnotherRelyingParty,
        ),
        ("nobody there", head("fleet.example", 0b100), NobodyPresent),
        ("nobody looked at", head("fleet.example", 0b001), Unverified),
        (
            "a credential in it",
            head("fleet.example", 0b100_0101),
            Unreadable,
        ),
        (
            "extensions that are not there",
            head("fleet.example", 0b1000_0101),
            Unreadable,
        ),
        (
            "more than it says",
            [present(), vec![0]].concat(),
            Unreadable,
        ),
        ("cut", present()[..36].to_vec(), Unreadable),
        ("nothing", Vec::new(), Unreadable),
        (
            "beyond bounds",
            [
                head("fleet.example", 0b1000_0101),
                vec![0; MAX_AUTHENTICATOR_DATA_BYTES],
            ]
            .concat(),
            Unreadable,
        ),
    ] {
        let assertion = signed(&key(1), good().as_bytes(), &head);
        assert_eq!(checked(&assertion), Err(flaw), "{case}");
    }
    let by_another = signed(&key(2), good().as_bytes(), &present());
    assert_eq!(checked(&by_another), Err(BadSignature));
    for (case, signature) in [("no base64", "?"), ("no signature", "AAAA"), ("none", "")] {
        let unsigned = PasskeyAssertion {
            signature: signature.to_owned(),
            ..signed(&key(1), good().as_bytes(), &present())
        };
        assert_eq!(checked(&unsigned), Err(Unreadable), "{case}");
    }
}

#[test]
fn a_key_that_is_no_point_never_fits() {
    let assertion = signed(&key(1), good().as_bytes(), &present());
    for public_key in [[2; POINT_BYTES], [0; POINT_BYTES], [4; POINT_BYTES]] {
        let checked = assertion.check(&Expected {
            public_key: &public_key,
            relying_party: &site(),
            binding: &binding(),
        });
        assert_eq!(checked, Err(AssertionFlaw::BadSignature));
    }
}

#[test]
fn a_presentation_by_a_passkey_is_written_so_and_without_one_as_it_ever_was() {
    let mut shown = crate::grant::Presentation {
        grant: "hEyj".to_owned(),
        assertion: None,
        passkey: Some(Box::new(PasskeyAssertion {
            key: KeyId([3; 32]),
            authenticator_data: "AA==".to_owned(),
            client_data: "e30=".to_owned(),
            signature: "MAA=".to_owned(),
        })),
    };
    let written = format!(
        r#"{{"grant":"hEyj","passkey":{{"key":"{}","authenticator_data":"AA==","client_data":"e30=","signature":"MAA="}}}}"#,
        "03".repeat(32)
    );

    assert_eq!(serde_json::to_string(&shown).unwrap(), written);
    assert_eq!(
        serde_json::from_str::<crate::grant::Presentation>(&written).unwrap(),
        shown
    );
    shown.passkey = None;
    assert_eq!(
        serde_json::to_string(&shown).unwrap(),
        r#"{"grant":"hEyj"}"#
    );
}

#[test]
fn codes_of_flaws_are_distinct() {
    let mut codes = AssertionFlaw::ALL.map(AssertionFlaw::code);
    codes.sort_unstable();
    assert!(codes.windows(2).all(|pair| pair[0] != pair[1]), "{codes:?}");
}

proptest! {
    /// Whatever one bit of what travels is turned into, it binds nothing.
    #[test]
    fn an_assertion_with_a_bit_turned_binds_nothing(part in 0_usize..3, at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut assertion = signed(&key(1), good().as_bytes(), &present());
        let text = match part {
            0 => &mut assertion.client_data,
            1 => &mut assertion.authenticator_data,
            _ => &mut assertion.signature,
        };
        let mut bytes = BASE64_STANDARD.decode(&*text).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        *text = BASE64_STANDARD.encode(bytes);

        prop_assert!(checked(&assertion).is_err());
    }

    /// Bytes of a stranger's making are read or refused, and never break the reader.
    #[test]
    fn bytes_of_any_kind_bind_nothing(client_data in prop::collection::vec(any::<u8>(), 0..200), head in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(checked(&signed(&key(1), &client_data, &head)).is_err());
    }
}
