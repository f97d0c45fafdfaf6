//! `nooterra`: the gateway and what is done around it at a terminal.

use std::{io::IsTerminal as _, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use gateway::{
    admin,
    config::{Config, Log, LogFormat, Overrides},
    rtc::LIBRARY_LOG_DIRECTIVES,
    serve, verify,
};
use tracing_subscriber::EnvFilter;

/// Robots, the people who help them, and what happened.
#[derive(Debug, Parser)]
#[command(name = "nooterra", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway. With nothing configured it is a complete installation of its own.
    Serve(Overrides),
    /// Brings the database up to date, as its owner, and ends.
    Migrate(Overrides),
    /// Looks after organisations, sites, people and robots.
    Admin(admin::Admin),
    /// Checks evidence bundles. Needs no server, no settings and no network.
    Verify(verify::Verify),
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Serve(overrides) => run_gateway(&overrides).await,
        Command::Migrate(overrides) => migrate(&overrides).await,
        Command::Admin(task) => admin::run(task).await.map_err(Into::into),
        // A broken bundle is an answer, not a failure: it has an exit code of its own.
        Command::Verify(task) => return verify::run(&task, &mut std::io::stdout().lock()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a command that failed"
)]
fn eprintln(error: &anyhow::Error) {
    eprintln!("nooterra: {error:#}");
}

async fn run_gateway(overrides: &Overrides) -> Result<()> {
    let config = Config::load(overrides)?;
    log_to_stderr(&config.log);
    Ok(Box::pin(serve::serve(config)).await?)
}

async fn migrate(overrides: &Overrides) -> Result<()> {
    let config = Config::load(overrides)?;
    log_to_stderr(&config.log);
    let owner = config
        .database_owner_url
        .context("set DATABASE_OWNER_URL: migrating is for the owner; a private database is migrated at every start")?;
    Ok(serve::migrate(&owner).await?)
}

fn log_to_stderr(log: &Log) {
    // Ours first: who asks for a library's lines by name gets them, who asks for everything does not.
    let directives = format!("{},{}", LIBRARY_LOG_DIRECTIVES.join(","), log.filter);
    // Well-formed by then: the settings were checked.
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_malformed| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}
