//! A child process with its log in a file, ended when dropped.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
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

    /// What it wrote after so many bytes.
    pub fn log_after(&self, bytes: u64) -> Result<String> {
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(bytes))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(text)
    }

    /// How many bytes it wrote so far.
    pub fn log_bytes(&self) -> Result<u64> {
        Ok(fs::metadata(&self.log)?.len())
    }

    /// The exit code, if it ended by itself.
    pub fn ended(&mut self) -> Result<Option<i32>> {
        let status = self.child.try_wait()?;
        Ok(status.map(|status| status.code().unwrap_or(-1)))
    }

    /// The process of this name that it started; of several below one another, the topmost.
    pub fn part(&self, name: &str) -> Result<Pid> {
        below(self.child.id())?
            .into_iter()
            .filter(|process| process.program == name)
            .find_map(|process| i32::try_from(process.id).ok().and_then(Pid::from_raw))
            .with_context(|| format!("{} runs no {name}", self.name))
    }

    /// Sends a signal to the process of this name that it started.
    pub fn signal_part(&self, name: &str, signal: Signal) -> Result<()> {
        Ok(kill_process(self.part(name)?, signal)?)
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

/// The processes that `parent` started, and theirs. Only what we started is ever signalled.
pub fn descendants(parent: u32) -> Result<Vec<u32>> {
    Ok(below(parent)?.iter().map(|process| process.id).collect())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    id: u32,
    parent: u32,
    program: String,
}

fn below(parent: u32) -> Result<Vec<Listed>> {
    let mut rest = if cfg!(target_os = "linux") {
        in_proc()?
    } else {
        let output = Command::new("ps")
            .args(["-axo", "pid=,ppid=,comm="])
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        text.lines().filter_map(of_ps).collect()
    };
    let mut found = Vec::new();
    let mut parents = vec![parent];
    while let Some(parent) = parents.pop() {
        let (children, others) = rest.into_iter().partition(|listed| listed.parent == parent);
        let children: Vec<Listed> = children;
        parents.extend(children.iter().map(|child| child.id));
        found.extend(children);
        rest = others;
    }
    Ok(found)
}

fn in_proc() -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let is_process = path
            .file_name()
            .and_then(|name| name.to_str()?.parse::<u32>().ok())
            .is_some();
        // A process that ended in this moment has no line any more.
        if is_process && let Ok(line) = fs::read_to_string(path.join("stat")) {
            found.extend(of_stat(&line));
        }
    }
    Ok(found)
}

/// `proc_pid_stat(5)`: id, name in parentheses (which may hold any character), state, parent.
fn of_stat(line: &str) -> Option<Listed> {
    let (id, rest) = line.split_once(" (")?;
    let (program, rest) = rest.rsplit_once(") ")?;
    Some(Listed {
        id: id.parse().ok()?,
        parent: rest.split(' ').nth(1)?.parse().ok()?,
        program: program.to_owned(),
    })
}

/// A line of `ps` outside of Linux, where the program comes with its folder.
fn of_ps(line: &str) -> Option<Listed> {
    let (id, rest) = line.trim_start().split_once(char::is_whitespace)?;
    let (parent, program) = rest.trim_start().split_once(char::is_whitespace)?;
    Some(Listed {
        id: id.parse().ok()?,
        parent: parent.parse().ok()?,
        program: program.trim().rsplit('/').next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_alike_from_proc_and_from_ps() {
        let redis = Some(Listed {
            id: 41,
            parent: 7,
            program: "redis-server".to_owned(),
        });

        assert_eq!(of_stat("41 (redis-server) S 7 40 40 0"), redis);
        assert_eq!(of_ps("   41     7 /opt/my tools/redis-server"), redis);
        assert_eq!(of_stat("cpu 1 2"), None);
    }

    #[test]
    fn what_a_child_started_is_below_us_with_it() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 600 & wait"])
            .spawn()
            .unwrap();

        let sleep = loop {
            let found = below(std::process::id()).unwrap();
            if let Some(sleep) = found.iter().find(|one| one.program == "sleep") {
                assert!(found.iter().any(|one| one.id == shell.id()));
                break sleep.clone();
            }
            std::thread::yield_now();
        };

        assert_eq!(sleep.parent, shell.id());
        let id = Pid::from_raw(i32::try_from(sleep.id).unwrap()).unwrap();
        kill_process(id, Signal::KILL).unwrap();
        shell.wait().unwrap();
    }
}
