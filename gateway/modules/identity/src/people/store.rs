//! Organisations, sites, people and their roles in Postgres.

use std::collections::BTreeMap;

use protocol::{
    OrganisationId, PersonId, SiteId,
    event::{Payload, organisation_stream, person_stream},
    views::{Role, RoleGrant},
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Name, Organisation, Person, Refusal, Site, StoreError, store_error::refuse};

/// Rows of a list that is not paged: more organisations, sites or namesakes than this nobody picks from by eye.
const MAX_ROWS: i64 = 1_000;

/// A person as the view gives them.
pub(crate) struct PersonRow {
    pub(crate) person_id: Uuid,
    pub(crate) organisation_id: Uuid,
    pub(crate) name: String,
    pub(crate) organisation_name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) role_sites: Vec<Option<Uuid>>,
}

impl PersonRow {
    pub(crate) fn person(self) -> Result<Person, StoreError> {
        let roles = self
            .roles
            .iter()
            .zip(self.role_sites)
            .map(|(role, site)| {
                Ok(RoleGrant {
                    role: Role::parse(role)
                        .ok_or(StoreError::Corrupt("a role that there is not"))?,
                    site: site.map(SiteId),
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Person {
            person: PersonId(self.person_id),
            name: self.name,
            organisation: OrganisationId(self.organisation_id),
            organisation_name: self.organisation_name,
            roles,
        })
    }
}

/// Adds an organisation. Its name is its own.
pub async fn create_organisation(
    tx: &mut Tx,
    organisation: OrganisationId,
    name: &Name,
    now: OffsetDateTime,
) -> Result<Organisation, StoreError> {
    sqlx::query!(
        "INSERT INTO identity.organisation (organisation_id, name, created_at) VALUES ($1, $2, $3)",
        organisation.0,
        name.as_str(),
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[("organisation_name_once", Refusal::NameTaken)]))?;
    let name = name.to_string();
    tx.record(
        organisation_stream(organisation),
        organisation,
        None,
        None,
        Payload::OrganisationCreated {
            organisation,
            name: name.clone(),
        },
    );
    Ok(Organisation { organisation, name })
}

/// Adds a site to an organisation.
pub async fn create_site(
    tx: &mut Tx,
    organisation: OrganisationId,
    site: SiteId,
    name: &Name,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<Site, StoreError> {
    sqlx::query!(
        "INSERT INTO identity.site (site_id, organisation_id, name, created_at) VALUES ($1, $2, $3, $4)",
        site.0,
        organisation.0,
        name.as_str(),
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[
        ("site_name_once", Refusal::NameTaken),
        ("site_of_organisation", Refusal::OrganisationUnknown),
    ]))?;
    let name = name.to_string();
    tx.record(
        organisation_stream(organisation),
        organisation,
        Some(site),
        by,
        Payload::SiteCreated {
            site,
            name: name.clone(),
        },
    );
    Ok(Site {
        site,
        organisation,
        name,
    })
}

/// Adds a person to an organisation, without any role.
pub async fn create_person(
    tx: &mut Tx,
    organisation: OrganisationId,
    person: PersonId,
    name: &Name,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO identity.person (person_id, organisation_id, name, created_at) VALUES ($1, $2, $3, $4)",
        person.0,
        organisation.0,
        name.as_str(),
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[("person_of_organisation", Refusal::OrganisationUnknown)]))?;
    let payload = Payload::PersonAdded { person };
    tx.record(person_stream(person), organisation, None, by, payload);
    Ok(())
}

/// Gives a person a role. False when they had it already; then nothing is recorded.
pub async fn grant_role(
    tx: &mut Tx,
    organisation: OrganisationId,
    person: PersonId,
    grant: RoleGrant,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let RoleGrant { role, site } = grant;
    let inserted = sqlx::query!(
        "INSERT INTO identity.role_grant (organisation_id, site_id, person_id, role, granted_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        organisation.0,
        site.map(|site| site.0),
        person.0,
        role.word(),
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[
        ("role_grant_of_person", Refusal::PersonUnknown),
        ("role_grant_at_site", Refusal::SiteUnknown),
    ]))?;
    let is_new = inserted.rows_affected() == 1;
    if is_new {
        let payload = Payload::RoleGranted { person, role, site };
        tx.record(person_stream(person), organisation, site, by, payload);
    }
    Ok(is_new)
}

