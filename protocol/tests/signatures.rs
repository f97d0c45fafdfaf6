//! Everybody must agree on every signature: public sets of good and bad ones against the check that all of us use.

#[path = "signatures/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a set that can't be read has failed")]
mod checks;

use checks::{Tally, cose, edge_cases, rfc_8032, wycheproof};

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

#[test]
fn the_bytes_that_are_signed_are_those_of_the_cose_working_group() {
    assert_eq!(cose(), tally(1, 84));
}
