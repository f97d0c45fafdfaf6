//! What robots are to believe no more, as a numbered list that the policy key signs.

use assist::store::granted_session_keys;
use identity::{
    StoredRoster,
    store::{
        ended_session_keys, latest_revocations, latest_roster, people_among, publish_revocations,
        removed_person_keys,
    },
};
use protocol::{
    OrganisationId, PersonId,
    roster::{MAX_REVOKED, Revocations, RosteredPerson},
    sealed::{self, KeyId, Kind},
    views::RoleGrant,
};
use spine::Tx;
use time::Duration;

use super::tell::tell_organisation;
use crate::{app::App, error::ApiError};

/// A robot that hears nothing for so long lets nobody begin: a night without a link, not a week.
const LIST_LASTS_US: i64 = 24 * 3_600 * 1_000_000;

/// A list is replaced while it has so much time left: a gateway that is down for hours does not put robots out.
const LIST_KEPT_WITH_US: i64 = 12 * 3_600 * 1_000_000;

/// A page's key that ended longer ago than any grant lasts is of no use to anybody.
const ENDED_WITHIN: Duration = Duration::minutes(15);

/// Others that publish at the same moment: a request, its follower, the minute's look, in each process.
const TRIES: u32 = 5;

/// Publishes what changed and tells the robots.
pub async fn revoke_now(app: &App, organisation: OrganisationId) -> Result<(), ApiError> {
    let mut tries = 1;
    let is_published = loop {
        match publish(app, organisation).await {
            // Somebody else was first; whether they knew what we know, shows when it is compared.
            Err(error) if error.code() == NOT_NEWER && tries < TRIES => tries += 1,
            published => break published?,
        }
    };
    if is_published {
        tell_organisation(app, organisation).await;
    }
    Ok(())
}

const NOT_NEWER: &str = identity::Refusal::RevocationsNotNewer.code();

/// Publishes a list if what it says changed, or the last one has little time left. False where nothing was to be said.
async fn publish(app: &App, organisation: OrganisationId) -> Result<bool, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let Some(roster) = latest_roster(tx.connection().await?, organisation).await? else {
        return Ok(false);
    };
    // What another key signed no robot would believe; and it must not pass for said.
    if roster.roster.policy_key(app.policy.id()).is_none() {
        tracing::warn!(
            key = %app.policy.id(),
            "the latest roster does not name this gateway's policy key: it can neither revoke nor grant until the root signs one that does"
        );
        return Ok(false);
    }
    let stored = latest_revocations(tx.connection().await?, organisation).await?;
    let signer = (stored.as_ref()).and_then(|stored| sealed::claimed_key(&stored.sealed).ok());
    let is_believed = signer.is_some_and(|key| roster.roster.policy_key(key).is_some());
    let last = stored.map(|stored| stored.revocations);
    let now = app.clock.micros();
    let next = Revocations {
        organisation,
        number: last.as_ref().map_or(0, |last| last.number) + 1,
        issued_at: now,
        expires_at: now.plus(LIST_LASTS_US),
        keys: revoked_keys(app, &mut tx, organisation, &roster).await?,
        people: revoked_people(&mut tx, organisation, &roster).await?,
        grants: Vec::new(),
    };
    let is_said = last.is_some_and(|last| {
        is_believed
            && (&last.keys, &last.people) == (&next.keys, &next.people)
            && now.plus(LIST_KEPT_WITH_US) < last.expires_at
    });
    if is_said {
        return Ok(false);
    }
    let sealed = sealed::seal(Kind::Revocations, &next, app.policy.key())
        .map_err(|error| ApiError::internal(&error))?;
    publish_revocations(&mut tx, organisation, &sealed, &next, None).await?;
    tx.commit(&app.signer, now).await?;
    tracing::info!(number = next.number, "revocations published");
    Ok(true)
}

/// Keys that a roster still has and their person removed, and keys of pages that ended while a grant of theirs runs.
async fn revoked_keys(
    app: &App,
    tx: &mut Tx,
    organisation: OrganisationId,
    stored: &StoredRoster,
) -> Result<Vec<KeyId>, ApiError> {
    let now = app.clock.now();
    let connection = tx.connection().await?;
    let people = stored.roster.people.iter();
    let rostered: Vec<KeyId> = people
        .flat_map(|person| person.marks().map(|mark| mark.key))
        .collect();
    let removed = removed_person_keys(&mut *connection, organisation, &rostered).await?;
    let ended = ended_session_keys(&mut *connection, organisation, now - ENDED_WITHIN, now).await?;
    let granted = granted_session_keys(&mut *connection, organisation, now).await?;
    let mut keys: Vec<KeyId> = (removed.into_iter())
        .chain(ended.into_iter().filter(|key| granted.contains(key)))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(MAX_REVOKED);
    Ok(keys)
}

/// People whom the roster gives a role that they have no more. Robots go by the roster alone: until the root signs the next, they
/// are out everywhere.
async fn revoked_people(
    tx: &mut Tx,
    organisation: OrganisationId,
    stored: &StoredRoster,
) -> Result<Vec<PersonId>, ApiError> {
    let lines = &stored.roster.people;
    let ids: Vec<PersonId> = lines.iter().map(|line| line.person).collect();
    let today = people_among(tx.connection().await?, organisation, &ids).await?;
    let still_has_all = |line: &RosteredPerson| {
        let now = today.iter().find(|person| person.person == line.person);
        now.is_some_and(|person| {
            (line.roles.iter()).all(|role| {
                let is_held = |held: &RoleGrant| {
                    held.role == role.role && (held.site.is_none() || held.site == role.site)
                };
                person.roles.iter().any(is_held)
            })
        })
    };
    Ok(lines
        .iter()
        .filter(|line| !still_has_all(line))
        .map(|line| line.person)
        .take(MAX_REVOKED)
        .collect())
}
