//! Tools that cargo installs: built once, pinned, in a cache folder of our own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::processes::{find_program, read, run_logged};
use crate::progress::{Outcome, Progress};
use crate::workspace::Workspace;

/// A crate that brings a cargo subcommand.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// What is installed when none is there; one that is there is taken as it is.
    version: &'static str,
    /// Leaves out what we never use, to compile less.
    features: &'static [&'static str],
}

/// What the tests need beside cargo itself.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "cargo-nextest",
        version: "0.9.143",
        features: &["--no-default-features", "--features", "default-no-update"],
    },
    Tool {
        name: "cargo-deny",
        version: "0.20.2",
        features: &[],
    },
];

/// The version that is there, ours or the person's own.
pub(crate) fn installed(workspace: &Workspace, tool: &Tool) -> Option<String> {
    let program = program(workspace, tool)?;
    let subcommand = tool.name.trim_start_matches("cargo-");
    let printed = read(Command::new(program).args([subcommand, "--version"])).ok()?;
    printed.split_whitespace().nth(1).map(str::to_owned)
}

/// Builds it when it is missing.
pub(crate) fn install(workspace: &Workspace, tool: &Tool, progress: &mut Progress) -> Result<()> {
    if let Some(version) = installed(workspace, tool) {
        return progress.step(&format!("{} {version}", tool.name), || {
            Ok(Outcome::AlreadyThere)
        });
    }
    progress.step(&format!("{} {}", tool.name, tool.version), || {
        let mut command = workspace.cargo();
        // Unoptimised: it compiles in half the time and still answers in a moment.
        command
            .args(["install", "--locked", "--debug", "--version", tool.version])
            .arg("--root")
            .arg(workspace.tools())
            .arg(tool.name)
            .args(tool.features)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("CARGO_TARGET_DIR");
        run_logged(&mut command, &workspace.log(tool.name))?;
        Ok(Outcome::Done)
    })
}

/// What a person would type to have it for all their projects.
pub(crate) fn command_for_a_person(tool: &Tool) -> String {
    format!(
        "cargo install --locked --version {} {}",
        tool.version, tool.name
    )
}

fn program(workspace: &Workspace, tool: &Tool) -> Option<PathBuf> {
    let ours = workspace.tools().join("bin").join(tool.name);
    if ours.is_file() {
        return Some(ours);
    }
    find_program(tool.name)
}
