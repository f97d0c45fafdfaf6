//! Reading the tree: checkpoints, proofs and tiles. A proof takes one query and a few hashes, however large the tree.

use std::collections::{BTreeMap, BTreeSet};

use ledger::log::{
    Hash, Node, ProofFailure, Tile, TileId, TreeHead, consistency_nodes, inclusion_nodes,
    prove_consistency, prove_inclusion,
};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::{
    Position,
    error::SpineError,
    transaction::{bytes32, column, number},
};

/// What the log signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The tree.
    pub tree: TreeHead,
    /// The signed note, byte for byte.
    pub note: String,
    /// When it was signed.
    pub signed_at: OffsetDateTime,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The tree has none such.
    #[error(transparent)]
    Refused(#[from] ProofFailure),
    /// A failure of ours.
    #[error(transparent)]
    Failed(#[from] SpineError),
}

impl From<sqlx::Error> for ProofError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// How far the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Leaves.
    pub size: u64,
    /// Committed events without a leaf, counted up to [`MOST_WAITING`].
    pub waiting: u64,
    /// When the first of these was recorded.
    pub waiting_since: Option<OffsetDateTime>,
}

/// So many events without leaves are too many, however many more there are.
pub const MOST_WAITING: i64 = 10_000;

/// The latest checkpoint; absent until the first event has its leaf.
pub async fn latest_checkpoint(pool: &PgPool) -> Result<Option<SignedCheckpoint>, SpineError> {
    let last = sqlx::query!(
        "SELECT size, root, note, signed_at FROM spine.checkpoint ORDER BY size DESC LIMIT 1"
    )
    .fetch_optional(pool)
    .await?;
    last.map(|last| {
        Ok(SignedCheckpoint {
            tree: TreeHead {
                size: number(last.size)?,
                root: bytes32(&last.root)?,
            },
            note: last.note,
            signed_at: last.signed_at,
        })
    })
    .transpose()
}

/// The leaves of these events, in the order of `events`; absent for those that wait for one.
pub async fn leaves_of(pool: &PgPool, events: &[Position]) -> Result<Vec<Option<u64>>, SpineError> {
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    let rows = sqlx::query!(
        "SELECT sequence, leaf_index FROM spine.leaf WHERE sequence = ANY ($1)",
        &sequences,
    )
    .fetch_all(pool)
    .await?;
    let leaves = rows
        .into_iter()
        .map(|row| Ok((row.sequence, number(row.leaf_index)?)))
        .collect::<Result<BTreeMap<_, _>, SpineError>>()?;
    Ok(sequences
        .iter()
        .map(|sequence| leaves.get(sequence).copied())
        .collect())
}

/// Proof that the tree of `size` leaves holds the leaf with this index.
pub async fn inclusion_proof(
    pool: &PgPool,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError> {
    let nodes = inclusion_nodes(index, size)?;
    let tiles = Tiles::load(pool, &nodes, size).await?;
    Ok(prove_inclusion(index, size, |node| tiles.hash_of(node))?)
}

/// The same for many leaves of one tree: what they share is read once.
pub async fn inclusion_proofs(
    pool: &PgPool,
    indices: &[u64],
    size: u64,
) -> Result<Vec<Vec<Hash>>, ProofError> {
    let mut proofs = Vec::with_capacity(indices.len());
    for indices in indices.chunks(PROOFS_AT_ONCE) {
        let mut nodes = BTreeSet::new();
        for index in indices {
            nodes.extend(inclusion_nodes(*index, size)?);
        }
        let nodes: Vec<Node> = nodes.into_iter().collect();
        let tiles = Tiles::load(pool, &nodes, size).await?;
        for index in indices {
            let proof = prove_inclusion(*index, size, |node| tiles.hash_of(node))?;
            proofs.push(proof);
        }
    }
    Ok(proofs)
}

/// Proofs whose tiles are held in memory together: 2 MB of them at worst.
const PROOFS_AT_ONCE: usize = 128;

/// Proof that the tree of `new` leaves begins with the tree of `old` leaves.
pub async fn consistency_proof(pool: &PgPool, old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
    let nodes = consistency_nodes(old, new)?;
    let tiles = Tiles::load(pool, &nodes, new).await?;
    Ok(prove_consistency(old, new, |node| tiles.hash_of(node))?)
}

/// The tile, if the log's tree has grown to it. May be asked for with fewer hashes than it has today.
pub async fn tile(pool: &PgPool, id: TileId) -> Result<Option<Tile>, SpineError> {
    let mut wanted = BTreeSet::new();
    wanted.insert(id);
    let tiles = Tiles::read(pool, wanted).await?;
    Ok(tiles.0.into_values().next())
}

/// How far the log is, and how many committed events wait. Events of transactions that still run don't count.
pub async fn progress(pool: &PgPool) -> Result<Progress, SpineError> {
    let row = sqlx::query!(
        r#"WITH last AS (
               SELECT leaf.leaf_index, event.transaction_id, event.sequence
               FROM spine.leaf JOIN spine.event USING (sequence)
               ORDER BY leaf_index DESC
               LIMIT 1
           ), waiting AS (
               SELECT recorded_at
               FROM spine.event
               WHERE (transaction_id, sequence)
                     > (coalesce((SELECT transaction_id FROM last), '0'::xid8), coalesce((SELECT sequence FROM last), 0))
                 AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
               ORDER BY transaction_id, sequence
               LIMIT $1
           )
           SELECT coalesce((SELECT leaf_index + 1 FROM last), 0) AS "size!",
                  (SELECT count(*) FROM waiting) AS "waiting!", (SELECT min(recorded_at) FROM waiting) AS waiting_since"#,
        MOST_WAITING,
    )
    .fetch_one(pool)
    .await?;
    Ok(Progress {
        size: number(row.size)?,
        waiting: number(row.waiting)?,
        waiting_since: row.waiting_since,
    })
}

