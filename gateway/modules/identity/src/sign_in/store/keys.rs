//! Session keys in Postgres: what a browser signs with while a sign-in lasts.

use protocol::{
    OrganisationId, PersonId, UnixMicros,
    event::{Payload, person_stream},
    sealed::KeyId,
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Person, Refusal, SecretHash, StoreError, robots::key_id, sign_in::SessionKey};

/// Keys of one sign-in that are believed at a time. Every page that is loaded makes its own; the oldest ends first.
pub(crate) const MAX_KEYS_OF_SESSION: i64 = 32;

/// Keys that ended just now, at most: what a list of revocations holds.
const MAX_ENDED_KEYS: i64 = 1_024;

/// Binds a key to a sign-in. The same key again changes nothing; a key of somebody else is refused.
pub async fn bind_session_key(
    tx: &mut Tx,
    person: &Person,
    session: SecretHash,
    public_key: [u8; 32],
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<SessionKey, StoreError> {
    let key = key_id(&public_key);
    let bound = sqlx::query!(
        "INSERT INTO identity.session_key (key_id, public_key, organisation_id, person_id, session_hash, bound_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (key_id) DO NOTHING",
        key.0.as_slice(),
        public_key.as_slice(),
        person.organisation.0,
        person.person.0,
        session.as_bytes().as_slice(),
        now,
        expires_at,
    )
    .execute(tx.connection().await?)
    .await?;
    if bound.rows_affected() == 1 {
        let payload = Payload::SessionKeyBound {
            person: person.person,
            key,
            public_key,
            expires_at: micros(expires_at),
        };
        record(tx, person.organisation, person.person, payload);
        end_oldest(tx, session, now).await?;
    }
    session_key(tx.connection().await?, key, now)
        .await?
        .filter(|known| known.person == person.person)
        .ok_or(Refusal::KeyTaken.into())
}

/// A key that is believed now.
pub async fn session_key(
    executor: impl PgExecutor<'_>,
    key: KeyId,
    now: OffsetDateTime,
) -> Result<Option<SessionKey>, StoreError> {
    let row = sqlx::query!(
        "SELECT public_key, person_id, session_hash, expires_at FROM identity.session_key
         WHERE key_id = $1 AND ended_at IS NULL AND expires_at > $2",
        key.0.as_slice(),
        now,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        Ok(SessionKey {
            key,
            public_key: row
                .public_key
                .try_into()
                .map_err(|_length| StoreError::Corrupt("a session key that is not 32 bytes"))?,
            person: PersonId(row.person_id),
            session_hash: row.session_hash,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

/// Whether the key is believed at `now`; if so, it can't end before the transaction does.
pub async fn hold_session_key(
    tx: &mut Tx,
    key: KeyId,
    now: UnixMicros,
) -> Result<bool, StoreError> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(now.0) * 1_000)
        .map_err(|_beyond| StoreError::Corrupt("a time beyond the calendar"))?;
    let held = sqlx::query!(
        "SELECT key_id FROM identity.session_key
         WHERE key_id = $1 AND ended_at IS NULL AND expires_at > $2
         FOR SHARE",
        key.0.as_slice(),
        at,
    )
    .fetch_optional(tx.connection().await?)
    .await?;
    Ok(held.is_some())
}

/// Keys of pages that ended between `since` and `now`, or whose sign-in did.
pub async fn ended_session_keys(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    since: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<Vec<KeyId>, StoreError> {
    let rows = sqlx::query!(
        "SELECT key_id FROM identity.session_key
         WHERE organisation_id = $1 AND (ended_at >= $2 OR (expires_at >= $2 AND expires_at <= $3))
         ORDER BY ended_at DESC NULLS LAST, key_id LIMIT $4",
        organisation.0,
        since,
        now,
        MAX_ENDED_KEYS,
    )
    .fetch_all(executor)
    .await?;
    let key = |bytes: Vec<u8>| {
        (bytes.try_into().map(KeyId))
            .map_err(|_length| StoreError::Corrupt("a key's name that is not 32 bytes"))
    };
    rows.into_iter().map(|row| key(row.key_id)).collect()
}

/// Ends every key of a sign-in that ends.
pub(crate) async fn end_session_keys(
    tx: &mut Tx,
    session: SecretHash,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let ended = sqlx::query!(
        "UPDATE identity.session_key SET ended_at = $2
         WHERE session_hash = $1 AND ended_at IS NULL AND expires_at > $2
         RETURNING key_id, organisation_id, person_id",
        session.as_bytes().as_slice(),
        now,
    )
    .fetch_all(tx.connection().await?)
    .await?;
    for row in ended {
        note_end(tx, &row.key_id, row.organisation_id, row.person_id)?;
    }
    Ok(())
}

async fn end_oldest(
    tx: &mut Tx,
    session: SecretHash,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let ended = sqlx::query!(
        "UPDATE identity.session_key SET ended_at = $2
         WHERE key_id IN (
             SELECT key_id FROM identity.session_key
             WHERE session_hash = $1 AND ended_at IS NULL
             ORDER BY bound_at DESC, key_id OFFSET $3
         )
         RETURNING key_id, organisation_id, person_id",
        session.as_bytes().as_slice(),
        now,
        MAX_KEYS_OF_SESSION,
    )
    .fetch_all(tx.connection().await?)
    .await?;
    for row in ended {
        note_end(tx, &row.key_id, row.organisation_id, row.person_id)?;
    }
    Ok(())
}

fn note_end(tx: &mut Tx, key: &[u8], organisation: Uuid, person: Uuid) -> Result<(), StoreError> {
    let key = <[u8; 32]>::try_from(key)
        .map_err(|_length| StoreError::Corrupt("a key's name that is not 32 bytes"))?;
    let person = PersonId(person);
    let payload = Payload::SessionKeyEnded {
        person,
        key: KeyId(key),
    };
    record(tx, OrganisationId(organisation), person, payload);
    Ok(())
}

fn record(tx: &mut Tx, organisation: OrganisationId, person: PersonId, payload: Payload) {
    tx.record(
        person_stream(person),
        organisation,
        None,
        Some(person),
        payload,
    );
}

fn micros(at: OffsetDateTime) -> UnixMicros {
    UnixMicros(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
}
