//! A child process with its log in a file, ended when dropped.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A process that we started and therefore end.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, its output going to `<folder>/<name>.log`.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let log = folder.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{name} can't be started: {command:?}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it wrote so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The exit code, if it ended by itself.
    pub fn ended(&mut self) -> Result<Option<i32>> {
        let status = self.child.try_wait()?;
        Ok(status.map(|status| status.code().unwrap_or(-1)))
    }

    /// Sends a signal to the process of this name that it started.
    pub fn signal_part(&self, name: &str, signal: Signal) -> Result<()> {
        let pid = descendants(self.child.id())?
            .into_iter()
            .filter(|id| {
                fs::read_to_string(format!("/proc/{id}/comm"))
                    .is_ok_and(|found| found.trim_end() == name)
            })
            .find_map(|id| i32::try_from(id).ok().and_then(Pid::from_raw))
            .with_context(|| format!("{} runs no {name}", self.name))?;
        Ok(kill_process(pid, signal)?)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("no such process id")?;
        kill_process(pid, signal).with_context(|| format!("{} can't be signalled", self.name))
    }

    /// Ends it at once, as a power cut would, and waits for the end.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end and waits, at most for `within`.
    pub fn stop(&mut self, within: Duration) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + within;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.kill()?;
                bail!(
                    "{} did not end within {within:?}\n{}",
                    self.name,
                    self.log()
                );
            }
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ten seconds cover a Postgres that writes its last checkpoint. A failure here can only be told, not mended.
        if let Err(error) = self.stop(Duration::from_secs(10)) {
            eprintln!("{error:#}");
        }
    }
}

/// The processes that `parent` started, and theirs. Read from /proc; only what we started is ever signalled.
pub fn descendants(parent: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process that ended in this moment has no line any more.
        let Ok(line) = fs::read_to_string(format!("/proc/{id}/stat")) else {
            continue;
        };
        let after_name = line.rsplit_once(") ").map_or("", |(_, rest)| rest);
        if let Some(Ok(its_parent)) = after_name.split(' ').nth(1).map(str::parse::<u32>) {
            parents.push((id, its_parent));
        }
    }
    let mut found = vec![parent];
    let mut next = 0;
    while let Some(&one) = found.get(next) {
        next += 1;
        found.extend(
            parents
                .iter()
                .filter(|(_, its)| *its == one)
                .map(|(id, _)| *id),
        );
    }
    Ok(found.split_off(1))
}
