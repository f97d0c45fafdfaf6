//! How fast events are recorded, get their leaves, are proved and are checked, on a Postgres that keeps its word.

mod api;
mod append;
mod book;
mod plain;
mod proof;
mod verify;

use anyhow::{Context as _, Result};
use ed25519_dalek::SigningKey;
use protocol::UnixMicros;
use spine::{LogKey, Signer};
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};
use time::OffsetDateTime;

use crate::{print, progress};

/// Where the database is, as its owner. `cargo xtask bench` starts one.
const DATABASE: &str = "E2E_DATABASE_URL";

/// As many as the most writers, and some for whoever looks on.
const CONNECTIONS: u32 = 40;

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Appending in this process, and the sequencer.
    Append,
    /// Appending over the API of an installation, and jobs from beginning to end.
    Api,
    /// Verifying bundles.
    Verify,
    /// Proofs from a tree of a million leaves.
    Proof,
}

/// Measures these parts, or all of them.
pub(crate) async fn measure(only: &[Part], grown: i64) -> Result<()> {
    let is_wanted = |part| only.is_empty() || only.contains(&part);
    if is_wanted(Part::Verify) {
        print(&verify::measure()?)?;
    }
    if is_wanted(Part::Api) {
        api::measure(grown).await?;
    }
    if is_wanted(Part::Append) || is_wanted(Part::Proof) {
        let Database { owner, app } = Database::connect().await?;
        if is_wanted(Part::Append) {
            progress("appending in this process");
            print(&append::measure(&owner, &app).await?)?;
            print(&[append::sequence(&app).await?])?;
        }
        // Last: it makes room for its own tree.
        if is_wanted(Part::Proof) {
            progress("a tree of a million leaves");
            print(&proof::measure(&owner, &app).await?)?;
        }
    }
    Ok(())
}

/// The Postgres that `cargo xtask bench` started.
struct Database {
    owner: PgPool,
    app: PgPool,
}

impl Database {
    async fn connect() -> Result<Self> {
        let url = std::env::var(DATABASE)
            .with_context(|| format!("{DATABASE} is not set: run `cargo xtask bench log`"))?;
        let owner = pool(&url).await?;
        let app = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .min_connections(CONNECTIONS)
            // As the gateway's: a connection that was used a moment ago is not asked whether it lives.
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("SET ROLE nooterra_app").await?;
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        Ok(Self { owner, app })
    }
}

async fn pool(url: &str) -> Result<PgPool> {
    let options = PgPoolOptions::new().max_connections(CONNECTIONS);
    Ok(options.connect(url).await?)
}

fn now() -> UnixMicros {
    let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
    UnixMicros(i64::try_from(nanos / 1_000).unwrap_or(i64::MAX))
}

fn gateway() -> Signer {
    Signer::new(SigningKey::from_bytes(&[1; 32]))
}

fn log_key() -> Result<LogKey> {
    Ok(LogKey::new(SigningKey::from_bytes(&[2; 32]), None)?)
}

async fn events(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM spine.event")
        .fetch_one(pool)
        .await?)
}
