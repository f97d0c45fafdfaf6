//! The folder that a demo lives in, and the care not to wipe anybody else's.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::setup::Root;
use crate::workspace::home;

/// In every folder that a demo made. Without it, `--fresh` wipes nothing.
const MARKER: &str = ".nooterra-demo";

/// Where the demo lives unless told otherwise. As root outside `/root`, which the unprivileged
/// user that PostgreSQL runs as cannot enter.
pub(super) fn default_folder() -> Result<PathBuf> {
    if Root::is_ours() {
        Ok(PathBuf::from("/var/lib/nooterra/demo"))
    } else {
        Ok(home()?.join(".local/share/nooterra/demo"))
    }
}

/// Makes the folder ready, empty when `fresh`.
pub(super) fn prepare(folder: &Path, fresh: bool) -> Result<()> {
    let is_ours = folder.join(MARKER).is_file();
    let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_ours && !is_empty {
        bail!(
            "{} is not empty and was not made by a demo: choose another with --data",
            folder.display()
        );
    }
    if fresh && is_ours {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("cannot wipe {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    std::fs::write(folder.join(MARKER), "made by cargo xtask demo\n")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_no_demo_made_is_never_wiped() {
        let folder = tempfile::tempdir().unwrap();
        let thesis = folder.path().join("thesis.txt");
        std::fs::write(&thesis, "years of work").unwrap();

        let refused = prepare(folder.path(), true);

        assert!(refused.is_err());
        assert!(thesis.is_file());
    }

    #[test]
    fn a_fresh_demo_forgets_and_another_remembers() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("demo");
        prepare(&data, false).unwrap();
        let row = data.join("row");
        std::fs::write(&row, "kept").unwrap();

        prepare(&data, false).unwrap();
        assert!(row.is_file());

        prepare(&data, true).unwrap();
        assert!(!row.exists());
    }
}
