//! The binary as people run it: it serves, goes down in good order, and leaves nothing behind when it is killed.

#![expect(clippy::unwrap_used, reason = "a test that can't look has failed")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Making a cluster on a busy machine is the slowest thing here.
const WITHIN: Duration = Duration::from_secs(90);

/// What the design promises for servers whose gateway was killed.
const GONE_WITHIN: Duration = Duration::from_secs(15);

/// A data directory; passable, since the servers may run as another user.
fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("nt-serve-")
        .permissions(fs::Permissions::from_mode(0o711))
        .tempdir_in("/tmp")
        .unwrap()
}

/// A gateway that is ended with the test.
struct Gateway {
    child: Child,
    folder: PathBuf,
    log: PathBuf,
}

impl Gateway {
    fn start(folder: &Path, name: &str) -> Self {
        Self::start_with(folder, name, &[])
    }

    fn start_with(folder: &Path, name: &str, settings: &[(&str, &str)]) -> Self {
        let log = folder.join(format!("{name}.log"));
        let child = command(folder)
            .envs(settings.iter().copied())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            folder: folder.to_owned(),
            log,
        }
    }

    fn ready(&mut self) -> Value {
        let path = self.folder.join("ready.json");
        let pid = self.child.id();
        let Self { child, log, .. } = self;
        wait("the gateway to be ready", WITHIN, || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("it ended: {status}\n{}", fs::read_to_string(&*log).unwrap());
            }
            let ready: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            // One that was killed leaves its file.
            (ready["pid"] == pid).then_some(ready)
        })
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        wait("the gateway to end", WITHIN, || child.try_wait().unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nooterra"));
    for name in ["DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"] {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        // Settings of the test run are none of the gateway's.
        if name.as_encoded_bytes().starts_with(b"NOOTERRA_") {
            command.env_remove(name);
        }
    }
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--media-port", "0"])
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--ready-file")
        .arg(folder.join("ready.json"))
        .stdin(Stdio::null());
    command
}

fn wait<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < within, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

fn connect(ready: &Value) -> TcpStream {
    let port = ready["url"].as_str().unwrap().rsplit(':').next().unwrap();
    TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap()
}

