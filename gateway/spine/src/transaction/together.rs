//! Lone events, written over connections that are kept while there is something to write. Those that wait at the same moment are
//! written by one statement, in one transaction.
//!
//! A statement costs its way to the server and a share of the disk's sync, whatever it holds. So whoever comes while others
//! are under way waits for the next, and is written together with everybody else who waits. Nobody waits for company: where
//! nothing is under way an event goes at once, and alone.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use time::OffsetDateTime;
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::lone::{LoneRow, RecordedRow};
use crate::error::{SpineError, ends_connection};

/// Statements of one pool that are under way at once. The second is executed while the first waits for the disk; each
/// further one would take from what the others can share.
const MOST_WRITERS: usize = 2;

/// So many who wait are worth a statement beside the one that is under way.
const WORTH_A_WRITER: usize = 3;

/// Events in one statement, so that none of them is large and nobody waits for hundreds of others.
const MOST_TOGETHER: usize = 64;

/// How long a connection is kept after the last event. To give it back and to ask for one again are ways to the server, too.
const LINGERS: Duration = Duration::from_millis(20);

/// A statement takes milliseconds. A server that is gone without a word is given up after this long, and nobody knows then what became
/// of it.
const WITHIN: Duration = Duration::from_secs(10);

/// Who waits, for each pool by the address of its options: whoever writes keeps the pool alive, and so nobody else's options have
/// that address. A pool that nobody writes to is not in here.
static QUEUES: LazyLock<Mutex<BTreeMap<usize, Queue>>> = LazyLock::new(Mutex::default);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    writers: usize,
    /// Writers that have nothing to write.
    resting: usize,
    /// Wakes one of those.
    called: Arc<Notify>,
}

/// An event that waits, and who is told what became of it.
#[derive(Debug)]
struct Waiting {
    row: LoneRow,
    outcome: oneshot::Sender<Outcome>,
}

/// What was written; nothing where the stream has moved on or is held by somebody else, or where the server refused. Then whoever
/// asked goes another way.
type Outcome = Result<Option<RecordedRow>, Arc<sqlx::Error>>;

/// Appends an event if its stream still ends with the entry before it; nothing, and nothing is done, where that is not so or can't be
/// said at once. An event whose future is dropped before its turn is not written.
pub(super) async fn write(pool: &PgPool, row: LoneRow) -> Result<Option<RecordedRow>, SpineError> {
    let (outcome, told) = oneshot::channel();
    wait(pool, Waiting { row, outcome });
    match told.await {
        Ok(outcome) => Ok(outcome?),
        Err(_writer_ended) => Err(sqlx::Error::WorkerCrashed.into()),
    }
}

/// Joins those who wait, and begins a writer for them where there are too few.
fn wait(pool: &PgPool, waiting: Waiting) {
    let name = Arc::as_ptr(&pool.connect_options()).addr();
    let mut queues = queues();
    let queue = queues.entry(name).or_default();
    queue.waiting.push(waiting);
    if queue.resting > 0 {
        queue.called.notify_one();
        return;
    }
    let is_worth_it = queue.writers < MOST_WRITERS && queue.waiting.len() >= WORTH_A_WRITER;
    if queue.writers > 0 && !is_worth_it {
        return;
    }
    queue.writers += 1;
    let writer = Writer {
        pool: pool.clone(),
        name,
        called: Arc::clone(&queue.called),
        connection: None,
        stage: Stage::Writing,
    };
    // A runtime that ends drops what it does not begin, and that looks at the queues.
    drop(queues);
    tokio::spawn(writer.run());
}

/// Writes for those who wait. Ended before its time and as the last one, it takes them with it.
struct Writer {
    pool: PgPool,
    /// Of its queue.
    name: usize,
    called: Arc<Notify>,
    connection: Option<PoolConnection<Postgres>>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Writing,
    /// It has nothing to write and waits a while.
    Resting,
    /// It counts no more.
    Done,
}

impl Writer {
    async fn run(mut self) {
        while self.stage != Stage::Done {
            // Whoever was told a moment ago may have more to say at once.
            tokio::task::yield_now().await;
            if self.rests() {
                self.linger().await;
                continue;
            }
            match self.connect().await {
                Ok(connection) => self.write(connection).await,
                // Those behind would wait as long for the same answer.
                Err(failure) => tell(self.next(usize::MAX), &Arc::new(failure)),
            }
        }
    }

