//! `nooterra-agent`: the process on every robot.

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode, time::Duration};

use agent::{
    cameras::{encode::EncoderConfig, rtp::IncomingCamera},
    enrol::enrol,
    journal::Contents,
    run::{RunConfig, run},
    settings::Folder,
};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use url::Url;

/// Puts a robot on its gateway: pictures, state, orders, and its own signed word on each of them.
#[derive(Debug, Parser)]
#[command(name = "nooterra-agent", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes this machine the robot that a token was issued for.
    Enrol(Enrol),
    /// Connects the robot and keeps it connected.
    Run(Run),
    /// Shows what the robot has said that the gateway does not hold yet.
    Journal(RobotFolder),
    /// Shows what the robot keeps to whatever anybody asks, or gives it another one, signed by its organisation's root key.
    Policy(Policy),
}

#[derive(Debug, Args)]
struct RobotFolder {
    /// The robot's folder: its key, its token, its journal.
    #[arg(long, env = "NOOTERRA_AGENT_DATA", default_value = "nooterra-robot")]
    data: PathBuf,
}

#[derive(Debug, Args)]
struct Enrol {
    #[command(flatten)]
    folder: RobotFolder,
    /// Address of the gateway, such as `https://fleet.example`
    #[arg(long)]
    gateway: Url,
    /// The robot's token, as `nooterra admin robot add` printed it.
    #[arg(long, env = "NOOTERRA_ROBOT_TOKEN", hide_env_values = true)]
    token: String,
    /// Believe only certificates from this authority (PEM).
    #[arg(long)]
    authority: Option<PathBuf>,
    /// The organisation's root key, as `nooterra admin org root-make` printed it: the robot obeys only people on rosters that
    /// it signed. Without this the key that the gateway names is believed once, and pinned.
    #[arg(long, value_name = "KEY")]
    root: Option<String>,
}

#[derive(Debug, Args)]
struct Policy {
    #[command(flatten)]
    folder: RobotFolder,
    /// The line that `nooterra admin organisation safety-sign` printed, in a file; without one the present policy is shown.
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DriverKind {
    /// A simulated robot in a simulated site.
    Sim,
}

/// More and the corridors are full.
const MOST_PEOPLE: i64 = 16;

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    folder: RobotFolder,
    /// What moves the robot.
    #[arg(long, value_enum, default_value = "sim")]
    driver: DriverKind,
    /// Luck of the simulator: the same seed gives the same site, robot and people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// People who walk about in the simulator.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=MOST_PEOPLE))]
    people: u8,
    /// Patrol the named places while nobody asks for anything.
    #[arg(long)]
    wander: bool,
    /// Do so many seconds of a job's step in one second, for tests; drives keep their speed.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    work_speed: u32,
    /// Draw the capture time into every picture, for measurements.
    #[arg(long)]
    test_stamp: bool,
    /// Width of the simulated cameras' pictures.
    #[arg(long, default_value_t = 640)]
    width: u32,
    /// Height of the simulated cameras' pictures.
    #[arg(long, default_value_t = 480)]
    height: u32,
    /// Frames a second of the simulated cameras.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    frames_per_second: u32,
    /// A camera that another program sends as RTP, H.264 or VP8: NAME=rtp://ADDRESS:PORT[?codec=vp8][&label=WORDS].
    /// One named as a simulated camera (head, base) takes its place. May be given several times.
    #[arg(long = "camera", value_name = "NAME=ADDRESS")]
    cameras: Vec<IncomingCamera>,
    /// A file that another program makes while the robot's own stop button is pressed: the robot stops at once, and until it is
    /// gone and somebody released the stop.
    #[arg(long, value_name = "FILE")]
    stop_button: Option<PathBuf>,
    /// Believe only certificates from this authority (PEM).
    #[arg(long)]
    authority: Option<PathBuf>,
}

/// A disk that hangs must not keep the process from ending.
const THREADS_END_WITHIN: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("NOOTERRA_LOG")
        .unwrap_or_else(|_unset| EnvFilter::new("info,webrtc=off,rtc=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    // Whoever needs a provider by default gets the one that we use everywhere.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    match start(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("no threads on this system")?;
    let ended = runtime.block_on(act(command));
    runtime.shutdown_timeout(THREADS_END_WITHIN);
    ended
}

async fn act(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Enrol(Enrol {
            folder,
            gateway,
            token,
            authority,
            root,
        }) => {
            let folder = Folder::open(&folder.data)?;
            let enrolled = enrol(
                gateway,
                &token,
                &folder,
                authority.as_deref(),
                root.as_deref(),
            )
            .await?;
            tracing::info!(robot.id = %enrolled.robot, "enrolled as {}", enrolled.name);
            Ok(())
        }
        Command::Run(options) => {
            let mut encoder =
                EncoderConfig::new(options.width, options.height, options.frames_per_second);
            encoder.width &= !1;
            encoder.height &= !1;
            let config = RunConfig {
                data: options.folder.data,
                seed: options.seed,
                people: options.people,
                wander: options.wander,
                work_speed: options.work_speed,
                has_stamp: options.test_stamp,
                encoder,
                incoming: options.cameras,
                stop_button: options.stop_button,
                authority: options.authority,
            };
            let stop = CancellationToken::new();
            let mut running = Box::pin(run(config, stop.clone()));
            tokio::select! {
                ended = &mut running => return Ok(ended?),
                signalled = stop_signal() => signalled?,
            }
            stop.cancel();
            Ok(running.await?)
        }
        Command::Journal(folder) => show_journal(&folder.data),
        Command::Policy(Policy { folder, file }) => take_policy(&folder.data, file.as_deref()),
    }
}

/// Waits for Ctrl-C or a polite request to end.
async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("no signals on this system")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("no signals on this system")?,
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what this command is for")]
fn take_policy(data: &std::path::Path, file: Option<&std::path::Path>) -> anyhow::Result<()> {
    let folder = Folder::open(data)?;
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).context("the policy can't be read")?;
        folder.take_policy(&text)?;
    }
    match folder.believed_policy()? {
        Some(policy) => println!("{}", toml::to_string_pretty(&policy)?),
        None => println!("# no policy: the usual bounds, and no zones"),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what this command is for")]
fn show_journal(data: &std::path::Path) -> anyhow::Result<()> {
    let folder = Folder::open(data)?;
    let enrolled = folder.enrolled()?;
    let journal = Contents::read(&folder.journal(), &folder.device_key()?.verifying_key())?;
    let waiting = journal.after(0, usize::MAX);
    println!("robot\t{}\t{}", enrolled.name, enrolled.robot);
    println!("last event\t{}", journal.last_number());
    println!("in the file\t{}", waiting.len());
    for kept in waiting {
        println!("{}\t{} bytes", kept.number, kept.sealed.len());
    }
    Ok(())
}
