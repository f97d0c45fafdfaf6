//! A throw-away PostgreSQL for tests and measurements: no network, gone at the end.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::processes::{
    LOOK_EVERY, Running, find_program, interrupted, read, run_logged, tied_to_us,
};
use crate::setup::{Root, postgres_programs};
use crate::workspace::Workspace;

/// A new cluster accepts connections after this at worst, on a busy disk.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// Every test has a pool of its own, and as many tests run as there are cores.
const CONNECTIONS: u32 = 300;

const OWNER: &str = "nooterra";

/// What the server gets when we are killed: it ends at once, whoever is still connected.
const FAREWELL: &str = "INT";

/// The running cluster. Dropping it stops it and removes every trace.
#[derive(Debug)]
pub(crate) struct Database {
    // Before the folder, so that the server is gone when its folder is removed.
    server: Running,
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Database {
    /// Creates, starts and migrates it.
    pub(crate) fn start(workspace: &Workspace, durability: Durability) -> Result<Self> {
        let programs = postgres_programs().context("PostgreSQL is not installed")?;
        // A socket's path may have 107 bytes: the checkout's own folder may be too deep for that.
        let folder = tempfile::Builder::new()
            .prefix("nt-test-")
            .tempdir_in("/tmp")?;
        let user = ServerUser::choose()?;
        user.give(folder.path())?;

        let cluster = folder.path().join("cluster");
        let mut create = user.applied_to(Command::new(programs.join("initdb")));
        create
            .arg("--pgdata")
            .arg(&cluster)
            .args(["--username", OWNER, "--auth", "trust", "--no-sync"])
            .args(["--encoding", "UTF8", "--locale", "C"])
            .current_dir(folder.path());
        run_logged(&mut create, &workspace.log("test-database-create"))?;

        let mut serve = user.applied_to(tied_to_us(&programs.join("postgres"), FAREWELL));
        serve.arg("-D").arg(&cluster).arg("-k").arg(folder.path());
        for setting in settings(durability) {
            serve.args(["-c", &setting]);
        }
        serve.current_dir(folder.path());
        let log = workspace.log("test-database");
        let server = Running::start("the test database", &mut serve, &log)?;

        let mut database = Self {
            server,
            folder,
            programs,
        };
        database.wait()?;
        database.migrate(&workspace.root.join("migrations"))?;
        Ok(database)
    }

    /// How sqlx and psql reach it, as its owner.
    pub(crate) fn url(&self) -> String {
        self.url_of(OWNER)
    }

    fn url_of(&self, database: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgres://{OWNER}@localhost/{database}?host={folder}")
    }

    fn wait(&mut self) -> Result<()> {
        let began = Instant::now();
        loop {
            self.server.check()?;
            let mut create = Command::new(self.programs.join("psql"));
            create
                .arg(self.url_of("postgres"))
                .args(["-qc", &format!("CREATE DATABASE {OWNER}")]);
            match read(&mut create) {
                Ok(_) => return Ok(()),
                Err(_) if interrupted() => bail!("interrupted"),
                Err(error) if began.elapsed() > READY_WITHIN => return Err(error),
                Err(_) => std::thread::sleep(LOOK_EVERY),
            }
        }
    }

    fn migrate(&self, folder: &Path) -> Result<()> {
        for file in migrations(folder)? {
            let text = std::fs::read_to_string(&file)?;
            let mut apply = Command::new(self.programs.join("psql"));
            apply
                .arg(self.url())
                .args(["--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f"])
                .arg(&file);
            if !text.starts_with("-- no-transaction") {
                apply.arg("--single-transaction");
            }
            read(&mut apply).with_context(|| format!("{} does not apply", file.display()))?;
        }
        Ok(())
    }
}

/// Whether what was committed outlives a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// As in an installation: for measurements.
    Kept,
    /// Speed before safety: for tests.
    Waived,
}

/// Reachable by its socket only.
fn settings(durability: Durability) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        format!("max_connections={CONNECTIONS}"),
    ];
    match durability {
        Durability::Kept => {}
        Durability::Waived => settings.extend([
            "fsync=off".to_owned(),
            "synchronous_commit=off".to_owned(),
            "full_page_writes=off".to_owned(),
            "autovacuum_naptime=5min".to_owned(),
        ]),
    }
    settings
}

/// Migrations in the order in which they apply: their names begin with their time.
fn migrations(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).context("cannot read migrations/")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whom the server runs as: ourselves, or somebody without rights, since it refuses root.
#[derive(Debug, Clone, Copy)]
enum ServerUser {
    Ourselves,
    Other { user: u32, group: u32 },
}

impl ServerUser {
    fn choose() -> Result<Self> {
        if !Root::is_ours() {
            return Ok(Self::Ourselves);
        }
        find_program("id").context("the program id is missing")?;
        for name in ["postgres", "nobody"] {
            let number = |flag: &str| -> Option<u32> {
                read(Command::new("id").args([flag, name]))
                    .ok()?
                    .trim()
                    .parse()
                    .ok()
            };
            if let (Some(user), Some(group)) = (number("-u"), number("-g")) {
                return Ok(Self::Other { user, group });
            }
        }
        bail!("there is no unprivileged user to run PostgreSQL as")
    }

    fn give(self, folder: &Path) -> Result<()> {
        if let Self::Other { user, group } = self {
            chown(folder, Some(user), Some(group))?;
        }
        Ok(())
    }

    fn applied_to(self, mut command: Command) -> Command {
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_apply_in_the_order_of_their_time() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "20261122100000_b_x.sql",
            "20261122090000_c_y.sql",
            "notes.md",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }

        let names: Vec<_> = migrations(folder.path())
            .unwrap()
            .iter()
            .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
            .collect();

        assert_eq!(names, ["20261122090000_c_y.sql", "20261122100000_b_x.sql"]);
    }

    #[test]
    fn a_database_is_migrated_while_it_lives_and_leaves_nothing() {
        let checkout = tempfile::tempdir().unwrap();
        let migrations = checkout.path().join("migrations");
        std::fs::create_dir(&migrations).unwrap();
        let migration = "CREATE SCHEMA kitchen; CREATE TABLE kitchen.kettle (id BIGINT);";
        std::fs::write(
            migrations.join("20261122090000_kitchen_kettle.sql"),
            migration,
        )
        .unwrap();
        let workspace = Workspace {
            root: checkout.path().to_owned(),
            target: checkout.path().join("target"),
            cache: checkout.path().join("cache"),
        };

        let database = Database::start(&workspace, Durability::Waived).unwrap();
        let mut ask = Command::new(database.programs.join("psql"));
        ask.arg(database.url())
            .args(["-Atc", "SELECT count(*) FROM kitchen.kettle"]);
        let counted = read(&mut ask);
        let folder = database.folder.path().to_owned();
        drop(database);

        assert_eq!(counted.unwrap(), "0\n");
        assert!(!folder.exists());
        assert!(read(&mut ask).is_err());
    }
}
