//! `target/demo/demo.json`: what a script needs to use a running demo. Holds secrets.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::contract::ByRole;
use crate::workspace::Workspace;

/// The file's content. Scripts rely on these names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) url: String,
    pub(crate) agents_url: String,
    /// A SIGTERM to this process stops everything.
    pub(crate) pid: u32,
    pub(crate) gateway_pid: u32,
    pub(crate) database_url: String,
    pub(crate) redis_url: String,
    pub(crate) sign_in: ByRole,
    pub(crate) tokens: ByRole,
    pub(crate) robots: Vec<String>,
}

/// Where it is.
pub(crate) fn path(workspace: &Workspace) -> PathBuf {
    workspace.report("demo").join("demo.json")
}

impl Report {
    /// The report of the demo that runs, or that was killed before it could remove it.
    pub(crate) fn load(workspace: &Workspace) -> Option<Self> {
        let text = std::fs::read_to_string(path(workspace)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes it for the owner's eyes only, and in one step: a script that waits for the file
    /// never reads half of it.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let unfinished = path.with_extension("json.new");
        if unfinished.exists() {
            std::fs::remove_file(&unfinished)?;
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .with_context(|| format!("cannot write {}", unfinished.display()))?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&unfinished, path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn by_role(word: &str) -> ByRole {
        ByRole {
            operator: format!("{word}-operator"),
            second_operator: format!("{word}-second-operator"),
            supervisor: format!("{word}-supervisor"),
            requester: format!("{word}-requester"),
            owner: format!("{word}-owner"),
            admin: format!("{word}-admin"),
        }
    }

    #[test]
    fn the_report_has_the_promised_names_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.json");
        let report = Report {
            url: "http://localhost:8420".to_owned(),
            agents_url: "ws://localhost:8420".to_owned(),
            pid: 1,
            gateway_pid: 2,
            database_url: "postgres://".to_owned(),
            redis_url: "unix://".to_owned(),
            sign_in: by_role("link"),
            tokens: by_role("token"),
            robots: vec!["r1".to_owned()],
        };

        report.save(&path).unwrap();

        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let value: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        let mut promised = vec![
            "url",
            "agents_url",
            "pid",
            "gateway_pid",
            "database_url",
            "redis_url",
            "sign_in",
            "tokens",
            "robots",
        ];
        promised.sort_unstable();
        let mut names: Vec<_> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, promised);
        assert_eq!(value["sign_in"]["owner"], "link-owner");
    }
}
