//! The sequencer: gives committed events their leaves in the one tree, in the order in which followers read, and signs
//! checkpoints. One process leads at a time; the others wait for it to end.

mod start;

use std::time::Duration;

use ledger::log::{Frontier, RightEdge, Tile, TreeHead};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::{sync::watch, time::Instant};

use crate::{
    LogKey, Position,
    error::SpineError,
    tail,
    transaction::{bytes32, column, transaction},
};

pub use start::LogFault;

/// Who holds this advisory lock leads. Any number would do, as long as it stays the same: "nooterra" in ASCII.
const LEADER_LOCK: i64 = 0x6e6f_6f74_6572_7261;

/// Events that get their leaves in one transaction: some 3 MB of entries are read, and a rival waits a tenth of a second.
const BATCH: i64 = 4_096;

/// Rounds of a log that is never idle are this far apart, so that events share checkpoints: half of the second within
/// which an event must be in one.
const ROUND_EVERY: Duration = Duration::from_millis(500);

/// How late the commits of another process are seen, whose wakes don't reach us.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Why events get no leaves.
#[derive(Debug, thiserror::Error)]
pub enum SequencerError {
    /// The log must not be continued as it is. Nothing was written.
    #[error("the log is not continued: {0}")]
    Refused(#[from] LogFault),
    /// Another process gave these leaves; this one no longer leads. Nothing was written.
    #[error("another process leads the log")]
    Overtaken,
    /// A failure of ours; leading has ended and may be tried again.
    #[error(transparent)]
    Failed(#[from] SpineError),
}

impl From<sqlx::Error> for SequencerError {
    fn from(error: sqlx::Error) -> Self {
        let is_taken = error
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation);
        if is_taken {
            return Self::Overtaken;
        }
        Self::Failed(error.into())
    }
}

/// Leads the log as long as it lives: the lock hangs on its connection, through which alone it writes.
///
/// After an error it has to be dropped: what it knows of the tree may be more than what was committed.
#[derive(Debug)]
pub struct Leader {
    pub(crate) connection: PgConnection,
    key: LogKey,
    edge: RightEdge,
    /// The last event that has a leaf.
    position: Position,
    commits: watch::Receiver<u64>,
    not_before: Instant,
}

/// Begins to lead, or finds that another process does. What is there is checked before anything is added to it.
pub async fn lead(pool: &PgPool, key: &LogKey) -> Result<Option<Leader>, SequencerError> {
    let mut pooled = pool.acquire().await?;
    let is_leader = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_lock($1) AS "is_leader!""#,
        LEADER_LOCK
    )
    .fetch_one(&mut *pooled)
    .await?;
    if !is_leader {
        return Ok(None);
    }
    // Ours alone from here on: given back to the pool, it would keep the lock.
    let mut connection = pooled.detach();
    let start = match start::load(&mut connection, key).await {
        Ok(start) => start,
        Err(error) => {
            give_up(connection).await?;
            return Err(error);
        }
    };
    Ok(Some(Leader {
        connection,
        key: key.clone(),
        edge: start.edge,
        position: start.position,
        commits: tail::commits(),
        not_before: Instant::now(),
    }))
}

impl Leader {
    /// Leaves that the tree has.
    pub const fn size(&self) -> u64 {
        self.edge.frontier().size()
    }

    /// Waits until there are events without leaves, gives them leaves, and returns how many. May be dropped while it waits.
    pub async fn next(&mut self) -> Result<usize, SequencerError> {
        loop {
            tokio::time::sleep_until(self.not_before).await;
            // Marked before the read: a commit during the read wakes the wait below.
            self.commits.mark_unchanged();
            let began = Instant::now();
            let added = self.step().await?;
            if added > 0 {
                let is_behind = i64::try_from(added).is_ok_and(|added| added >= BATCH);
                self.not_before = if is_behind {
                    began
                } else {
                    began + ROUND_EVERY
                };
                return Ok(added);
            }
            // Whether a commit woke us or time, what is there is read.
            drop(tokio::time::timeout(LOOK_EVERY, self.commits.changed()).await);
        }
    }

