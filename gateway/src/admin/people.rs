//! `admin person …`.

use clap::{Subcommand, builder::PossibleValuesParser};
use identity::{LinkUses, Organisation, Person, SecretKind, Site, store};
use protocol::{
    PersonId, TokenId,
    views::{Role, RoleGrant},
};
use time::Duration;
use uuid::Uuid;

use super::{
    InOrganisation,
    desk::{Desk, named, secret},
    error::AdminError,
    person_keys,
    table::table,
};

/// How long a sign-in link may be valid: over a long weekend. It is as good as a password while it lasts.
const MAX_LINK_HOURS: i64 = 96;

#[derive(Debug, Subcommand)]
pub(super) enum PersonTask {
    /// Adds a person, without any role
    Add {
        /// What they are called
        name: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Lists an organisation's people and their roles
    List {
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Gives a person a role
    Grant {
        /// Their name or id
        person: String,
        /// The role
        #[arg(value_parser = roles())]
        role: String,
        /// Only at this site
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Takes a role from a person
    Revoke {
        /// Their name or id
        person: String,
        /// The role
        #[arg(value_parser = roles())]
        role: String,
        /// The site that it was given for
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Prints a link that signs a person in, once
    Link {
        /// Their name or id
        person: String,
        /// How long the link is valid
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(i64).range(1..=MAX_LINK_HOURS))]
        hours: i64,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Prints a new token for a person's scripts; it is shown only now
    Token {
        /// Their name or id
        person: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Revokes a token of a person's scripts
    TokenRevoke {
        /// Their name or id
        person: String,
        /// The token's id
        token: TokenId,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Lists a person's tokens
    Tokens {
        /// Their name or id
        person: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    #[command(flatten)]
    Keys(person_keys::KeyTask),
}

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(Role::ALL.map(Role::word))
}

pub(super) async fn person(desk: &Desk, task: PersonTask) -> Result<String, AdminError> {
    match task {
        PersonTask::Add { name, within } => add(desk, &name, &within).await,
        PersonTask::List { within } => list(desk, &within).await,
        PersonTask::Grant {
            person,
            role,
            site,
            within,
        } => {
            change_role(
                desk,
                Change::Grant,
                &person,
                &role,
                site.as_deref(),
                &within,
            )
            .await
        }
        PersonTask::Revoke {
            person,
            role,
            site,
            within,
        } => {
            change_role(
                desk,
                Change::Revoke,
                &person,
                &role,
                site.as_deref(),
                &within,
            )
            .await
        }
        PersonTask::Link {
            person,
            hours,
            within,
        } => link(desk, &person, hours, &within).await,
        PersonTask::Token { person, within } => token(desk, &person, &within).await,
        PersonTask::TokenRevoke {
            person,
            token,
            within,
        } => revoke_token(desk, &person, token, &within).await,
        PersonTask::Tokens { person, within } => tokens(desk, &person, &within).await,
        PersonTask::Keys(task) => person_keys::keys(desk, task).await,
    }
}

async fn add(desk: &Desk, name: &str, within: &InOrganisation) -> Result<String, AdminError> {
    let organisation = desk.organisation(within).await?.organisation;
    let name = named(name)?;
    let id = PersonId(Uuid::now_v7());
    let mut tx = desk.begin();
    store::create_person(&mut tx, organisation, id, &name, None, desk.now())
        .await
        .map_err(AdminError::of(format!("person {name}")))?;
    desk.commit(tx).await?;
    Ok(format!("{id}\n"))
}

async fn list(desk: &Desk, within: &InOrganisation) -> Result<String, AdminError> {
    let organisation = desk.organisation(within).await?.organisation;
    let sites = store::list_sites(&desk.pool, organisation).await?;
    let people = store::find_people(&desk.pool, organisation, None).await?;
    let rows = people.iter().map(|person| {
        [
            person.person.to_string(),
            person.name.clone(),
            in_words(&person.roles, &sites),
        ]
    });
    Ok(table(["ID", "NAME", "ROLES"], rows))
}

/// Roles and where they hold, by the sites' names.
pub(super) fn in_words(roles: &[RoleGrant], sites: &[Site]) -> String {
    let words: Vec<String> = (roles.iter())
        .map(|grant| match grant.site {
            None => grant.role.word().to_owned(),
            Some(id) => {
                let site = sites.iter().find(|site| site.site == id);
                format!(
                    "{} at {}",
                    grant.role.word(),
                    site.map_or("?", |site| &site.name)
                )
            }
        })
        .collect();
    words.join(", ")
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Grant,
    Revoke,
}

async fn change_role(
    desk: &Desk,
    change: Change,
    person: &str,
    role: &str,
    site: Option<&str>,
    within: &InOrganisation,
) -> Result<String, AdminError> {
    let (organisation, person) = find(desk, person, within).await?;
    let role = Role::parse(role)
        .ok_or_else(|| AdminError::Unclear(format!("there is no role {role:?}")))?;
    let site = match site {
        Some(name) => Some(desk.site(&organisation, name).await?.site),
        None => None,
    };
    let grant = RoleGrant { role, site };
    let mut tx = desk.begin();
    let is_changed = match change {
        Change::Grant => {
            store::grant_role(
                &mut tx,
                person.organisation,
                person.person,
                grant,
                None,
                desk.now(),
            )
            .await
        }
        Change::Revoke => {
            store::revoke_role(&mut tx, person.organisation, person.person, grant, None).await
        }
    }
    .map_err(AdminError::of(format!(
        "{} for {}",
        role.word(),
        person.name
    )))?;
    desk.commit(tx).await?;
    let words = match (change, is_changed) {
        (Change::Grant, true) => "is now",
        (Change::Grant, false) => "was already",
        (Change::Revoke, true) => "is no longer",
        (Change::Revoke, false) => "was not",
    };
    Ok(format!("{} {words} {}\n", person.name, role.word()))
}

async fn link(
    desk: &Desk,
    person: &str,
    hours: i64,
    within: &InOrganisation,
) -> Result<String, AdminError> {
    let (_, person) = find(desk, person, within).await?;
    let secret = secret(SecretKind::Link)?;
    let now = desk.now();
    let expires_at = now + Duration::hours(hours);
    let mut tx = desk.begin();
    store::issue_link(
        &mut tx,
        &person,
        secret.hash(),
        LinkUses::Limited(1),
        expires_at,
        now,
    )
    .await?;
    desk.commit(tx).await?;
    Ok(format!("{}\n", desk.sign_in_url(&secret)))
}

async fn token(desk: &Desk, person: &str, within: &InOrganisation) -> Result<String, AdminError> {
    let (_, person) = find(desk, person, within).await?;
    let secret = secret(SecretKind::Api)?;
    let token = TokenId(Uuid::now_v7());
    let mut tx = desk.begin();
    store::issue_api_token(&mut tx, &person, token, secret.hash(), None, desk.now()).await?;
    desk.commit(tx).await?;
    Ok(format!("{}\n", secret.expose()))
}

async fn revoke_token(
    desk: &Desk,
    person: &str,
    token: TokenId,
    within: &InOrganisation,
) -> Result<String, AdminError> {
    let (_, person) = find(desk, person, within).await?;
    let mut tx = desk.begin();
    let is_new = store::revoke_api_token(&mut tx, &person, token, None, desk.now())
        .await
        .map_err(AdminError::of(format!("token {token} of {}", person.name)))?;
    desk.commit(tx).await?;
    let words = if is_new {
        "is revoked"
    } else {
        "was revoked before"
    };
    Ok(format!("token {token} of {} {words}\n", person.name))
}

async fn tokens(desk: &Desk, person: &str, within: &InOrganisation) -> Result<String, AdminError> {
    let (_, person) = find(desk, person, within).await?;
    let tokens = store::list_api_tokens(&desk.pool, person.person).await?;
    let rows = tokens.into_iter().map(|token| {
        let moment = |at: Option<time::OffsetDateTime>| {
            at.map_or_else(|| "-".to_owned(), super::robots::minute)
        };
        [
            token.token.to_string(),
            moment(Some(token.issued_at)),
            moment(token.used_at),
            moment(token.revoked_at),
        ]
    });
    Ok(table(["ID", "ISSUED", "USED", "REVOKED"], rows))
}

/// Who is meant by a name or an id.
pub(super) async fn find(
    desk: &Desk,
    wanted: &str,
    within: &InOrganisation,
) -> Result<(Organisation, Person), AdminError> {
    let organisation = desk.organisation(within).await?;
    let mut found = match wanted.parse::<PersonId>() {
        Ok(id) => {
            let person = store::load_person(&desk.pool, id).await?;
            person
                .into_iter()
                .filter(|person| person.organisation == organisation.organisation)
                .collect()
        }
        Err(_name) => {
            store::find_people(&desk.pool, organisation.organisation, Some(wanted)).await?
        }
    };
    match (found.pop(), found.is_empty()) {
        (Some(person), true) => Ok((organisation, person)),
        (None, _) => Err(AdminError::Unclear(format!(
            "{} has nobody called {wanted:?}",
            organisation.name
        ))),
        (Some(last), false) => {
            let ids: Vec<String> = found
                .iter()
                .chain([&last])
                .map(|person| person.person.to_string())
                .collect();
            Err(AdminError::Unclear(format!(
                "several people are called {wanted:?}; say which by id: {}",
                ids.join(", ")
            )))
        }
    }
}
