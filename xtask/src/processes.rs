//! Child processes: each in a group of its own, so that it is always stopped whole, by us.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::living::living;

/// How often a child is looked at: below what a person notices, far above what it costs.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(30);

/// How long a child that was asked to stop may take before it is killed. PostgreSQL's last
/// checkpoint on a slow disk is the slowest honest case.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(20);

/// How much of a failed child's log is shown: enough for an error with its causes.
pub(crate) const TAIL_LINES: usize = 15;

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on Ctrl-C, SIGTERM and a closed terminal end the command in good order.
pub(crate) fn watch_signals() -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))
            .context("cannot watch for signals")?;
    }
    Ok(())
}

/// Whether the person asked us to stop.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Runs to the end with its output shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = name_of(command);
    let status = wait(&mut spawn(command)?, None)?;
    succeed(&name, status)
}

/// Runs to the end with its output in `log`; a failure shows the log's end.
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    run_logged_within(command, log, None)
}

/// As [`run_logged`], but a child that takes longer than `limit` has failed.
pub(crate) fn run_logged_within(
    command: &mut Command,
    log: &Path,
    limit: Option<Duration>,
) -> Result<()> {
    let name = name_of(command);
    log_into(command, log)?;
    let status = wait(&mut spawn(command)?, limit)?;
    succeed(&name, status).with_context(|| format!("{}\n(all of it: {})", tail(log), log.display()))
}

/// Runs to the end and returns what it printed. For short questions only.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let name = name_of(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {}", output.status, complaint.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed no text"))
}

/// A long-running child with a log. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: String,
    child: Child,
    log: PathBuf,
    /// After a stop the process id may belong to somebody else.
    stopped: bool,
}

impl Running {
    /// Starts it in the background, its output in `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        log_into(command, log)?;
        Ok(Self {
            name: name.to_owned(),
            child: spawn(command)?,
            log: log.to_owned(),
            stopped: false,
        })
    }

    /// Fails, with the end of its log, when it is no longer there.
    pub(crate) fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        bail!(
            "{} ended by itself ({status}); its last lines:\n{}\n(all of it: {})",
            self.name,
            tail(&self.log),
            self.log.display()
        );
    }

    /// Asks it to stop, waits, and kills what is left of its group.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.stopped, true) {
            return Ok(());
        }
        stop(&mut self.child).with_context(|| format!("cannot stop {}", self.name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error:#}");
        }
    }
}