/// Takes a role from a person. False when they didn't have it; then nothing is recorded.
pub async fn revoke_role(
    tx: &mut Tx,
    organisation: OrganisationId,
    person: PersonId,
    grant: RoleGrant,
    by: Option<PersonId>,
) -> Result<bool, StoreError> {
    let RoleGrant { role, site } = grant;
    let deleted = sqlx::query!(
        "DELETE FROM identity.role_grant
         WHERE organisation_id = $1 AND person_id = $2 AND role = $3 AND site_id IS NOT DISTINCT FROM $4",
        organisation.0,
        person.0,
        role.word(),
        site.map(|site| site.0),
    )
    .execute(tx.connection().await?)
    .await?;
    let was_held = deleted.rows_affected() == 1;
    if was_held {
        let payload = Payload::RoleRevoked { person, role, site };
        tx.record(person_stream(person), organisation, site, by, payload);
    }
    Ok(was_held)
}

/// A person with their roles.
pub async fn load_person(
    executor: impl PgExecutor<'_>,
    person: PersonId,
) -> Result<Option<Person>, StoreError> {
    sqlx::query_as!(
        PersonRow,
        r#"SELECT person_id AS "person_id!", organisation_id AS "organisation_id!", name AS "name!",
                  organisation_name AS "organisation_name!", roles AS "roles!",
                  role_sites AS "role_sites!: Vec<Option<Uuid>>"
           FROM identity.person_with_roles
           WHERE person_id = $1"#,
        person.0,
    )
    .fetch_optional(executor)
    .await?
    .map(PersonRow::person)
    .transpose()
}

/// The people of an organisation who are called so; all of them when no name is given.
pub async fn find_people(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    name: Option<&str>,
) -> Result<Vec<Person>, StoreError> {
    sqlx::query_as!(
        PersonRow,
        r#"SELECT person_id AS "person_id!", organisation_id AS "organisation_id!", name AS "name!",
                  organisation_name AS "organisation_name!", roles AS "roles!",
                  role_sites AS "role_sites!: Vec<Option<Uuid>>"
           FROM identity.person_with_roles
           WHERE organisation_id = $1 AND ($2::text IS NULL OR name = $2)
           ORDER BY name, person_id
           LIMIT $3"#,
        organisation.0,
        name,
        MAX_ROWS,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(PersonRow::person)
    .collect()
}

/// What these people are called. Ids that nobody has are left out.
pub async fn person_names(
    executor: impl PgExecutor<'_>,
    people: &[PersonId],
) -> Result<BTreeMap<PersonId, String>, StoreError> {
    let ids: Vec<Uuid> = people.iter().map(|person| person.0).collect();
    let rows = sqlx::query!(
        "SELECT person_id, name FROM identity.person WHERE person_id = ANY ($1)",
        &ids,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (PersonId(row.person_id), row.name))
        .collect())
}

/// The organisation of this name.
pub async fn find_organisation(
    executor: impl PgExecutor<'_>,
    name: &str,
) -> Result<Option<Organisation>, StoreError> {
    let row = sqlx::query!(
        "SELECT organisation_id, name FROM identity.organisation WHERE name = $1",
        name,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| Organisation {
        organisation: OrganisationId(row.organisation_id),
        name: row.name,
    }))
}

/// Every organisation, by name.
pub async fn list_organisations(
    executor: impl PgExecutor<'_>,
) -> Result<Vec<Organisation>, StoreError> {
    let rows = sqlx::query!(
        "SELECT organisation_id, name FROM identity.organisation ORDER BY name LIMIT $1",
        MAX_ROWS,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Organisation {
            organisation: OrganisationId(row.organisation_id),
            name: row.name,
        })
        .collect())
}

/// The organisation's site of this name.
pub async fn find_site(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    name: &str,
) -> Result<Option<Site>, StoreError> {
    let row = sqlx::query!(
        "SELECT site_id, name FROM identity.site WHERE organisation_id = $1 AND name = $2",
        organisation.0,
        name,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| Site {
        site: SiteId(row.site_id),
        organisation,
        name: row.name,
    }))
}

/// A site by its id.
pub async fn load_site(
    executor: impl PgExecutor<'_>,
    site: SiteId,
) -> Result<Option<Site>, StoreError> {
    let row = sqlx::query!(
        "SELECT organisation_id, name FROM identity.site WHERE site_id = $1",
        site.0,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| Site {
        site,
        organisation: OrganisationId(row.organisation_id),
        name: row.name,
    }))
}

/// The organisation's sites, by name.
pub async fn list_sites(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
) -> Result<Vec<Site>, StoreError> {
    let rows = sqlx::query!(
        "SELECT site_id, name FROM identity.site WHERE organisation_id = $1 ORDER BY name LIMIT $2",
        organisation.0,
        MAX_ROWS,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Site {
            site: SiteId(row.site_id),
            organisation,
            name: row.name,
        })
        .collect())
}