    /// One round: leaves, the tiles that they fill, and a checkpoint over all, in one transaction.
    pub(crate) async fn step(&mut self) -> Result<usize, SequencerError> {
        let mut tx = self.connection.begin().await?;
        let size = column(self.edge.frontier().size())?;
        let rows = sqlx::query!(
            r#"WITH next AS (
                   SELECT transaction_id, sequence, entry_hash, sha256('\x00'::bytea || entry) AS leaf_hash,
                          row_number() OVER (ORDER BY transaction_id, sequence) - 1 + $3 AS leaf_index
                   FROM (
                       SELECT transaction_id, sequence, entry_hash, entry
                       FROM spine.event
                       WHERE (transaction_id, sequence) > ($1::text::xid8, $2::bigint)
                         AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                       ORDER BY transaction_id, sequence
                       LIMIT $4
                   ) AS page
               ), added AS (
                   INSERT INTO spine.leaf (leaf_index, sequence, leaf_hash)
                   SELECT leaf_index, sequence, leaf_hash FROM next
               )
               SELECT transaction_id::text AS "transaction_id!", sequence AS "sequence!", leaf_hash AS "leaf_hash!",
                      leaf_hash = entry_hash AS "is_whole!"
               FROM next
               ORDER BY leaf_index"#,
            self.position.transaction.to_string(),
            self.position.sequence,
            size,
            BATCH,
        )
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else {
            tx.rollback().await?;
            return Ok(0);
        };
        let position = Position {
            transaction: transaction(&last.transaction_id)?,
            sequence: last.sequence,
        };
        let mut full = Vec::new();
        for row in &rows {
            if !row.is_whole {
                return Err(LogFault::Event(row.sequence).into());
            }
            self.edge.append(bytes32(&row.leaf_hash)?, &mut full);
        }
        write_tiles(&mut tx, &full).await?;
        write_checkpoint(&mut tx, self.edge.frontier(), &self.key).await?;
        tx.commit().await?;
        self.position = position;
        Ok(rows.len())
    }

    /// Lets another process lead at once.
    pub async fn resign(self) -> Result<(), SequencerError> {
        give_up(self.connection).await
    }
}

/// A closed connection loses the lock only when the server notices.
async fn give_up(mut connection: PgConnection) -> Result<(), SequencerError> {
    sqlx::query!("SELECT pg_advisory_unlock($1)", LEADER_LOCK)
        .fetch_one(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

async fn write_tiles(connection: &mut PgConnection, full: &[Tile]) -> Result<(), SequencerError> {
    if full.is_empty() {
        return Ok(());
    }
    let levels: Vec<i16> = full.iter().map(|tile| tile.id().level.into()).collect();
    let indices = full
        .iter()
        .map(|tile| column(tile.id().index))
        .collect::<Result<Vec<_>, _>>()?;
    let roots: Vec<Vec<u8>> = full.iter().map(|tile| tile.root().to_vec()).collect();
    let hashes: Vec<Vec<u8>> = full.iter().map(Tile::to_bytes).collect();
    sqlx::query!(
        "INSERT INTO spine.tile (level, tile_index, root, hashes)
         SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::bytea[])",
        &levels,
        &indices,
        &roots,
        &hashes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_checkpoint(
    connection: &mut PgConnection,
    frontier: &Frontier,
    key: &LogKey,
) -> Result<(), SequencerError> {
    let tree = TreeHead {
        size: frontier.size(),
        root: frontier.root(),
    };
    let note = key
        .sign(tree)
        .map_err(|_name| SpineError::Corrupt("a log whose name can't be signed"))?;
    sqlx::query!(
        "INSERT INTO spine.checkpoint (size, root, frontier, note) VALUES ($1, $2, $3, $4)",
        column(tree.size)?,
        tree.root.as_slice(),
        frontier.peaks().concat(),
        note,
    )
    .execute(connection)
    .await?;
    Ok(())
}
