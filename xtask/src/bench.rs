//! `cargo xtask bench`: runs a measurement, prints its ratios, keeps them for scripts.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::console;
use crate::demo;
use crate::processes;
use crate::progress::{Outcome, Progress, say, table};
use crate::setup::{self, Purpose};
use crate::test::surroundings;
use crate::workspace::Workspace;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// Glass to glass, first frame, command round trip, agent cost
    Assist,
    /// Gateway and database killed under load: what is lost, doubled or reordered
    Kill,
    /// Random jobs, through the database and in memory
    Jobs,
    /// Every one of them
    All,
}

impl Name {
    fn measurements(self) -> &'static [&'static str] {
        match self {
            Self::Assist => &["assist"],
            Self::Kill => &["kill"],
            Self::Jobs => &["jobs"],
            Self::All => &["assist", "kill", "jobs"],
        }
    }
}

/// What the command line asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to measure
    #[arg(value_enum, default_value_t = Name::All)]
    name: Name,
    /// How often gateway and database are killed, instead of a hundred times
    #[arg(long)]
    rounds: Option<u32>,
}

/// One measured number. Scripts rely on these names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    case: String,
    metric: String,
    unit: String,
    value: f64,
    /// The same, of the reference run beside it; absent where there is none.
    reference: Option<f64>,
    /// Value by reference.
    #[serde(default)]
    ratio: Option<f64>,
}

/// What a value may be at most, by the name of its metric. Loopback, on the machine that measures.
const LIMITS: &[(&str, f64)] = &[
    ("glass_p95", 85.0),
    ("first_frame", 1_000.0),
    ("first_paint", 1_000.0),
    ("command_rtt_p95", 30.0),
    ("idle_uplink", 50.0),
];

#[derive(Serialize)]
struct Rows<'a> {
    rows: &'a [Row],
}

/// Measures, prints and keeps.
pub(crate) fn run(workspace: &Workspace, options: &Options, progress: &mut Progress) -> Result<()> {
    let wasm = setup::install(workspace, Purpose::Test, progress)?;
    demo::build(workspace, progress)?;
    console::build(workspace, &wasm, progress)?;
    progress.loud_step("measurements: compile", || {
        let mut command = workspace.cargo();
        // All packages, for the same reason as in `demo::build`.
        command
            .args(["build", "--workspace"])
            .args(["--bin", "e2e-bench"])
            .env("SQLX_OFFLINE", "true");
        processes::run(&mut command)?;
        Ok(Outcome::Done)
    })?;

    for name in options.name.measurements() {
        let output = workspace.report("bench").join(format!("{name}.jsonl"));
        progress.loud_step(&format!("measure {name}"), || {
            measure(workspace, name, options.rounds, &output)?;
            Ok(Outcome::Done)
        })?;
        let rows = parse(&std::fs::read_to_string(&output)?)?;
        std::fs::remove_file(&output)?;
        let kept = workspace.report("bench").join(format!("{name}.json"));
        std::fs::write(&kept, to_json(&rows)?)?;
        say(&format!(
            "\n{}\nmeasured with the dev profile, which optimises less than a release does\n{}",
            ratios(&rows),
            kept.display()
        ));
    }
    Ok(())
}

fn measure(workspace: &Workspace, name: &str, rounds: Option<u32>, output: &Path) -> Result<()> {
    if let Some(folder) = output.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut command = workspace.command(workspace.binaries().join("e2e-bench"));
    command.arg(name);
    if let Some(rounds) = rounds.filter(|_| name == "kill") {
        command.args(["--rounds", &rounds.to_string()]);
    }
    command
        .envs(surroundings(workspace))
        .stdout(std::fs::File::create(output)?);
    processes::run(&mut command)
}

/// One JSON object a line. The ratio is ours to add: rows come with what was measured.
fn parse(lines: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let mut row: Row =
            serde_json::from_str(line).with_context(|| format!("not a measured row: {line}"))?;
        row.ratio = row
            .reference
            .filter(|reference| *reference != 0.0)
            .map(|reference| row.value / reference);
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("nothing was measured");
    }
    Ok(rows)
}

fn to_json(rows: &[Row]) -> Result<String> {
    let mut text = serde_json::to_string_pretty(&Rows { rows })?;
    text.push('\n');
    Ok(text)
}

fn ratios(rows: &[Row]) -> String {
    let number = |value: f64| format!("{value:.2}");
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.case.clone(),
                row.metric.clone(),
                format!("{} {}", number(row.value), row.unit),
                row.reference.map_or_else(
                    || "–".to_owned(),
                    |value| format!("{} {}", number(value), row.unit),
                ),
                row.ratio.map_or_else(|| "–".to_owned(), number),
                judged(row),
            ]
        })
        .collect();
    table(
        &["case", "metric", "value", "reference", "ratio", "limit"],
        &cells,
    )
}

/// The limit, and whether it is kept. What could not be measured keeps none.
fn judged(row: &Row) -> String {
    let limit = LIMITS.iter().find(|(metric, _)| *metric == row.metric);
    limit.map_or_else(
        || "–".to_owned(),
        |(_, limit)| {
            let mark = if row.value <= *limit { "✓" } else { "✗" };
            format!("≤ {limit} {mark}")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"
{"case": "none", "metric": "glass_p95", "unit": "ms", "value": 60, "reference": 40}
{"case": "none", "metric": "first_frame", "unit": "ms", "value": 700.5, "reference": null}
"#;

    #[test]
    fn a_ratio_is_the_value_by_its_reference() {
        let rows = parse(LINES).unwrap();

        assert_eq!(rows[0].ratio, Some(1.5));
        assert_eq!(rows[1].ratio, None);
    }

    #[test]
    fn a_limit_stands_beside_its_value_with_whether_it_is_kept() {
        let judge = |metric: &str, value| {
            judged(&Row {
                case: "none".to_owned(),
                metric: metric.to_owned(),
                unit: "ms".to_owned(),
                value,
                reference: None,
                ratio: None,
            })
        };

        assert_eq!(judge("glass_p95", 85.0), "≤ 85 ✓");
        assert_eq!(judge("glass_p95", 85.1), "≤ 85 ✗");
        assert_eq!(judge("glass_p95", f64::NAN), "≤ 85 ✗");
        assert_eq!(judge("glass_p50", 40.0), "–");
    }

    #[test]
    fn what_is_kept_has_the_promised_shape() {
        let rows = parse(LINES).unwrap();

        let kept: serde_json::Value = serde_json::from_str(&to_json(&rows).unwrap()).unwrap();

        assert_eq!(
            kept["rows"][0],
            serde_json::json!({
                "case": "none", "metric": "glass_p95", "unit": "ms",
                "value": 60.0, "reference": 40.0, "ratio": 1.5
            })
        );
    }

    #[test]
    fn a_run_that_measured_nothing_has_failed() {
        assert!(parse("\n").is_err());
        assert!(parse("thread panicked").is_err());
    }
}
