//! An event alone: its row, and the statements that put it behind the head of its stream.

use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Recorded, bytes32, number, transaction};
use crate::{Position, error::SpineError, idempotency::Answer};

/// The columns of an event, sealed behind an entry that its stream is known to end with.
#[derive(Debug)]
pub(super) struct LoneRow {
    pub(super) organisation: Uuid,
    pub(super) site: Option<Uuid>,
    pub(super) stream: String,
    pub(super) stream_number: i64,
    /// The hash of the entry before.
    pub(super) previous: [u8; 32],
    pub(super) kind: &'static str,
    pub(super) actor_key: [u8; 32],
    pub(super) actor_number: Option<i64>,
    pub(super) actor_hash: [u8; 32],
    pub(super) recorded_at: OffsetDateTime,
    pub(super) entry: Vec<u8>,
    pub(super) entry_hash: [u8; 32],
    pub(super) payload: serde_json::Value,
}

impl LoneRow {
    /// Appends the event if its stream still ends with the entry before; writes nothing and returns nothing if it does not, or
    /// if somebody else is at the stream: nobody is waited for.
    pub(super) async fn insert(
        &self,
        executor: impl PgExecutor<'_>,
    ) -> Result<Option<RecordedRow>, sqlx::Error> {
        sqlx::query_as!(
            RecordedRow,
            r#"WITH moved AS (
                   UPDATE spine.stream_head
                   SET stream_number = $4::bigint, entry_hash = $11
                   WHERE stream = (
                       SELECT stream FROM spine.stream_head
                       WHERE stream = $3 AND stream_number = $4::bigint - 1 AND entry_hash = $13
                       FOR NO KEY UPDATE SKIP LOCKED
                   )
                   RETURNING stream
               )
               INSERT INTO spine.event (organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                                        actor_hash, recorded_at, entry, entry_hash, payload)
               SELECT $1, $2, stream, $4::bigint, $5, $6, $7, $8, $9, $10, $11, $12 FROM moved
               RETURNING transaction_id::text AS "transaction_id!", sequence, stream, stream_number, entry_hash"#,
            self.organisation,
            self.site,
            &self.stream,
            self.stream_number,
            self.kind,
            self.actor_key.as_slice(),
            self.actor_number,
            self.actor_hash.as_slice(),
            self.recorded_at,
            &self.entry,
            self.entry_hash.as_slice(),
            self.payload,
            self.previous.as_slice(),
        )
        .fetch_optional(executor)
        .await
    }

    /// The same, and the answer of the request with it; somebody else at the stream is waited for. Apart, since a statement costs what
    /// it may touch, not what it does.
    pub(super) async fn insert_with_answer(
        &self,
        executor: impl PgExecutor<'_>,
        answer: &Answer,
    ) -> Result<Option<RecordedRow>, sqlx::Error> {
        sqlx::query_as!(
            RecordedRow,
            r#"WITH moved AS (
                   UPDATE spine.stream_head
                   SET stream_number = $4::bigint, entry_hash = $11
                   WHERE stream = $3 AND stream_number = $4::bigint - 1 AND entry_hash = $13
                   RETURNING stream
               ), answered AS (
                   UPDATE spine.idempotency SET status = $16, answer = $17
                   FROM moved
                   WHERE caller = $14 AND request_key = $15
               )
               INSERT INTO spine.event (organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                                        actor_hash, recorded_at, entry, entry_hash, payload)
               SELECT $1, $2, stream, $4::bigint, $5, $6, $7, $8, $9, $10, $11, $12 FROM moved
               RETURNING transaction_id::text AS "transaction_id!", sequence, stream, stream_number, entry_hash"#,
            self.organisation,
            self.site,
            &self.stream,
            self.stream_number,
            self.kind,
            self.actor_key.as_slice(),
            self.actor_number,
            self.actor_hash.as_slice(),
            self.recorded_at,
            &self.entry,
            self.entry_hash.as_slice(),
            self.payload,
            self.previous.as_slice(),
            answer.caller,
            answer.key,
            answer.status,
            answer.body,
        )
        .fetch_optional(executor)
        .await
    }
}

/// What the database says of an event that it took.
#[derive(Debug)]
pub(super) struct RecordedRow {
    pub(super) transaction_id: String,
    pub(super) sequence: i64,
    pub(super) stream: String,
    pub(super) stream_number: i64,
    pub(super) entry_hash: Vec<u8>,
}

impl RecordedRow {
    pub(super) fn recorded(self) -> Result<Recorded, SpineError> {
        Ok(Recorded {
            position: Position {
                transaction: transaction(&self.transaction_id)?,
                sequence: self.sequence,
            },
            stream: self.stream,
            stream_number: number(self.stream_number)?,
            entry_hash: bytes32(&self.entry_hash)?,
        })
    }
}
