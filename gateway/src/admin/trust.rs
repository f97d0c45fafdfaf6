//! `admin organisation root-…` and `roster-…`: the root key, and the rosters that only it can sign.
//!
//! What needs the root key needs no installation: it is done on a machine that is kept away from every network.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use identity::{DraftMark, store};
use protocol::{deterministic, roster::Roster, sealed::KeyId};
use spine::{Signer, SignerError};
use time::Duration;

use super::{
    InOrganisation,
    desk::Desk,
    error::AdminError,
    key_file, people,
    roster_text::{self, Carried, STANDARD_INPUT, digits, line, public_key},
    table::table,
};

/// A year: whoever left without a word is off the roster by then at the latest.
const MAX_ROSTER_DAYS: i64 = 366;

/// What the file of the gateway's policy key is called in a data directory.
pub const POLICY_KEY_FILE: &str = "policy.key";

/// What is done with the root key, away from any installation.
#[derive(Debug, Subcommand)]
pub(super) enum OfflineTask {
    /// Makes a root key in a new file, prints its public half. Offline: keep the file away from every gateway
    RootMake {
        /// Where to keep it; must not exist
        file: PathBuf,
    },
    /// Prints what a drafted or signed roster says. Offline
    RosterShow {
        /// A file, or - for the standard input
        #[arg(default_value = STANDARD_INPUT)]
        roster: PathBuf,
        /// Checks that this root key signed it
        #[arg(long, value_name = "PUBLIC_KEY")]
        root: Option<String>,
    },
    /// Shows a drafted roster, signs it with the root key and prints it. Offline
    RosterSign {
        /// The root key's file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// A file, or - for the standard input
        #[arg(default_value = STANDARD_INPUT)]
        draft: PathBuf,
    },
}

/// What is done at the gateway, with public keys alone.
#[derive(Debug, Subcommand)]
pub(super) enum TrustTask {
    /// Names an organisation's root key, for good
    RootName {
        /// The public half, as root-make printed it
        public_key: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Prints the next roster, to be signed with the root key; on the standard error whose keys stand on it
    RosterDraft {
        /// How long it is to last
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=MAX_ROSTER_DAYS))]
        days: i64,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Hands a signed roster out to the robots
    RosterPublish {
        /// A file, or - for the standard input
        #[arg(default_value = STANDARD_INPUT)]
        roster: PathBuf,
        #[command(flatten)]
        within: InOrganisation,
    },
}

/// The gateway's policy key, made if it is missing: it issues grants to people on the roster, and to nobody else.
pub fn policy_key(data_dir: &Path) -> Result<Signer, SignerError> {
    Signer::load_or_create(&data_dir.join(POLICY_KEY_FILE))
}

/// Does what needs no installation. What is printed can be piped on; what a person should read goes to `aside`.
pub(super) fn offline(task: OfflineTask, aside: &mut impl Write) -> Result<String, AdminError> {
    match task {
        OfflineTask::RootMake { file } => {
            let key = key_file::make(&file)?.verifying_key();
            let words = format!(
                "root key {}; {} signs rosters: keep it offline, and a copy of it\n",
                digits(KeyId::of(&key)),
                file.display()
            );
            tell(aside, &words)?;
            Ok(line(key.as_bytes()))
        }
        OfflineTask::RosterShow { roster, root } => {
            let root = match root {
                Some(typed) => Some(
                    identity::usable_key(&public_key(&typed)?)
                        .map_err(refused(format!("{typed:?}")))?,
                ),
                None => None,
            };
            let carried = Carried::read(&roster)?;
            let signature = carried.signature(root.as_ref());
            Ok(roster_text::shown(carried.roster(), &signature))
        }
        OfflineTask::RosterSign { key, draft } => {
            let Carried::Draft(roster) = Carried::read(&draft)? else {
                return Err(AdminError::Unclear(
                    "the roster is signed already: roster-draft makes the next one".to_owned(),
                ));
            };
            let key = key_file::read(&key)?;
            let signature = format!("by {}", digits(KeyId::of(&key.verifying_key())));
            tell(aside, &roster_text::shown(&roster, &signature))?;
            let sealed =
                identity::seal_roster(&roster, &key).map_err(refused("the roster".to_owned()))?;
            Ok(line(&sealed))
        }
    }
}

