//! A server that can't outlive us: a supervisor stops it when the pipe between us closes.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    process::{Child, ChildStdin},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{EmbeddedError, files, user::ServerUser};

/// The supervisor itself uses force after ten seconds; past this, it is not there any more.
const STOP_WITHIN: Duration = Duration::from_secs(15);

const SUPERVISOR: &str = include_str!("supervise.sh");

/// How a server is run.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// For people.
    pub(super) name: &'static str,
    pub(super) user: &'a ServerUser,
    pub(super) sockets: &'a Path,
    /// The signal that means "stop in good order".
    pub(super) stop_signal: &'static str,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) log: PathBuf,
}

/// A server that is starting.
#[derive(Debug)]
pub(super) struct Starting {
    name: &'static str,
    supervisor: Child,
    pipe: ChildStdin,
    pub(super) log: PathBuf,
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Server {
    name: &'static str,
    log: PathBuf,
    stop: DropGuard,
    ended: JoinHandle<()>,
    #[cfg(test)]
    supervisor: Option<u32>,
}

impl Starting {
    pub(super) fn spawn(plan: Plan<'_>) -> Result<Self, EmbeddedError> {
        let log = files::fresh_log(&plan.log)?;
        let errors = log.try_clone().map_err(files::failed(&plan.log))?;
        let mut supervisor = plan
            .user
            .command(Path::new("/bin/sh"))
            .args(["-c", SUPERVISOR, "supervise"])
            .arg(plan.sockets)
            .arg(plan.stop_signal)
            .arg(&plan.program)
            .args(&plan.arguments)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // A Ctrl-C is meant for us; we tell the servers when it is their turn.
            .process_group(0)
            .spawn()
            .map_err(|source| EmbeddedError::Unstartable {
                program: plan.program.clone(),
                source,
            })?;
        let pipe = supervisor
            .stdin
            .take()
            .ok_or_else(|| EmbeddedError::Unstartable {
                program: plan.program,
                source: std::io::Error::other("its supervisor has no pipe"),
            })?;
        Ok(Self {
            name: plan.name,
            supervisor,
            pipe,
            log: plan.log,
        })
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, EmbeddedError> {
        self.supervisor.try_wait().map_err(files::failed(&self.log))
    }

    /// It answers: from now on its end is a fault unless we asked for it.
    pub(super) fn started(self) -> Server {
        let stopping = CancellationToken::new();
        let asked = stopping.clone();
        let (name, log) = (self.name, self.log.clone());
        let (mut supervisor, pipe) = (self.supervisor, self.pipe);
        #[cfg(test)]
        let supervisor_id = supervisor.id();
        let ended = tokio::spawn(async move {
            tokio::select! {
                () = asked.cancelled() => {}
                ended = supervisor.wait() => {
                    let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                    tracing::error!(
                        "the private {name} ended by itself ({how}); see {} and restart the gateway",
                        log.display()
                    );
                    return;
                }
            }
            drop(pipe);
            if let Err(error) = supervisor.wait().await {
                tracing::warn!(%error, "the end of the private {name} can't be observed");
            }
        });
        Server {
            name: self.name,
            log: self.log,
            stop: stopping.drop_guard(),
            ended,
            #[cfg(test)]
            supervisor: supervisor_id,
        }
    }
}

impl Server {
    /// Stops it and waits for its end.
    pub(super) async fn stop(self) -> Result<(), EmbeddedError> {
        drop(self.stop);
        match tokio::time::timeout(STOP_WITHIN, self.ended).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(too_slow(self.name, &self.log)),
        }
    }
}

#[cfg(test)]
impl Server {
    pub(super) fn supervisor(&self) -> rustix::process::Pid {
        let id = self.supervisor.and_then(|id| i32::try_from(id).ok());
        id.and_then(rustix::process::Pid::from_raw).unwrap()
    }
}

fn too_slow(what: &'static str, log: &Path) -> EmbeddedError {
    EmbeddedError::TooSlow {
        what,
        within: STOP_WITHIN,
        last_words: files::last_words(log),
        log: log.to_owned(),
    }
}
