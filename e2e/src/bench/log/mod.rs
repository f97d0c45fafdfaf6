//! How fast events are recorded, get their leaves, are proved and are checked: in this process, on a Postgres that keeps its word.

mod append;
mod proof;
mod verify;

use anyhow::{Context as _, Result};
use ed25519_dalek::SigningKey;
use spine::{LogKey, Signer};
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};

use crate::print;

/// Where the database is, as its owner. `cargo xtask bench` starts one.
const DATABASE: &str = "E2E_DATABASE_URL";

/// As many as the most writers, and some for whoever looks on.
const CONNECTIONS: u32 = 40;

pub(crate) async fn measure() -> Result<()> {
    let url = std::env::var(DATABASE)
        .with_context(|| format!("{DATABASE} is not set: run `cargo xtask bench log`"))?;
    let owner = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect(&url)
        .await?;
    let app = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET ROLE nooterra_app").await?;
                Ok(())
            })
        })
        .connect(&url)
        .await?;
    print(&append::measure(&owner, &app).await?)?;
    print(&[append::sequence(&app).await?])?;
    print(&[verify::measure(&app).await?])?;
    print(&proof::measure(&owner, &app).await?)
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
