//! Events checked a second, as whoever reads a bundle does: each signature, each chain, on every core.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use ledger::log::{Entry, Head, entry_hash};
use protocol::{
    event::ActorEvent,
    sealed::{self, Kind},
};
use sqlx::PgPool;

use super::gateway;
use crate::{Row, per_second};

/// Enough for a second or so.
const EVENTS: i64 = 40_000;

pub(super) async fn measure(app: &PgPool) -> Result<Row> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT stream, entry FROM spine.event WHERE sequence <= $1 ORDER BY stream, stream_number",
    )
    .bind(EVENTS)
    .fetch_all(app)
    .await?;
    let streams: Vec<Vec<&[u8]>> = rows
        .chunk_by(|one, next| one.0 == next.0)
        .map(|stream| stream.iter().map(|row| row.1.as_slice()).collect())
        .collect();
    let cores = std::thread::available_parallelism()?.get();
    let began = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core| {
                let mine = streams.iter().skip(core).step_by(cores);
                scope.spawn(move || mine.into_iter().try_for_each(|stream| check(stream)))
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().ok().context("a worker broke")?)
    })?;
    let rate = per_second(rows.len(), began.elapsed());
    Ok(Row::new("verify", "events/s", rate))
}

/// Each entry's signature and place, then its actor's own signature.
fn check(stream: &[&[u8]]) -> Result<()> {
    let key = gateway().verifying_key();
    let mut head = Head::START;
    for bytes in stream {
        let entry = Entry::open(bytes, &key)?;
        ensure!(entry.stream_number == head.stream_number + 1, "a gap");
        ensure!(entry.previous == head.hash, "a swap");
        let _event: ActorEvent = sealed::open(Kind::Event, &entry.actor, &key)?;
        head = Head {
            stream_number: entry.stream_number,
            hash: entry_hash(bytes),
        };
    }
    Ok(())
}
