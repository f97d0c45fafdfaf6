//! Passkeys in Postgres, and the challenges that their authenticators answer: each is taken out by the first answer.

use protocol::{
    PersonId,
    grant::GrantEvent,
    passkey::POINT_BYTES,
    roster::{MAX_KEYS_OF_PERSON, RelyingParty, name_of_passkey},
    sealed::KeyId,
};
use serde_json::Value;
use spine::Tx;
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    bytes32,
    keys::{record, take_turns},
};
use crate::{
    Name, Person, Refusal, SecretHash, StoreError,
    store_error::refuse,
    trust::{PASSKEY_CHALLENGE_LASTS, Passkey},
};

/// A passkey as an authenticator just made it.
#[derive(Debug)]
pub struct NewPasskey {
    /// A compressed point on P-256.
    pub public_key: [u8; POINT_BYTES],
    /// What its authenticator knows it by.
    pub credential_id: Vec<u8>,
    /// What its person calls it.
    pub name: Name,
    /// The site that it is for.
    pub site: RelyingParty,
    /// As the library that checks sign-ins keeps it.
    pub credential: Value,
}

struct PasskeyRow {
    key_id: Vec<u8>,
    person_id: Uuid,
    credential_id: Vec<u8>,
    name: String,
    relying_party: String,
    credential: Value,
    offered_at: OffsetDateTime,
    used_at: Option<OffsetDateTime>,
}

impl PasskeyRow {
    fn passkey(self) -> Result<Passkey, StoreError> {
        Ok(Passkey {
            key: KeyId(bytes32(self.key_id)?),
            person: PersonId(self.person_id),
            credential_id: self.credential_id,
            name: self.name,
            relying_party: self.relying_party,
            credential: self.credential,
            added_at: self.offered_at,
            used_at: self.used_at,
        })
    }
}

/// Keeps what an authenticator's answer is held against. `session` is the sign-in that a passkey is to be added to; nothing where
/// one is to sign somebody in.
pub async fn keep_passkey_challenge(
    pool: &PgPool,
    challenge: Uuid,
    session: Option<SecretHash>,
    state: &Value,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO identity.passkey_challenge (challenge_id, session_hash, state, expires_at) VALUES ($1, $2, $3, $4)",
        challenge,
        session.map(|hash| hash.as_bytes().to_vec()),
        state,
        now + PASSKEY_CHALLENGE_LASTS,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes a challenge out, for the first answer alone, also where that answer turns out wrong. Nothing for one that is over, was
/// answered, or was given to another sign-in or for another use.
pub async fn take_passkey_challenge(
    pool: &PgPool,
    challenge: Uuid,
    session: Option<SecretHash>,
    now: OffsetDateTime,
) -> Result<Option<Value>, StoreError> {
    let state = sqlx::query_scalar!(
        "DELETE FROM identity.passkey_challenge
         WHERE challenge_id = $1 AND session_hash IS NOT DISTINCT FROM $2 AND expires_at > $3
         RETURNING state",
        challenge,
        session.map(|hash| hash.as_bytes().to_vec()),
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(state)
}

/// Deletes challenges that nobody answered in time.
pub(crate) async fn forget_passkey_challenges(
    pool: &PgPool,
    now: OffsetDateTime,
) -> Result<u64, StoreError> {
    let forgotten = sqlx::query!(
        "DELETE FROM identity.passkey_challenge WHERE expires_at <= $1",
        now
    )
    .execute(pool)
    .await?;
    Ok(forgotten.rows_affected())
}

/// Adds a passkey that its authenticator proved.
pub async fn add_passkey(
    tx: &mut Tx,
    person: &Person,
    new: &NewPasskey,
    now: OffsetDateTime,
) -> Result<Passkey, StoreError> {
    take_turns(tx, person.person).await?;
    let theirs = list_passkeys(tx.connection().await?, person.person).await?;
    if theirs.len() >= MAX_KEYS_OF_PERSON {
        return Err(Refusal::TooManyPasskeys.into());
    }
    let key = name_of_passkey(&new.public_key);
    sqlx::query!(
        "INSERT INTO identity.person_key (key_id, public_key, organisation_id, person_id, tier, offered_at)
         VALUES ($1, $2, $3, $4, 'passkey', $5)",
        key.0.as_slice(),
        new.public_key.as_slice(),
        person.organisation.0,
        person.person.0,
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[("person_key_pk", Refusal::KeyTaken)]))?;
    let [origin] = &new.site.origins[..] else {
        return Err(StoreError::Corrupt("a passkey of several addresses"));
    };
    sqlx::query!(
        "INSERT INTO identity.passkey (key_id, credential_id, name, relying_party, origin, credential)
         VALUES ($1, $2, $3, $4, $5, $6)",
        key.0.as_slice(),
        new.credential_id,
        new.name.as_str(),
        new.site.id,
        origin,
        new.credential,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[("passkey_credential_once", Refusal::KeyTaken)]))?;
    let event = GrantEvent::PasskeyAdded {
        person: person.person,
        key,
        public_key: new.public_key,
        relying_party: new.site.id.clone(),
    };
    let by = Some(person.person);
    record(tx, person.organisation, person.person, by, event);
    Ok(Passkey {
        key,
        person: person.person,
        credential_id: new.credential_id.clone(),
        name: new.name.as_str().to_owned(),
        relying_party: new.site.id.clone(),
        credential: new.credential.clone(),
        added_at: now,
        used_at: None,
    })
}

/// A person's passkeys that were not removed, the oldest first.
pub async fn list_passkeys(
    executor: impl PgExecutor<'_>,
    person: PersonId,
) -> Result<Vec<Passkey>, StoreError> {
    sqlx::query_as!(
        PasskeyRow,
        "SELECT key_id, person_id, credential_id, name, relying_party, credential, offered_at, used_at
         FROM identity.passkey JOIN identity.person_key USING (key_id)
         WHERE person_id = $1 AND removed_at IS NULL
         ORDER BY offered_at, key_id",
        person.0,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(PasskeyRow::passkey)
    .collect()
}

/// The passkey that an authenticator knows by this, unless it was removed. Until the transaction ends nobody else signs in with
/// it: of two answers with one count, one is a copy's.
pub async fn passkey_by_credential(
    tx: &mut Tx,
    credential_id: &[u8],
) -> Result<Option<Passkey>, StoreError> {
    sqlx::query_as!(
        PasskeyRow,
        "SELECT key_id, person_id, credential_id, name, relying_party, credential, offered_at, used_at
         FROM identity.passkey JOIN identity.person_key USING (key_id)
         WHERE credential_id = $1 AND removed_at IS NULL
         FOR NO KEY UPDATE OF passkey",
        credential_id,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(PasskeyRow::passkey)
    .transpose()
}

/// Somebody signed in with a passkey; `credential` is what the next sign-in is held against.
pub async fn passkey_was_used(
    tx: &mut Tx,
    key: KeyId,
    credential: &Value,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE identity.passkey SET credential = $2, used_at = $3 WHERE key_id = $1",
        key.0.as_slice(),
        credential,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}
