//! Events a second of the verification that anybody makes of a bundle: every step of it, on every core.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use jobs::JobRules;
use ledger::verify::{Progress, StepName, Trust, Verdict, Verification};
use protocol::JobId;
use uuid::Uuid;

use super::book::Book;
use crate::{Row, per_second, progress};

/// Jobs whose bundles are verified: together some thirty thousand events.
const JOBS: u128 = 3;

/// Turns through all of the bundles.
const TURNS: usize = 3;

pub(super) fn measure() -> Result<Vec<Row>> {
    progress("writing bundles");
    let mut book = Book::new()?;
    let jobs: Vec<JobId> = (1..=JOBS).map(|job| JobId(Uuid::from_u128(job))).collect();
    for job in &jobs {
        book.record_job(*job)?;
    }
    let trust = book.trust()?;
    let bundles = book.bundles(&jobs)?;
    let cores = std::thread::available_parallelism()?.get();
    Ok(vec![
        Row::new("verify", "events/s", rate(&bundles, &trust, cores, TURNS)?),
        Row::new(
            "verify_on_one_core",
            "events/s",
            rate(&bundles, &trust, 1, 1)?,
        ),
    ])
}

/// How much there was to verify, and where the time went.
#[derive(Default)]
struct Taken {
    events: usize,
    bytes: usize,
    whole: Duration,
    steps: Vec<(StepName, Duration)>,
}

fn rate(bundles: &[Vec<u8>], trust: &Trust, threads: usize, turns: usize) -> Result<f64> {
    let mut taken = Taken::default();
    for bundle in bundles.iter().cycle().take(bundles.len() * turns) {
        verify(bundle, trust, threads, &mut taken)?;
    }
    let mut words = format!(
        "verified {} events in {} MB on {threads} threads:",
        taken.events,
        taken.bytes >> 20
    );
    for (step, took) in &taken.steps {
        if took.as_millis() > 0 {
            write!(words, " {} {} ms,", step.title(), took.as_millis())?;
        }
    }
    progress(words.trim_end_matches(','));
    Ok(per_second(taken.events, taken.whole))
}

/// As `nooterra verify` does it.
fn verify(bundle: &[u8], trust: &Trust, threads: usize, taken: &mut Taken) -> Result<()> {
    let mut rules = JobRules;
    let began = Instant::now();
    let mut step_began = began;
    let mut verification = Verification::new(bundle, trust).on_threads(threads);
    loop {
        match verification.advance(&mut [&mut rules]) {
            Progress::Working { .. } => {}
            Progress::Finished(step) => {
                let now = Instant::now();
                let took = now - step_began;
                step_began = now;
                match taken.steps.iter_mut().find(|(known, _)| *known == step) {
                    Some((_, so_far)) => *so_far += took,
                    None => taken.steps.push((step, took)),
                }
            }
            Progress::Over => break,
        }
    }
    let report = verification.into_report();
    taken.whole += began.elapsed();
    ensure!(
        report.verdict == Verdict::Intact,
        "a bundle is not intact: {:?}",
        report.first_failure()
    );
    taken.events += report.facts.context("a bundle without a manifest")?.entries;
    taken.bytes += bundle.len();
    Ok(())
}
