//! The private servers against the real binaries: they start, keep to themselves, and never outlive us.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    process::Stdio,
};

use rustix::process::{Pid, test_kill_process};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use super::*;

/// Below `/tmp` and passable, since the servers may run as another user.
fn data_dir() -> TempDir {
    tempfile::Builder::new()
        .prefix("nt-embedded-")
        .permissions(fs::Permissions::from_mode(0o711))
        .tempdir_in("/tmp")
        .unwrap()
}

fn postmaster(data_dir: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data_dir.join("postgres/cluster/postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.parse().ok()?)
}

fn sockets(embedded: &Embedded) -> PathBuf {
    embedded.sockets.as_ref().unwrap().path().to_owned()
}

async fn ask(url: &SecretUrl, question: &'static str) -> Result<i64, sqlx::Error> {
    let mut connection = PgConnection::connect(url.expose()).await?;
    sqlx::query_scalar(question)
        .fetch_one(&mut connection)
        .await
}

#[tokio::test]
async fn the_servers_start_answer_through_sockets_only_and_leave_nothing() {
    let data = data_dir();

    let embedded = Embedded::start(data.path(), Wanted::BOTH).await.unwrap();

    let sockets = sockets(&embedded);
    let urls = embedded.database().unwrap().clone();
    assert_eq!(fs::metadata(&sockets).unwrap().mode() & 0o777, 0o700);
    assert_eq!(ask(&urls.app, "SELECT 1::BIGINT").await.unwrap(), 1);
    let tcp = "SELECT length(current_setting('listen_addresses'))::BIGINT";
    assert_eq!(ask(&urls.owner, tcp).await.unwrap(), 0);
    let durable = "SELECT count(*) FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting = 'on'";
    assert_eq!(ask(&urls.owner, durable).await.unwrap(), 3);
    let redis = ::redis::Client::open(embedded.redis_url().unwrap().expose()).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    let port: Vec<String> = ::redis::cmd("CONFIG")
        .arg(&["GET", "port"])
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(port, ["port", "0"]);
    let pid = postmaster(data.path()).unwrap();

    embedded.stop().await.unwrap();

    assert!(test_kill_process(pid).is_err());
    assert!(!sockets.exists());
    assert!(postmaster(data.path()).is_none());
}

#[tokio::test]
async fn the_applications_role_owns_nothing_and_its_password_opens_no_other_role() {
    let data = data_dir();
    let embedded = Embedded::start(data.path(), Wanted::POSTGRES)
        .await
        .unwrap();
    let urls = embedded.database().unwrap().clone();
    let mut owner = PgConnection::connect(urls.owner.expose()).await.unwrap();
    spine::MIGRATOR.run(&mut owner).await.unwrap();
    let mut app = PgConnection::connect(urls.app.expose()).await.unwrap();

    let created = sqlx::raw_sql("CREATE TABLE public.mine (id BIGINT)")
        .execute(&mut app)
        .await;
    let emptied = sqlx::raw_sql("TRUNCATE spine.event")
        .execute(&mut app)
        .await;
    let renamed = urls
        .app
        .expose()
        .replace(spine::APP_ROLE, postgres::OWNER_ROLE);
    let turned = PgConnection::connect(&renamed).await;

    assert!(created.is_err() && emptied.is_err());
    let refusal = turned.unwrap_err();
    assert_eq!(
        refusal.as_database_error().unwrap().code().unwrap(),
        "28P01"
    );
    assert!(!format!("{urls:?}{embedded:?}").contains(urls.app.expose()));
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart_and_secrets_stay_private() {
    let data = data_dir();
    let first = Embedded::start(data.path(), Wanted::POSTGRES)
        .await
        .unwrap();
    let urls = first.database().unwrap().clone();
    let mut owner = PgConnection::connect(urls.owner.expose()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kettle (id BIGINT); INSERT INTO kettle VALUES (42)")
        .execute(&mut owner)
        .await
        .unwrap();
    drop(owner);
    first.stop().await.unwrap();

    let second = Embedded::start(data.path(), Wanted::POSTGRES)
        .await
        .unwrap();

    let urls = second.database().unwrap().clone();
    assert_eq!(ask(&urls.owner, "SELECT id FROM kettle").await.unwrap(), 42);
    for private in [
        "database-passwords.json",
        "gateway.lock",
        "logs/postgres.log",
    ] {
        let mode = fs::metadata(data.path().join(private)).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{private}");
    }
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_directory_that_is_in_use_is_refused_with_the_users_id() {
    let data = data_dir();
    let first = DataLock::take(data.path()).await.unwrap();

    let second = Embedded::start(data.path(), Wanted::BOTH).await;

    let message = second.unwrap_err().to_string();
    assert!(
        message.contains(&std::process::id().to_string()),
        "{message}"
    );
    assert!(message.contains("--data"), "{message}");
    drop(first);
    assert!(!DataLock::is_held(data.path()));
}

#[tokio::test]
async fn a_run_file_counts_only_while_its_gateway_runs() {
    let data = data_dir();
    let file = RunFile {
        pid: 1,
        url: "http://localhost:1".to_owned(),
        database_url: "postgres://app:lemon@localhost/x".to_owned(),
        database_owner_url: None,
        redis_url: "unix:///x".to_owned(),
    };
    let lock = DataLock::take(data.path()).await.unwrap();
    let running = file.write(data.path()).unwrap();

    let during = RunFile::load(data.path());
    let path = data.path().join("run.json");
    let mode = fs::metadata(&path).unwrap().mode();
    drop(lock);
    let after_a_crash = RunFile::load(data.path());
    drop(running);

    assert_eq!(during, Some(file.clone()));
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(after_a_crash, None);
    assert!(!path.exists());
    assert!(!format!("{file:?}").contains("lemon"));
}

async fn stopped_cluster(data: &Path) {
    let embedded = Embedded::start(data, Wanted::POSTGRES).await.unwrap();
    embedded.stop().await.unwrap();
}

/// A server that nobody supervises.
async fn unsupervised(data: &Path, sockets: &Sockets) -> tokio::process::Command {
    let cluster = data.join("postgres/cluster");
    let programs = programs::PostgresPrograms::find(&cluster).await.unwrap();
    let mut command = ServerUser::choose()
        .await
        .unwrap()
        .command(&programs.postgres());
    command
        .arg("-D")
        .arg(&cluster)
        .args(["-c", "listen_addresses=", "-k"])
        .arg(sockets.path())
        .current_dir("/")
        .stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn a_server_that_an_earlier_run_left_behind_is_ended_first() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    let data = data_dir();
    stopped_cluster(data.path()).await;
    let elsewhere = Sockets::make(&ServerUser::choose().await.unwrap()).unwrap();
    let mut left_behind = unsupervised(data.path(), &elsewhere).await.spawn().unwrap();
    let mut words = BufReader::new(left_behind.stderr.take().unwrap()).lines();
    loop {
        let line = words.next_line().await.unwrap().unwrap();
        if line.contains("ready to accept connections") {
            break;
        }
    }
    // Read on, or its last words block it; and reap it, as whoever inherits an orphan does.
    let reaped = tokio::spawn(async move {
        while words.next_line().await.unwrap().is_some() {}
        left_behind.wait().await.unwrap()
    });

    let embedded = Embedded::start(data.path(), Wanted::POSTGRES)
        .await
        .unwrap();

    assert!(reaped.await.unwrap().success());
    let urls = embedded.database().unwrap().clone();
    assert_eq!(ask(&urls.app, "SELECT 1::BIGINT").await.unwrap(), 1);
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn a_note_of_a_server_whose_id_somebody_else_has_now_is_no_obstacle() {
    let data = data_dir();
    stopped_cluster(data.path()).await;
    let cluster = data.path().join("postgres/cluster");
    let note = format!("{}\n{}\n1\n5432\n", std::process::id(), cluster.display());
    fs::write(cluster.join("postmaster.pid"), note).unwrap();

    let embedded = Embedded::start(data.path(), Wanted::POSTGRES)
        .await
        .unwrap();

    assert_ne!(
        postmaster(data.path())
            .unwrap()
            .as_raw_nonzero()
            .get()
            .unsigned_abs(),
        std::process::id()
    );
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_without_its_passwords_is_not_replaced() {
    let data = data_dir();
    stopped_cluster(data.path()).await;
    let passwords = data.path().join("database-passwords.json");
    fs::remove_file(&passwords).unwrap();

    let refused = Embedded::start(data.path(), Wanted::POSTGRES).await;

    let message = refused.unwrap_err().to_string();
    assert!(message.contains(passwords.to_str().unwrap()), "{message}");
    assert!(!passwords.exists());
}

#[tokio::test]
async fn a_server_that_can_not_start_says_its_last_words() {
    let data = data_dir();
    stopped_cluster(data.path()).await;
    fs::write(
        data.path().join("postgres/cluster/postgresql.conf"),
        "no_such_thing = 1\n",
    )
    .unwrap();

    let failed = Embedded::start(data.path(), Wanted::POSTGRES).await;

    let message = failed.unwrap_err().to_string();
    assert!(message.contains("no_such_thing"), "{message}");
    assert!(message.contains("postgres.log"), "{message}");
}

#[tokio::test]
async fn a_supervisor_that_is_killed_still_leaves_no_server_behind() {
    use rustix::process::{Signal, kill_process};

    let data = data_dir();
    let embedded = Embedded::start(data.path(), Wanted::POSTGRES)
        .await
        .unwrap();
    let server = postmaster(data.path()).unwrap();
    let sockets = sockets(&embedded);
    let supervisor = embedded.postgres.as_ref().unwrap().supervisor();

    kill_process(supervisor, Signal::KILL).unwrap();
    drop(embedded);

    // The kernel gives the server to somebody who reaps it; its note goes with it in any case.
    while postmaster(data.path()) == Some(server) {
        tokio::task::yield_now().await;
    }
    assert!(!sockets.join(".s.PGSQL.5432").exists());
}
