//! `cargo xtask demo`: from nothing to a fleet on screen, and back to nothing.

pub(crate) mod contract;
mod data;
mod first_job;
pub(crate) mod report;

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::console;
use crate::living::runs;
use crate::processes::{self, LOOK_EVERY, Running, interrupted};
use crate::progress::{Outcome, Progress, say};
use crate::setup::{self, Purpose};
use crate::workspace::Workspace;
use contract::{Ports, Programs, Ready, Seeded};
use first_job::{FirstJob, first_job};
use report::Report;

/// Where people look first. Another free port is taken when it is busy.
const PORT: u16 = 8420;

/// Beside it, for video.
const MEDIA_PORT: u16 = 8421;

/// Creating a cluster and migrating it on a slow disk takes this long at worst.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// A robot renders its first picture and connects well within this on two busy cores.
const ONLINE_WITHIN: Duration = Duration::from_mins(1);

/// How often the gateway is asked how it is while it starts: rate limits count these too.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What the command line asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Do not open a browser
    #[arg(long)]
    headless: bool,
    /// How many simulated robots
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=32))]
    robots: u16,
    /// Where the demo keeps its data
    #[arg(long)]
    data: Option<PathBuf>,
    /// Forget what earlier demos left behind
    #[arg(long)]
    fresh: bool,
    /// A camera of the first robot that another program sends as RTP, as the agent's option of this name takes it:
    /// head=rtp://127.0.0.1:5004
    #[arg(long = "camera", value_name = "NAME=ADDRESS")]
    cameras: Vec<String>,
}

/// Runs until somebody stops it.
pub(crate) fn run(workspace: &Workspace, options: &Options, progress: &mut Progress) -> Result<()> {
    clear_the_way(workspace)?;
    let data = match &options.data {
        Some(folder) => std::path::absolute(folder)?,
        None => data::default_folder()?,
    };
    let wasm = setup::install(workspace, Purpose::Demo, progress)?;
    build(workspace, progress)?;
    console::build(workspace, &wasm, progress)?;
    data::prepare(&data, options.fresh)?;

    let programs = Programs {
        binaries: workspace.binaries(),
        data,
    };
    let mut demo = Demo::new(workspace);
    let result = demo
        .start(workspace, &programs, options, progress)
        .and_then(|()| demo.hold());
    let stopped = demo.stop();
    // A stop that was asked for is a good end, whatever was under way.
    if interrupted() {
        stopped
    } else {
        result.and(stopped)
    }
}

/// Builds the binaries that the demo, the benchmarks and the end-to-end tests run. All packages
/// are selected although only two binaries are wanted: cargo then decides the same features as for
/// the tests, and neither command rebuilds what the other built.
pub(crate) fn build(workspace: &Workspace, progress: &mut Progress) -> Result<()> {
    progress.loud_step("gateway and agent: compile", || {
        let mut command = workspace.cargo();
        command
            .args(["build", "--workspace"])
            .args(["--bin", "nooterra", "--bin", "nooterra-agent"])
            .env("SQLX_OFFLINE", "true");
        processes::run(&mut command)?;
        Ok(Outcome::Done)
    })
}

/// Refuses when a demo runs; ends what one that was killed has left.
fn clear_the_way(workspace: &Workspace) -> Result<()> {
    let Some(last) = Report::load(workspace) else {
        return Ok(());
    };
    if runs(last.pid, "xtask")? {
        bail!(
            "a demo is running at {} (stop it with: kill {})",
            last.url,
            last.pid
        );
    }
    if runs(last.gateway_pid, "nooterra")? {
        processes::stop_left_behind(last.gateway_pid)?;
    }
    std::fs::remove_file(report::path(workspace))?;
    Ok(())
}

/// A running demo. Stopping is in the opposite order of starting.
struct Demo {
    gateway: Option<Running>,
    robots: Vec<Running>,
    logs: PathBuf,
    report: PathBuf,
    ready: PathBuf,
}

impl Demo {
    fn new(workspace: &Workspace) -> Self {
        Self {
            gateway: None,
            robots: Vec::new(),
            logs: workspace.report("demo").join("logs"),
            report: report::path(workspace),
            ready: workspace.report("demo").join("ready.json"),
        }
    }

    fn start(
        &mut self,
        workspace: &Workspace,
        programs: &Programs,
        options: &Options,
        progress: &mut Progress,
    ) -> Result<()> {
        std::fs::create_dir_all(&self.logs)?;
        let mut found = None;
        progress.step("gateway with its PostgreSQL and Redis", || {
            found = Some(self.start_gateway(workspace, programs)?);
            Ok(Outcome::Done)
        })?;
        let ready = found.context("the gateway started and was lost")?;

        let mut made = None;
        progress.step("demo site, people and robots", || {
            made = Some(programs.seed(options.robots)?);
            Ok(Outcome::Done)
        })?;
        let seeded = made.context("the demo site was made and lost")?;
        progress.step(&format!("{} robots online", seeded.robots.len()), || {
            self.start_robots(programs, &ready, &seeded, &options.cameras)?;
            Ok(match seeded.robots.len() - self.robots.len() {
                0 => Outcome::Done,
                lost => Outcome::Noted(format!("{lost} ended")),
            })
        })?;

        progress.step("a first job, done by a robot", || {
            let done = first_job(&ready, &seeded, || {
                if interrupted() {
                    bail!("interrupted");
                }
                self.check()
            });
            // Worth a word, not the demo: people can ask for another.
            Ok(match done {
                Ok(FirstJob::WasThere) => Outcome::Noted("there already".to_owned()),
                Ok(FirstJob::Done) => Outcome::Done,
                Err(error) => Outcome::Noted(format!("{error:#}")),
            })
        })?;
        self.announce(ready, seeded, options)
    }

