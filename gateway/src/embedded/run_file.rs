//! `run.json`: how other commands on this machine reach a gateway that runs on a data directory. Holds passwords.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{DataLock, EmbeddedError, files};

/// What a running gateway says about itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process id.
    pub pid: u32,
    /// The base address that people use.
    pub url: String,
    /// The database, as the application's role.
    pub database_url: String,
    /// The database, as its owner; absent when the gateway was not told.
    pub database_owner_url: Option<String>,
    /// Presence and limits.
    pub redis_url: String,
}

impl fmt::Debug for RunFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RunFile")
            .field("pid", &self.pid)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The file while it is there; dropping this removes it.
#[derive(Debug)]
pub struct Running {
    path: PathBuf,
}

impl RunFile {
    /// Writes it for its owner alone.
    pub fn write(&self, data_dir: &Path) -> Result<Running, EmbeddedError> {
        let path = path(data_dir);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| files::failed(&path)(io::Error::other(error)))?;
        files::write_private(&path, &text)?;
        Ok(Running { path })
    }

    /// That of the gateway that runs on this folder. One that a crash left behind counts as none: what tells is the
    /// lock that ends with the process.
    pub fn load(data_dir: &Path) -> Option<Self> {
        if !DataLock::is_held(data_dir) {
            return None;
        }
        let text = fs::read(path(data_dir)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "{} can't be removed", self.path.display());
            }
            Ok(()) | Err(_) => {}
        }
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("run.json")
}
