//! `nooterra verify …`: checks evidence bundles at a terminal. Asks no server, reads no settings; the check itself is in `ledger`.

mod table;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use jobs::JobRules;
use ledger::verify::{
    BadKeys, KnownCheckpoint, KnownProof, Progress, Replay, Report, Trust, Verdict, Verification,
};
use protocol::views::ConsistencyView;
use serde::Serialize;
use trust::CaseRules;

/// A job's events and pictures are a few megabytes; what is larger than this is no bundle, and would fill the memory.
const MAX_BUNDLE_BYTES: u64 = 1 << 30;

/// Checks evidence bundles
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 every bundle holds, 1 one is broken, 2 something could not be judged.
Without --trust the keys are unchecked: those that came inside a bundle prove nothing.
KEYS has one key a line: `gateway <hex>`, `log <name+id+key>`, `witness <name+id+key>`; `#` begins a remark."
)]
pub struct Verify {
    /// Keys that you have from elsewhere than the bundle
    #[arg(long, value_name = "KEYS")]
    trust: Option<PathBuf>,
    /// A checkpoint of the log that you saw before, to learn whether it tells everybody the same
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The log's proof that one of the two trees begins with the other, as /api/v1/log/proof gives it
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    consistency: Option<PathBuf>,
    /// One JSON object a line for each bundle
    #[arg(long)]
    json: bool,
    /// Bundles, such as /api/v1/jobs/{id}/bundle gives them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    /// A file can't be read.
    #[error("{path} can't be read: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is beyond any bundle.
    #[error("{path} has more than {MAX_BUNDLE_BYTES} bytes")]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// The keys are none.
    #[error("{path}: {source}")]
    Keys {
        /// In which file.
        path: PathBuf,
        /// What is wrong.
        source: BadKeys,
    },
    /// There is not one key.
    #[error("{path} holds no key")]
    NoKeys {
        /// Which file.
        path: PathBuf,
    },
    /// The proof of consistency is none.
    #[error("{path} is not what /api/v1/log/proof answers")]
    Consistency {
        /// Which file.
        path: PathBuf,
    },
    /// Nobody reads what is found.
    #[error("the report can't be written: {0}")]
    Output(#[from] io::Error),
}

/// What was found in one file, and how long each step took.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    bytes: usize,
    #[serde(flatten)]
    report: Report,
    /// Of the steps, in their order.
    seconds: Vec<f64>,
}

/// Checks the bundles and writes what it finds to `out`. 0 when all of them hold, 1 when one is broken, 2 when one can't be judged.
pub fn run(task: &Verify, out: &mut impl Write) -> ExitCode {
    match verify(task, out) {
        Ok(worst) => ExitCode::from(worst),
        Err(unusable) => {
            say(&unusable);
            ExitCode::from(UNUSABLE)
        }
    }
}

const BROKEN: u8 = 1;
const UNUSABLE: u8 = 2;

fn verify(task: &Verify, out: &mut impl Write) -> Result<u8, Unusable> {
    let trust = trust_of(task)?;
    let mut worst = 0;
    for path in &task.files {
        match read(path) {
            Ok(bytes) => {
                let checked = check(path, &bytes, &trust);
                if checked.report.verdict == Verdict::NotIntact {
                    worst = worst.max(BROKEN);
                } else if checked.report.is_uncompared() {
                    worst = UNUSABLE;
                }
                show(&checked, task.json, out)?;
            }
            // The other files are judged all the same.
            Err(unusable) => {
                say(&unusable);
                worst = UNUSABLE;
            }
        }
    }
    Ok(worst)
}

fn trust_of(task: &Verify) -> Result<Trust, Unusable> {
    let mut trust = Trust::default();
    if let Some(path) = &task.trust {
        let path = path.clone();
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        trust = match Trust::parse(&text) {
            Ok(trust) if trust.gateway.is_empty() && trust.log.is_empty() => {
                return Err(Unusable::NoKeys { path });
            }
            Ok(trust) => trust,
            Err(source) => return Err(Unusable::Keys { path, source }),
        };
    }
    if let Some(path) = &task.checkpoint {
        trust.known = Some(KnownCheckpoint {
            // Bytes that are no text are no signed note either, and are found to be none.
            note: String::from_utf8_lossy(&read(path)?).into_owned(),
            proof: task.consistency.as_deref().map(consistency).transpose()?,
        });
    }
    Ok(trust)
}

fn consistency(path: &Path) -> Result<KnownProof, Unusable> {
    let view: Option<ConsistencyView> = serde_json::from_slice(&read(path)?).ok();
    view.and_then(|view| KnownProof::try_from(view).ok())
        .ok_or_else(|| Unusable::Consistency {
            path: path.to_owned(),
        })
}

fn read(path: &Path) -> Result<Vec<u8>, Unusable> {
    let failed = |source| Unusable::File {
        path: path.to_owned(),
        source,
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > MAX_BUNDLE_BYTES {
        let path = path.to_owned();
        return Err(Unusable::TooLarge { path });
    }
    fs::read(path).map_err(failed)
}

fn check(path: &Path, bytes: &[u8], trust: &Trust) -> Checked {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut jobs, mut cases) = (JobRules, CaseRules);
    let mut rules: [&mut dyn Replay; 2] = [&mut jobs, &mut cases];
    let mut verification = Verification::new(bytes, trust).on_threads(threads);
    let (mut seconds, mut begun) = (Vec::new(), Instant::now());
    loop {
        match verification.advance(&mut rules) {
            Progress::Working { .. } => {}
            Progress::Finished(_) => {
                seconds.push(begun.elapsed().as_secs_f64());
                begun = Instant::now();
            }
            Progress::Over => break,
        }
    }
    Checked {
        file: path.display().to_string(),
        bytes: bytes.len(),
        report: verification.into_report(),
        seconds,
    }
}

fn show(checked: &Checked, as_json: bool, out: &mut impl Write) -> Result<(), Unusable> {
    if as_json {
        serde_json::to_writer(&mut *out, checked).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        let seconds = checked.seconds.iter().copied().map(Duration::from_secs_f64);
        let text = table::text(&checked.file, &checked.report, &seconds.collect::<Vec<_>>());
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "what keeps a command from its answer is said beside the answers"
)]
fn say(unusable: &Unusable) {
    eprintln!("nooterra: {unusable}");
}
