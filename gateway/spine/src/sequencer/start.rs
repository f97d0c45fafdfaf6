//! What a new leader makes sure of before it adds to the log: that everything it goes on from leads to the last signed root.

use ledger::log::{Checkpoint, Frontier, Hash, RightEdge, TILE_WIDTH, Tile, TileId, TreeHead};
use sqlx::PgConnection;

use super::SequencerError;
use crate::{
    LogKey, Position,
    log::hashes,
    transaction::{bytes32, column, number, transaction},
};

/// Full tiles whose hashes are added up again, the newest ones: a tenth of a second, since nobody leads meanwhile. Older
/// ones are checked by whoever is given a proof from them.
const TILES_CHECKED: i64 = 1_024;

/// Why the log must not be continued as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// It was signed by another key, or under another name: ours would be a second log.
    #[error(
        "its last checkpoint is of {origin:?}, signed by a key that is not ours; use the log's own key file and name"
    )]
    OtherLog {
        /// Whose it says it is.
        origin: String,
    },
    /// The last checkpoint is not what was signed.
    #[error("its last checkpoint is damaged")]
    Checkpoint,
    /// The hashes to go on from don't lead to the signed root.
    #[error("its frontier of {size} leaves does not lead to the signed root")]
    Frontier {
        /// Leaves of the last checkpoint.
        size: u64,
    },
    /// There are other leaves than the last checkpoint covers.
    #[error("it has {found} leaves where its last checkpoint covers {size}")]
    Leaves {
        /// Leaves of the last checkpoint.
        size: u64,
        /// Leaves that are there.
        found: u64,
    },
    /// The newest leaves and tiles don't lead to the signed root.
    #[error("its newest leaves and tiles do not lead to the signed root")]
    Edge,
    /// A tile does not add up.
    #[error("{0} was changed")]
    Tile(TileId),
    /// The bytes of an event are not what its hash names.
    #[error("the event with sequence {0} was changed")]
    Event(i64),
}

/// Where a leader goes on.
pub(super) struct Start {
    pub(super) edge: RightEdge,
    pub(super) position: Position,
}

pub(super) async fn load(
    connection: &mut PgConnection,
    key: &LogKey,
) -> Result<Start, SequencerError> {
    let frontier = last_frontier(connection, key).await?;
    let size = frontier.size();
    let position = last_position(connection, size).await?;
    let mut tiles = Vec::new();
    for id in RightEdge::tiles_of(size) {
        tiles.push(edge_tile(connection, id).await?);
    }
    let edge = RightEdge::from_tiles(size, tiles).map_err(|_sizes| LogFault::Edge)?;
    if edge.frontier() != &frontier {
        return Err(LogFault::Edge.into());
    }
    check_tiles(connection).await?;
    Ok(Start { edge, position })
}

/// What the last checkpoint says, believed only if our key signed it.
async fn last_frontier(
    connection: &mut PgConnection,
    key: &LogKey,
) -> Result<Frontier, SequencerError> {
    let last = sqlx::query!(
        "SELECT size, root, frontier, note FROM spine.checkpoint ORDER BY size DESC LIMIT 1"
    )
    .fetch_optional(connection)
    .await?;
    let Some(last) = last else {
        return Ok(Frontier::default());
    };
    let claimed = Checkpoint::claimed(&last.note).map_err(|_unreadable| LogFault::Checkpoint)?;
    let tree = TreeHead {
        size: number(last.size)?,
        root: bytes32(&last.root)?,
    };
    if claimed.tree != tree {
        return Err(LogFault::Checkpoint.into());
    }
    let origin = claimed.origin;
    Checkpoint::open(&last.note, std::slice::from_ref(key.public()))
        .map_err(|_not_ours| LogFault::OtherLog { origin })?;
    let size = tree.size;
    let frontier = Frontier::from_peaks(size, hashes(&last.frontier)?)
        .map_err(|_count| LogFault::Frontier { size })?;
    if frontier.root() != tree.root {
        return Err(LogFault::Frontier { size }.into());
    }
    Ok(frontier)
}

