//! Why an administrator's wish was not done, in words that say what to do next.

use std::{io, path::PathBuf};

use crate::{config::ConfigError, embedded::EmbeddedError};

use super::demo::NotADemo;

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The private servers could not be started or stopped.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The wish was turned down.
    #[error("{wish}: {refusal}")]
    Refused {
        /// What was wished.
        wish: String,
        /// Why not.
        refusal: identity::Refusal,
    },
    /// What was named is not there, or there are several.
    #[error("{0}")]
    Unclear(String),
    /// Demo users exist only in a demo's data directory.
    #[error(transparent)]
    NotADemo(#[from] NotADemo),
    /// A store failed.
    #[error("the database did not do it")]
    Store(#[from] identity::StoreError),
    /// The spine failed.
    #[error("the event could not be recorded")]
    Spine(#[from] spine::SpineError),
    /// Postgres can't be reached.
    #[error("the database can't be reached")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The gateway's key is not there.
    #[error(transparent)]
    Signer(#[from] spine::SignerError),
    /// The system has no randomness to give.
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
    /// A file in the data directory can't be read or written.
    #[error("{path} can't be read or written")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was to be printed is no JSON.
    #[error("the answer can't be written as JSON")]
    Json(#[from] serde_json::Error),
    /// Nobody reads what we print.
    #[error("the answer can't be printed")]
    Output(#[source] io::Error),
}

impl AdminError {
    /// Names the wish that a refusal turned down; leaves failures as they are.
    pub(super) fn of(wish: impl Into<String>) -> impl FnOnce(identity::StoreError) -> Self {
        move |error| match error {
            identity::StoreError::Refused(refusal) => Self::Refused {
                wish: wish.into(),
                refusal,
            },
            failure => Self::Store(failure),
        }
    }
}
