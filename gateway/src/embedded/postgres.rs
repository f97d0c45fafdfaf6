//! The private PostgreSQL: a cluster made once, durable, small, reachable through its socket alone.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnectOptions;

use super::{
    DatabaseUrls, EmbeddedError, files,
    passwords::Passwords,
    programs::PostgresPrograms,
    server::{Plan, Server, Starting},
    stale, store,
    user::ServerUser,
};
use crate::config::SecretUrl;

/// Owns every schema; migrates. The first role of the cluster, so it may create the other.
pub(super) const OWNER_ROLE: &str = "nooterra_owner";

/// The one database.
pub(super) const DATABASE: &str = "nooterra";

/// Only part of the socket's name: there is no TCP port.
const PORT: u16 = 5432;

/// Making a cluster takes two seconds, on a slow and busy disk half a minute.
const CREATE_WITHIN: Duration = Duration::from_mins(2);

/// After a power cut the log of at most 512 MB is replayed first.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How often a starting server is asked.
const ASK_EVERY: Duration = Duration::from_millis(40);

/// The last processes of a server that was killed may hold its shared memory for a moment.
const START_TRIES: u32 = 5;

/// How long they are given each time.
const START_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Small enough for a shared machine, and durable: `fsync` and `synchronous_commit` stay as they are, on.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    // The pools of the gateway, its admin commands and a person who looks.
    "max_connections=64",
    "shared_buffers=64MB",
    "work_mem=4MB",
    "maintenance_work_mem=32MB",
    // Bounds both the disk and the time that a recovery takes.
    "max_wal_size=512MB",
    // Nobody replicates a private cluster.
    "wal_level=minimal",
    "max_wal_senders=0",
    "huge_pages=off",
    // Our queries are short; compiling one costs more than running it.
    "jit=off",
    "unix_socket_permissions=0700",
    "timezone=UTC",
    "log_timezone=UTC",
];

/// Where things are, all below the data directory.
struct Places {
    /// The server's own folder.
    home: PathBuf,
    cluster: PathBuf,
    /// A cluster that is being made.
    draft: PathBuf,
    log: PathBuf,
    create_log: PathBuf,
}

impl Places {
    fn below(data_dir: &Path) -> Self {
        let home = data_dir.join("postgres");
        Self {
            cluster: home.join("cluster"),
            draft: home.join("cluster.draft"),
            home,
            log: data_dir.join("logs/postgres.log"),
            create_log: data_dir.join("logs/initdb.log"),
        }
    }
}

/// Starts the server, making its cluster, database and roles when they are not there.
pub(super) async fn start(
    data_dir: &Path,
    user: &ServerUser,
    sockets: &Path,
    passwords: &Passwords,
) -> Result<(Server, DatabaseUrls), EmbeddedError> {
    let places = Places::below(data_dir);
    let programs = PostgresPrograms::find(&places.cluster).await?;
    files::folder(&places.home, 0o700)?;
    user.give(&places.home)?;
    user.check_way_to(&places.home)?;
    if !places.cluster.exists() {
        create(&programs, user, &places, passwords).await?;
    }
    stale::end(&places.cluster).await?;
    let server = serve(&programs, user, sockets, &places, passwords).await?;
    let options = owner_options(sockets, passwords, "postgres");
    store::prepare(&options, passwords)
        .await
        .map_err(|source| EmbeddedError::Database {
            what: "making its database and roles",
            source,
        })?;
    let urls = DatabaseUrls {
        owner: url(OWNER_ROLE, &passwords.owner, sockets),
        app: url(spine::APP_ROLE, &passwords.app, sockets),
    };
    Ok((server, urls))
}