/// Stops whatever runs as `pid` and its group, for processes that an earlier run left behind.
pub(crate) fn stop_left_behind(pid: u32) -> Result<()> {
    let group = group_of(pid)?;
    let began = Instant::now();
    let mut signal = Signal::TERM;
    // Not until a signal reaches nobody: where nothing reaps orphans, the ended ones stay as zombies for ever.
    while living()?.iter().any(|process| process.group == pid) {
        signal_group(group, signal);
        if began.elapsed() > STOP_WITHIN {
            signal = Signal::KILL;
        }
        if began.elapsed() > STOP_WITHIN * 2 {
            bail!("process {pid} does not end");
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// A command whose process the kernel sends `farewell` (`TERM`, `INT`) when we are killed without a chance to stop it
/// ourselves. Linux only: elsewhere it stays behind.
pub(crate) fn tied_to_us(program: &Path, farewell: &str) -> Command {
    match find_program("setpriv") {
        Some(setpriv) if cfg!(target_os = "linux") => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", farewell]).arg(program);
            command
        }
        _ => Command::new(program),
    }
}

/// The program of this name on `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The last lines of a log, indented.
pub(crate) fn tail(log: &Path) -> String {
    let Ok(file) = File::open(log) else {
        return "    (no log)".to_owned();
    };
    let mut last = VecDeque::with_capacity(TAIL_LINES);
    for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
        if last.len() == TAIL_LINES {
            last.pop_front();
        }
        last.push_back(format!("    {}", String::from_utf8_lossy(&line).trim_end()));
    }
    Vec::from(last).join("\n")
}

fn spawn(command: &mut Command) -> Result<Child> {
    let name = name_of(command);
    command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run {name}"))
}

fn log_into(command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    Ok(())
}

fn wait(child: &mut Child, limit: Option<Duration>) -> Result<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupted() {
            stop(child)?;
            bail!("interrupted");
        }
        if limit.is_some_and(|limit| began.elapsed() > limit) {
            stop(child)?;
            bail!("gave up after {} s", began.elapsed().as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn stop(child: &mut Child) -> Result<()> {
    let group = group_of(child.id())?;
    if child.try_wait()?.is_none() {
        signal_group(group, Signal::TERM);
        let began = Instant::now();
        while child.try_wait()?.is_none() && began.elapsed() < STOP_WITHIN {
            std::thread::sleep(LOOK_EVERY);
        }
    }
    // Also when the leader is gone: a grandchild may have stayed.
    signal_group(group, Signal::KILL);
    child.wait()?;
    Ok(())
}

fn signal_group(group: Pid, signal: Signal) {
    // The only failure is that the group is gone, which is what a stop is for.
    kill_process_group(group, signal).ok();
}

fn group_of(pid: u32) -> Result<Pid> {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| anyhow!("{pid} is not a process id"))
}

fn succeed(name: &str, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("{name} failed ({status})");
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let mut name = program.to_string_lossy().into_owned();
    // The first words tell which command it was; the rest may hold tokens.
    for argument in command.get_args().take(2) {
        name.push(' ');
        name.push_str(&argument.to_string_lossy());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::living::runs;

    #[test]
    fn a_failed_child_shows_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/child.log");
        let mut command = Command::new("sh");
        command.args(["-c", "for i in $(seq 40); do echo line $i; done; exit 3"]);

        let error = run_logged(&mut command, &log).unwrap_err();

        let message = format!("{error:#}");
        assert!(message.contains("    line 40"), "{message}");
        assert!(!message.contains("line 25\n"), "{message}");
        assert!(message.contains("exit status: 3"), "{message}");
    }

    #[test]
    fn a_child_that_takes_too_long_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sleep");
        command.arg("600");

        let limit = Some(Duration::from_millis(300));
        let error = run_logged_within(&mut command, &folder.path().join("log"), limit).unwrap_err();

        assert!(format!("{error:#}").contains("gave up"), "{error:#}");
    }

    #[test]
    fn a_child_is_stopped_with_its_children() {
        let (mut child, grandchild) =
            family(|command, log| Running::start("family", command, log).unwrap());

        child.stop().unwrap();

        await_that("the grandchild's end", || {
            !runs(grandchild, "sleep").unwrap()
        });
    }

    #[test]
    fn what_an_earlier_run_left_is_stopped_though_nobody_reaps_it() {
        let (mut left, grandchild) = family(|command, log| {
            log_into(command, log).unwrap();
            spawn(command).unwrap()
        });

        // Returns although the child, which is ours to reap, is a zombie then.
        stop_left_behind(left.id()).unwrap();

        assert!(!runs(left.id(), "sh").unwrap());
        assert!(!runs(grandchild, "sleep").unwrap());
        left.wait().unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_tied_child_gets_its_farewell_when_we_are_gone() {
        use std::os::unix::process::ExitStatusExt as _;
        let sleep = find_program("sleep").unwrap();

        // The kernel looks at the thread that started it.
        let started = std::thread::spawn(move || {
            let child = spawn(tied_to_us(&sleep, "INT").arg("600")).unwrap();
            await_that("the child's start", || runs(child.id(), "sleep").unwrap());
            child
        });
        let mut child = started.join().unwrap();

        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
    }

    /// A shell with a child of its own, and the id of that one.
    fn family<T>(start: impl FnOnce(&mut Command, &Path) -> T) -> (T, u32) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]);
        let shell = start(&mut command, &log);
        let mut grandchild = None;
        await_that("the grandchild", || {
            let text = std::fs::read_to_string(&log).unwrap();
            // Whole lines only: it may be half written.
            grandchild = text.strip_suffix('\n').map(|id| id.parse().unwrap());
            grandchild.is_some_and(|id| runs(id, "sleep").unwrap())
        });
        (shell, grandchild.unwrap())
    }

    fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < STOP_WITHIN, "waited in vain for {what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_running_child_that_ends_by_itself_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out of lemons; exit 1"]);
        let mut child = Running::start("kettle", &mut command, &folder.path().join("log")).unwrap();
        child.child.wait().unwrap();

        let error = child.check().unwrap_err();

        let message = format!("{error:#}");
        assert!(message.contains("kettle ended by itself"), "{message}");
        assert!(message.contains("out of lemons"), "{message}");
    }
}
