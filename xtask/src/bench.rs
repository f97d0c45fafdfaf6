//! `cargo xtask bench`: runs a measurement, prints its ratios, keeps them for scripts.

mod fuzz;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::console;
use crate::demo;
use crate::processes;
use crate::progress::{Outcome, Progress, say, table};
use crate::setup::{self, Purpose};
use crate::test::{Database, Durability, surroundings};
use crate::workspace::Workspace;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    /// Glass to glass, first frame, command round trip, agent cost; with --impair, driving over such links
    Assist,
    /// Events and whole jobs recorded per second, in process and over the API, with a thousand and with a million events;
    /// sequencing, proofs, verification
    Log,
    /// Gateway and database killed under load: what is lost, doubled or reordered
    Kill,
    /// Random jobs, through the database and in memory
    Jobs,
    /// Any bytes at every parser that faces the network; takes hours
    Fuzz,
    /// Every one of them but fuzzing
    All,
}

impl Name {
    fn measurements(self) -> &'static [&'static str] {
        match self {
            Self::Assist => &["assist"],
            Self::Log => &["log"],
            Self::Kill => &["kill"],
            Self::Jobs => &["jobs"],
            Self::Fuzz => &[],
            Self::All => &["assist", "log", "kill", "jobs"],
        }
    }

    /// Whether people look at it, so that it takes the console.
    const fn is_of_the_whole(self) -> bool {
        matches!(self, Self::Assist | Self::All)
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
    /// With assist: what the robot's link is like while somebody drives it. May be given several times; Linux, as root
    #[arg(long, value_name = "LINK", value_parser = LINKS)]
    impair: Vec<String>,
    #[command(flatten)]
    fuzz: fuzz::FuzzOptions,
}

/// What a robot's link may be like.
const LINKS: [&str; 7] = [
    "none",
    "wifi",
    "4g",
    "satellite",
    "lossy",
    "blackhole",
    "all",
];

impl Options {
    /// Arguments of a measurement beside its name.
    fn arguments_of(&self, name: &str) -> Vec<String> {
        match name {
            "assist" => (self.impair.iter())
                .flat_map(|link| ["--impair".to_owned(), link.clone()])
                .collect(),
            "kill" => (self.rounds.iter())
                .flat_map(|rounds| ["--rounds".to_owned(), rounds.to_string()])
                .collect(),
            _ => Vec::new(),
        }
    }