/// Makes the cluster beside its place and moves it there whole: an interrupted start leaves nothing to trip over.
async fn create(
    programs: &PostgresPrograms,
    user: &ServerUser,
    places: &Places,
    passwords: &Passwords,
) -> Result<(), EmbeddedError> {
    match fs::remove_dir_all(&places.draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(files::failed(&places.draft)(error));
        }
        Ok(()) | Err(_) => {}
    }
    // `initdb` reads the password from a file, as the server's user; the file is gone when this function ends.
    let mut password =
        tempfile::NamedTempFile::new_in(&places.home).map_err(files::failed(&places.home))?;
    password
        .write_all(passwords.owner.as_bytes())
        .map_err(files::failed(password.path()))?;
    user.give(password.path())?;

    let log = files::fresh_log(&places.create_log)?;
    let errors = log.try_clone().map_err(files::failed(&places.create_log))?;
    let program = programs.initdb();
    let mut child = user
        .command(&program)
        .arg("--pgdata")
        .arg(&places.draft)
        .arg("--pwfile")
        .arg(password.path())
        .args(["--username", OWNER_ROLE, "--auth", "scram-sha-256"])
        .args(["--encoding", "UTF8", "--locale", "C", "--data-checksums"])
        .current_dir(&places.home)
        .stdout(Stdio::from(log))
        .stderr(Stdio::from(errors))
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| EmbeddedError::Unstartable { program, source })?;
    let ended = tokio::time::timeout(CREATE_WITHIN, child.wait()).await;
    let status = ended
        .map_err(|_elapsed| EmbeddedError::TooSlow {
            what: "making the database cluster",
            within: CREATE_WITHIN,
            last_words: files::last_words(&places.create_log),
            log: places.create_log.clone(),
        })?
        .map_err(files::failed(&places.draft))?;
    if !status.success() {
        return Err(failed(
            "making the database cluster",
            status,
            &places.create_log,
        ));
    }
    fs::rename(&places.draft, &places.cluster).map_err(files::failed(&places.cluster))
}

async fn serve(
    programs: &PostgresPrograms,
    user: &ServerUser,
    sockets: &Path,
    places: &Places,
    passwords: &Passwords,
) -> Result<Server, EmbeddedError> {
    let options = owner_options(sockets, passwords, "postgres");
    for _try in 1..START_TRIES {
        match serve_once(programs, user, sockets, places, &options).await {
            Err(EmbeddedError::Failed { last_words, .. })
                if last_words.contains("shared memory block") =>
            {
                tokio::time::sleep(START_AGAIN_AFTER).await;
            }
            started => return started,
        }
    }
    serve_once(programs, user, sockets, places, &options).await
}

async fn serve_once(
    programs: &PostgresPrograms,
    user: &ServerUser,
    sockets: &Path,
    places: &Places,
    options: &PgConnectOptions,
) -> Result<Server, EmbeddedError> {
    const WHAT: &str = "starting the private PostgreSQL";
    let mut starting = Starting::spawn(Plan {
        name: "PostgreSQL",
        user,
        sockets,
        // Its "fast" shutdown: sessions are ended, everything is written.
        stop_signal: "INT",
        program: programs.postgres(),
        arguments: arguments(&places.cluster, sockets),
        log: places.log.clone(),
    })?;
    let began = Instant::now();
    loop {
        if let Some(status) = starting.ended()? {
            return Err(failed(WHAT, status, &places.log));
        }
        match store::connects(options).await {
            Ok(()) => return Ok(starting.started()),
            Err(error) if is_wrong_password(&error) => {
                return Err(EmbeddedError::NoPasswords {
                    cluster: places.cluster.clone(),
                    passwords: PathBuf::from("database-passwords.json"),
                    wrong: "holds others".to_owned(),
                });
            }
            Err(_not_yet) if began.elapsed() < READY_WITHIN => tokio::time::sleep(ASK_EVERY).await,
            Err(_never) => {
                return Err(EmbeddedError::TooSlow {
                    what: WHAT,
                    within: READY_WITHIN,
                    last_words: files::last_words(&places.log),
                    log: places.log.clone(),
                });
            }
        }
    }
}

fn arguments(cluster: &Path, sockets: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        vec!["-D".into(), cluster.into(), "-k".into(), sockets.into()];
    arguments.extend(["-p".into(), PORT.to_string().into()]);
    for setting in SETTINGS {
        arguments.extend(["-c".into(), setting.into()]);
    }
    arguments
}

/// SQLSTATE of a password that is not right.
fn is_wrong_password(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "28P01")
}

fn failed(what: &'static str, status: std::process::ExitStatus, log: &Path) -> EmbeddedError {
    EmbeddedError::Failed {
        what,
        how: status.to_string(),
        last_words: files::last_words(log),
        log: log.to_owned(),
    }
}

fn owner_options(sockets: &Path, passwords: &Passwords, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(sockets)
        .port(PORT)
        .username(OWNER_ROLE)
        .password(&passwords.owner)
        .database(database)
}

/// In the form that every client understands. The folder's name is ours: nothing in it needs escaping.
fn url(role: &str, password: &str, sockets: &Path) -> SecretUrl {
    let folder = sockets.display();
    SecretUrl::new(format!(
        "postgres://{role}:{password}@localhost:{PORT}/{DATABASE}?host={folder}"
    ))
}