/// Does what is done at the gateway.
pub(super) async fn online(
    desk: &Desk,
    task: TrustTask,
    aside: &mut impl Write,
) -> Result<String, AdminError> {
    match task {
        TrustTask::RootName { public_key, within } => name_root(desk, &public_key, &within).await,
        TrustTask::RosterDraft { days, within } => {
            let (roster, shown) = draft(desk, Duration::days(days), &within).await?;
            let bytes = deterministic::to_vec(&roster).map_err(|failure| {
                AdminError::Unclear(format!("the roster can't be written: {failure}"))
            })?;
            tell(aside, &shown)?;
            Ok(line(&bytes))
        }
        TrustTask::RosterPublish { roster, within } => publish(desk, &roster, &within).await,
    }
}

async fn name_root(
    desk: &Desk,
    typed: &str,
    within: &InOrganisation,
) -> Result<String, AdminError> {
    let organisation = desk.organisation(within).await?;
    let key = public_key(typed)?;
    let mut tx = desk.begin();
    let is_new = store::name_root(&mut tx, organisation.organisation, key, None, desk.now())
        .await
        .map_err(AdminError::of(format!("root key {typed}")))?;
    desk.commit(tx).await?;
    let words = if is_new { "is now" } else { "was already" };
    let name = digits(protocol::roster::name_of(&key));
    Ok(format!(
        "{name} {words} the root key of {}\n",
        organisation.name
    ))
}

/// The next roster, and what whoever signs it compares.
async fn draft(
    desk: &Desk,
    lasts: Duration,
    within: &InOrganisation,
) -> Result<(Roster, String), AdminError> {
    let organisation = desk.organisation(within).await?;
    let root = store::root_of(&desk.pool, organisation.organisation).await?;
    if root.is_none() {
        return Err(AdminError::Unclear(format!(
            "{} has no root key yet: nooterra admin organisation root-make, then root-name",
            organisation.name
        )));
    }
    let policy = policy_key(&desk.data_dir)?.verifying_key().to_bytes();
    let mut tx = desk.begin();
    let roster = store::draft_roster(
        &mut tx,
        organisation.organisation,
        vec![policy],
        DraftMark::Checked,
        desk.now(),
        lasts,
    )
    .await
    .map_err(AdminError::of("the roster"))?;
    drop(tx);
    let sites = store::list_sites(&desk.pool, organisation.organisation).await?;
    let ids: Vec<_> = roster.people.iter().map(|line| line.person).collect();
    let names = store::person_names(&desk.pool, &ids).await?;
    let rows = roster.people.iter().flat_map(|person| {
        let name = names.get(&person.person).map_or("?", String::as_str);
        let roles = people::in_words(&person.roles, &sites);
        person.marks().map(move |key| {
            [
                person.person.to_string(),
                name.to_owned(),
                roles.clone(),
                roster_text::tier(key),
                digits(key.key),
            ]
        })
    });
    let mut shown = roster_text::head(&roster, "not signed: a draft");
    shown.push_str(&table(["PERSON", "NAME", "ROLES", "TIER", "KEY"], rows));
    // Offline, roles name their sites by ids.
    let sites = sites
        .into_iter()
        .map(|site| [site.site.to_string(), site.name]);
    shown.push_str(&table(["SITE", "NAME"], sites));
    Ok((roster, shown))
}

async fn publish(desk: &Desk, path: &Path, within: &InOrganisation) -> Result<String, AdminError> {
    let organisation = desk.organisation(within).await?;
    let Carried::Sealed(sealed, _) = Carried::read(path)? else {
        return Err(AdminError::Unclear(
            "the roster is not signed: nooterra admin organisation roster-sign, where the root key is"
                .to_owned(),
        ));
    };
    let mut tx = desk.begin();
    let organisation_id = organisation.organisation;
    let roster = store::publish_roster(&mut tx, organisation_id, &sealed, None, desk.now())
        .await
        .map_err(AdminError::of(format!("roster of {}", organisation.name)))?;
    desk.commit(tx).await?;
    let people = match roster.people.len() {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    };
    Ok(format!(
        "roster {} of {} is published: {people}, until {}\n",
        roster.number,
        organisation.name,
        roster_text::moment(roster.expires_at)
    ))
}

fn refused(wish: String) -> impl FnOnce(identity::Refusal) -> AdminError {
    move |refusal| AdminError::Refused { wish, refusal }
}

fn tell(aside: &mut impl Write, words: &str) -> Result<(), AdminError> {
    aside
        .write_all(words.as_bytes())
        .map_err(AdminError::Output)
}
