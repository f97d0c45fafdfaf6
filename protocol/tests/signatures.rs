//! Everybody must agree on every signature: public sets of good and bad ones against the check that all of us use.

#[path = "signatures/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a set that can't be read has failed")]
mod checks;

use checks::{Tally, edge_cases, rfc_8032, wycheproof};
use coset::{CoseSign1, TaggedCborSerializable as _};
use ed25519_dalek::VerifyingKey;
use protocol::signature::verify_strict;

fn tally(accepted: usize, refused: usize) -> Tally {
    Tally {
        accepted,
        refused,
        wrong: Vec::new(),
    }
}

#[test]
fn strict_checking_takes_the_43_edge_cases_with_whole_points_and_no_other() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/vectors/cctv-ed25519.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: the public vectors are not there ({path})");
        return;
    };

    assert_eq!(edge_cases(&text), tally(43, 871));
}

#[test]
fn wycheproofs_signatures_are_judged_as_wycheproof_judges_them() {
    assert_eq!(wycheproof(), tally(88, 63));
}

#[test]
fn the_examples_of_rfc_8032_are_signed_and_checked_as_written() {
    assert_eq!(rfc_8032(), tally(4, 0));
}

/// The COSE working group's message signed with Ed25519, its example `eddsa-sig-01`, under the first key of RFC 8032.
const COSE_EXAMPLE: &str = concat!(
    "d28445a201270300a10442313054546869732069732074686520636f6e74656e742e5840",
    "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87",
    "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d",
);

#[test]
fn the_bytes_that_are_signed_are_those_of_the_cose_working_group() {
    let bytes = hex::decode(COSE_EXAMPLE).unwrap();
    let message = CoseSign1::from_tagged_slice(&bytes).unwrap();
    let key =
        hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
    let key = VerifyingKey::try_from(key.as_slice()).unwrap();

    let verified = message.verify_signature(b"", |signature, signed| {
        verify_strict(&key, signed, signature)
    });

    assert_eq!(verified, Ok(()));
    assert_eq!(
        message.payload.as_deref(),
        Some(b"This is the content.".as_slice())
    );
}
