//! What must be judged alike everywhere, as wasm: the checks that the tests run natively, compiled for the browser's
//! machine. `cargo xtask test` builds it and runs it with Node. It ends well only if every verdict is the native one.
//!
//! The public vectors that lie in a folder are inside with the feature `vectors`, and left out without it.

#[path = "../tests/bundle/altered.rs"]
#[expect(clippy::unwrap_used, reason = "a file that can't be read has failed")]
mod altered;
#[path = "../../protocol/tests/golden/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a file that can't be read has failed")]
#[expect(dead_code, reason = "only the tests write fixtures")]
mod golden;
#[path = "../tests/bundle/items.rs"]
#[expect(clippy::unwrap_used, reason = "a file that can't be read has failed")]
mod items;
#[path = "../tests/proofs/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a set that can't be read has failed")]
#[cfg_attr(
    not(feature = "vectors"),
    expect(dead_code, reason = "all of it lies in the folder")
)]
mod proofs;
#[path = "../tests/golden/samples.rs"]
#[expect(dead_code, reason = "only the tests write fixtures")]
mod samples;
#[path = "../../protocol/tests/signatures/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a set that can't be read has failed")]
#[cfg_attr(
    not(feature = "vectors"),
    expect(dead_code, reason = "some of it lies in the folder")
)]
mod signatures;
#[path = "../tests/bundle/world.rs"]
#[expect(clippy::unwrap_used, reason = "a story that can't be told has failed")]
#[expect(dead_code, reason = "the tests tell other stories too")]
mod world;

use std::process::ExitCode;

const EVENTS: &str = include_str!("../../protocol/tests/golden/sealed.txt");
const ENTRIES: &str = include_str!("../tests/golden/sealed.txt");
const BUNDLE: &str = include_str!("../tests/golden/bundle.txt");

/// Natively every byte is flipped and every length cut. Here it is every so many, of each item some, in a few seconds.
const STRIDE: usize = 7;

/// Node itself ends with smaller numbers when something breaks.
const FIRST: u8 = 100;

/// In this order: what does not agree ends the program with its place, counted from [`FIRST`].
const PARTS: &[fn() -> bool] = &[
    || signatures::wycheproof() == judged(88, 63),
    || signatures::rfc_8032() == judged(4, 0),
    || signatures::cose() == judged(1, 84),
    || golden::rfc_8949().is_empty(),
    || golden::wrong(EVENTS, &golden::samples::all()).is_empty(),
    || golden::wrong(ENTRIES, &samples::all()).is_empty(),
    || samples::wrong_with_bundle(BUNDLE).is_empty(),
    || altered::flipped(0, STRIDE).is_empty(),
    || altered::cut(STRIDE).is_empty(),
    || altered::shuffled().is_empty(),
    || altered::lengthened().is_empty(),
    #[cfg(feature = "vectors")]
    in_folder::agrees,
];

fn judged(accepted: usize, refused: usize) -> signatures::Tally {
    signatures::Tally {
        accepted,
        refused,
        wrong: Vec::new(),
    }
}

/// The sets that are read in place.
#[cfg(feature = "vectors")]
mod in_folder {
    use super::{judged, proofs, signatures};

    const EDGE_CASES: &str = include_str!(concat!(env!("E2E_VECTORS"), "/cctv-ed25519.json"));
    const INCLUSION: &str = include_str!(concat!(env!("E2E_VECTORS"), "/merkle-inclusion.json"));
    const CONSISTENCY: &str =
        include_str!(concat!(env!("E2E_VECTORS"), "/merkle-consistency.json"));

    fn proved(held: usize, refused: usize) -> proofs::Tally {
        proofs::Tally {
            held,
            refused,
            wrong: Vec::new(),
        }
    }

    pub(super) fn agrees() -> bool {
        signatures::edge_cases(EDGE_CASES) == judged(43, 871)
            && proofs::inclusion(INCLUSION) == proved(6, 92)
            && proofs::consistency(CONSISTENCY) == proved(6, 92)
    }
}

/// There is nowhere to print to: the exit code is the only word.
fn main() -> ExitCode {
    match PARTS.iter().zip(FIRST..).find(|(agrees, _)| !agrees()) {
        None => ExitCode::SUCCESS,
        Some((_, code)) => ExitCode::from(code),
    }
}
