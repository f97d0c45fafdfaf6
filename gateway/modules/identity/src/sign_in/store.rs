//! Sign-in links, sessions and API tokens in Postgres, each found by the hash of its secret.

use protocol::{
    PersonId, TokenId,
    event::{Payload, person_stream},
    sealed::KeyId,
};
use spine::Tx;
use sqlx::{PgExecutor, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{ApiSignIn, ApiToken, LinkUses, SESSION_IDLE, SESSION_LASTS, SessionSignIn};
use crate::{
    Person, Refusal, SecretHash, StoreError,
    people::store::{PersonRow, load_person},
    trust::store::{bytes32, forget_passkey_challenges},
};

mod keys;

pub use keys::{bind_session_key, ended_session_keys, hold_session_key, session_key};

use keys::end_session_keys;

/// A use is noted at most so often: a write per request would cost more than the answer.
pub(crate) const USE_NOTED_EVERY: Duration = Duration::MINUTE;

/// Tokens of one person or robot that are listed, newest first.
pub(crate) const MAX_TOKENS_LISTED: i64 = 100;

fn key_id(bytes: Vec<u8>) -> Result<KeyId, StoreError> {
    bytes32(bytes).map(KeyId)
}

/// Makes a sign-in link for a person.
pub async fn issue_link(
    tx: &mut Tx,
    person: &Person,
    link: SecretHash,
    uses: LinkUses,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let uses_left = match uses {
        LinkUses::Limited(times) => Some(i32::from(times)),
        LinkUses::Reusable => None,
    };
    sqlx::query!(
        "INSERT INTO identity.sign_in_link (link_hash, organisation_id, person_id, issued_at, expires_at, uses_left)
         VALUES ($1, $2, $3, $4, $5, $6)",
        link.as_bytes().as_slice(),
        person.organisation.0,
        person.person.0,
        now,
        expires_at,
        uses_left,
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

/// Uses up one use of a sign-in link and says whose it is. Of many at once on a link for one, one wins.
pub async fn use_link(
    tx: &mut Tx,
    link: SecretHash,
    now: OffsetDateTime,
) -> Result<Person, StoreError> {
    let used = sqlx::query_scalar!(
        "UPDATE identity.sign_in_link SET uses_left = uses_left - 1
         WHERE link_hash = $1 AND expires_at > $2 AND (uses_left IS NULL OR uses_left > 0)
         RETURNING person_id",
        link.as_bytes().as_slice(),
        now,
    )
    .fetch_optional(tx.connection().await?)
    .await?;
    match used {
        Some(person) => load_person(tx.connection().await?, PersonId(person))
            .await?
            .ok_or(StoreError::Corrupt("a sign-in link of nobody")),
        None => Err(why_unusable(tx, link, now).await?.into()),
    }
}

async fn why_unusable(
    tx: &mut Tx,
    link: SecretHash,
    now: OffsetDateTime,
) -> Result<Refusal, StoreError> {
    Ok(match link_expires_at(tx.connection().await?, link).await? {
        None => Refusal::LinkUnknown,
        Some(expires_at) if expires_at <= now => Refusal::LinkExpired,
        Some(_) => Refusal::LinkSpent,
    })
}

/// When a sign-in link expires or expired; absent when nobody was given it.
pub async fn link_expires_at(
    executor: impl PgExecutor<'_>,
    link: SecretHash,
) -> Result<Option<OffsetDateTime>, StoreError> {
    let expires_at = sqlx::query_scalar!(
        "SELECT expires_at FROM identity.sign_in_link WHERE link_hash = $1",
        link.as_bytes().as_slice(),
    )
    .fetch_optional(executor)
    .await?;
    Ok(expires_at)
}

/// Opens a browser's session and returns when it ends at the latest.
pub async fn open_session(
    tx: &mut Tx,
    person: &Person,
    session: SecretHash,
    passkey: Option<KeyId>,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, StoreError> {
    let expires_at = now + SESSION_LASTS;
    sqlx::query!(
        "INSERT INTO identity.session
             (session_hash, organisation_id, person_id, opened_at, seen_at, proven_at, expires_at, passkey)
         VALUES ($1, $2, $3, $4, $4, $4, $5, $6)",
        session.as_bytes().as_slice(),
        person.organisation.0,
        person.person.0,
        now,
        expires_at,
        passkey.map(|key| key.0.to_vec()),
    )
    .execute(tx.connection().await?)
    .await?;
    let payload = Payload::SessionOpened {
        person: person.person,
        passkey,
    };
    tx.record(
        person_stream(person.person),
        person.organisation,
        None,
        Some(person.person),
        payload,
    );
    Ok(expires_at)
}

/// Who is behind a session, unless it has ended or nobody used it for too long.
pub async fn person_by_session(
    pool: &PgPool,
    session: SecretHash,
    now: OffsetDateTime,
) -> Result<Option<SessionSignIn>, StoreError> {
    let found = sqlx::query!(
        r#"SELECT person.person_id AS "person_id!", person.organisation_id AS "organisation_id!",
                  person.name AS "name!", organisation_name AS "organisation_name!", roles AS "roles!",
                  role_sites AS "role_sites!: Vec<Option<Uuid>>", seen_at, expires_at, proven_at, passkey
           FROM identity.session
           JOIN identity.person_with_roles AS person USING (person_id)
           WHERE session_hash = $1 AND expires_at > $2 AND seen_at > $3"#,
        session.as_bytes().as_slice(),
        now,
        now - SESSION_IDLE,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = found else { return Ok(None) };
    if row.seen_at + USE_NOTED_EVERY <= now {
        sqlx::query!(
            "UPDATE identity.session SET seen_at = GREATEST(seen_at, $2) WHERE session_hash = $1",
            session.as_bytes().as_slice(),
            now,
        )
        .execute(pool)
        .await?;
    }
    let person = PersonRow {
        person_id: row.person_id,
        organisation_id: row.organisation_id,
        name: row.name,
        organisation_name: row.organisation_name,
        roles: row.roles,
        role_sites: row.role_sites,
    };
    Ok(Some(SessionSignIn {
        person: person.person()?,
        expires_at: row.expires_at,
        proven_at: row.proven_at,
        passkey: row.passkey.map(key_id).transpose()?,
    }))
}

/// Whoever is behind a session showed anew who they are.
pub async fn prove_session(
    tx: &mut Tx,
    session: SecretHash,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE identity.session SET proven_at = GREATEST(proven_at, $2) WHERE session_hash = $1",
        session.as_bytes().as_slice(),
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

/// Ends the sessions that a passkey opened, but for `except`: whoever else has it is out.
pub async fn close_sessions_of_passkey(
    tx: &mut Tx,
    passkey: KeyId,
    except: Option<SecretHash>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let opened = sqlx::query_scalar!(
        "SELECT session_hash FROM identity.session WHERE passkey = $1 ORDER BY session_hash",
        passkey.0.as_slice(),
    )
    .fetch_all(tx.connection().await?)
    .await?;
    for session in opened {
        let hash = SecretHash::kept(bytes32(session)?);
        if Some(hash) != except {
            close_session(tx, hash, now).await?;
        }
    }
    Ok(())
}

/// Ends a session. False when there was none; then nothing is recorded.
pub async fn close_session(
    tx: &mut Tx,
    session: SecretHash,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let closed = sqlx::query!(
        "DELETE FROM identity.session WHERE session_hash = $1 RETURNING organisation_id, person_id",
        session.as_bytes().as_slice(),
    )
    .fetch_optional(tx.connection().await?)
    .await?;
    let Some(closed) = closed else {
        return Ok(false);
    };
    end_session_keys(tx, session, now).await?;
    let person = PersonId(closed.person_id);
    tx.record(
        person_stream(person),
        closed.organisation_id.into(),
        None,
        Some(person),
        Payload::SessionClosed { person },
    );
    Ok(true)
}

/// Deletes sessions and links that are over. They open nothing any more; this only keeps the tables small.
pub async fn forget_expired(pool: &PgPool, now: OffsetDateTime) -> Result<u64, StoreError> {
    let sessions = sqlx::query!(
        "DELETE FROM identity.session WHERE expires_at <= $1 OR seen_at <= $2",
        now,
        now - SESSION_IDLE,
    )
    .execute(pool)
    .await?;
    // Kept for a while, so that a late click is told "expired" and not "unknown".
    let links = sqlx::query!(
        "DELETE FROM identity.sign_in_link WHERE expires_at <= $1",
        now - SESSION_LASTS,
    )
    .execute(pool)
    .await?;
    let challenges = forget_passkey_challenges(pool, now).await?;
    Ok(sessions.rows_affected() + links.rows_affected() + challenges)
}

/// Makes a token for a person's scripts.
pub async fn issue_api_token(
    tx: &mut Tx,
    person: &Person,
    token: TokenId,
    secret: SecretHash,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO identity.api_token (token_id, token_hash, organisation_id, person_id, issued_at)
         VALUES ($1, $2, $3, $4, $5)",
        token.0,
        secret.as_bytes().as_slice(),
        person.organisation.0,
        person.person.0,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    let payload = Payload::TokenIssued {
        person: person.person,
        token,
    };
    tx.record(
        person_stream(person.person),
        person.organisation,
        None,
        by,
        payload,
    );
    Ok(())
}

/// Revokes a person's token. False when it was revoked before.
pub async fn revoke_api_token(
    tx: &mut Tx,
    person: &Person,
    token: TokenId,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let before = sqlx::query!(
        "SELECT revoked_at FROM identity.api_token WHERE token_id = $1 AND person_id = $2 FOR UPDATE",
        token.0,
        person.person.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .ok_or(Refusal::TokenUnknown)?;
    if before.revoked_at.is_some() {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE identity.api_token SET revoked_at = $2 WHERE token_id = $1",
        token.0,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    let payload = Payload::TokenRevoked {
        person: person.person,
        token,
    };
    tx.record(
        person_stream(person.person),
        person.organisation,
        None,
        by,
        payload,
    );
    Ok(true)
}

/// Who is behind an API token, unless it was revoked.
pub async fn person_by_api_token(
    pool: &PgPool,
    secret: SecretHash,
    now: OffsetDateTime,
) -> Result<Option<ApiSignIn>, StoreError> {
    let found = sqlx::query!(
        r#"SELECT person.person_id AS "person_id!", person.organisation_id AS "organisation_id!",
                  person.name AS "name!", organisation_name AS "organisation_name!", roles AS "roles!",
                  role_sites AS "role_sites!: Vec<Option<Uuid>>", token_id, used_at
           FROM identity.api_token
           JOIN identity.person_with_roles AS person USING (person_id)
           WHERE token_hash = $1 AND revoked_at IS NULL"#,
        secret.as_bytes().as_slice(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = found else { return Ok(None) };
    if row
        .used_at
        .is_none_or(|used_at| used_at + USE_NOTED_EVERY <= now)
    {
        sqlx::query!(
            "UPDATE identity.api_token SET used_at = GREATEST(used_at, $2) WHERE token_id = $1",
            row.token_id,
            now,
        )
        .execute(pool)
        .await?;
    }
    let person = PersonRow {
        person_id: row.person_id,
        organisation_id: row.organisation_id,
        name: row.name,
        organisation_name: row.organisation_name,
        roles: row.roles,
        role_sites: row.role_sites,
    };
    Ok(Some(ApiSignIn {
        person: person.person()?,
        token: TokenId(row.token_id),
    }))
}

/// A token for scripts by its secret, revoked or not. Opens nothing: see [`person_by_api_token`].
pub async fn find_api_token(
    executor: impl PgExecutor<'_>,
    secret: SecretHash,
) -> Result<Option<ApiToken>, StoreError> {
    let row = sqlx::query!(
        "SELECT token_id, issued_at, used_at, revoked_at FROM identity.api_token WHERE token_hash = $1",
        secret.as_bytes().as_slice(),
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| ApiToken {
        token: TokenId(row.token_id),
        issued_at: row.issued_at,
        used_at: row.used_at,
        revoked_at: row.revoked_at,
    }))
}

/// A person's latest tokens, newest first.
pub async fn list_api_tokens(
    executor: impl PgExecutor<'_>,
    person: PersonId,
) -> Result<Vec<ApiToken>, StoreError> {
    let rows = sqlx::query!(
        "SELECT token_id, issued_at, used_at, revoked_at FROM identity.api_token
         WHERE person_id = $1
         ORDER BY issued_at DESC, token_id DESC
         LIMIT $2",
        person.0,
        MAX_TOKENS_LISTED,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ApiToken {
            token: TokenId(row.token_id),
            issued_at: row.issued_at,
            used_at: row.used_at,
            revoked_at: row.revoked_at,
        })
        .collect())
}
