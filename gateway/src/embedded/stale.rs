//! A PostgreSQL that an earlier run left behind: recognised by its command line, ended, waited for.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{EmbeddedError, files};

/// PostgreSQL's own note of who serves a cluster.
const PID_FILE: &str = "postmaster.pid";

/// Its supervisor stops it in good order as soon as we are gone; this is what writing everything may take.
const IN_GOOD_ORDER: Duration = Duration::from_secs(15);

/// After that it is told to drop everything, which loses nothing that was committed.
const WITHIN: Duration = Duration::from_secs(25);

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Waits for the end of a server that still uses `cluster`. We hold the data directory's lock, so whatever runs there
/// lost its gateway.
pub(super) async fn end(cluster: &Path) -> Result<(), EmbeddedError> {
    let Some(pid) = left_behind(cluster).await else {
        return forget_reused(cluster);
    };
    tracing::warn!("PostgreSQL of an earlier run is still there; stopping it first");
    let began = Instant::now();
    let mut is_forced = false;
    // Twice is no harm where its supervisor was faster.
    tell(pid, Signal::INT);
    while left_behind(cluster).await == Some(pid) {
        if began.elapsed() > WITHIN {
            return Err(EmbeddedError::Stale {
                pid: pid.as_raw_nonzero().get(),
                cluster: cluster.to_owned(),
                within: WITHIN,
            });
        }
        if began.elapsed() > IN_GOOD_ORDER && !is_forced {
            tell(pid, Signal::QUIT);
            is_forced = true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// PostgreSQL takes any living process of its user for a server of its own: a file that names somebody else's is in the
/// way. One whose process is gone is left to PostgreSQL, which finds in it what else to check.
fn forget_reused(cluster: &Path) -> Result<(), EmbeddedError> {
    let path = cluster.join(PID_FILE);
    let is_reused = named(cluster).is_some_and(|pid| test_kill_process(pid).is_ok());
    if !is_reused {
        return Ok(());
    }
    fs::remove_file(&path).map_err(files::failed(&path))
}

/// The process that `postmaster.pid` names, if it is there and is a server of this cluster: ids are reused, and a file
/// that a crash left behind may name anybody.
async fn left_behind(cluster: &Path) -> Option<Pid> {
    let pid = named(cluster)?;
    let command = command_line(pid).await?;
    command.contains(cluster.to_str()?).then_some(pid)
}

fn named(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join(PID_FILE)).ok()?;
    // A standalone server writes its id with a minus.
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    Pid::from_raw(pid.checked_abs()?)
}

async fn command_line(pid: Pid) -> Option<String> {
    let pid = pid.as_raw_nonzero();
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(words) => Some(String::from_utf8_lossy(&words).replace('\0', " ")),
        Err(_) if cfg!(target_os = "linux") => None,
        // Elsewhere there is no such file, and `ps` is part of the system.
        Err(_) => {
            let mut ps = tokio::process::Command::new("ps");
            ps.args(["-o", "args=", "-p", &pid.to_string()]);
            let output = ps.kill_on_drop(true).output().await.ok()?;
            String::from_utf8(output.stdout).ok()
        }
    }
}

/// It may end by itself between our looking and our telling.
fn tell(pid: Pid, signal: Signal) {
    if let Err(error) = kill_process(pid, signal) {
        tracing::debug!(%error, "the earlier PostgreSQL could not be signalled");
    }
}