/// The event of the last leaf, if there are as many leaves as the last checkpoint covers.
async fn last_position(
    connection: &mut PgConnection,
    size: u64,
) -> Result<Position, SequencerError> {
    let last = sqlx::query!(
        r#"SELECT leaf.leaf_index, event.transaction_id::text AS "transaction_id?", leaf.sequence
           FROM spine.leaf LEFT JOIN spine.event USING (sequence)
           ORDER BY leaf_index DESC
           LIMIT 1"#
    )
    .fetch_optional(connection)
    .await?;
    let found = last
        .as_ref()
        .map_or(Ok(0), |last| number(last.leaf_index + 1))?;
    if found != size {
        return Err(LogFault::Leaves { size, found }.into());
    }
    let Some(last) = last else {
        return Ok(Position::START);
    };
    let sequence = last.sequence;
    let id = last.transaction_id.ok_or(LogFault::Event(sequence))?;
    Ok(Position {
        transaction: transaction(&id)?,
        sequence,
    })
}

/// A tile that is not full, from what it was made of: entries at the bottom, roots of full tiles above.
async fn edge_tile(connection: &mut PgConnection, id: TileId) -> Result<Tile, SequencerError> {
    let first = column(id.index * u64::from(TILE_WIDTH))?;
    let end = first + i64::from(id.width);
    let hashes = if id.level == 0 {
        edge_leaves(connection, first, end).await?
    } else {
        let below = i16::from(id.level) - 1;
        let roots = sqlx::query_scalar!(
            "SELECT root FROM spine.tile WHERE level = $1 AND tile_index >= $2 AND tile_index < $3 ORDER BY tile_index",
            below,
            first,
            end,
        )
        .fetch_all(connection)
        .await?;
        roots
            .iter()
            .map(|root| bytes32(root))
            .collect::<Result<_, _>>()?
    };
    Ok(Tile::new(id, hashes).ok_or(LogFault::Edge)?)
}

async fn edge_leaves(
    connection: &mut PgConnection,
    first: i64,
    end: i64,
) -> Result<Vec<Hash>, SequencerError> {
    let rows = sqlx::query!(
        r#"SELECT leaf.sequence, leaf.leaf_hash, sha256('\x00'::bytea || event.entry) AS "hash_now?"
           FROM spine.leaf LEFT JOIN spine.event USING (sequence)
           WHERE leaf_index >= $1 AND leaf_index < $2
           ORDER BY leaf_index"#,
        first,
        end,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            if row.hash_now.as_ref() != Some(&row.leaf_hash) {
                return Err(LogFault::Event(row.sequence).into());
            }
            Ok(bytes32(&row.leaf_hash)?)
        })
        .collect()
}

/// Adds the newest full tiles up again, and compares each with what stands for it one level up.
async fn check_tiles(connection: &mut PgConnection) -> Result<(), SequencerError> {
    for level in (0..=7_u8).rev() {
        let rows = sqlx::query!(
            r#"SELECT tile.tile_index, tile.root, tile.hashes, parent.hashes AS "parent_hashes?"
               FROM (SELECT * FROM spine.tile WHERE level = $1 ORDER BY tile_index DESC LIMIT $2) AS tile
               LEFT JOIN spine.tile AS parent
                   ON parent.level = tile.level + 1 AND parent.tile_index = tile.tile_index / 256"#,
            i16::from(level),
            TILES_CHECKED,
        )
        .fetch_all(&mut *connection)
        .await?;
        for row in rows {
            let id = TileId {
                level,
                index: number(row.tile_index)?,
                width: TILE_WIDTH,
            };
            let root = bytes32(&row.root)?;
            let tile = Tile::from_bytes(id, &row.hashes).ok_or(LogFault::Tile(id))?;
            let place = id.index % u64::from(TILE_WIDTH);
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            let above = row.parent_hashes.as_deref().map(hashes).transpose()?;
            let is_known_above = above.is_none_or(|above| above.get(place) == Some(&root));
            if tile.root() != root || !is_known_above {
                return Err(LogFault::Tile(id).into());
            }
        }
    }
    Ok(())
}
