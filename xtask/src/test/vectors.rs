//! What must be judged alike everywhere, as wasm: signatures, proofs, golden bytes and damaged bundles, by the code
//! that the tests run natively. Run by Node, so that the browser's machine is known to judge as the native one does.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::processes::{self, find_program};
use crate::progress::Outcome;
use crate::setup::wasm::{TARGET, Wasm};
use crate::workspace::Workspace;

/// Beside the checkout, where they are read in place: a plain clone does not have them.
const FOLDER: &str = "../shared/vectors";

/// C2SP's edge cases of signatures, and the Merkle proofs of transparency-dev.
const FILES: [&str; 3] = [
    "cctv-ed25519.json",
    "merkle-inclusion.json",
    "merkle-consistency.json",
];

/// What Node runs: a program that needs nothing from outside.
const RUNNER: &str = "xtask/src/test/run_wasm.mjs";

/// Builds and runs them. What lies in the folder is skipped without it, all of it without Node; and it is said.
pub(super) fn check(workspace: &Workspace, wasm: &Wasm) -> Result<Outcome> {
    let Some(node) = find_program("node") else {
        return Ok(Outcome::Noted("skipped: there is no node".to_owned()));
    };
    processes::run(&mut build(workspace, wasm))?;
    let program = workspace
        .target
        .join(TARGET)
        .join("debug/examples/vectors.wasm");
    let mut run = workspace.command(node);
    run.arg(workspace.root.join(RUNNER)).arg(program);
    processes::run(&mut run)
        .context("from 100 on, the code is a place in PARTS of ledger/examples/vectors.rs")?;
    Ok(missing(workspace).map_or(Outcome::Done, |file| {
        skipped(file, "the rest is judged alike")
    }))
}

/// Says so where the tests find nothing to judge: they pass then.
pub(super) fn are_there(workspace: &Workspace) -> Outcome {
    missing(workspace).map_or(Outcome::AlreadyThere, |file| {
        skipped(file, "no test judges it")
    })
}

fn skipped(file: &str, consequence: &str) -> Outcome {
    Outcome::Noted(format!("skipped: {FOLDER}/{file} absent, {consequence}"))
}

/// The first of the files that is not there.
fn missing(workspace: &Workspace) -> Option<&'static str> {
    let folder = folder(workspace);
    FILES.into_iter().find(|file| !folder.join(file).is_file())
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join(FOLDER)
}

fn build(workspace: &Workspace, wasm: &Wasm) -> Command {
    let mut build = workspace.cargo();
    build
        .args(["build", "--package", "ledger", "--target", TARGET])
        .args(["--example", "vectors"]);
    if missing(workspace).is_none() {
        build
            .args(["--features", "vectors"])
            .env("E2E_VECTORS", folder(workspace));
    }
    wasm.apply(&mut build);
    build
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn without_the_folder_only_what_lies_in_it_is_left_out_and_said_to_be_skipped() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("checkout");
        let folder = root.join(FOLDER);
        std::fs::create_dir_all(&root).unwrap();
        let workspace = Workspace {
            target: root.join("target"),
            cache: root.join("cache"),
            root,
        };
        let has_vectors = || {
            let build = build(&workspace, &Wasm::Rustup);
            let has = |word: &str| build.get_args().any(|argument| argument == word);
            let is_told = build.get_envs().any(|(name, _)| name == "E2E_VECTORS");
            assert!(has("--example"));
            assert_eq!(has("--features"), is_told);
            is_told
        };
        let note = || match are_there(&workspace) {
            Outcome::Noted(note) => note,
            other => format!("{other:?}"),
        };

        assert!(!has_vectors());
        assert!(note().starts_with("skipped: ../shared/vectors/cctv-ed25519.json absent"));

        std::fs::create_dir_all(&folder).unwrap();
        for file in FILES {
            assert!(!has_vectors(), "before {file}");
            assert!(note().contains(file), "before {file}");
            std::fs::write(folder.join(OsStr::new(file)), "[]").unwrap();
        }

        assert!(has_vectors());
        assert_eq!(note(), "AlreadyThere");
    }
}
