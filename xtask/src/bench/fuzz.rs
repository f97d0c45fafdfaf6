//! `cargo xtask bench fuzz`: builds the fuzz targets so that they count where they went, and lets an engine look for bytes that break
//! a claim of theirs. Knows nothing of what they claim.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};

use super::Row;
use crate::processes::{self, interrupted};
use crate::progress::{Outcome, Progress, say, table};
use crate::workspace::Workspace;

/// Counters at every branch, comparisons as hints, on the stable compiler. Outside crates are counted, too: they parse for us.
const COUNTED: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// At once, where the machine does not say how many cores it has.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN;

/// An input that takes longer is a finding, seconds: the slowest honest one takes some milliseconds.
const LONGEST_S: u32 = 5;

/// Memory above this is a finding: no target holds more than a few megabytes of anything.
const MOST_MB: u32 = 768;

/// What one target's corpus may weigh in the repository.
const MOST_KEPT_BYTES: u64 = 80 * 1024;

/// How many inputs of the engine's are in it: a thousand small ones would be a burden to everybody who has a checkout.
const MOST_KEPT: usize = 40;

/// What the command line asked for.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FuzzOptions {
    /// Fuzzing: minutes for each target
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Fuzzing: these targets alone (may be repeated)
    #[arg(long)]
    only: Vec<String>,
    /// Fuzzing: so many targets at once, instead of one a core
    #[arg(long)]
    at_once: Option<NonZeroUsize>,
    /// Fuzzing: afterwards, take what is worth keeping into the committed corpora
    #[arg(long)]
    keep: bool,
}

impl FuzzOptions {
    fn at_once(&self) -> usize {
        let cores = || std::thread::available_parallelism().unwrap_or(AT_ONCE);
        self.at_once.unwrap_or_else(cores).get()
    }
}

/// What became of one target.
#[derive(Debug, Clone, Default, PartialEq)]
struct Done {
    target: String,
    executions: f64,
    per_second: f64,
    new_inputs: f64,
    covered: f64,
    findings: Vec<PathBuf>,
}

/// The folders and the program.
struct Bench<'a> {
    workspace: &'a Workspace,
    program: PathBuf,
    options: &'a FuzzOptions,
}

/// Fuzzes every target, prints what was tried, and fails at the end when something was found.
pub(super) fn run(
    workspace: &Workspace,
    options: &FuzzOptions,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let targets = targets(&corpora(workspace), &options.only)?;
    let triple = host()?;
    let folder = workspace.target.join("fuzz");
    progress.loud_step("fuzz targets: compile, counting", || {
        processes::run(&mut build(workspace, &folder, &triple))?;
        Ok(Outcome::Done)
    })?;
    let bench = Bench {
        workspace,
        program: folder.join(triple).join("debug/fuzz"),
        options,
    };
    let words = format!("{} targets, {} min each", targets.len(), options.minutes);
    let mut all = Vec::new();
    progress.loud_step(&format!("fuzz: {words}"), || {
        all = bench.all(&targets)?;
        Ok(Outcome::Done)
    })?;
    say(&format!("\n{}", shown(&all)));
    for done in all.iter().filter(|done| !done.findings.is_empty()) {
        say(&bench.how_to_replay(done));
    }
    if options.keep {
        for target in &targets {
            bench.keep(target)?;
        }
    }
    Ok(all.iter().flat_map(rows).collect())
}

fn corpora(workspace: &Workspace) -> PathBuf {
    workspace.root.join("e2e/fuzz/corpus")
}

/// Each has a corpus, which a test holds.
fn targets(corpora: &Path, only: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    let folders =
        std::fs::read_dir(corpora).with_context(|| format!("cannot read {}", corpora.display()))?;
    for folder in folders {
        all.push(folder?.file_name().to_string_lossy().into_owned());
    }
    all.sort();
    if let Some(unknown) = only.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    all.retain(|name| only.is_empty() || only.contains(name));
    Ok(all)
}

fn host() -> Result<String> {
    let said = processes::read(Command::new("rustc").arg("-vV"))?;
    let line = said.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned)
        .context("rustc does not say what machine this is")
}

/// In a folder of its own, lest the ordinary build be made anew. A named target keeps the counters out of build scripts.
fn build(workspace: &Workspace, folder: &Path, triple: &str) -> Command {
    let mut command = workspace.cargo();
    command
        .args(["build", "--package", "fuzz", "--features", "engine"])
        .args(["--target", triple, "--target-dir"])
        .arg(folder)
        .env("RUSTFLAGS", COUNTED.join(" "))
        .env("SQLX_OFFLINE", "true");
    command
}