    /// What its rows are kept as.
    fn kept_as(&self, name: &str) -> String {
        if name == "assist" && !self.impair.is_empty() {
            format!("{name}-impaired")
        } else {
            name.to_owned()
        }
    }
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

/// What a row may show.
#[derive(Debug, Clone, Copy)]
enum Limit {
    /// The value at most.
    AtMost(f64),
    /// The same, where nothing is the matter with the link.
    Clear(f64),
    /// The value at least.
    AtLeast(f64),
    /// What is aimed at: the value at least, on a machine that does nothing else.
    Aim(f64),
    /// The ratio at least, in this case alone.
    Ratio(&'static str, f64),
}

/// Limits by the name of the metric. Loopback, on the machine that measures, but for those that hold whatever the link is like.
const LIMITS: &[(&str, Limit)] = &[
    ("glass_p95", Limit::Clear(85.0)),
    ("first_frame", Limit::AtMost(1_000.0)),
    ("first_paint", Limit::AtMost(1_000.0)),
    ("command_rtt_p95", Limit::Clear(30.0)),
    ("idle_uplink", Limit::AtMost(50.0)),
    ("stop_p99", Limit::AtMost(300.0)),
    ("stop_black_holed_p99", Limit::AtMost(300.0)),
    ("stop_stalled_p99", Limit::AtMost(300.0)),
    ("stop_gateway_killed_p99", Limit::AtMost(300.0)),
    ("revoke_p99", Limit::Clear(1_000.0)),
    ("late", Limit::AtMost(0.0)),
    ("signed_command_p95", Limit::Clear(5.0)),
    ("append", Limit::Ratio("different_streams", 0.5)),
    ("append_by_1", Limit::Ratio("different_streams", 0.5)),
    ("append_by_32", Limit::Ratio("different_streams", 0.5)),
    ("checkpoint_lag", Limit::AtMost(1.0)),
    ("checkpoint_lag_at_1m", Limit::AtMost(1.0)),
    ("lifecycles_per_second", Limit::Aim(300.0)),
    ("proof_p50", Limit::AtMost(1.0)),
    ("verify", Limit::AtLeast(20_000.0)),
    ("findings", Limit::AtMost(0.0)),
];

#[derive(Serialize)]
struct Rows<'a> {
    rows: &'a [Row],
}

/// Measures, prints and keeps. Fails at the end when a limit was not kept; what is only aimed at may be missed.
pub(crate) fn run(workspace: &Workspace, options: &Options, progress: &mut Progress) -> Result<()> {
    let wasm = setup::install(workspace, Purpose::Test, progress)?;
    if options.name == Name::Fuzz {
        let rows = fuzz::run(workspace, &options.fuzz, progress)?;
        keep(workspace, "fuzz", &rows)?;
        return refuse(rows.iter().filter(|row| is_missed(row)));
    }
    demo::build(workspace, progress)?;
    if options.name.is_of_the_whole() {
        console::build(workspace, &wasm, progress)?;
    }
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

    let mut missed = Vec::new();
    for name in options.name.measurements() {
        let kept_as = options.kept_as(name);
        let output = workspace.report("bench").join(format!("{kept_as}.jsonl"));
        progress.loud_step(&format!("measure {kept_as}"), || {
            measure(workspace, name, &options.arguments_of(name), &output)?;
            Ok(Outcome::Done)
        })?;
        let rows = parse(&std::fs::read_to_string(&output)?)?;
        std::fs::remove_file(&output)?;
        say(&format!("\n{}", ratios(&rows)));
        keep(workspace, &kept_as, &rows)?;
        missed.extend(rows.into_iter().filter(is_missed));
    }
    refuse(missed.iter())
}

/// For scripts.
fn keep(workspace: &Workspace, name: &str, rows: &[Row]) -> Result<()> {
    let kept = workspace.report("bench").join(format!("{name}.json"));
    std::fs::write(&kept, to_json(rows)?)?;
    say(&format!(
        "measured with the dev profile, which optimises less than a release does\n{}",
        kept.display()
    ));
    Ok(())
}

/// Fails when a limit was not kept.
fn refuse<'a>(missed: impl Iterator<Item = &'a Row>) -> Result<()> {
    let words: Vec<_> = missed
        .map(|row| {
            let judgement = judged(row);
            format!(
                "{} ({}): {:.2} {}, {judgement}",
                row.metric, row.case, row.value, row.unit
            )
        })
        .collect();
    if !words.is_empty() {
        bail!("limits that were not kept:\n{}", words.join("\n"));
    }
    Ok(())
}