    /// Whether nobody waits, so that this writer rests.
    fn rests(&mut self) -> bool {
        let mut queues = queues();
        let Some(queue) = queues.get_mut(&self.name) else {
            self.stage = Stage::Done;
            return true;
        };
        if queue.waiting.is_empty() {
            queue.resting += 1;
            self.stage = Stage::Resting;
        }
        self.stage == Stage::Resting
    }

    /// Whoever is written next.
    fn next(&self, most: usize) -> Vec<Waiting> {
        let mut queues = queues();
        let Some(queue) = queues.get_mut(&self.name) else {
            return Vec::new();
        };
        // Who went away does not want it any more.
        queue.waiting.retain(|waiting| !waiting.outcome.is_closed());
        let count = queue.waiting.len().min(most);
        queue.waiting.drain(..count).collect()
    }

    /// The connection that is kept, or another one.
    async fn connect(&mut self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        match self.connection.take() {
            Some(connection) if !self.pool.is_closed() => Ok(connection),
            _ => self.pool.acquire().await,
        }
    }

    /// Waits a while for somebody to come, and is done when nobody does.
    async fn linger(&mut self) {
        let closes = self.pool.close_event();
        let is_called = async {
            tokio::select! {
                () = self.called.notified() => true,
                () = closes => false,
            }
        };
        // Without a connection there is nothing to keep.
        let lingers = self.connection.as_ref().map_or(Duration::ZERO, |_| LINGERS);
        let is_called = tokio::time::timeout(lingers, is_called).await;
        let mut queues = queues();
        if let Some(queue) = queues.get_mut(&self.name) {
            queue.resting -= 1;
            self.stage = Stage::Writing;
            if queue.waiting.is_empty() && !is_called.unwrap_or(false) {
                self.stage = Stage::Done;
                leave(&mut queues, self.name);
            }
        }
    }

    /// Writes those who wait, and keeps the connection if nothing failed over it.
    async fn write(&mut self, mut connection: PoolConnection<Postgres>) {
        let waiting = self.next(MOST_TOGETHER);
        if waiting.is_empty() {
            self.connection = Some(connection);
            return;
        }
        let written = tokio::time::timeout(WITHIN, insert(&mut connection, &waiting)).await;
        match written {
            Ok(Ok(rows)) => {
                self.connection = Some(connection);
                let place = |row: RecordedRow| ((row.stream.clone(), row.stream_number), row);
                let mut rows: BTreeMap<_, _> = rows.into_iter().map(place).collect();
                for Waiting { row, outcome } in waiting {
                    let place = (row.stream, row.stream_number);
                    // Whoever asked may be gone by now, and then nobody needs to be told.
                    let _gone = outcome.send(Ok(rows.remove(&place)));
                }
            }
            // The server took back all of it, for the sake of one perhaps.
            Ok(Err(sqlx::Error::Database(failure))) if !ends_connection(&*failure) => {
                for Waiting { outcome, .. } in waiting {
                    let _gone = outcome.send(Ok(None));
                }
            }
            Ok(Err(failure)) => tell(waiting, &Arc::new(failure)),
            Err(_late) => {
                connection.close_on_drop();
                let failure = sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
                tell(waiting, &Arc::new(failure));
            }
        }
    }
}

async fn insert(
    connection: &mut PgConnection,
    waiting: &[Waiting],
) -> Result<Vec<RecordedRow>, sqlx::Error> {
    // Half of what the other statement costs.
    if let [alone] = waiting {
        return Ok(Vec::from_iter(alone.row.insert(connection).await?));
    }
    let rows = waiting.iter().map(|waiting| &waiting.row);
    Columns::of(rows).insert(connection).await
}

/// Tells them that something failed, and that nobody knows whether they were written.
fn tell(waiting: Vec<Waiting>, failure: &Arc<sqlx::Error>) {
    for Waiting { outcome, .. } in waiting {
        let _gone = outcome.send(Err(Arc::clone(failure)));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.stage == Stage::Done {
            return;
        }
        let mut queues = queues();
        if let Some(queue) = queues.get_mut(&self.name)
            && self.stage == Stage::Resting
        {
            queue.resting -= 1;
        }
        let lost = leave(&mut queues, self.name);
        // To be told may end whoever waits, and that may come back here.
        drop(queues);
        drop(lost);
    }
}

