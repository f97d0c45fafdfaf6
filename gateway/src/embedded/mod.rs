//! A private PostgreSQL and a private Redis: the machine's own binaries, our folders, unix sockets and nothing else.
//!
//! Each server lives exactly as long as this process: a supervisor holds one end of a pipe and we the other.

mod error;
mod files;
mod lock;
mod passwords;
mod postgres;
mod programs;
mod redis;
mod run_file;
mod server;
mod sockets;
mod stale;
mod store;
#[cfg(test)]
mod tests;
mod user;

use std::path::Path;

use crate::config::SecretUrl;

pub use error::EmbeddedError;
pub(crate) use files::write_in_one_step;
pub use lock::{DataLock, make_data_dir};
pub use run_file::{RunFile, Running};

use passwords::Passwords;
use server::Server;
use sockets::Sockets;
use user::ServerUser;

/// Which servers are to be private; the others are given by address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// A private PostgreSQL.
    pub postgres: bool,
    /// A private Redis.
    pub redis: bool,
}

impl Wanted {
    /// A complete installation.
    pub const BOTH: Self = Self {
        postgres: true,
        redis: true,
    };

    /// For work on the database while no gateway runs.
    pub const POSTGRES: Self = Self {
        postgres: true,
        redis: false,
    };
}

/// The two ways into the private database.
#[derive(Debug, Clone)]
pub struct DatabaseUrls {
    /// As the role that owns the schemas.
    pub owner: SecretUrl,
    /// As the role that owns nothing.
    pub app: SecretUrl,
}

/// The running private servers. Dropping it stops them; [`Embedded::stop`] also waits for their end.
#[derive(Debug)]
pub struct Embedded {
    database: Option<DatabaseUrls>,
    redis_url: Option<SecretUrl>,
    // Stopped in this order: whatever may still write to Redis while Postgres ends must find it.
    postgres: Option<Server>,
    redis: Option<Server>,
    sockets: Option<Sockets>,
    // Last, so that nobody starts a second Postgres on the cluster while ours still ends.
    _lock: DataLock,
}

impl Embedded {
    /// Takes the data directory for this process alone and starts what is wanted.
    pub async fn start(data_dir: &Path, wanted: Wanted) -> Result<Self, EmbeddedError> {
        let lock = DataLock::take(data_dir).await?;
        let mut embedded = Self {
            database: None,
            redis_url: None,
            postgres: None,
            redis: None,
            sockets: None,
            _lock: lock,
        };
        if !wanted.postgres && !wanted.redis {
            return Ok(embedded);
        }
        let user = ServerUser::choose().await?;
        let sockets = Sockets::make(&user)?;
        files::folder(&data_dir.join("logs"), 0o700)?;
        let (postgres, redis) = tokio::try_join!(
            async {
                if !wanted.postgres {
                    return Ok(None);
                }
                let passwords = Passwords::load_or_create(data_dir)?;
                postgres::start(data_dir, &user, sockets.path(), &passwords)
                    .await
                    .map(Some)
            },
            async {
                if !wanted.redis {
                    return Ok(None);
                }
                redis::start(data_dir, &user, sockets.path())
                    .await
                    .map(Some)
            }
        )?;
        if let Some((server, urls)) = postgres {
            embedded.postgres = Some(server);
            embedded.database = Some(urls);
        }
        if let Some((server, url)) = redis {
            embedded.redis = Some(server);
            embedded.redis_url = Some(url);
        }
        embedded.sockets = Some(sockets);
        Ok(embedded)
    }

    /// Ways into the private database, if there is one.
    pub const fn database(&self) -> Option<&DatabaseUrls> {
        self.database.as_ref()
    }

    /// The way to the private Redis, if there is one.
    pub const fn redis_url(&self) -> Option<&SecretUrl> {
        self.redis_url.as_ref()
    }

    /// Stops the servers in good order and waits for their end.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        if let Some(postgres) = self.postgres.take() {
            postgres.stop().await?;
        }
        if let Some(redis) = self.redis.take() {
            redis.stop().await?;
        }
        drop(self.sockets.take());
        Ok(())
    }
}
