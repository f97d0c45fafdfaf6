//! Public sets of good and broken Merkle proofs against the check that all of us use.

#[path = "proofs/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a set that can't be read has failed")]
mod checks;

use checks::Tally;

/// The public set of this name, or a word that it is not there.
fn vectors(name: &str) -> Option<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");
    let text = std::fs::read_to_string(format!("{folder}/{name}")).ok();
    if text.is_none() {
        eprintln!("skipped: the public vectors are not there ({folder}/{name})");
    }
    text
}

fn tally(held: usize, refused: usize) -> Tally {
    Tally {
        held,
        refused,
        wrong: Vec::new(),
    }
}

#[test]
fn every_public_inclusion_proof_is_judged_as_its_set_judges_it() {
    let Some(text) = vectors("merkle-inclusion.json") else {
        return;
    };

    assert_eq!(checks::inclusion(&text), tally(6, 92));
}

#[test]
fn every_public_consistency_proof_is_judged_as_its_set_judges_it() {
    let Some(text) = vectors("merkle-consistency.json") else {
        return;
    };

    assert_eq!(checks::consistency(&text), tally(6, 92));
}
