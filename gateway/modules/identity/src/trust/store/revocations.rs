//! Lists of what is believed no more, in Postgres.

use protocol::{
    OrganisationId, PersonId,
    grant::GrantEvent,
    roster::{MAX_ROSTER_BYTES, Revocations},
    sealed::{self, Kind},
};
use sha2::{Digest as _, Sha256};
use spine::Tx;
use sqlx::PgExecutor;

use super::{moment, record, take_turns};
use crate::{Refusal, StoreError, StoredRevocations};

/// The latest list of an organisation; absent until one is published.
pub async fn latest_revocations(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
) -> Result<Option<StoredRevocations>, StoreError> {
    let row = sqlx::query!(
        "SELECT sealed FROM identity.revocations WHERE organisation_id = $1 ORDER BY number DESC LIMIT 1",
        organisation.0,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        let read = sealed::unverified(Kind::Revocations, &row.sealed).map_err(|_unreadable| {
            StoreError::Corrupt("a list of revocations that can't be read")
        })?;
        Ok(StoredRevocations {
            sealed: row.sealed,
            revocations: read.payload,
        })
    })
    .transpose()
}

/// Hands a list out from here on, if it is above the latest. Whoever calls this has sealed it, or has checked who did.
pub async fn publish_revocations(
    tx: &mut Tx,
    organisation: OrganisationId,
    sealed: &[u8],
    revocations: &Revocations,
    by: Option<PersonId>,
) -> Result<(), StoreError> {
    let is_sound = revocations.organisation == organisation
        && revocations.is_sound()
        && sealed.len() <= MAX_ROSTER_BYTES
        && sealed::unverified::<Revocations>(Kind::Revocations, sealed)
            .is_ok_and(|read| read.payload == *revocations);
    let (true, Ok(number), Some(issued_at), Some(expires_at)) = (
        is_sound,
        i64::try_from(revocations.number),
        moment(revocations.issued_at),
        moment(revocations.expires_at),
    ) else {
        return Err(Refusal::RevocationsUnsound.into());
    };
    take_turns(tx, organisation).await?;
    let latest = sqlx::query_scalar!(
        "SELECT number FROM identity.revocations WHERE organisation_id = $1 ORDER BY number DESC LIMIT 1",
        organisation.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?;
    if number <= latest.unwrap_or(0) {
        return Err(Refusal::RevocationsNotNewer.into());
    }
    let sha256: [u8; 32] = Sha256::digest(sealed).into();
    sqlx::query!(
        "INSERT INTO identity.revocations (organisation_id, number, sealed, sha256, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        organisation.0,
        number,
        sealed,
        sha256.as_slice(),
        issued_at,
        expires_at,
    )
    .execute(tx.connection().await?)
    .await?;
    let event = GrantEvent::RevocationsPublished {
        number: revocations.number,
        sha256,
    };
    record(tx, organisation, by, event);
    Ok(())
}
