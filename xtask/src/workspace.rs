//! Where things are: the checkout, what cargo builds into, and the cache that outlives both.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::processes;

/// The folders that every command works in.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// What cargo builds into; elsewhere than `root/target` when `CARGO_TARGET_DIR` says so.
    pub(crate) target: PathBuf,
    /// Tools and the wasm sysroot: outlives a checkout.
    pub(crate) cache: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks cargo, which knows about `CARGO_TARGET_DIR` and configuration files.
    pub(crate) fn find() -> Result<Self> {
        let mut command = Command::new("cargo");
        command.args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ]);
        let printed = processes::read(&mut command)?;
        let metadata: Metadata = serde_json::from_str(&printed)
            .context("cargo metadata printed something unexpected")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            cache: cache_folder()?,
        })
    }

    /// `cargo` in the checkout, without what `cargo run` left in our own environment: some build
    /// scripts watch those variables and would be rebuilt for nothing.
    pub(crate) fn cargo(&self) -> Command {
        self.command("cargo")
    }

    /// Any program, as [`Workspace::cargo`].
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for (name, _) in std::env::vars_os() {
            if is_left_by_cargo_run(&name) {
                command.env_remove(name);
            }
        }
        command.env("PATH", self.search_path());
        command
    }

    /// `PATH` with our own tools first.
    pub(crate) fn search_path(&self) -> OsString {
        let mut path = self.tools().join("bin").into_os_string();
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }

    /// Where cargo tools that were missing are installed.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// Where `cargo build` leaves the binaries that the demo and the end-to-end tests run.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.target.join("debug")
    }

    /// The built console, as the gateway serves it. Not `console`: that is where cargo keeps what
    /// the profile of this name builds for this machine.
    pub(crate) fn console(&self) -> PathBuf {
        self.target.join("console-bundle")
    }

    /// A folder for what a person or a script reads afterwards: always inside the checkout.
    pub(crate) fn report(&self, name: &str) -> PathBuf {
        self.root.join("target").join(name)
    }

    /// The log of an installation step.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.report("xtask").join(format!("{name}.log"))
    }
}

fn is_left_by_cargo_run(name: &OsString) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    name == "CARGO"
        || name == "LD_LIBRARY_PATH"
        || name == "DYLD_FALLBACK_LIBRARY_PATH"
        || [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn cache_folder() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(folder) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
        _ => home()?.join(".cache"),
    };
    Ok(base.join("nooterra"))
}

/// The home folder of whoever runs the command.
pub(crate) fn home() -> Result<PathBuf> {
    std::env::var_os("HOME")
        .map(PathBuf::from)
        .context("HOME is not set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_run_adds_is_told_from_what_the_person_set() {
        for added in [
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
            "LD_LIBRARY_PATH",
            "CARGO",
        ] {
            assert!(is_left_by_cargo_run(&OsString::from(added)), "{added}");
        }
        for own in [
            "CARGO_TARGET_DIR",
            "CARGO_HOME",
            "CARGO_INCREMENTAL",
            "PATH",
        ] {
            assert!(!is_left_by_cargo_run(&OsString::from(own)), "{own}");
        }
    }
}
