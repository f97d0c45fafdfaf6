//! First answers by the caller's own key, kept in the transaction that did the work.

use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{Tx, error::SpineError, transaction::bytes32};

/// How long a first answer is kept: a client that retries later than a day has forgotten its key.
pub const KEPT_FOR: Duration = Duration::days(1);

/// A request that must have its effect once.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Who asks. Keys of different callers never meet.
    pub caller: Uuid,
    /// The key that the caller chose.
    pub key: Uuid,
    /// SHA-256 over the method, the path and the body.
    pub hash: [u8; 32],
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Nothing: do the work, then [`keep`] the answer in the same transaction.
    New,
    /// It was answered before, like this.
    Answered {
        /// HTTP status.
        status: u16,
        /// Body.
        answer: serde_json::Value,
    },
    /// The key was used for another request.
    Reused,
}

/// Claims the key for this transaction. Of two at once the second waits here for the first's end.
pub async fn claim(
    tx: &mut Tx,
    request: &Request,
    now: OffsetDateTime,
) -> Result<Known, SpineError> {
    let claimed = sqlx::query!(
        "INSERT INTO spine.idempotency (caller, request_key, request_hash, kept_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (caller, request_key) DO NOTHING",
        request.caller,
        request.key,
        request.hash.as_slice(),
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Known::New);
    }
    let row = sqlx::query!(
        "SELECT request_hash, status, answer FROM spine.idempotency WHERE caller = $1 AND request_key = $2",
        request.caller,
        request.key,
    )
    .fetch_one(tx.connection().await?)
    .await?;
    if bytes32(&row.request_hash)? != request.hash {
        return Ok(Known::Reused);
    }
    match (row.status, row.answer) {
        (Some(status), Some(answer)) => Ok(Known::Answered {
            status: u16::try_from(status)
                .map_err(|_negative| SpineError::Corrupt("a negative status"))?,
            answer,
        }),
        _ => Err(SpineError::Corrupt("a first answer that is none")),
    }
}

/// Keeps the answer of a request that was claimed in this transaction: it is written with its events.
pub fn keep(
    tx: &mut Tx,
    request: &Request,
    status: u16,
    answer: serde_json::Value,
) -> Result<(), SpineError> {
    let status =
        i16::try_from(status).map_err(|_large| SpineError::Corrupt("a status beyond HTTP"))?;
    tx.keep_answer(Answer {
        caller: request.caller,
        key: request.key,
        status,
        body: answer,
    });
    Ok(())
}

/// The first answer of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) caller: Uuid,
    pub(crate) key: Uuid,
    pub(crate) status: i16,
    pub(crate) body: serde_json::Value,
}

impl Answer {
    /// Writes it where no event takes it along.
    pub(crate) async fn write(&self, connection: &mut PgConnection) -> Result<(), SpineError> {
        sqlx::query!(
            "UPDATE spine.idempotency SET status = $3, answer = $4 WHERE caller = $1 AND request_key = $2",
            self.caller,
            self.key,
            self.status,
            self.body,
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Forgets answers that nobody asks for again.
pub async fn forget(pool: &PgPool, now: OffsetDateTime) -> Result<u64, SpineError> {
    let forgotten = sqlx::query!(
        "DELETE FROM spine.idempotency WHERE kept_at <= $1",
        now - KEPT_FOR,
    )
    .execute(pool)
    .await?;
    Ok(forgotten.rows_affected())
}
