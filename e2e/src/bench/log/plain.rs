//! What appending is compared with: single-row inserts of as many bytes, in the same database.

use anyhow::Result;
use protocol::event::Payload;
use sqlx::{Executor as _, PgPool};
use time::OffsetDateTime;

/// Bytes of an act's entry, which the plain rows have, too.
const ENTRY_BYTES: usize = 560;

/// Makes the table; only who owns the database can.
pub(super) async fn make_table(owner: &PgPool) -> Result<()> {
    owner
        .execute(
            "CREATE SCHEMA bench;
             GRANT USAGE ON SCHEMA bench TO nooterra_app;
             CREATE TABLE bench.plain (
                 sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                 stream TEXT NOT NULL, recorded_at TIMESTAMPTZ NOT NULL, entry BYTEA NOT NULL, payload JSONB NOT NULL
             );
             GRANT INSERT ON bench.plain TO nooterra_app;",
        )
        .await?;
    Ok(())
}

pub(super) async fn insert(app: &PgPool, stream: String, payload: &Payload) -> Result<()> {
    sqlx::query(
        "INSERT INTO bench.plain (stream, recorded_at, entry, payload) VALUES ($1, $2, $3, $4)",
    )
    .bind(stream)
    .bind(OffsetDateTime::now_utc())
    .bind([7_u8; ENTRY_BYTES].as_slice())
    .bind(serde_json::to_value(payload)?)
    .execute(app)
    .await?;
    Ok(())
}
