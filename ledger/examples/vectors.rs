//! The public vectors as wasm: the checks that the tests run natively, compiled for the browser's machine. `cargo xtask test`
//! builds it with the vectors inside and runs it with Node. It ends well only if every verdict is the native one.

#[path = "../tests/proofs/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a set that can't be read has failed")]
mod proofs;
#[path = "../../protocol/tests/signatures/checks.rs"]
#[expect(clippy::unwrap_used, reason = "a set that can't be read has failed")]
mod signatures;

use std::process::ExitCode;

const EDGE_CASES: &str = include_str!(concat!(env!("E2E_VECTORS"), "/cctv-ed25519.json"));
const INCLUSION: &str = include_str!(concat!(env!("E2E_VECTORS"), "/merkle-inclusion.json"));
const CONSISTENCY: &str = include_str!(concat!(env!("E2E_VECTORS"), "/merkle-consistency.json"));

fn judged(accepted: usize, refused: usize) -> signatures::Tally {
    signatures::Tally {
        accepted,
        refused,
        wrong: Vec::new(),
    }
}

fn proved(held: usize, refused: usize) -> proofs::Tally {
    proofs::Tally {
        held,
        refused,
        wrong: Vec::new(),
    }
}

/// There is nowhere to print to: the exit code is the only word.
fn main() -> ExitCode {
    let agrees = signatures::edge_cases(EDGE_CASES) == judged(43, 871)
        && signatures::wycheproof() == judged(88, 63)
        && signatures::rfc_8032() == judged(4, 0)
        && proofs::inclusion(INCLUSION) == proved(6, 92)
        && proofs::consistency(CONSISTENCY) == proved(6, 92);
    if agrees {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
