//! `admin demo-seed`: a care home with people and robots to try things on. Only in a data directory that was made for it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ed25519_dalek::SigningKey;
use identity::{LinkUses, Organisation, Person, Secret, SecretKind, Site, StoredRoster, store};
use protocol::{
    OrganisationId, PersonId, RobotId, SiteId, TokenId, UnixMicros,
    views::{Role, RoleGrant},
};
use serde::Serialize;
use spine::{Signer, SignerError, Tx};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    demo_secrets::DemoSecrets,
    desk::{Desk, named},
    error::AdminError,
    key_file, roster_text, safety,
    trust::policy_key,
};

/// Robots of one demo: as many as one gateway is built for.
pub(super) const MAX_ROBOTS: i64 = 200;

/// A demo's links work until it is over, at most a day.
const LINK_LASTS: Duration = Duration::DAY;

/// A link with less time left is replaced: whoever starts a demo has the day before them.
const LINK_KEPT_WITH: Duration = Duration::hours(12);

/// Secrets of one use that were revoked or have expired one after the other, before something else must be wrong.
const MAX_GENERATIONS: u32 = 1_000;

/// A roster with less time left is replaced: robots must take grants for as long as the links work.
const ROSTER_KEPT_WITH: Duration = Duration::DAY;

/// Holds the demo's root key. Everywhere else that key is kept away from the gateway; here nobody is there to sign.
const ROOT_FILE: &str = "demo-root.key";

/// What the demo's robots keep to, signed, for the command that starts them.
const POLICY_FILE: &str = "demo-policy.txt";

const ORGANISATION: &str = "Linden Care Home";
const SITE: &str = "Wing B";
const PEOPLE: [(Cast, Role, &str); 6] = [
    (Cast::Operator, Role::Operator, "Mira Kovač"),
    (Cast::SecondOperator, Role::Operator, "Tobi Okafor"),
    (Cast::Supervisor, Role::Supervisor, "Lena Brandt"),
    (Cast::Requester, Role::Requester, "Nora Lindt"),
    (Cast::Owner, Role::Owner, "Jonas Weber"),
    (Cast::Admin, Role::Admin, "Ines Falk"),
];
const ROBOTS: [&str; 12] = [
    "R-014 Juniper",
    "R-021 Rowan",
    "R-009 Aspen",
    "R-018 Hazel",
    "R-003 Birch",
    "R-030 Willow",
    "R-028 Hawthorn",
    "R-025 Cedar",
    "R-016 Larch",
    "R-012 Elm",
    "R-011 Maple",
    "R-007 Alder",
];

/// Says that a data directory is a demo's: there, and only there, people sign in by links that anyone may use.
const MARK: &str = "demo-installation";

