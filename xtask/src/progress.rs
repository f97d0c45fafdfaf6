//! Tells what is happening: one line per step, and how long it took.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::Result;

/// How a step ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing had to be done.
    AlreadyThere,
    /// It was done; the time it took is worth knowing.
    Done,
    /// It was done, and there is one more thing to say.
    Noted(String),
}

/// A step that was run, kept for the closing table.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) time: Duration,
    pub(crate) passed: bool,
}

/// The running commentary of one command.
#[derive(Debug)]
pub(crate) struct Progress {
    lively: bool,
    taken: Vec<Taken>,
}

impl Progress {
    /// Rewrites the current line on a terminal; prints plain lines in CI and into files.
    pub(crate) fn new() -> Self {
        let ci = std::env::var("CI").is_ok_and(|value| value == "true");
        Self {
            lively: std::io::stdout().is_terminal() && !ci,
            taken: Vec::new(),
        }
    }

    /// A step whose work is silent: its name shows while it runs, then its line replaces it.
    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<Outcome>,
    ) -> Result<()> {
        if self.lively {
            write(&format!("  … {name}"));
        }
        let start = if self.lively { "\r\x1b[2K" } else { "" };
        self.measure(name, start, work)
    }

    /// A step whose children print: its name stands on a line of its own first.
    pub(crate) fn loud_step(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<Outcome>,
    ) -> Result<()> {
        say(&format!("→ {name}"));
        self.measure(name, "", work)
    }

    fn measure(
        &mut self,
        name: &str,
        start: &str,
        work: impl FnOnce() -> Result<Outcome>,
    ) -> Result<()> {
        let began = Instant::now();
        let result = work();
        let time = began.elapsed();

        let (mark, note) = match &result {
            Ok(Outcome::AlreadyThere) => ("✓", "already there".to_owned()),
            Ok(Outcome::Done) => ("✓", in_words(time)),
            Ok(Outcome::Noted(note)) => ("✓", format!("{note} · {}", in_words(time))),
            Err(_) => ("✗", in_words(time)),
        };
        say(&format!("{start}{mark} {name} · {note}"));
        // The table tells where the time went; what was there already took none.
        if !matches!(result, Ok(Outcome::AlreadyThere)) {
            self.taken.push(Taken {
                name: name.to_owned(),
                time,
                passed: result.is_ok(),
            });
        }
        result.map(drop)
    }

    /// Every step so far that had something to do.
    pub(crate) fn taken(&self) -> &[Taken] {
        &self.taken
    }
}

/// Prints one line to standard output.
#[expect(
    clippy::print_stdout,
    reason = "talking to the person who ran the command is this program's job"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stdout, reason = "as in `say`, without ending the line")]
fn write(text: &str) {
    print!("{text}");
    // A terminal that went away is noticed at the next line; nothing is lost by ignoring it here.
    drop(std::io::stdout().flush());
}

/// A duration as a person would say it: `0.4 s`, `2 min 05 s`.
pub(crate) fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 100 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// Where the time went, longest names aligned, failures marked.
pub(crate) fn time_table(taken: &[Taken]) -> String {
    let rows: Vec<Vec<String>> = taken
        .iter()
        .map(|step| {
            let mark = if step.passed { "" } else { "failed" };
            vec![step.name.clone(), in_words(step.time), mark.to_owned()]
        })
        .collect();
    table(&["step", "time", ""], &rows)
}

/// Lines up columns: the first to the left, the others to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, title)| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .chain([title.chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();

    let mut text = String::new();
    let head: Vec<String> = head.iter().map(|&title| title.to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let written = if column == 0 {
                write!(line, "{cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_its_columns() {
        let rows = vec![
            vec!["stop_p99".to_owned(), "9".to_owned()],
            vec!["é".to_owned(), "1200".to_owned()],
        ];

        let text = table(&["metric", "ms"], &rows);

        assert_eq!(text, "metric      ms\nstop_p99     9\né         1200\n");
    }

    #[test]
    fn a_failed_step_is_marked_in_the_table() {
        let taken = [
            Taken {
                name: "format".to_owned(),
                time: Duration::from_millis(400),
                passed: true,
            },
            Taken {
                name: "tests".to_owned(),
                time: Duration::from_secs(125),
                passed: false,
            },
        ];

        let text = time_table(&taken);

        assert_eq!(
            text,
            "step          time\nformat       0.4 s\ntests   2 min 05 s  failed\n"
        );
    }
}