impl Bench<'_> {
    /// Where a target's inputs, seeds and findings are.
    fn folder(&self, target: &str, name: &str) -> PathBuf {
        self.workspace
            .report("bench")
            .join("fuzz")
            .join(target)
            .join(name)
    }

    fn log(&self, target: &str) -> PathBuf {
        self.folder(target, "engine.log")
    }

    fn all(&self, targets: &[String]) -> Result<Vec<Done>> {
        let waiting: Mutex<VecDeque<&String>> = Mutex::new(targets.iter().collect());
        let next = || {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.pop_front().filter(|_| !interrupted())
        };
        let work = || -> Result<Vec<Done>> {
            let mut done = Vec::new();
            while let Some(target) = next() {
                done.push(self.one(target)?);
            }
            Ok(done)
        };
        let mut all = Vec::new();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.options.at_once())
                .map(|_| scope.spawn(work))
                .collect();
            for worker in workers {
                let done = worker.join();
                all.push(done.unwrap_or_else(|_panic| bail!("a worker panicked")));
            }
        });
        ensure!(!interrupted(), "interrupted");
        let all: Result<Vec<_>> = all.into_iter().collect();
        let mut all = all?.concat();
        all.sort_by(|one, two| one.target.cmp(&two.target));
        Ok(all)
    }

    /// Runs until the time is over or something is found.
    fn one(&self, target: &str) -> Result<Done> {
        for name in ["inputs", "seeds", "findings"] {
            let folder = self.folder(target, name);
            if name != "inputs" && folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            std::fs::create_dir_all(&folder)?;
        }
        let seconds = self.options.minutes * 60;
        let mut found = OsString::from("-artifact_prefix=");
        found.push(self.folder(target, "findings").join(""));
        let mut command = self.engine(target);
        command
            .env("FUZZ_SEEDS", self.folder(target, "seeds"))
            .arg(format!("-max_total_time={seconds}"))
            .args(["-print_final_stats=1", "-use_value_profile=1"])
            .arg(found)
            .arg(self.folder(target, "inputs"))
            .arg(self.folder(target, "seeds"))
            .arg(corpora(self.workspace).join(target));
        let ended = processes::run_logged(&mut command, &self.log(target));
        let mut findings = Vec::new();
        for finding in std::fs::read_dir(self.folder(target, "findings"))? {
            findings.push(finding?.path());
        }
        if findings.is_empty() {
            // It ended by itself, and not on an input.
            ended?;
        }
        let log = std::fs::read(self.log(target))?;
        let mut done = read(&String::from_utf8_lossy(&log));
        target.clone_into(&mut done.target);
        say(&format!("  {target}: {} executions", done.executions));
        Ok(Done { findings, ..done })
    }

    fn engine(&self, target: &str) -> Command {
        let mut command = self.workspace.command(&self.program);
        command
            .env("FUZZ_TARGET", target)
            .arg(format!("-timeout={LONGEST_S}"))
            .arg(format!("-rss_limit_mb={MOST_MB}"));
        command
    }

    fn how_to_replay(&self, done: &Done) -> String {
        let target = &done.target;
        let files = done.findings.iter();
        let lines = files.map(|file| {
            format!(
                "{target} breaks on {file}\n  replay it: FUZZ_TARGET={target} {program} {file}\n  keep it: copy it to \
                 e2e/fuzz/corpus/{target}/ under a name that says what it is; `cargo xtask test --only tests -- -E \
                 'package(fuzz)'` fails until it is mended",
                file = file.display(),
                program = self.program.display(),
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The smallest inputs that go wherever all of them went take the corpus's place. What has a name of its own stays.
    fn keep(&self, target: &str) -> Result<()> {
        let corpus = corpora(self.workspace).join(target);
        let merged = self.folder(target, "merged");
        if merged.exists() {
            std::fs::remove_dir_all(&merged)?;
        }
        std::fs::create_dir_all(&merged)?;
        let mut command = self.engine(target);
        command
            .arg("-merge=1")
            .args([&merged, &corpus, &self.folder(target, "inputs")]);
        processes::run_logged(&mut command, &self.folder(target, "merge.log"))?;
        for (file, _) in by_size(&corpus)? {
            if is_named_by_engine(&file) {
                std::fs::remove_file(file)?;
            }
        }
        let named: u64 = by_size(&corpus)?.iter().map(|(_, bytes)| bytes).sum();
        let mut left = MOST_KEPT_BYTES.saturating_sub(named);
        let mut new = by_size(&merged)?;
        new.retain(|(file, _)| is_named_by_engine(file));
        for (file, bytes) in spread(new, MOST_KEPT) {
            let name = file.file_name().context("a file without a name")?;
            if bytes <= left {
                left -= bytes;
                std::fs::copy(&file, corpus.join(name))?;
            }
        }
        Ok(())
    }
}

fn by_size(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        files.push((file.path(), file.metadata()?.len()));
    }
    files.sort_by(|one, two| (one.1, &one.0).cmp(&(two.1, &two.0)));
    Ok(files)
}

/// So many of them at most, from all over their order.
fn spread<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let count = all.len().max(1);
    let is_chosen =
        |place: usize| count <= most || place * most / count != (place + 1) * most / count;
    let numbered = all.into_iter().enumerate();
    numbered
        .filter(|(place, _)| is_chosen(*place))
        .map(|(_, one)| one)
        .collect()
}

/// The engine names inputs by their SHA-1.
fn is_named_by_engine(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the engine says at its end: counts, and on its last lines where it went.
fn read(log: &str) -> Done {
    let stat = |name: &str| {
        let line = log.lines().rev().find(|line| line.contains(name));
        let number = line.and_then(|line| line.rsplit(' ').next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0.0)
    };
    let went = log.lines().rev().find(|line| line.contains(" cov: "));
    let covered = went.and_then(|line| {
        let rest = line.split(" cov: ").nth(1)?;
        rest.split(' ').next()?.parse().ok()
    });
    Done {
        executions: stat("stat::number_of_executed_units:"),
        per_second: stat("stat::average_exec_per_sec:"),
        new_inputs: stat("stat::new_units_added:"),
        covered: covered.unwrap_or(0.0),
        ..Done::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of files")]
fn rows(done: &Done) -> Vec<Row> {
    let row = |metric: &str, unit: &str, value: f64| Row {
        case: done.target.clone(),
        metric: metric.to_owned(),
        unit: unit.to_owned(),
        value,
        reference: None,
        ratio: None,
    };
    vec![
        row("executions", "inputs", done.executions),
        row("executions_per_second", "inputs/s", done.per_second),
        row("new_inputs", "inputs", done.new_inputs),
        row("covered", "edges", done.covered),
        row("findings", "inputs", done.findings.len() as f64),
    ]
}

fn shown(all: &[Done]) -> String {
    let cells: Vec<Vec<String>> = all
        .iter()
        .map(|done| {
            let number = |value: f64| format!("{value:.0}");
            vec![
                done.target.clone(),
                number(done.executions),
                number(done.per_second),
                number(done.new_inputs),
                number(done.covered),
                done.findings.len().to_string(),
            ]
        })
        .collect();
    table(
        &[
            "target",
            "executions",
            "a second",
            "new inputs",
            "edges covered",
            "findings",
        ],
        &cells,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
#262144 pulse  cov: 1201 ft: 3300 corp: 210/18Kb lim: 389 exec/s: 131072 rss: 60Mb
#300001 DONE   cov: 1204 ft: 3311 corp: 214/19Kb lim: 389 exec/s: 4918 rss: 61Mb
Done 300001 runs in 61 second(s)
stat::number_of_executed_units: 300001
stat::average_exec_per_sec:     4918
stat::new_units_added:          37
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              61
";

    #[test]
    fn what_the_engine_said_at_its_end_is_read() {
        let done = read(LOG);

        let numbers = [
            done.executions,
            done.per_second,
            done.new_inputs,
            done.covered,
        ];
        let numbers = numbers.map(|number| format!("{number:.0}"));
        assert_eq!(numbers, ["300001", "4918", "37", "1204"]);
    }

    #[test]
    fn of_many_inputs_some_are_kept_from_the_smallest_to_the_largest() {
        let numbers = |count: usize| spread((0..count).collect(), 40);
        assert_eq!(numbers(5), [0, 1, 2, 3, 4]);
        assert!(numbers(0).is_empty());
        let some = numbers(1_000);
        assert_eq!((some.len(), some[0], some[39]), (40, 24, 999));
    }

    #[test]
    fn an_engine_that_died_has_tried_nothing() {
        assert_eq!(read("Killed\n"), Done::default());
    }

    #[test]
    fn a_finding_is_a_row_that_keeps_no_limit() {
        let done = Done {
            target: "cbor".to_owned(),
            findings: vec!["crash-1".into()],
            ..read(LOG)
        };

        let missed: Vec<_> = (rows(&done).iter())
            .filter(|row| super::super::is_missed(row))
            .map(|row| row.metric.clone())
            .collect();

        assert_eq!(missed, ["findings"]);
    }

    #[test]
    fn inputs_that_people_named_are_told_from_the_engines() {
        let by_engine = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert!(is_named_by_engine(Path::new(by_engine)));
        assert!(!is_named_by_engine(Path::new(
            "a_text_of_2_to_the_63_bytes"
        )));
    }

    #[test]
    fn a_target_that_nobody_knows_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cbor")).unwrap();

        let known = targets(folder.path(), &[]).unwrap();
        let unknown = targets(folder.path(), &["xml".to_owned()]).unwrap_err();

        assert_eq!(known, ["cbor"]);
        assert!(unknown.to_string().contains("no target xml"), "{unknown}");
    }
}