    fn start_gateway(&mut self, workspace: &Workspace, programs: &Programs) -> Result<Ready> {
        let ready_file = self.ready.clone();
        remove_if_there(&ready_file)?;
        let mut command = programs.serve(&free_ports()?, &workspace.console(), &ready_file);
        let log = self.logs.join("gateway.log");
        self.gateway = Some(Running::start("the gateway", &mut command, &log)?);

        let mut found: Option<Ready> = None;
        self.wait("the gateway to be ready", READY_WITHIN, |_robots| {
            if found.is_none() && ready_file.is_file() {
                // It may be half written: then it is read whole at the next look.
                found = serde_json::from_slice(&std::fs::read(&ready_file)?).ok();
            }
            Ok(found
                .as_ref()
                .is_some_and(|ready| contract::is_ready(&ready.url)))
        })?;
        found.context("the gateway is ready but did not say where")
    }

    /// `cameras` come in from elsewhere, at the first robot.
    fn start_robots(
        &mut self,
        programs: &Programs,
        ready: &Ready,
        seeded: &Seeded,
        cameras: &[String],
    ) -> Result<()> {
        for (number, robot) in seeded.robots.iter().enumerate() {
            let log = |what: &str| self.logs.join(format!("robot-{}-{what}.log", number + 1));
            programs.enrol(robot, &ready.agents_url, &log("enrol"))?;
            programs.policy(robot, &log("policy"))?;
            let cameras = if number == 0 { cameras } else { &[] };
            let mut command = programs.robot(robot, number + 1, cameras);
            let running = Running::start(&robot.name, &mut command, &log("run"))?;
            self.robots.push(running);
        }
        self.wait("all robots to be online", ONLINE_WITHIN, |running| {
            let online = contract::online(&ready.url, &seeded.tokens.admin)?;
            Ok(seeded
                .robots
                .iter()
                .filter(|robot| running.iter().any(|process| process.name == robot.name))
                .all(|robot| online.contains(&robot.id)))
        })
    }

    fn announce(&self, ready: Ready, seeded: Seeded, options: &Options) -> Result<()> {
        let report = Report {
            url: ready.url,
            agents_url: ready.agents_url,
            pid: std::process::id(),
            gateway_pid: ready.pid,
            database_url: ready.database_url,
            redis_url: ready.redis_url,
            sign_in: seeded.sign_in,
            tokens: seeded.tokens,
            robots: seeded.robots.into_iter().map(|robot| robot.id).collect(),
        };
        report.save(&self.report)?;

        say("");
        say(&format!("Nooterra is at {}", report.url));
        for (role, link) in [
            ("operator", &report.sign_in.operator),
            ("another operator", &report.sign_in.second_operator),
            ("supervisor", &report.sign_in.supervisor),
            ("requester", &report.sign_in.requester),
            ("owner", &report.sign_in.owner),
            ("admin", &report.sign_in.admin),
        ] {
            say(&format!("  {role:<16} {link}"));
        }
        say("");
        say(&format!("For scripts: {}", self.report.display()));
        say(&format!("Logs:        {}", self.logs.display()));
        say("Ctrl-C stops everything.");
        if !options.headless {
            open_browser(&report.sign_in.operator);
        }
        Ok(())
    }

    /// Waits for the person, and fails when the gateway ends by itself.
    fn hold(&mut self) -> Result<()> {
        while !interrupted() {
            self.check()?;
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn wait(
        &mut self,
        what: &str,
        limit: Duration,
        mut is_there: impl FnMut(&[Running]) -> Result<bool>,
    ) -> Result<()> {
        let began = Instant::now();
        loop {
            self.check()?;
            if is_there(&self.robots)? {
                return Ok(());
            }
            if interrupted() {
                bail!("interrupted");
            }
            if began.elapsed() > limit {
                bail!(
                    "waited {} s for {what}; the logs are in {}",
                    limit.as_secs(),
                    self.logs.display()
                );
            }
            std::thread::sleep(ASK_EVERY);
        }
    }

    /// The demo goes on without a robot, and not without its gateway.
    fn check(&mut self) -> Result<()> {
        for words in self.lost_robots() {
            say(&format!("\n{words}\nthe demo goes on without it"));
        }
        self.gateway.as_mut().map_or(Ok(()), Running::check)
    }

    /// What is to be said of robots that ended by themselves since the last look.
    fn lost_robots(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        self.robots.retain_mut(|robot| match robot.check() {
            Ok(()) => true,
            Err(ended) => {
                words.push(format!("{ended:#}"));
                false
            }
        });
        words
    }

    fn stop(&mut self) -> Result<()> {
        if self.gateway.is_some() {
            say("\nstopping");
        }
        remove_if_there(&self.report)?;
        let robots = self.robots.iter_mut().try_for_each(Running::stop);
        let gateway = self.gateway.as_mut().map_or(Ok(()), Running::stop);
        remove_if_there(&self.ready)?;
        robots.and(gateway)
    }
}

/// The usual ports, or any others that are free.
fn free_ports() -> Result<Ports> {
    let usual = TcpListener::bind((Ipv4Addr::LOCALHOST, PORT));
    let free = usual.or_else(|_busy| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let media = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, MEDIA_PORT));
    Ok(Ports {
        listen: free.local_addr()?,
        media: if media.is_ok() { MEDIA_PORT } else { 0 },
    })
}

fn remove_if_there(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// A machine without a browser is no failure: the links are on screen.
fn open_browser(link: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = Command::new(opener)
        .arg(link)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C here is not meant for the person's browser.
        .process_group(0)
        .spawn();
    if started.is_err() {
        say("(no browser was found here: open a link yourself)");
    }
}

#[cfg(test)]
mod tests;