/// The data directory is not a demo's.
#[derive(Debug, thiserror::Error)]
pub enum NotADemo {
    /// It was made for something else.
    #[error(
        "{0} holds an installation that is not a demo; use another --data directory for the demo"
    )]
    Installation(PathBuf),
    /// It was made by no `serve --demo`.
    #[error("{0} is not a demo's data directory: start `nooterra serve --demo` on it first")]
    Unmarked(PathBuf),
    /// The mark can't be read or written.
    #[error("{path} can't be read or written")]
    File {
        /// The mark.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes a data directory a demo's, before the gateway has a key in it; refused where an installation already is.
pub fn mark_demo(data_dir: &Path) -> Result<(), NotADemo> {
    if check_mark(data_dir).is_ok() {
        return Ok(());
    }
    if data_dir.join(Signer::FILE_NAME).exists() {
        return Err(NotADemo::Installation(data_dir.to_owned()));
    }
    let path = data_dir.join(MARK);
    fs::write(
        &path,
        "Anyone with a link signs in here. Not for real work.\n",
    )
    .map_err(|source| NotADemo::File { path, source })
}

fn check_mark(data_dir: &Path) -> Result<(), NotADemo> {
    let path = data_dir.join(MARK);
    match fs::exists(&path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(NotADemo::Unmarked(data_dir.to_owned())),
        Err(source) => Err(NotADemo::File { path, source }),
    }
}

/// The demo's root key: absent before it is seeded, and where there is no demo.
pub fn demo_root(data_dir: &Path) -> Result<Option<SigningKey>, SignerError> {
    if check_mark(data_dir).is_err() {
        return Ok(None);
    }
    match key_file::read(&data_dir.join(ROOT_FILE)) {
        Ok(key) => Ok(Some(key)),
        Err(SignerError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Seeded {
    sign_in: ByPart,
    tokens: ByPart,
    robots: Vec<SeededRobot>,
}

/// Who plays which part. There are two operators, so that one can ask the other for a robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cast {
    Operator,
    SecondOperator,
    Supervisor,
    Requester,
    Owner,
    Admin,
}

#[derive(Debug, Default, Serialize)]
struct ByPart {
    operator: String,
    second_operator: String,
    supervisor: String,
    requester: String,
    owner: String,
    admin: String,
}

impl ByPart {
    fn of(&mut self, part: Cast) -> &mut String {
        match part {
            Cast::Operator => &mut self.operator,
            Cast::SecondOperator => &mut self.second_operator,
            Cast::Supervisor => &mut self.supervisor,
            Cast::Requester => &mut self.requester,
            Cast::Owner => &mut self.owner,
            Cast::Admin => &mut self.admin,
        }
    }
}

#[derive(Debug, Serialize)]
struct SeededRobot {
    id: RobotId,
    name: String,
    token: String,
}

/// Makes what is missing and prints all of it.
pub(super) async fn seed(desk: &Desk, robots: u16) -> Result<String, AdminError> {
    check_mark(&desk.data_dir)?;
    let mut seeding = Seeding {
        secrets: DemoSecrets::load_or_create(&desk.data_dir)?,
        tx: desk.begin(),
        now: desk.now(),
    };
    let organisation = seeding.organisation().await?;
    let site = seeding.site(&organisation).await?;
    let (mut sign_in, mut tokens) = (ByPart::default(), ByPart::default());
    for (part, role, name) in PEOPLE {
        let person = seeding.person(&organisation, &site, role, name).await?;
        *sign_in.of(part) = desk.sign_in_url(&seeding.link(&person).await?);
        seeding
            .api_token(&person)
            .await?
            .expose()
            .clone_into(tokens.of(part));
    }
    let mut seeded = Vec::with_capacity(usize::from(robots));
    for index in 0..robots {
        seeded.push(seeding.robot(&site, &robot_name(index)).await?);
    }
    seeding.roster(&desk.data_dir, &organisation).await?;
    keep_policy(&desk.data_dir, organisation.organisation, seeding.now)?;
    desk.commit(seeding.tx).await?;
    let seeded = Seeded {
        sign_in,
        tokens,
        robots: seeded,
    };
    Ok(format!("{}\n", serde_json::to_string(&seeded)?))
}

/// Leaves what the demo's robots keep to where whoever starts them finds it.
fn keep_policy(
    data_dir: &Path,
    organisation: OrganisationId,
    now: OffsetDateTime,
) -> Result<(), AdminError> {
    let path = data_dir.join(POLICY_FILE);
    // Signed once: robots take no other one of the same number.
    if path.exists() {
        return Ok(());
    }
    let root = Signer::load_or_create(&data_dir.join(ROOT_FILE))?;
    let at = i64::try_from(now.unix_timestamp_nanos() / 1_000).unwrap_or_default();
    let sealed = safety::of_demo(organisation, root.key(), UnixMicros(at))?;
    fs::write(&path, roster_text::line(&sealed)).map_err(|source| AdminError::File { path, source })
}

fn robot_name(index: u16) -> String {
    ROBOTS
        .get(usize::from(index))
        .map_or_else(|| format!("R-{:03}", 100 + index), |&name| name.to_owned())
}

/// One run, in one transaction.
struct Seeding {
    secrets: DemoSecrets,
    tx: Tx,
    now: OffsetDateTime,
}

impl Seeding {
    async fn organisation(&mut self) -> Result<Organisation, AdminError> {
        if let Some(there) =
            store::find_organisation(self.tx.connection().await?, ORGANISATION).await?
        {
            return Ok(there);
        }
        let id = OrganisationId(Uuid::now_v7());
        Ok(store::create_organisation(&mut self.tx, id, &named(ORGANISATION)?, self.now).await?)
    }

    async fn site(&mut self, organisation: &Organisation) -> Result<Site, AdminError> {
        let organisation = organisation.organisation;
        if let Some(there) =
            store::find_site(self.tx.connection().await?, organisation, SITE).await?
        {
            return Ok(there);
        }
        let id = SiteId(Uuid::now_v7());
        Ok(store::create_site(
            &mut self.tx,
            organisation,
            id,
            &named(SITE)?,
            None,
            self.now,
        )
        .await?)
    }

    /// Operators work at the site; what the others do concerns the whole house.
    async fn person(
        &mut self,
        organisation: &Organisation,
        site: &Site,
        role: Role,
        name: &str,
    ) -> Result<Person, AdminError> {
        let organisation = organisation.organisation;
        let namesakes =
            store::find_people(self.tx.connection().await?, organisation, Some(name)).await?;
        let id = if let Some(there) = namesakes.first() {
            there.person
        } else {
            let id = PersonId(Uuid::now_v7());
            store::create_person(
                &mut self.tx,
                organisation,
                id,
                &named(name)?,
                None,
                self.now,
            )
            .await?;
            id
        };
        let grant = RoleGrant {
            role,
            site: matches!(role, Role::Operator | Role::Supervisor).then_some(site.site),
        };
        store::grant_role(&mut self.tx, organisation, id, grant, None, self.now).await?;
        store::load_person(self.tx.connection().await?, id)
            .await?
            .ok_or_else(|| AdminError::Unclear(format!("{name} is not there any more")))
    }

    async fn link(&mut self, person: &Person) -> Result<Secret, AdminError> {
        for generation in 0..MAX_GENERATIONS {
            let secret =
                self.secrets
                    .secret(SecretKind::Link, &person.person.to_string(), generation);
            match store::link_expires_at(self.tx.connection().await?, secret.hash()).await? {
                Some(expires_at) if expires_at < self.now + LINK_KEPT_WITH => {}
                Some(_) => return Ok(secret),
                None => {
                    let (uses, until) = (LinkUses::Reusable, self.now + LINK_LASTS);
                    store::issue_link(&mut self.tx, person, secret.hash(), uses, until, self.now)
                        .await?;
                    return Ok(secret);
                }
            }
        }
        Err(used_up(&person.name))
    }

    async fn api_token(&mut self, person: &Person) -> Result<Secret, AdminError> {
        for generation in 0..MAX_GENERATIONS {
            let secret =
                self.secrets
                    .secret(SecretKind::Api, &person.person.to_string(), generation);
            match store::find_api_token(self.tx.connection().await?, secret.hash()).await? {
                Some(token) if token.revoked_at.is_some() => {}
                Some(_) => return Ok(secret),
                None => {
                    let id = TokenId(Uuid::now_v7());
                    store::issue_api_token(&mut self.tx, person, id, secret.hash(), None, self.now)
                        .await?;
                    return Ok(secret);
                }
            }
        }
        Err(used_up(&person.name))
    }

    async fn robot(&mut self, site: &Site, name: &str) -> Result<SeededRobot, AdminError> {
        let known = store::find_robot(self.tx.connection().await?, site.organisation, name).await?;
        let robot = if let Some(there) = known {
            there
        } else {
            let new = store::NewRobot {
                robot: RobotId(Uuid::now_v7()),
                organisation: site.organisation,
                site: site.site,
                name: named(name)?,
            };
            store::create_robot(&mut self.tx, &new, None, self.now).await?
        };
        for generation in 0..MAX_GENERATIONS {
            let secret =
                self.secrets
                    .secret(SecretKind::Robot, &robot.robot.to_string(), generation);
            match store::find_robot_token(self.tx.connection().await?, secret.hash()).await? {
                Some(token) if token.revoked_at.is_some() => continue,
                Some(_) => {}
                None => {
                    let id = TokenId(Uuid::now_v7());
                    store::issue_robot_token(
                        &mut self.tx,
                        &robot,
                        id,
                        secret.hash(),
                        None,
                        self.now,
                    )
                    .await?;
                }
            }
            return Ok(SeededRobot {
                id: robot.robot,
                name: robot.name,
                token: secret.expose().to_owned(),
            });
        }
        Err(used_up(name))
    }

    /// Names the root and has it sign a roster, unless there is one that robots and the gateway can go by.
    async fn roster(
        &mut self,
        data_dir: &Path,
        organisation: &Organisation,
    ) -> Result<(), AdminError> {
        let organisation = organisation.organisation;
        let root = Signer::load_or_create(&data_dir.join(ROOT_FILE))?;
        let public_key = root.verifying_key().to_bytes();
        store::name_root(&mut self.tx, organisation, public_key, None, self.now)
            .await
            .map_err(AdminError::of(
                "the demo's root key; if its file was lost, start over with a fresh data directory",
            ))?;
        let policy = policy_key(data_dir)?;
        let latest = store::latest_roster(self.tx.connection().await?, organisation).await?;
        let until = (self.now + ROSTER_KEPT_WITH).unix_timestamp_nanos();
        let is_current = latest.is_some_and(|StoredRoster { roster, .. }| {
            i128::from(roster.expires_at.0) * 1_000 > until
                && roster.policy_key(policy.id()).is_some()
        });
        if !is_current {
            let policy_keys = vec![policy.verifying_key().to_bytes()];
            let tx = &mut self.tx;
            store::publish_demo_roster(tx, organisation, root.key(), policy_keys, self.now).await?;
        }
        Ok(())
    }
}

fn used_up(whose: &str) -> AdminError {
    AdminError::Unclear(format!(
        "{MAX_GENERATIONS} secrets of {whose} are spent; start over with a fresh data directory"
    ))
}
