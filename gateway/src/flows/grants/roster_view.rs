//! The roster and a person's keys, as the API shows them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use identity::Person;
use protocol::{
    OrganisationId, PersonId, UnixMicros,
    roster::{KeyMark, RosteredPerson},
    views::{PersonKeyView, RosterView, RosteredKeyView, RosteredPersonView},
};
use time::OffsetDateTime;

use crate::{app::App, error::ApiError};

/// The latest roster; nothing where the root signed none.
pub async fn roster_view(
    app: &App,
    organisation: OrganisationId,
) -> Result<Option<RosterView>, ApiError> {
    let root = identity::store::root_of(&app.pool, organisation).await?;
    let stored = identity::store::latest_roster(&app.pool, organisation).await?;
    let (Some(root), Some(stored)) = (root, stored) else {
        return Ok(None);
    };
    let roster = stored.roster;
    let ids: Vec<PersonId> = roster.people.iter().map(|line| line.person).collect();
    let names = identity::store::person_names(&app.pool, &ids).await?;
    let person = |line: RosteredPerson| RosteredPersonView {
        name: names.get(&line.person).cloned().unwrap_or_default(),
        person: line.person,
        keys: line.marks().map(key).collect(),
        roles: line.roles,
    };
    Ok(Some(RosterView {
        organisation,
        number: roster.number,
        root: BASE64_STANDARD.encode(root),
        sealed: BASE64_STANDARD.encode(stored.sealed),
        issued_at: moment(roster.issued_at)?,
        expires_at: moment(roster.expires_at)?,
        people: roster.people.into_iter().map(person).collect(),
    }))
}

fn key(key: KeyMark) -> RosteredKeyView {
    RosteredKeyView {
        key: key.key.to_string(),
        tier: key.tier,
        is_demo: key.is_demo,
    }
}

fn moment(at: UnixMicros) -> Result<OffsetDateTime, ApiError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .map_err(|error| ApiError::internal(&error))
}

/// A person's keys, and which of them are on the latest roster.
pub async fn keys_of(app: &App, person: &Person) -> Result<Vec<PersonKeyView>, ApiError> {
    let keys = identity::store::person_keys(&app.pool, person.person).await?;
    let stored = identity::store::latest_roster(&app.pool, person.organisation).await?;
    let line = stored.and_then(|stored| stored.roster.person(person.person).cloned());
    let view = |key: identity::PersonKey| {
        let rostered = line.as_ref().and_then(|line| line.mark(key.key));
        PersonKeyView {
            key: key.key.to_string(),
            tier: key.tier(),
            is_rostered: rostered.is_some(),
            is_demo: rostered.is_some_and(|rostered| rostered.is_demo),
            offered_at: key.offered_at,
        }
    };
    Ok(keys.into_iter().map(view).collect())
}
