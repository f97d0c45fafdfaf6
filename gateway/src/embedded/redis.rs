//! The private Redis: bounded in memory, nothing on disk. What it holds may be lost at any time.

use std::{
    ffi::OsString,
    path::Path,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use super::{
    EmbeddedError, files, programs,
    server::{Plan, Server, Starting},
    user::ServerUser,
};
use crate::config::SecretUrl;

/// It has nothing to load: this is a very busy machine.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How often a starting server is asked, and how long one answer may take.
const ASK_EVERY: Duration = Duration::from_millis(40);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Presence of ten thousand robots takes a few megabytes; past the bound the least used goes first.
const MAX_MEMORY: &str = "64mb";

/// Starts the server.
pub(super) async fn start(
    data_dir: &Path,
    user: &ServerUser,
    sockets: &Path,
) -> Result<(Server, SecretUrl), EmbeddedError> {
    const WHAT: &str = "starting the private Redis";
    let socket = sockets.join("redis.sock");
    let log = data_dir.join("logs/redis.log");
    let mut starting = Starting::spawn(Plan {
        name: "Redis",
        user,
        sockets,
        stop_signal: "TERM",
        program: programs::redis()?,
        arguments: arguments(&socket, sockets),
        log: log.clone(),
    })?;
    let began = Instant::now();
    loop {
        if let Some(status) = starting.ended()? {
            return Err(EmbeddedError::Failed {
                what: WHAT,
                how: status.to_string(),
                last_words: files::last_words(&log),
                log,
            });
        }
        match tokio::time::timeout(ANSWER_WITHIN, ask(&socket)).await {
            Ok(Ok(true)) => break,
            _not_yet if began.elapsed() < READY_WITHIN => tokio::time::sleep(ASK_EVERY).await,
            _never => {
                return Err(EmbeddedError::TooSlow {
                    what: WHAT,
                    within: READY_WITHIN,
                    last_words: files::last_words(&log),
                    log,
                });
            }
        }
    }
    // The scheme that most clients know. The folder's name is ours: nothing in it needs escaping.
    let url = SecretUrl::new(format!("unix://{}", socket.display()));
    Ok((starting.started(), url))
}

fn arguments(socket: &Path, sockets: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--unixsocket".into(), socket.into()];
    arguments.extend(["--dir".into(), sockets.into()]);
    let fixed = [
        ("--port", "0"),
        ("--unixsocketperm", "700"),
        ("--daemonize", "no"),
        ("--save", ""),
        ("--appendonly", "no"),
        ("--databases", "1"),
        ("--maxmemory", MAX_MEMORY),
        ("--maxmemory-policy", "allkeys-lru"),
    ];
    for (name, value) in fixed {
        arguments.extend([name.into(), value.into()]);
    }
    arguments
}

async fn ask(socket: &Path) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"+PONG")
}
