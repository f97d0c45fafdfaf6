//! A report for a terminal: what the bundle says it is, a line for each step, and the verdict last, where the eye is.

use std::{fmt::Write as _, time::Duration};

use ledger::verify::{Facts, Outcome, Report, Step, Verdict};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// `seconds` are those of the steps, in their order.
pub(super) fn text(file: &str, report: &Report, seconds: &[Duration]) -> String {
    let mut text = format!("{file}\n");
    if let Some(facts) = &report.facts {
        text.push_str(&about(facts));
    }
    for (index, step) in report.steps.iter().enumerate() {
        let took = seconds.get(index).copied().unwrap_or_default();
        text.push_str(&line(step, took));
    }
    text.push_str(&verdict(report));
    text.push('\n');
    text
}

fn about(facts: &Facts) -> String {
    let mut text = format!("  job {}", facts.job);
    for case in &facts.cases {
        // Writing into a string can't fail.
        let _written = write!(text, ", case {case}");
    }
    let moment = i128::from(facts.exported_at.0) * 1_000;
    let exported = OffsetDateTime::from_unix_timestamp_nanos(moment)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok());
    if let Some(exported) = exported {
        let _written = write!(text, ", exported {exported}");
    }
    text.push('\n');
    text
}

fn line(step: &Step, took: Duration) -> String {
    let mark = match step.outcome {
        Outcome::Passed => "pass",
        Outcome::Weak => "weak",
        Outcome::Skipped => "skip",
        Outcome::Failed => "FAIL",
    };
    let milliseconds = took.as_secs_f64() * 1_000.0;
    let mut text = format!(
        "  {:>2}  {mark}  {:<17}  {:<18}  {milliseconds:>8.1} ms  {}\n",
        step.name.number(),
        step.name.title(),
        step.summary,
        step.detail
    );
    // The first is the line's own detail.
    for failure in step.failures.iter().skip(1) {
        let _written = writeln!(text, "            also {failure}");
    }
    let unnamed = step.failed - step.failures.len();
    if unnamed > 0 {
        let _written = writeln!(text, "            and {unnamed} more");
    }
    text
}

fn verdict(report: &Report) -> String {
    match report.verdict {
        Verdict::Intact if report.is_uncompared() => {
            "intact under keys you trust, but not compared with your checkpoint: see step 6\n"
                .to_owned()
        }
        Verdict::Intact => "intact: everything holds under keys you trust\n".to_owned(),
        Verdict::KeysUnchecked => {
            let keys = report.facts.as_ref().map(keys).unwrap_or_default();
            format!(
                "keys unchecked: the bundle agrees with itself, under keys that came inside it. Anybody can make such a \
                 bundle.\nCompare these with the keys you were given, and pass them with --trust:\n{keys}"
            )
        }
        Verdict::NotIntact => report.first_failure().map_or_else(
            || "NOT INTACT\n".to_owned(),
            |(step, failure)| {
                let (number, title) = (step.name.number(), step.name.title());
                let meaning = failure.fault.meaning();
                format!("NOT INTACT: step {number}, {title}: {failure}\n{meaning}\n")
            },
        ),
    }
}

/// As a file of trusted keys has them.
fn keys(facts: &Facts) -> String {
    let mut text = String::new();
    for key in &facts.gateway_keys {
        let _written = writeln!(text, "gateway {key}");
    }
    let _written = writeln!(text, "log {}", facts.log_key);
    text
}
