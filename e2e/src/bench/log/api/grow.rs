//! Fills an installation's log with other people's events, as fast as it goes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use protocol::{OrganisationId, RobotId, event::robot_stream};
use spine::{Tx, log::latest_checkpoint};
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Installation, usage::Usage};
use crate::{
    log::{append::order, events, gateway, now},
    progress,
};

/// Writers at once: what they seal keeps a core busy each, what they write another.
const WRITERS: u128 = 2;

/// Events of one transaction.
const BATCH: i64 = 1_000;

/// Streams that one writer's events are spread over.
const STREAMS: i64 = 100;

/// Nobody of the installation.
const ELSEWHERE: OrganisationId = OrganisationId(Uuid::from_u128(77));

/// How often it is looked whether all is done, and how often that is told.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const TELL_EVERY: Duration = Duration::from_secs(10);

/// The sequencer takes a million leaves in less; what is not done by then is stuck.
const SEQUENCED_WITHIN: Duration = Duration::from_mins(4);

/// Followers, checkpoints and vacuums are over by then, or go on for ever.
const AT_REST_WITHIN: Duration = Duration::from_mins(1);

/// Grows the log to so many events and waits until the installation is done with them.
pub(super) async fn to(installation: &Installation, owner: &PgPool, size: i64) -> Result<()> {
    let app = &installation.app;
    let missing = size - events(app).await?;
    let began = Instant::now();
    if missing > 0 {
        write(app, missing).await?;
    }
    let written = began.elapsed();
    let all = events(app).await?;
    sequenced(app, u64::try_from(all)?).await?;
    let sequenced = began.elapsed();
    // As autovacuum would have done meanwhile, had the log grown over weeks.
    for table in ["event", "stream_head", "leaf", "tile"] {
        owner
            .execute(AssertSqlSafe(format!("VACUUM ANALYZE spine.{table}")))
            .await?;
    }
    owner.execute("CHECKPOINT").await?;
    rest(installation).await?;
    progress(&format!(
        "the log has {all} events: {missing} written in {} s, sequenced after {} s, at rest after {} s",
        written.as_secs(),
        sequenced.as_secs(),
        began.elapsed().as_secs()
    ));
    Ok(())
}

async fn write(app: &PgPool, missing: i64) -> Result<()> {
    let left = Arc::new(AtomicI64::new(missing));
    let mut at_work = JoinSet::new();
    for writer in 0..WRITERS {
        at_work.spawn(fill(app.clone(), writer, Arc::clone(&left)));
    }
    let mut told_at = Instant::now();
    loop {
        let ended = tokio::time::timeout(LOOK_EVERY, at_work.join_next()).await;
        match ended {
            Ok(Some(ended)) => ended??,
            Ok(None) => return Ok(()),
            Err(_at_work) => {}
        }
        if told_at.elapsed() >= TELL_EVERY {
            told_at = Instant::now();
            let left = left.load(Ordering::Relaxed).max(0);
            progress(&format!("the log grows: {left} events to go"));
        }
    }
}

async fn fill(app: PgPool, writer: u128, left: Arc<AtomicI64>) -> Result<()> {
    let signer = gateway();
    let robots: Vec<RobotId> = (0..STREAMS)
        .map(|robot| {
            let number = (writer << 64) + u128::try_from(robot)?;
            Ok(RobotId(Uuid::from_u128((0xbe << 120) + number)))
        })
        .collect::<Result<_>>()?;
    loop {
        let mine = left.fetch_sub(BATCH, Ordering::Relaxed).min(BATCH);
        if mine <= 0 {
            return Ok(());
        }
        let mut tx = Tx::begin(&app);
        for (number, robot) in (0..mine).zip(robots.iter().cycle()) {
            let payload = order(*robot, u64::try_from(number)?);
            tx.record(robot_stream(*robot), ELSEWHERE, None, None, payload);
        }
        tx.commit(&signer, now()).await?;
    }
}

/// Waits until the log's tree has so many leaves.
async fn sequenced(app: &PgPool, all: u64) -> Result<()> {
    let began = Instant::now();
    let mut told_at = began;
    loop {
        let checkpoint = latest_checkpoint(app).await?;
        let size = checkpoint.context("there is no checkpoint")?.tree.size;
        if size >= all {
            return Ok(());
        }
        ensure!(
            began.elapsed() < SEQUENCED_WITHIN,
            "{} events have no leaf",
            all - size
        );
        if told_at.elapsed() >= TELL_EVERY {
            told_at = Instant::now();
            progress(&format!("{} events wait for their leaves", all - size));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until nobody works on the new events any more: whoever follows the log has read them.
async fn rest(installation: &Installation) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < AT_REST_WITHIN {
        let before = Usage::of(&installation.stack)?;
        tokio::time::sleep(LOOK_EVERY * 2).await;
        let now = Usage::of(&installation.stack)?;
        match (before, now) {
            (Some(before), Some(now)) if !now.is_rest(&before) => {}
            _ => return Ok(()),
        }
    }
    progress("the installation does not come to rest; what follows shares the machine with it");
    Ok(())
}
