//! `admin person keys` and `key-remove`: what people sign with for robots.

use clap::Subcommand;
use identity::{ListedPersonKey, Organisation, Person, store};
use protocol::roster::Roster;
use time::OffsetDateTime;

use super::{
    InOrganisation,
    desk::Desk,
    error::AdminError,
    people::find,
    robots::minute,
    roster_text::{digits, moment},
    table::table,
};

/// Digits that name a key: fewer are too easily another's.
const MIN_DIGITS: usize = 8;

#[derive(Debug, Subcommand)]
pub(super) enum KeyTask {
    /// Lists the keys that a person's browsers sign with for robots
    Keys {
        /// Their name or id
        person: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Removes a key of a person for good, as when a laptop is lost
    KeyRemove {
        /// Their name or id
        person: String,
        /// The first digits of the key, at least eight
        key: String,
        #[command(flatten)]
        within: InOrganisation,
    },
}

pub(super) async fn keys(desk: &Desk, task: KeyTask) -> Result<String, AdminError> {
    match task {
        KeyTask::Keys { person, within } => {
            let (organisation, person) = find(desk, &person, &within).await?;
            list(desk, &organisation, &person).await
        }
        KeyTask::KeyRemove {
            person,
            key,
            within,
        } => {
            let (organisation, person) = find(desk, &person, &within).await?;
            remove(desk, &organisation, &person, &key).await
        }
    }
}

/// A person's keys, one a line.
async fn list(
    desk: &Desk,
    organisation: &Organisation,
    person: &Person,
) -> Result<String, AdminError> {
    let keys = store::list_person_keys(&desk.pool, person.person).await?;
    let latest = store::latest_roster(&desk.pool, organisation.organisation).await?;
    let roster = latest.map(|stored| stored.roster);
    let now = desk.now();
    let rows = keys.into_iter().map(|listed| {
        let rostered = on_roster(roster.as_ref(), &listed, now).to_owned();
        [
            digits(listed.key.key),
            listed.key.tier().code().to_owned(),
            minute(listed.key.offered_at),
            listed.removed_at.map_or_else(|| "-".to_owned(), minute),
            rostered,
        ]
    });
    Ok(table(
        ["KEY", "TIER", "OFFERED", "REMOVED", "ON ROSTER"],
        rows,
    ))
}

fn on_roster(
    roster: Option<&Roster>,
    listed: &ListedPersonKey,
    now: OffsetDateTime,
) -> &'static str {
    let Some(roster) = roster else { return "no" };
    let line = roster.person(listed.key.person);
    match line.and_then(|person| person.mark(listed.key.key)) {
        None => "no",
        Some(_) if i128::from(roster.expires_at.0) * 1_000 <= now.unix_timestamp_nanos() => {
            "expired"
        }
        Some(key) if key.is_demo => "demo",
        Some(_) => "yes",
    }
}

/// Removes the key that is meant.
async fn remove(
    desk: &Desk,
    organisation: &Organisation,
    person: &Person,
    typed: &str,
) -> Result<String, AdminError> {
    let keys = store::list_person_keys(&desk.pool, person.person).await?;
    let key = pick(&keys, person, typed)?.key.key;
    let wish = format!("key {} of {}", digits(key), person.name);
    let id = organisation.organisation;
    let mut tx = desk.begin();
    let is_new =
        store::remove_person_key(&mut tx, id, person.person, key, (None, None), desk.now())
            .await
            .map_err(AdminError::of(wish.clone()))?;
    desk.commit(tx).await?;
    if !is_new {
        return Ok(format!("{wish} was removed before\n"));
    }
    let latest = store::latest_roster(&desk.pool, id).await?;
    let still_there = latest
        .filter(|stored| {
            let line = stored.roster.person(person.person);
            line.is_some_and(|line| line.mark(key).is_some())
        })
        .map(|stored| {
            format!(
                "roster {} names it until {}: draft, sign and publish the next one\n",
                stored.roster.number,
                moment(stored.roster.expires_at)
            )
        });
    Ok(format!(
        "{wish} is removed\n{}",
        still_there.unwrap_or_default()
    ))
}

/// The one key whose name begins so. Spaces between the digits may be left as they are shown.
fn pick<'keys>(
    keys: &'keys [ListedPersonKey],
    person: &Person,
    typed: &str,
) -> Result<&'keys ListedPersonKey, AdminError> {
    let wanted: String = typed.split_whitespace().collect();
    let wanted = wanted.to_ascii_lowercase();
    if wanted.len() < MIN_DIGITS || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(AdminError::Unclear(format!(
            "{typed:?} names no key: give its first {MIN_DIGITS} digits or more, as `admin person keys` shows them"
        )));
    }
    let mut matching =
        (keys.iter()).filter(|listed| listed.key.key.to_string().starts_with(&wanted));
    match (matching.next(), matching.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(AdminError::Unclear(format!(
            "{} has no key {typed:?}",
            person.name
        ))),
        (Some(_), Some(_)) => Err(AdminError::Unclear(format!(
            "several keys of {} begin with {typed:?}: give more digits",
            person.name
        ))),
    }
}
