//! Rosters in Postgres: drafted from what the tables say, kept only as the root signed them.

use ed25519_dalek::SigningKey;
use protocol::{
    OrganisationId, PersonId,
    grant::GrantEvent,
    roster::{MAX_ROSTERED_PEOPLE, PolicyKey, Roster, RosterFlaw},
    sealed::{self, Kind},
};
use sha2::{Digest as _, Sha256};
use spine::Tx;
use sqlx::PgExecutor;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{keys::keys_of, micros, moment, record, root_of, take_turns};
use crate::{
    DraftMark, Person, Refusal, StoreError, StoredRoster, open_roster, people::store::PersonRow,
    seal_roster, trust::sites_of, usable_key,
};

/// A demo is over long before. As for everybody else, nobody stays admitted for good.
const DEMO_LASTS: Duration = Duration::days(90);

/// The latest roster of an organisation; absent until one is published.
pub async fn latest_roster(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
) -> Result<Option<StoredRoster>, StoreError> {
    let row = sqlx::query!(
        "SELECT sealed FROM identity.roster WHERE organisation_id = $1 ORDER BY number DESC LIMIT 1",
        organisation.0,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        let read = sealed::unverified(Kind::Roster, &row.sealed)
            .map_err(|_unreadable| StoreError::Corrupt("a roster that can't be read"))?;
        Ok(StoredRoster {
            sealed: row.sealed,
            roster: read.payload,
        })
    })
    .transpose()
}

/// The next roster, for the root to sign: everybody who has a role that lets them steer and a key, by their ids.
pub async fn draft_roster(
    tx: &mut Tx,
    organisation: OrganisationId,
    mut policy_keys: Vec<[u8; 32]>,
    mark: DraftMark,
    now: OffsetDateTime,
    lasts: Duration,
) -> Result<Roster, StoreError> {
    policy_keys.sort_unstable();
    policy_keys.dedup();
    let steering = who_steers(tx, organisation).await?;
    let ids: Vec<Uuid> = steering.iter().map(|person| person.person.0).collect();
    let keys = keys_of(tx.connection().await?, &ids).await?;
    let sites = sites_of(&keys);
    let number = latest_number(tx, organisation).await?;
    let roster = Roster {
        relying_parties: sites.clone(),
        organisation,
        number: u64::try_from(number)
            .map_err(|_negative| StoreError::Corrupt("a roster's number below zero"))?
            + 1,
        issued_at: micros(now),
        expires_at: micros(now.saturating_add(lasts)),
        policy_keys: policy_keys.into_iter().map(PolicyKey).collect(),
        people: (steering.iter())
            .filter_map(|person| {
                let theirs = keys.partition_point(|key| key.person < person.person);
                let next = keys.partition_point(|key| key.person <= person.person);
                mark.line(person, &keys[theirs..next], &sites)
            })
            .collect(),
    };
    roster.check().map_err(Refusal::from)?;
    Ok(roster)
}

/// Everybody who may steer somewhere and has a key, by their ids.
async fn who_steers(tx: &mut Tx, organisation: OrganisationId) -> Result<Vec<Person>, StoreError> {
    let one_too_many = i64::try_from(MAX_ROSTERED_PEOPLE + 1).unwrap_or(i64::MAX);
    let people = sqlx::query_as!(
        PersonRow,
        r#"SELECT person_id AS "person_id!", organisation_id AS "organisation_id!", name AS "name!",
                  organisation_name AS "organisation_name!", roles AS "roles!",
                  role_sites AS "role_sites!: Vec<Option<Uuid>>"
           FROM identity.person_with_roles AS person
           WHERE organisation_id = $1
             AND EXISTS (SELECT FROM identity.role_grant
                         WHERE role_grant.person_id = person.person_id AND role IN ('operator', 'supervisor'))
             AND EXISTS (SELECT FROM identity.person_key
                         WHERE person_key.person_id = person.person_id AND removed_at IS NULL)
           ORDER BY person_id
           LIMIT $2"#,
        organisation.0,
        one_too_many,
    )
    .fetch_all(tx.connection().await?)
    .await?;
    if people.len() > MAX_ROSTERED_PEOPLE {
        // Whoever would be left out by a silent cut could not steer, and nobody would know why.
        return Err(Refusal::from(RosterFlaw::TooLarge).into());
    }
    people.into_iter().map(PersonRow::person).collect()
}

