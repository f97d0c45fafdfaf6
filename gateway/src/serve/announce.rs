//! What tells others on this machine that we serve: `run.json` in the data directory and the ready file that was asked for.

use std::{io, path::PathBuf};

use serde::Serialize;

use super::{ServeError, Urls};
use crate::{
    config::Config,
    embedded::{RunFile, Running, write_in_one_step},
};

/// What a script that started us needs. Holds a password, so it is for its owner's eyes only.
#[derive(Serialize)]
struct Ready<'a> {
    url: &'a str,
    /// Where robots enrol and connect.
    agents_url: &'a str,
    pid: u32,
    database_url: &'a str,
    redis_url: &'a str,
}

/// The files; removed when dropped.
#[derive(Debug)]
pub(super) struct Announced {
    _running: Running,
    ready_file: Option<PathBuf>,
}

/// Writes them, each in one step.
pub(super) fn announce(config: &Config, urls: &Urls) -> Result<Announced, ServeError> {
    let pid = std::process::id();
    let running = RunFile {
        pid,
        url: config.public_url.clone(),
        database_url: urls.app.expose().to_owned(),
        database_owner_url: urls.owner.as_ref().map(|url| url.expose().to_owned()),
        redis_url: urls.redis.expose().to_owned(),
    }
    .write(&config.data_dir)?;
    // From here on a failure removes what was written.
    let announced = Announced {
        _running: running,
        ready_file: config.ready_file.clone(),
    };
    if let Some(path) = &config.ready_file {
        let ready = Ready {
            url: &config.public_url,
            agents_url: &config.public_url,
            pid,
            database_url: urls.app.expose(),
            redis_url: urls.redis.expose(),
        };
        serde_json::to_vec(&ready)
            .map_err(io::Error::other)
            .and_then(|text| write_in_one_step(path, &text))
            .map_err(|source| ServeError::ReadyFile {
                path: path.clone(),
                source,
            })?;
    }
    Ok(announced)
}

impl Drop for Announced {
    fn drop(&mut self) {
        let Some(path) = &self.ready_file else { return };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "{} can't be removed", path.display());
            }
            Ok(()) | Err(_) => {}
        }
    }
}