/// Takes a writer out of the count. With the last one goes the queue, and whoever waits in it.
fn leave(queues: &mut BTreeMap<usize, Queue>, name: usize) -> Option<Queue> {
    let queue = queues.get_mut(&name)?;
    queue.writers -= 1;
    if queue.writers > 0 {
        return None;
    }
    queues.remove(&name)
}

fn queues() -> MutexGuard<'static, BTreeMap<usize, Queue>> {
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The columns of all that is written together.
#[derive(Debug, Default)]
struct Columns<'row> {
    organisations: Vec<Uuid>,
    sites: Vec<Option<Uuid>>,
    streams: Vec<&'row str>,
    stream_numbers: Vec<i64>,
    kinds: Vec<&'static str>,
    actor_keys: Vec<[u8; 32]>,
    actor_numbers: Vec<Option<i64>>,
    actor_hashes: Vec<[u8; 32]>,
    recorded_at: Vec<OffsetDateTime>,
    entries: Vec<&'row [u8]>,
    entry_hashes: Vec<[u8; 32]>,
    payloads: Vec<&'row serde_json::Value>,
    previous: Vec<[u8; 32]>,
}

impl<'row> Columns<'row> {
    fn of(rows: impl Iterator<Item = &'row LoneRow>) -> Self {
        let mut columns = Self::default();
        for row in rows {
            columns.add(row);
        }
        columns
    }

    fn add(&mut self, row: &'row LoneRow) {
        self.organisations.push(row.organisation);
        self.sites.push(row.site);
        self.streams.push(&row.stream);
        self.stream_numbers.push(row.stream_number);
        self.kinds.push(row.kind);
        self.actor_keys.push(row.actor_key);
        self.actor_numbers.push(row.actor_number);
        self.actor_hashes.push(row.actor_hash);
        self.recorded_at.push(row.recorded_at);
        self.entries.push(&row.entry);
        self.entry_hashes.push(row.entry_hash);
        self.payloads.push(&row.payload);
        self.previous.push(row.previous);
    }

    /// Appends every event whose stream still ends where it is known to. A stream that another transaction holds is left out:
    /// waiting for it would hold up all the others, and two statements could wait for each other.
    async fn insert(self, connection: &mut PgConnection) -> Result<Vec<RecordedRow>, sqlx::Error> {
        sqlx::query_as!(
            RecordedRow,
            r#"WITH known AS MATERIALIZED (
                   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::bigint[],
                                        $8::bytea[], $9::timestamptz[], $10::bytea[], $11::bytea[], $12::jsonb[], $13::bytea[])
                       AS known (organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                                 actor_hash, recorded_at, entry, entry_hash, payload, previous)
               ), free AS (
                   SELECT known.stream, known.stream_number
                   FROM known JOIN spine.stream_head AS head ON head.stream = known.stream
                   WHERE head.stream_number = known.stream_number - 1 AND head.entry_hash = known.previous
                   FOR NO KEY UPDATE OF head SKIP LOCKED
               ), moved AS (
                   UPDATE spine.stream_head AS head
                   SET stream_number = known.stream_number, entry_hash = known.entry_hash
                   FROM known JOIN free USING (stream, stream_number)
                   WHERE head.stream = known.stream
                   RETURNING head.stream, head.stream_number
               )
               INSERT INTO spine.event (organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                                        actor_hash, recorded_at, entry, entry_hash, payload)
               SELECT organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                      actor_hash, recorded_at, entry, entry_hash, payload
               FROM known JOIN moved USING (stream, stream_number)
               RETURNING transaction_id::text AS "transaction_id!", sequence, stream, stream_number, entry_hash"#,
            &self.organisations,
            &self.sites as &[Option<Uuid>],
            &self.streams as &[&str],
            &self.stream_numbers,
            &self.kinds as &[&str],
            &self.actor_keys as &[[u8; 32]],
            &self.actor_numbers as &[Option<i64>],
            &self.actor_hashes as &[[u8; 32]],
            &self.recorded_at,
            &self.entries as &[&[u8]],
            &self.entry_hashes as &[[u8; 32]],
            &self.payloads as &[&serde_json::Value],
            &self.previous as &[[u8; 32]],
        )
        .fetch_all(connection)
        .await
    }
}
