//! Why the gateway does not serve, each with what would mend it.

use std::{io, net::SocketAddr, path::PathBuf};

use metrics_exporter_prometheus::BuildError;
use spine::{LogKeyError, SignerError};
use sqlx::migrate::MigrateError;
use tokio::task::JoinError;

use crate::{admin::NotADemo, embedded::EmbeddedError, listen::ListenError, rtc::RtcFailure};

/// Why the gateway does not serve. What it says is meant for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The private servers or the data directory.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The port or its certificate.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// `--demo` on a folder that is none.
    #[error(transparent)]
    NotADemo(#[from] NotADemo),
    /// The gateway's own key.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The log's key or its name.
    #[error(transparent)]
    LogKey(#[from] LogKeyError),
    /// The system won't tell us when to stop.
    #[error("signals can't be listened to")]
    Signals(#[source] io::Error),
    /// Numbers can't be kept.
    #[error("the recorder of metrics can't be installed")]
    Metrics(#[source] BuildError),
    /// A server is neither private nor given.
    #[error("there is no address of {0}")]
    NoServer(&'static str),
    /// The owner's address alone would migrate one database and use another.
    #[error(
        "DATABASE_OWNER_URL is given without DATABASE_URL: the gateway works as the application's role and needs both"
    )]
    OwnerAlone,
    /// The database does not let us in.
    #[error(
        "the database does not let its {role} in; check that it runs and that {variable} is right"
    )]
    Database {
        /// "owner" or "application".
        role: &'static str,
        /// Where its address comes from.
        variable: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// A migration failed.
    #[error(
        "the database can't be brought up to date; nothing was changed by the step that failed"
    )]
    Migrate(#[source] MigrateError),
    /// The application may not see how far the database was brought.
    #[error("the application's role can't be told about migrations")]
    Tell(#[source] sqlx::Error),
    /// Somebody must migrate first.
    #[error(
        "the database lacks {missing} of our migrations: run `nooterra migrate` with DATABASE_OWNER_URL, or give that \
         address here too"
    )]
    NotMigrated {
        /// How many.
        missing: usize,
    },
    /// The address of Redis is of no use.
    #[error("the address of Redis can't be used; check REDIS_URL")]
    Redis(#[source] redis::RedisError),
    /// The media port.
    #[error("video can't be relayed on UDP {bind}; choose another port with --media-port")]
    Media {
        /// Where.
        bind: SocketAddr,
        /// Why.
        source: RtcFailure,
    },
    /// The ready file.
    #[error("{path} can't be written; choose another place with --ready-file")]
    ReadyFile {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the server broke: {0}")]
    Broken(String),
    /// A second signal came while we were going down.
    #[error("told twice to stop: ended at once; private servers end by themselves within seconds")]
    ToldTwice,
}

impl ServeError {
    pub(super) fn broken(ended: Result<io::Result<()>, JoinError>) -> Self {
        Self::Broken(match ended {
            Ok(Ok(())) => "it ended by itself".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        })
    }
}