/// These people of the organisation with the roles that they have now, by their ids; who is not there has none.
pub async fn people_among(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    people: &[PersonId],
) -> Result<Vec<Person>, StoreError> {
    let people: Vec<Uuid> = people.iter().map(|person| person.0).collect();
    sqlx::query_as!(
        PersonRow,
        r#"SELECT person_id AS "person_id!", organisation_id AS "organisation_id!", name AS "name!",
                  organisation_name AS "organisation_name!", roles AS "roles!",
                  role_sites AS "role_sites!: Vec<Option<Uuid>>"
           FROM identity.person_with_roles
           WHERE organisation_id = $1 AND person_id = ANY ($2)
           ORDER BY person_id"#,
        organisation.0,
        &people,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(PersonRow::person)
    .collect()
}

/// Hands a roster out from here on, if the organisation's root signed it and it is above the latest. Of two at once with one
/// number, one is.
pub async fn publish_roster(
    tx: &mut Tx,
    organisation: OrganisationId,
    sealed: &[u8],
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<Roster, StoreError> {
    let root = root_of(tx.connection().await?, organisation)
        .await?
        .ok_or(Refusal::RootNotNamed)?;
    let root = usable_key(&root)
        .map_err(|_refusal| StoreError::Corrupt("a root that is no key was named"))?;
    let roster = open_roster(sealed, organisation, &root, now)?;
    let (Ok(number), Some(issued_at), Some(expires_at)) = (
        i64::try_from(roster.number),
        moment(roster.issued_at),
        moment(roster.expires_at),
    ) else {
        return Err(Refusal::RosterBeyondCounting.into());
    };
    take_turns(tx, organisation).await?;
    if number <= latest_number(tx, organisation).await? {
        return Err(Refusal::RosterNotNewer.into());
    }
    let sha256: [u8; 32] = Sha256::digest(sealed).into();
    sqlx::query!(
        "INSERT INTO identity.roster (organisation_id, number, sealed, sha256, issued_at, expires_at, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        organisation.0,
        number,
        sealed,
        sha256.as_slice(),
        issued_at,
        expires_at,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    let event = GrantEvent::RosterPublished {
        number: roster.number,
        sha256,
        expires_at: roster.expires_at,
    };
    record(tx, organisation, by, event);
    Ok(roster)
}

/// Drafts, signs and publishes a demo's roster at once, with everybody who has offered a key: in a demo nobody looks who they
/// are, and every key is marked so.
pub async fn publish_demo_roster(
    tx: &mut Tx,
    organisation: OrganisationId,
    root: &SigningKey,
    policy_keys: Vec<[u8; 32]>,
    now: OffsetDateTime,
) -> Result<Roster, StoreError> {
    // Before the draft, so that of two at once the second one's holds the first one's key too.
    take_turns(tx, organisation).await?;
    let mark = DraftMark::Demo;
    let roster = draft_roster(tx, organisation, policy_keys, mark, now, DEMO_LASTS).await?;
    let sealed = seal_roster(&roster, root)?;
    publish_roster(tx, organisation, &sealed, None, now).await
}

/// The latest roster's number; 0 when there is none.
async fn latest_number(tx: &mut Tx, organisation: OrganisationId) -> Result<i64, StoreError> {
    let latest = sqlx::query_scalar!(
        "SELECT number FROM identity.roster WHERE organisation_id = $1 ORDER BY number DESC LIMIT 1",
        organisation.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?;
    Ok(latest.unwrap_or(0))
}
