//! `cargo xtask test`: everything that a change must pass, and where the time went.

mod database;
pub(crate) mod queries;
mod surroundings;
mod vectors;

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::console;
use crate::demo;
use crate::processes::{self, interrupted};
use crate::progress::{Outcome, Progress, say, time_table};
use crate::setup::wasm::{self, TARGET, Wasm};
use crate::setup::{self, Purpose};
use crate::workspace::Workspace;

pub(crate) use database::{Database, Durability};

pub(crate) use surroundings::surroundings;

/// One part of the run, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Step {
    /// Install what is missing
    Setup,
    /// cargo fmt --check
    Format,
    /// Licences, sources and bans of outside crates
    Deny,
    /// Clippy on everything native, its queries checked against a migrated database
    Lint,
    /// Clippy on the console
    LintWasm,
    /// Compile the binaries and the tests
    Build,
    /// Compile the console and weigh it
    Console,
    /// Public vectors, golden bytes and damaged bundles, judged as wasm
    Vectors,
    /// Unit, property, database and end-to-end tests
    Tests,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Setup,
        Self::Format,
        Self::Deny,
        Self::Lint,
        Self::LintWasm,
        Self::Build,
        Self::Console,
        Self::Vectors,
        Self::Tests,
    ];

    fn explained(self) -> (&'static str, &'static str) {
        match self {
            Self::Setup => ("setup", "install what is missing"),
            Self::Format => ("format", "cargo fmt --check"),
            Self::Deny => ("deny", "licences, sources and bans of outside crates"),
            Self::Lint => (
                "lint",
                "clippy, with every query checked against a migrated database",
            ),
            Self::LintWasm => ("lint-wasm", "clippy on the console"),
            Self::Build => ("build", "compile the binaries and the tests"),
            Self::Console => ("console", "compile the console and weigh it"),
            Self::Vectors => (
                "vectors",
                "public vectors, golden bytes and damaged bundles, judged as wasm",
            ),
            Self::Tests => ("tests", "unit, property, database and end-to-end tests"),
        }
    }

    /// Whether later steps are pointless after it failed.
    fn is_needed_by_others(self) -> bool {
        matches!(self, Self::Setup | Self::Build)
    }
}

/// What the command line asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only these steps (may be repeated)
    #[arg(long, value_enum)]
    only: Vec<Step>,
    /// Show the steps and run none
    #[arg(long)]
    list: bool,
    /// Also look for known vulnerabilities: needs the advisory database from the network
    #[arg(long)]
    advisories: bool,
    /// Passed on to nextest, such as a filter of test names
    #[arg(last = true)]
    nextest: Vec<String>,
}