fn measure(workspace: &Workspace, name: &str, arguments: &[String], output: &Path) -> Result<()> {
    if let Some(folder) = output.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut command = workspace.command(workspace.binaries().join("e2e-bench"));
    command.arg(name).args(arguments);
    // What is measured beside the disk must wait for the disk.
    let database = (name == "log")
        .then(|| Database::start(workspace, Durability::Kept))
        .transpose()?;
    if let Some(database) = &database {
        command.env("E2E_DATABASE_URL", database.url());
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

/// The limit of a row, if it has one.
fn limit_of(row: &Row) -> Option<Limit> {
    let limit = LIMITS.iter().find(|(metric, limit)| {
        let is_of_another_case = match limit {
            Limit::Ratio(case, _) => *case != row.case,
            Limit::Clear(_) => row.case != "none",
            Limit::AtMost(_) | Limit::AtLeast(_) | Limit::Aim(_) => false,
        };
        *metric == row.metric && !is_of_another_case
    });
    limit.map(|(_, limit)| *limit)
}

impl Limit {
    /// What could not be measured keeps none.
    fn is_kept(self, row: &Row) -> bool {
        match self {
            Self::AtMost(most) | Self::Clear(most) => row.value <= most,
            Self::AtLeast(least) | Self::Aim(least) => row.value >= least,
            Self::Ratio(_, least) => row.ratio.is_some_and(|ratio| ratio >= least),
        }
    }
}

/// Whether the row misses what is more than an aim.
fn is_missed(row: &Row) -> bool {
    limit_of(row).is_some_and(|limit| !matches!(limit, Limit::Aim(_)) && !limit.is_kept(row))
}

/// The limit, and whether it is kept.
fn judged(row: &Row) -> String {
    let Some(limit) = limit_of(row) else {
        return "–".to_owned();
    };
    let words = match limit {
        Limit::AtMost(most) | Limit::Clear(most) => format!("≤ {most}"),
        Limit::AtLeast(least) => format!("≥ {least}"),
        Limit::Aim(least) => format!("aim ≥ {least}"),
        Limit::Ratio(_, least) => format!("ratio ≥ {least}"),
    };
    let mark = if limit.is_kept(row) { "✓" } else { "✗" };
    format!("{words} {mark}")
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
        assert_eq!(judge("verify", 20_000.0), "≥ 20000 ✓");
        assert_eq!(judge("verify", 19_999.0), "≥ 20000 ✗");
        assert_eq!(judge("lifecycles_per_second", 300.0), "aim ≥ 300 ✓");
        assert_eq!(judge("lifecycles_per_second", 299.9), "aim ≥ 300 ✗");
        assert_eq!(judge("lifecycles_per_second_by_1", 20.0), "–");
        assert_eq!(judge("lifecycles_at_1m", 20.0), "–");
    }

    #[test]
    fn a_limit_that_is_not_kept_fails_the_run_and_an_aim_does_not() {
        let is_missed = |metric: &str, value| {
            is_missed(&Row {
                case: "none".to_owned(),
                metric: metric.to_owned(),
                unit: "ms".to_owned(),
                value,
                reference: None,
                ratio: None,
            })
        };

        assert!(is_missed("glass_p95", 85.1));
        assert!(is_missed("glass_p95", f64::NAN));
        assert!(!is_missed("glass_p95", 85.0));
        assert!(!is_missed("lifecycles_per_second", 1.0));
        assert!(!is_missed("glass_p50", 1_000.0));
    }

    #[test]
    fn some_limits_hold_on_any_link_and_others_on_a_clear_one() {
        let judge = |case: &str, metric: &str| {
            judged(&Row {
                case: case.to_owned(),
                metric: metric.to_owned(),
                unit: "ms".to_owned(),
                value: 2_000.0,
                reference: None,
                ratio: None,
            })
        };

        assert_eq!(judge("none", "revoke_p99"), "≤ 1000 ✗");
        assert_eq!(judge("satellite", "revoke_p99"), "–");
        assert_eq!(judge("none", "stop_p99"), "≤ 300 ✗");
        assert_eq!(judge("satellite", "stop_p99"), "≤ 300 ✗");
    }

    #[test]
    fn a_limit_of_a_ratio_is_for_its_case_alone() {
        let judge = |case: &str, ratio| {
            judged(&Row {
                case: case.to_owned(),
                metric: "append".to_owned(),
                unit: "events/s".to_owned(),
                value: 7.0,
                reference: Some(7.0),
                ratio,
            })
        };

        assert_eq!(judge("different_streams", Some(0.5)), "ratio ≥ 0.5 ✓");
        assert_eq!(judge("different_streams", Some(0.49)), "ratio ≥ 0.5 ✗");
        assert_eq!(judge("different_streams", None), "ratio ≥ 0.5 ✗");
        assert_eq!(judge("one_stream", Some(0.1)), "–");
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
