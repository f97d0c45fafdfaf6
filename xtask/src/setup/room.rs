//! Room on the disk, looked at before a build fills it: a linker that has none left ends with a bus error, which tells nobody why.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

const GIGABYTE: u64 = 1_000_000_000;

/// What a checkout that was never built takes, tests and console included: 8.2 GB were measured, and some for the databases of the tests.
const WHOLE_BUILD: u64 = 10 * GIGABYTE;

/// What building again takes at most, with the databases and the recordings of the tests.
const NEXT_BUILD: u64 = 3 * GIGABYTE;

/// Says how much room there is, and refuses to begin what would not end well.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let folder = existing(&workspace.target);
    let free = free(folder)?;
    let needed = needed(workspace.binaries().join("nooterra").is_file());
    if free < needed {
        bail!(
            "{} are free where {} is, and a build takes up to {}: make room (cargo clean, or an old CARGO_TARGET_DIR), or set \
             CARGO_TARGET_DIR to a folder on a larger disk",
            gigabytes(free),
            folder.display(),
            gigabytes(needed)
        );
    }
    Ok(gigabytes(free))
}

fn needed(is_built: bool) -> u64 {
    if is_built { NEXT_BUILD } else { WHOLE_BUILD }
}

/// Bytes that we may still write there.
pub(super) fn free(folder: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(folder)
        .with_context(|| format!("cannot ask how full the disk of {} is", folder.display()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The nearest folder that is there already.
pub(super) fn existing(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("/"))
}

fn gigabytes(bytes: u64) -> String {
    format!("{}.{} GB", bytes / GIGABYTE, bytes % GIGABYTE / 100_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_build_is_asked_for_more_room_than_the_next() {
        assert!(needed(false) > needed(true));
        assert_eq!(gigabytes(needed(false)), "10.0 GB");
        assert_eq!(gigabytes(188_000_000), "0.1 GB");
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_on_the_disk_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("target/debug");
        assert_eq!(existing(&missing), folder.path());
        assert!(free(existing(&missing)).unwrap() > 0);
    }
}