/// Runs the steps. A check that fails does not keep the others from running, but the whole fails.
pub(crate) fn run(workspace: &Workspace, options: &Options, progress: &mut Progress) -> Result<()> {
    if options.list {
        for (name, words) in Step::ALL.map(Step::explained) {
            say(&format!("{name:<10} {words}"));
        }
        return Ok(());
    }
    let mut run = Run {
        workspace,
        options,
        wasm: None,
        database: None,
    };
    let steps = plan(&options.only);
    let mut failed = Vec::new();
    for step in &steps {
        if *step == Step::Tests {
            say(&format!("\n{}", time_table(progress.taken())));
        }
        if let Err(error) = run.step(*step, progress) {
            if interrupted() {
                return Err(error);
            }
            let (name, _) = step.explained();
            eprintln!("\n{name} failed: {error:#}\n");
            failed.push(name);
            if step.is_needed_by_others() {
                break;
            }
        }
    }
    drop(run);
    if steps.last() != Some(&Step::Tests) || failed.contains(&"setup") {
        say(&format!("\n{}", time_table(progress.taken())));
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// What runs: everything, or what was asked for in the order of the whole.
fn plan(only: &[Step]) -> Vec<Step> {
    Step::ALL
        .into_iter()
        .filter(|step| only.is_empty() || only.contains(step))
        .collect()
}

struct Run<'a> {
    workspace: &'a Workspace,
    options: &'a Options,
    wasm: Option<Wasm>,
    database: Option<Database>,
}

impl Run<'_> {
    fn step(&mut self, step: Step, progress: &mut Progress) -> Result<()> {
        match step {
            Step::Setup => {
                self.wasm = Some(setup::install(self.workspace, Purpose::Test, progress)?);
                Ok(())
            }
            Step::Format => {
                progress.loud_step("format", || self.cargo(&["fmt", "--all", "--check"]))
            }
            Step::Deny => self.deny(progress),
            Step::Lint => self.lint(progress),
            Step::LintWasm => self.lint_wasm(progress),
            Step::Build => self.build(progress),
            Step::Console => {
                console::build(self.workspace, &self.wasm()?, progress)?;
                progress.step("console: weight", || console::check_weight(self.workspace))
            }
            Step::Vectors => {
                let wasm = self.wasm()?;
                progress.loud_step("public vectors as wasm", || {
                    vectors::check(self.workspace, &wasm)
                })
            }
            Step::Tests => self.tests(progress),
        }
    }

    fn deny(&self, progress: &mut Progress) -> Result<()> {
        progress.loud_step("outside crates", || {
            let mut checks = vec!["deny", "--log-level", "error", "check"];
            if self.options.advisories {
                checks.push("advisories");
            }
            checks.extend(["bans", "licenses", "sources"]);
            self.cargo(&checks)
        })
    }

    /// One pass of clippy is also the pass in which sqlx asks the database about every query.
    fn lint(&mut self, progress: &mut Progress) -> Result<()> {
        self.start_database(progress)?;
        let url = self.database_url()?;
        let answers = tempfile::tempdir_in(&self.workspace.target)?;
        progress.loud_step("clippy", || {
            queries::make_macros_run_again(self.workspace)?;
            let mut command = self.workspace.cargo();
            command
                .args(["clippy", "--workspace", "--all-targets"])
                .args(["--", "-D", "warnings"])
                .env("DATABASE_URL", &url)
                .env("SQLX_OFFLINE", "false")
                .env("SQLX_OFFLINE_DIR", answers.path());
            processes::run(&mut command)?;
            Ok(Outcome::Done)
        })?;
        progress.step("committed queries", || {
            queries::compare(self.workspace, answers.path())
        })
    }

    fn lint_wasm(&self, progress: &mut Progress) -> Result<()> {
        let wasm = self.wasm()?;
        let word = if wasm.has_clippy() { "clippy" } else { "check" };
        progress.loud_step(&format!("{word} of the console"), || {
            let mut command = self.workspace.cargo();
            command.args([word, "--package", "console", "--target", TARGET]);
            if wasm.has_clippy() {
                command.args(["--", "-D", "warnings"]);
            }
            wasm.apply(&mut command);
            processes::run(&mut command)?;
            Ok(Outcome::Done)
        })
    }

    fn build(&self, progress: &mut Progress) -> Result<()> {
        // The lint asked a database; what it left must not stand for a build that asks `.sqlx`.
        queries::make_macros_run_again(self.workspace)?;
        demo::build(self.workspace, progress)?;
        progress.loud_step("tests: compile", || {
            processes::run(&mut self.nextest(&["--no-run"]))?;
            Ok(Outcome::Done)
        })
    }

    /// Last, and its output last: the runner's own summary closes the command.
    fn tests(&mut self, progress: &mut Progress) -> Result<()> {
        // The runner does not show what a test that passes has to say.
        progress.step("public vectors", || Ok(vectors::are_there(self.workspace)))?;
        self.start_database(progress)?;
        let url = self.database_url()?;
        let mut command = self.nextest(&[]);
        command
            .args(&self.options.nextest)
            .env("DATABASE_URL", url)
            .envs(surroundings(self.workspace));
        processes::run(&mut command)
    }

    fn nextest(&self, arguments: &[&str]) -> Command {
        let mut command = self.workspace.cargo();
        command
            .args(["nextest", "run", "--workspace"])
            .args(arguments)
            .env("SQLX_OFFLINE", "true");
        command
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Outcome> {
        processes::run(self.workspace.cargo().args(arguments))?;
        Ok(Outcome::Done)
    }

    fn wasm(&self) -> Result<Wasm> {
        self.wasm
            .clone()
            .or_else(|| wasm::found(self.workspace))
            .context("there is no wasm target: run `cargo xtask test --only setup`")
    }

    fn start_database(&mut self, progress: &mut Progress) -> Result<()> {
        if self.database.is_some() {
            return Ok(());
        }
        progress.step("test database", || {
            self.database = Some(Database::start(self.workspace, Durability::Waived)?);
            Ok(Outcome::Done)
        })
    }

    fn database_url(&self) -> Result<String> {
        let database = self.database.as_ref();
        Ok(database.context("the test database is not running")?.url())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_were_asked_for_run_in_the_order_of_the_whole() {
        assert_eq!(
            plan(&[Step::Tests, Step::Setup, Step::Tests]),
            [Step::Setup, Step::Tests]
        );
        assert_eq!(plan(&[]), Step::ALL);
        assert!(Step::ALL.is_sorted());
    }

    #[test]
    fn every_step_is_listed_under_the_name_that_only_takes() {
        use clap::ValueEnum as _;
        for step in Step::ALL {
            let value = step.to_possible_value().unwrap();
            assert_eq!(value.get_name(), step.explained().0);
        }
    }
}
