//! The root key, people's keys, rosters and lists of revocations in Postgres.

use protocol::{
    OrganisationId, PersonId, UnixMicros,
    event::{Payload, organisation_stream},
    grant::GrantEvent,
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::usable_key;
use crate::{Refusal, StoreError, store_error::refuse};

mod keys;
mod passkeys;
mod revocations;
mod roster;

pub use keys::{
    list_person_keys, offer_person_key, person_keys, remove_person_key, removed_person_keys,
};
pub(crate) use passkeys::forget_passkey_challenges;
pub use passkeys::{
    NewPasskey, add_passkey, keep_passkey_challenge, list_passkeys, passkey_by_credential,
    passkey_was_used, take_passkey_challenge,
};
pub use revocations::{latest_revocations, publish_revocations};
pub use roster::{draft_roster, latest_roster, people_among, publish_demo_roster, publish_roster};

/// Names the organisation's root key. False when it is that key already; then nothing is recorded. There is no second one:
/// robots pin what they are told when they enrol.
pub async fn name_root(
    tx: &mut Tx,
    organisation: OrganisationId,
    public_key: [u8; 32],
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    usable_key(&public_key)?;
    let named = sqlx::query!(
        "INSERT INTO identity.organisation_root (organisation_id, public_key, named_at) VALUES ($1, $2, $3)
         ON CONFLICT (organisation_id) DO NOTHING",
        organisation.0,
        public_key.as_slice(),
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[(
        "organisation_root_of_organisation",
        Refusal::OrganisationUnknown,
    )]))?;
    if named.rows_affected() == 1 {
        record(tx, organisation, by, GrantEvent::RootNamed { public_key });
        return Ok(true);
    }
    match root_of(tx.connection().await?, organisation).await? {
        Some(known) if known == public_key => Ok(false),
        Some(_) | None => Err(Refusal::RootNamedAlready.into()),
    }
}

/// The organisation's root key; absent until one is named.
pub async fn root_of(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
) -> Result<Option<[u8; 32]>, StoreError> {
    let row = sqlx::query!(
        "SELECT public_key FROM identity.organisation_root WHERE organisation_id = $1",
        organisation.0,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| bytes32(row.public_key)).transpose()
}

/// From here on one transaction after the other gives out what is numbered for this organisation.
async fn take_turns(tx: &mut Tx, organisation: OrganisationId) -> Result<(), StoreError> {
    sqlx::query!(
        "SELECT organisation_id FROM identity.organisation WHERE organisation_id = $1 FOR NO KEY UPDATE",
        organisation.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(|_locked| ())
    .ok_or_else(|| Refusal::OrganisationUnknown.into())
}

fn record(tx: &mut Tx, organisation: OrganisationId, by: Option<PersonId>, event: GrantEvent) {
    tx.record(
        organisation_stream(organisation),
        organisation,
        None,
        by,
        Payload::Grant(event),
    );
}

pub(crate) fn bytes32(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes
        .try_into()
        .map_err(|_length| StoreError::Corrupt("a key or its name that is not 32 bytes"))
}

fn micros(at: OffsetDateTime) -> UnixMicros {
    UnixMicros(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX))
}

/// The moment as a column holds it; nothing for one beyond the calendar.
fn moment(at: UnixMicros) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000).ok()
}
