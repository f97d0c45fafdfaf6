//! The public vectors as wasm: built with the vectors inside and run by Node, so that the browser's machine is known to judge
//! every signature and every proof as the native one does.

use anyhow::Result;

use crate::processes::{self, find_program};
use crate::progress::Outcome;
use crate::setup::wasm::{TARGET, Wasm};
use crate::workspace::Workspace;

/// What Node runs: a program that needs nothing from outside.
const RUNNER: &str = "xtask/src/test/run_wasm.mjs";

/// Builds and runs them. Skipped, and says so, where the vectors or Node are absent: a plain clone has neither.
pub(super) fn check(workspace: &Workspace, wasm: &Wasm) -> Result<Outcome> {
    let folder = workspace.root.join("../shared/vectors");
    let Ok(folder) = folder.canonicalize() else {
        return Ok(Outcome::Noted(format!(
            "skipped: {} is not there",
            folder.display()
        )));
    };
    let Some(node) = find_program("node") else {
        return Ok(Outcome::Noted("skipped: there is no node".to_owned()));
    };
    let mut build = workspace.cargo();
    build
        .args(["build", "--package", "ledger", "--target", TARGET])
        .args(["--example", "vectors", "--features", "vectors"])
        .env("E2E_VECTORS", folder);
    wasm.apply(&mut build);
    processes::run(&mut build)?;
    let program = workspace
        .target
        .join(TARGET)
        .join("debug/examples/vectors.wasm");
    let mut run = workspace.command(node);
    run.arg(workspace.root.join(RUNNER)).arg(program);
    processes::run(&mut run)?;
    Ok(Outcome::Done)
}
