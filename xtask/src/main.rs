//! What a newcomer runs: demo, test, bench, doctor. Knows the machine; knows nothing of robots.

mod bench;
mod console;
mod demo;
mod doctor;
mod http;
mod living;
mod processes;
mod progress;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use progress::Progress;
use workspace::Workspace;

/// Everything that Nooterra needs, in one command each.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what is missing, build, and run the whole system until Ctrl-C
    Demo(demo::Options),
    /// Install what is missing, then check everything that a change must pass
    Test(test::Options),
    /// Measure against a reference run
    Bench(bench::Options),
    /// Say what is installed, what runs, and how to mend the rest
    Doctor,
    /// Write .sqlx anew: what the database says about every query
    Prepare,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    processes::watch_signals()?;
    let workspace = Workspace::find()?;
    let mut progress = Progress::new();
    match &arguments.command {
        Command::Demo(options) => demo::run(&workspace, options, &mut progress),
        Command::Test(options) => test::run(&workspace, options, &mut progress),
        Command::Bench(options) => bench::run(&workspace, options, &mut progress),
        Command::Doctor => doctor::run(&workspace),
        Command::Prepare => test::queries::prepare(&workspace, &mut progress),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_can_be_parsed() {
        Arguments::command().debug_assert();
    }
}