/// The tiles from which the hashes of some nodes follow.
struct Tiles(BTreeMap<(u8, u64), Tile>);

impl Tiles {
    async fn load(pool: &PgPool, nodes: &[Node], size: u64) -> Result<Self, SpineError> {
        let wanted = nodes
            .iter()
            .filter_map(|node| TileId::of(*node, size))
            .collect();
        Self::read(pool, wanted).await
    }

    /// Full tiles as they are kept, the others from what they are made of, all in one query. Those that aren't there are left out.
    async fn read(pool: &PgPool, wanted: BTreeSet<TileId>) -> Result<Self, SpineError> {
        let (mut levels, mut indices, mut widths) = (Vec::new(), Vec::new(), Vec::new());
        // What Postgres can't count to is in no tree.
        for id in wanted.iter().filter(|id| id.index <= LAST_INDEX) {
            levels.push(i16::from(id.level));
            indices.push(column(id.index)?);
            widths.push(i16::try_from(id.width).unwrap_or(i16::MAX));
        }
        let rows = sqlx::query!(
            r#"SELECT wanted.level AS "level!", wanted.tile_index AS "tile_index!", wanted.width AS "width!",
                      CASE
                          WHEN wanted.width = 256 THEN (
                              SELECT hashes FROM spine.tile
                              WHERE tile.level = wanted.level AND tile.tile_index = wanted.tile_index
                          )
                          WHEN wanted.level = 0 THEN (
                              SELECT string_agg(leaf_hash, ''::bytea ORDER BY leaf_index) FROM spine.leaf
                              WHERE leaf_index >= wanted.tile_index * 256
                                AND leaf_index < wanted.tile_index * 256 + wanted.width
                          )
                          ELSE (
                              SELECT string_agg(root, ''::bytea ORDER BY tile.tile_index) FROM spine.tile
                              WHERE tile.level = wanted.level - 1
                                AND tile.tile_index >= wanted.tile_index * 256
                                AND tile.tile_index < wanted.tile_index * 256 + wanted.width
                          )
                      END AS hashes
               FROM unnest($1::smallint[], $2::bigint[], $3::smallint[]) AS wanted (level, tile_index, width)"#,
            &levels,
            &indices,
            &widths,
        )
        .fetch_all(pool)
        .await?;
        let mut tiles = BTreeMap::new();
        for row in rows {
            let id = TileId {
                level: u8::try_from(row.level).map_err(|_level| BAD_TILE)?,
                index: number(row.tile_index)?,
                width: u16::try_from(row.width).map_err(|_width| BAD_TILE)?,
            };
            // Fewer hashes than asked for: the tree has not grown so far.
            let tile = row.hashes.and_then(|bytes| Tile::from_bytes(id, &bytes));
            tiles.extend(tile.map(|tile| ((id.level, id.index), tile)));
        }
        Ok(Self(tiles))
    }

    fn hash_of(&self, node: Node) -> Option<Hash> {
        // Widths don't matter any more: each tile is there once.
        let id = TileId::of(node, u64::MAX)?;
        self.0.get(&(id.level, id.index))?.hash_of(node)
    }
}

/// Beyond it, the leaves below a tile have no numbers in Postgres.
const LAST_INDEX: u64 = i64::MAX.unsigned_abs() / 256 - 1;

const BAD_TILE: SpineError = SpineError::Corrupt("a tile of another form");

/// Hashes, one after the other.
pub(crate) fn hashes(bytes: &[u8]) -> Result<Vec<Hash>, SpineError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty()
        .then(|| hashes.to_vec())
        .ok_or(SpineError::Corrupt("hashes that are not 32 bytes each"))
}
