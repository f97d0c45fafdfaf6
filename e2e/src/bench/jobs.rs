//! Random jobs, in memory and through the private PostgreSQL of an installation: how fast, and whether any went wrong.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use e2e::stack::Stack;
use ed25519_dalek::SigningKey;
use jobs::{
    stored_walk::{self, Course},
    walk,
};
use protocol::{
    RobotId,
    event::ActorEvent,
    sealed::{self, Kind},
};
use spine::Signer;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;

use crate::{Row, count};

/// Walks through the database at a time: as many as a gateway has connections, half of which wait for the disk.
const WALKERS: u32 = 8;

/// Proposals at one moment, which share a transaction. What is tried is what is stored, not how often the disk is waited for.
const AT_ONCE: u32 = 100;

#[expect(clippy::print_stderr, reason = "a fault is told where it is found")]
fn is_sound<T, E: std::fmt::Display>(walked: &std::result::Result<T, E>) -> bool {
    match walked {
        Ok(_tally) => true,
        Err(fault) => {
            eprintln!("{fault}");
            false
        }
    }
}

/// Transitions in memory, on all cores.
pub(crate) fn measure_pure(transitions: u64) -> Result<Vec<Row>> {
    let threads = thread::available_parallelism()?.get();
    let share = transitions.div_ceil(u64::try_from(threads)?);
    let began = Instant::now();
    let walks: Vec<_> = (1..=u64::try_from(threads)?)
        .map(|seed| thread::spawn(move || walk::run(seed, share)))
        .collect();
    let (mut done, mut invalid) = (0, 0);
    for walk in walks {
        let walked = walk.join().map_err(|_panic| anyhow!("a walk broke off"))?;
        invalid += usize::from(!is_sound(&walked));
        done += walked.map_or(0, |tally| tally.transitions);
    }
    rows("pure", done, invalid, began.elapsed())
}

/// Transitions through the database, as the application's role.
pub(crate) async fn measure_stored(transitions: u64) -> Result<Vec<Row>> {
    let stack = Stack::alone(1).await?;
    let pool = PgPoolOptions::new()
        .max_connections(WALKERS)
        .connect(&stack.ready.database_url)
        .await?;
    let signer = Arc::new(Signer::new(SigningKey::from_bytes(&[1; 32])));
    let share = transitions.div_ceil(u64::from(WALKERS));
    let began = Instant::now();
    let mut walks = JoinSet::new();
    for seed in 1..=u64::from(WALKERS) {
        let (pool, signer) = (pool.clone(), Arc::clone(&signer));
        let course = Course {
            seed,
            transitions: share,
            at_once: AT_ONCE,
        };
        // Each walk has robots of its own, by the names of others too.
        let hand = move |robot: RobotId, event: &ActorEvent| {
            let mut key = [0; 32];
            key[..16].copy_from_slice(robot.0.as_bytes());
            key[16..24].copy_from_slice(&seed.to_be_bytes());
            sealed::seal(Kind::Event, event, &SigningKey::from_bytes(&key))
        };
        walks.spawn(async move { stored_walk::run(&pool, &signer, &hand, course).await });
    }
    let (mut done, mut invalid) = (0, 0);
    while let Some(walked) = walks.join_next().await {
        let walked = walked?;
        invalid += usize::from(!is_sound(&walked));
        done += walked.map_or(0, |tally| tally.transitions);
    }
    rows("stored", done, invalid, began.elapsed())
}

fn rows(case: &'static str, done: u64, invalid: usize, took: Duration) -> Result<Vec<Row>> {
    let done = count(usize::try_from(done)?);
    let row = |metric, unit, value| Row {
        case,
        ..Row::new(metric, unit, value)
    };
    Ok(vec![
        row("transitions", "events", done),
        row("speed", "events/s", done / took.as_secs_f64()),
        row("invalid", "walks", count(invalid)),
    ])
}
