//! `nooterra admin …`: what is done at a terminal with access to the data directory, beside a running gateway or without one.

mod demo;
mod demo_secrets;
mod desk;
mod error;
mod key_file;
mod people;
mod person_keys;
mod places;
mod robots;
mod roster_text;
mod safety;
mod table;
#[cfg(test)]
mod tests;
mod trust;

use std::{io::Write as _, path::PathBuf};

use clap::{Args, Subcommand};

pub use demo::{NotADemo, demo_root, mark_demo};
pub use error::AdminError;
pub use trust::{POLICY_KEY_FILE, policy_key};

use crate::config::{Config, Overrides};

/// Looks after organisations, sites, people and robots
#[derive(Debug, Args)]
pub struct Admin {
    /// Settings in TOML form
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Where the gateway keeps everything
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Companies and bodies, their root keys and who may steer their robots
    #[command(subcommand, visible_alias = "org")]
    Organisation(places::OrganisationTask),
    /// Places where robots work
    #[command(subcommand)]
    Site(places::SiteTask),
    /// People, their roles and their ways in
    #[command(subcommand)]
    Person(people::PersonTask),
    /// Robots and their tokens
    #[command(subcommand)]
    Robot(robots::RobotTask),
    /// Makes the demo's site, people and robots, or finds them as they are; prints one JSON object
    DemoSeed {
        /// How many robots
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=demo::MAX_ROBOTS))]
        robots: u16,
    },
}

/// Which organisation is meant.
#[derive(Debug, Args)]
struct InOrganisation {
    /// The organisation's name; may be left out while there is only one
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
}

/// Does what the command line asks and prints what came of it.
pub async fn run(admin: Admin) -> Result<(), AdminError> {
    if let Task::Organisation(places::OrganisationTask::Offline(task)) = admin.task {
        // Before anything is opened or made: where the root key is kept there is no installation.
        let text = trust::offline(task, &mut std::io::stderr())?;
        return print(&text);
    }
    if let Task::Organisation(places::OrganisationTask::Safety(task)) = admin.task {
        let text = safety::offline(task, &mut std::io::stderr())?;
        return print(&text);
    }
    let config = Config::load(&Overrides {
        config: admin.config,
        data: admin.data,
        ..Overrides::default()
    })?;
    let (desk, servers) = desk::open(&config).await?;
    let done = perform(&desk, admin.task).await;
    desk.close().await;
    // Stopped in either case; what went wrong first is what counts.
    let stopped = match servers {
        Some(servers) => servers.stop().await.map_err(AdminError::from),
        None => Ok(()),
    };
    let text = done?;
    stopped?;
    print(&text)
}

fn print(text: &str) -> Result<(), AdminError> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(AdminError::Output)
}

async fn perform(desk: &desk::Desk, task: Task) -> Result<String, AdminError> {
    match task {
        Task::Organisation(task) => places::organisation(desk, task).await,
        Task::Site(task) => places::site(desk, task).await,
        Task::Person(task) => people::person(desk, task).await,
        Task::Robot(task) => robots::robot(desk, task).await,
        Task::DemoSeed { robots } => demo::seed(desk, robots).await,
    }
}