fn get(ready: &Value, path: &str) -> String {
    let mut stream = connect(ready);
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn sockets(ready: &Value) -> PathBuf {
    let url = ready["redis_url"].as_str().unwrap();
    let socket = PathBuf::from(url.trim_start_matches("unix://"));
    socket.parent().unwrap().to_owned()
}

fn postmaster(folder: &Path) -> Option<String> {
    let note = fs::read_to_string(folder.join("data/postgres/cluster/postmaster.pid")).ok()?;
    note.lines().next().map(str::to_owned)
}

#[test]
fn a_gateway_that_is_killed_takes_its_servers_along_and_the_next_one_starts_at_once() {
    let folder = folder();
    let mut first = Gateway::start(folder.path(), "first");
    let ready = first.ready();
    let (old_sockets, old_postmaster) = (sockets(&ready), postmaster(folder.path()));
    wait("everything to answer", WITHIN, || {
        get(&ready, "/readyz")
            .starts_with("HTTP/1.1 200")
            .then_some(())
    });
    assert!(old_sockets.join("redis.sock").exists() && old_postmaster.is_some());

    first.signal(Signal::KILL);
    first.ended();
    let mut second = Gateway::start(folder.path(), "second");
    let ready = second.ready();

    wait("the old sockets to go", GONE_WITHIN, || {
        (!old_sockets.exists()).then_some(())
    });
    assert_ne!(postmaster(folder.path()), old_postmaster);
    wait("everything to answer again", WITHIN, || {
        get(&ready, "/readyz")
            .starts_with("HTTP/1.1 200")
            .then_some(())
    });
}

#[test]
fn a_killed_gateway_leaves_no_server_even_when_nobody_starts_again() {
    let folder = folder();
    let mut gateway = Gateway::start(folder.path(), "gateway");
    let sockets = sockets(&gateway.ready());

    gateway.signal(Signal::KILL);

    wait("the servers to end", GONE_WITHIN, || {
        (postmaster(folder.path()).is_none() && !sockets.exists()).then_some(())
    });
}

#[test]
fn it_goes_down_in_good_order_and_takes_its_files_along() {
    let folder = folder();
    let mut gateway = Gateway::start(folder.path(), "gateway");
    let ready = gateway.ready();
    let run = folder.path().join("data/run.json");
    for private in [&run, &folder.path().join("ready.json")] {
        let mode = fs::metadata(private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", private.display());
    }

    gateway.signal(Signal::TERM);
    let status = gateway.ended();

    assert_eq!(status.code(), Some(0), "{}", gateway.log());
    assert!(!run.exists() && !folder.path().join("ready.json").exists());
    assert!(!sockets(&ready).exists() && postmaster(folder.path()).is_none());
    let log = gateway.log();
    assert!(
        log.contains("private PostgreSQL") && log.contains("done in"),
        "{log}"
    );
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    let password = ready["database_url"].as_str().unwrap();
    assert!(!log.contains(password), "{log}");
}

#[test]
fn told_twice_it_ends_at_once_and_still_leaves_nothing() {
    let folder = folder();
    let mut gateway = Gateway::start(folder.path(), "gateway");
    let ready = gateway.ready();
    // Half a request keeps the shutdown waiting.
    let mut half = connect(&ready);
    half.write_all(
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    )
    .unwrap();

    gateway.signal(Signal::TERM);
    wait("it to go down", WITHIN, || {
        gateway.log().contains("going down").then_some(())
    });
    gateway.signal(Signal::TERM);
    let status = gateway.ended();

    assert_eq!(status.code(), Some(1), "{}", gateway.log());
    assert!(gateway.log().contains("told twice"), "{}", gateway.log());
    wait("the servers to end", GONE_WITHIN, || {
        (postmaster(folder.path()).is_none() && !sockets(&ready).exists()).then_some(())
    });
    drop(half);
}

#[test]
fn stopped_while_it_starts_it_leaves_nothing() {
    let folder = folder();
    let mut gateway = Gateway::start(folder.path(), "gateway");
    wait("the servers to be started", WITHIN, || {
        gateway.log().contains("starting a private").then_some(())
    });

    gateway.signal(Signal::TERM);
    let status = gateway.ended();

    assert_eq!(status.code(), Some(0), "{}", gateway.log());
    wait("the servers to end", GONE_WITHIN, || {
        postmaster(folder.path()).is_none().then_some(())
    });
    assert!(!folder.path().join("ready.json").exists());
}

#[test]
fn a_second_gateway_on_the_same_data_is_refused_by_name() {
    let folder = folder();
    let mut first = Gateway::start(folder.path(), "first");
    let ready = first.ready();

    let second = command(folder.path()).output().unwrap();

    let words = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{words}");
    assert!(words.contains(&first.child.id().to_string()), "{words}");
    assert!(words.contains("--data"), "{words}");
    assert!(get(&ready, "/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn settings_that_can_not_be_understood_end_it_with_their_key() {
    let folder = folder();
    for (name, value, named) in [
        ("NOOTERRA_LISEN", "x", "NOOTERRA_LISEN"),
        ("NOOTERRA_MEDIA_ADVERTISE", "eth0", "media.advertise"),
        (
            "DATABASE_OWNER_URL",
            "postgres://owner@db/nooterra",
            "DATABASE_URL",
        ),
    ] {
        let output = command(folder.path()).env(name, value).output().unwrap();

        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(named), "{words}");
    }
    assert!(!folder.path().join("data/postgres").exists());
}

#[test]
fn its_log_can_be_lines_of_json_for_whoever_collects_them() {
    let folder = folder();
    let settings = [("NOOTERRA_LOG_FORMAT", "json")];
    let mut gateway = Gateway::start_with(folder.path(), "json", &settings);
    gateway.ready();
    gateway.signal(Signal::TERM);
    gateway.ended();

    let log = gateway.log();

    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(
        lines.iter().any(|line| line["level"] == "INFO"
            && line["target"] == "gateway::serve"
            && line["fields"]["took_ms"].is_number()),
        "{log}"
    );
}
