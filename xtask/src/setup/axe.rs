//! axe-core, which the end-to-end tests inject into pages to check that everyone can use them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::processes::{read, run_logged};
use crate::progress::{Outcome, Progress};
use crate::workspace::Workspace;

/// Pinned: a new version finds new faults, which should arrive with a change of ours.
pub(super) const VERSION: &str = "4.14.1";

/// The script, if it is there.
pub(crate) fn installed(workspace: &Workspace) -> Option<PathBuf> {
    let script = folder(workspace).join("axe.min.js");
    script.is_file().then_some(script)
}

/// Fetches it when it is missing.
pub(super) fn install(workspace: &Workspace, progress: &mut Progress) -> Result<()> {
    progress.step(&format!("axe-core {VERSION}"), || {
        if installed(workspace).is_some() {
            return Ok(Outcome::AlreadyThere);
        }
        std::fs::create_dir_all(&workspace.cache)?;
        let unpacked = tempfile::tempdir_in(&workspace.cache)?;

        let mut pack = Command::new("npm");
        pack.args(["pack", "--silent", &format!("axe-core@{VERSION}")])
            .current_dir(unpacked.path());
        run_logged(&mut pack, &workspace.log("axe-core"))?;
        let archive = format!("axe-core-{VERSION}.tgz");
        let mut unpack = Command::new("tar");
        unpack
            .args(["-xzf", &archive, "package/axe.min.js", "package/LICENSE"])
            .current_dir(unpacked.path());
        read(&mut unpack)?;

        // A folder appears whole or not at all, so that an interrupted run leaves nothing half done.
        std::fs::rename(unpacked.path().join("package"), folder(workspace))
            .context("cannot put axe-core in its place")?;
        Ok(Outcome::Done)
    })
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.cache.join(format!("axe-core-{VERSION}"))
}
