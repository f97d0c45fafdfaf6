//! People's keys in Postgres: offered by their browsers, removed for good.

use protocol::{
    OrganisationId, PersonId,
    event::{Payload, person_stream},
    grant::GrantEvent,
    passkey::POINT_BYTES,
    roster::{KeyTier, MAX_KEYS_OF_PERSON, RelyingParty, name_of},
    sealed::KeyId,
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use super::bytes32;
use crate::{
    ListedPersonKey, Person, PersonKey, Refusal, SecretHash, StoreError,
    sign_in::store::{MAX_TOKENS_LISTED, close_sessions_of_passkey},
    trust::{PublicKey, usable_key},
};

struct KeyRow {
    public_key: Vec<u8>,
    person_id: Uuid,
    relying_party: Option<String>,
    origin: Option<String>,
    offered_at: OffsetDateTime,
    removed_at: Option<OffsetDateTime>,
}

impl KeyRow {
    fn listed(self) -> Result<ListedPersonKey, StoreError> {
        let public_key = match (self.relying_party, self.origin) {
            (Some(id), Some(origin)) => {
                let point = <[u8; POINT_BYTES]>::try_from(self.public_key)
                    .map_err(|_length| StoreError::Corrupt("a passkey that is no point"))?;
                let origins = vec![origin];
                PublicKey::Passkey(point, RelyingParty { id, origins })
            }
            _ => PublicKey::Browser(bytes32(self.public_key)?),
        };
        Ok(ListedPersonKey {
            key: PersonKey {
                key: public_key.name(),
                public_key,
                person: PersonId(self.person_id),
                offered_at: self.offered_at,
            },
            removed_at: self.removed_at,
        })
    }
}

/// Takes a browser's key that a person proved to hold, for the next roster. The same key again changes nothing. Where it would be one
/// too many, the oldest is removed.
pub async fn offer_person_key(
    tx: &mut Tx,
    person: &Person,
    public_key: [u8; 32],
    now: OffsetDateTime,
) -> Result<PersonKey, StoreError> {
    let tier = KeyTier::Browser;
    usable_key(&public_key)?;
    take_turns(tx, person.person).await?;
    let key = name_of(&public_key);
    let offered = sqlx::query!(
        "INSERT INTO identity.person_key (key_id, public_key, organisation_id, person_id, tier, offered_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (key_id) DO NOTHING",
        key.0.as_slice(),
        public_key.as_slice(),
        person.organisation.0,
        person.person.0,
        tier.code(),
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    if offered.rows_affected() == 1 {
        let event = GrantEvent::PersonKeyOffered {
            person: person.person,
            key,
            public_key,
            tier,
        };
        let by = Some(person.person);
        record(tx, person.organisation, person.person, by, event);
        make_room(tx, person, key, now).await?;
    }
    let known = sqlx::query_as!(
        KeyRow,
        r#"SELECT public_key, person_id, relying_party AS "relying_party?", origin AS "origin?", offered_at, removed_at
         FROM identity.person_key LEFT JOIN identity.passkey USING (key_id)
         WHERE key_id = $1"#,
        key.0.as_slice(),
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(KeyRow::listed)
    .transpose()?;
    known
        .filter(|known| known.key.person == person.person && known.removed_at.is_none())
        .map(|known| known.key)
        .ok_or_else(|| Refusal::KeyTaken.into())
}

/// From here on one transaction after the other changes which keys a person has.
pub(super) async fn take_turns(tx: &mut Tx, person: PersonId) -> Result<(), StoreError> {
    sqlx::query!(
        "SELECT person_id FROM identity.person WHERE person_id = $1 FOR NO KEY UPDATE",
        person.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(|_locked| ())
    .ok_or_else(|| Refusal::PersonUnknown.into())
}

/// Removes the oldest browsers' keys beyond the bound, but never `newest`, whatever the clock said before.
async fn make_room(
    tx: &mut Tx,
    person: &Person,
    newest: KeyId,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let others = i64::try_from(MAX_KEYS_OF_PERSON - 1).unwrap_or(i64::MAX);
    let removed = sqlx::query!(
        "UPDATE identity.person_key SET removed_at = $3
         WHERE key_id IN (
             SELECT key_id FROM identity.person_key
             WHERE person_id = $1 AND removed_at IS NULL AND key_id <> $2 AND tier = 'browser'
             ORDER BY offered_at DESC, key_id OFFSET $4
         )
         RETURNING key_id",
        person.person.0,
        newest.0.as_slice(),
        now,
        others,
    )
    .fetch_all(tx.connection().await?)
    .await?;
    for row in removed {
        let event = GrantEvent::PersonKeyRemoved {
            person: person.person,
            key: KeyId(bytes32(row.key_id)?),
        };
        let by = Some(person.person);
        record(tx, person.organisation, person.person, by, event);
    }
    Ok(())
}

/// A person's keys that were not removed, the oldest first.
pub async fn person_keys(
    executor: impl PgExecutor<'_>,
    person: PersonId,
) -> Result<Vec<PersonKey>, StoreError> {
    keys_of(executor, &[person.0]).await
}

/// The keys of these people that were not removed, each one's oldest first.
pub(super) async fn keys_of(
    executor: impl PgExecutor<'_>,
    people: &[Uuid],
) -> Result<Vec<PersonKey>, StoreError> {
    sqlx::query_as!(
        KeyRow,
        r#"SELECT public_key, person_id, relying_party AS "relying_party?", origin AS "origin?", offered_at, removed_at
         FROM identity.person_key LEFT JOIN identity.passkey USING (key_id)
         WHERE person_id = ANY ($1) AND removed_at IS NULL
         ORDER BY person_id, offered_at, key_id"#,
        people,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(|row| row.listed().map(|listed| listed.key))
    .collect()
}

/// A person's latest keys, also those that were removed, newest first.
pub async fn list_person_keys(
    executor: impl PgExecutor<'_>,
    person: PersonId,
) -> Result<Vec<ListedPersonKey>, StoreError> {
    sqlx::query_as!(
        KeyRow,
        r#"SELECT public_key, person_id, relying_party AS "relying_party?", origin AS "origin?", offered_at, removed_at
         FROM identity.person_key LEFT JOIN identity.passkey USING (key_id)
         WHERE person_id = $1
         ORDER BY removed_at IS NULL DESC, offered_at DESC, key_id
         LIMIT $2"#,
        person.0,
        MAX_TOKENS_LISTED,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(KeyRow::listed)
    .collect()
}

/// Removes a person's key, and ends what it signed in to, but for `here`. False when it was removed before; then nothing is recorded.
pub async fn remove_person_key(
    tx: &mut Tx,
    organisation: OrganisationId,
    person: PersonId,
    key: KeyId,
    (by, here): (Option<PersonId>, Option<SecretHash>),
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let removed = sqlx::query!(
        "UPDATE identity.person_key SET removed_at = $4
         WHERE key_id = $1 AND organisation_id = $2 AND person_id = $3 AND removed_at IS NULL",
        key.0.as_slice(),
        organisation.0,
        person.0,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    if removed.rows_affected() == 1 {
        let event = GrantEvent::PersonKeyRemoved { person, key };
        record(tx, organisation, person, by, event);
        close_sessions_of_passkey(tx, key, here, now).await?;
        return Ok(true);
    }
    sqlx::query!(
        "SELECT key_id FROM identity.person_key WHERE key_id = $1 AND organisation_id = $2 AND person_id = $3",
        key.0.as_slice(),
        organisation.0,
        person.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(|_removed_before| false)
    .ok_or_else(|| Refusal::KeyUnknown.into())
}

/// Which of these keys of the organisation's people were removed, by their names.
pub async fn removed_person_keys(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    among: &[KeyId],
) -> Result<Vec<KeyId>, StoreError> {
    let among: Vec<Vec<u8>> = among.iter().map(|key| key.0.to_vec()).collect();
    sqlx::query_scalar!(
        "SELECT key_id FROM identity.person_key
         WHERE organisation_id = $1 AND removed_at IS NOT NULL AND key_id = ANY ($2)
         ORDER BY key_id",
        organisation.0,
        &among,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(|key| bytes32(key).map(KeyId))
    .collect()
}

pub(super) fn record(
    tx: &mut Tx,
    organisation: OrganisationId,
    person: PersonId,
    by: Option<PersonId>,
    event: GrantEvent,
) {
    tx.record(
        person_stream(person),
        organisation,
        None,
        by,
        Payload::Grant(event),
    );
}
