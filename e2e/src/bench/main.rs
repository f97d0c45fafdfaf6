//! `e2e-bench assist`: what an operator feels, in numbers, also over bad links; `log`: how fast the log is; `kill`: what survives; `jobs`: whether
//! random jobs stay valid. Prints one JSON object per measured value.

mod commands;
mod cost;
#[cfg(target_os = "linux")]
mod impaired;
mod jobs;
mod kill;
mod log;
mod pictures;
mod processor;

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use serde::Serialize;
use tokio::runtime::Runtime;

/// Measures the real system.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    name: Name,
}

#[derive(Debug, Subcommand)]
enum Name {
    /// Pictures, commands and what they cost; or driving, over links like these.
    Assist {
        /// What the robot's link is like. May be given several times.
        #[cfg(target_os = "linux")]
        #[arg(long, value_enum)]
        impair: Vec<impaired::Impair>,
    },
    /// Recording, sequencing, proving and checking events.
    Log {
        /// This part alone; several, when given several times.
        #[arg(long, value_enum)]
        only: Vec<log::Part>,
        /// How many events the log has when it is measured again.
        #[arg(long, default_value_t = 1_000_000)]
        grown: i64,
    },
    /// The gateway and its database killed under load.
    Kill {
        /// How often.
        #[arg(long, default_value_t = 100)]
        rounds: usize,
    },
    /// Random jobs, through the database and in memory.
    Jobs {
        /// Transitions through the database.
        #[arg(long, default_value_t = 1_000_000)]
        stored: u64,
        /// Transitions in memory.
        #[arg(long, default_value_t = 100_000_000)]
        pure: u64,
    },
}

/// One measured value, with the same of the reference run beside it where there is one.
#[derive(Debug, Clone, Copy, Serialize)]
struct Row {
    case: &'static str,
    metric: &'static str,
    unit: &'static str,
    value: f64,
    reference: Option<f64>,
}

impl Row {
    const fn new(metric: &'static str, unit: &'static str, value: f64) -> Self {
        Self {
            case: "none",
            metric,
            unit,
            value,
            reference: None,
        }
    }

    const fn of(self, case: &'static str) -> Self {
        Self { case, ..self }
    }

    const fn beside(self, reference: f64) -> Self {
        Self {
            reference: Some(reference),
            ..self
        }
    }
}

#[expect(clippy::print_stdout, reason = "the rows are what this program is for")]
fn print(rows: &[Row]) -> Result<()> {
    for row in rows {
        println!("{}", serde_json::to_string(row)?);
    }
    Ok(())
}

/// Says what takes a while, beside the rows.
#[expect(
    clippy::print_stderr,
    reason = "who waits for minutes wants to know what for"
)]
fn progress(words: &str) {
    eprintln!("  {words}");
}

/// The value below which `share` of the samples lie.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a few thousand samples"
)]
fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * share) as usize;
    sorted
        .get(index.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a few million, shown with two decimals"
)]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of some millions, to be read"
)]
const fn count(number: usize) -> f64 {
    number as f64
}

/// Fails when something was counted that must not be.
fn none_of(rows: &[Row], metrics: &[&str]) -> Result<()> {
    for row in rows.iter().filter(|row| metrics.contains(&row.metric)) {
        ensure!(
            row.value == 0.0,
            "{} {} {}",
            row.value,
            row.unit,
            row.metric
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let name = Arguments::parse().name;
    // Before there is another thread: each stays in the network in which it was made.
    #[cfg(target_os = "linux")]
    if let Name::Assist { impair } = &name
        && !impair.is_empty()
    {
        let ground = impaired::Ground::lay()?;
        return Runtime::new()?.block_on(impaired::measure(&ground, impair));
    }
    Runtime::new()?.block_on(measure(name))
}

async fn measure(name: Name) -> Result<()> {
    match name {
        Name::Assist { .. } => {
            print(&pictures::measure().await?)?;
            print(&commands::measure().await?)?;
            print(&cost::measure().await?)
        }
        Name::Log { only, grown } => log::measure(&only, grown).await,
        Name::Kill { rounds } => {
            let rows = kill::measure(rounds).await?;
            print(&rows)?;
            none_of(&rows, &["lost", "doubled", "reordered"])
        }
        Name::Jobs { stored, pure } => {
            let mut rows = jobs::measure_stored(stored).await?;
            rows.extend(jobs::measure_pure(pure)?);
            print(&rows)?;
            none_of(&rows, &["invalid"])
        }
    }
}
