//! How long a proof takes in a tree of a million leaves. Only leaves and tiles are there: a proof needs no event.

use std::time::Instant;

use anyhow::Result;
use ledger::log::{RightEdge, Tile, TreeHead, entry_hash, verify_consistency, verify_inclusion};
use sqlx::{AssertSqlSafe, Executor as _, PgPool};

use crate::{Row, quantile};

/// What the figure is promised for.
const LEAVES: u64 = 1_000_000;

/// Leaves written in one statement.
const BATCH: u64 = 20_000;

/// Proofs that the figures are made of.
const PROOFS: u64 = 2_000;

/// Goes through the leaves in no order that a cache could follow: a prime that does not divide their number.
const STRIDE: u64 = 382_747;

pub(super) async fn measure(owner: &PgPool, app: &PgPool) -> Result<Vec<Row>> {
    let [half, whole] = grow(owner).await?;
    let mut inclusion = Vec::new();
    let mut consistency = Vec::new();
    for number in 0..PROOFS {
        let index = (number * STRIDE) % LEAVES;
        let began = Instant::now();
        let proof = spine::log::inclusion_proof(app, index, LEAVES).await?;
        inclusion.push(began.elapsed().as_secs_f64() * 1_000.0);
        verify_inclusion(&leaf(index), index, &whole, &proof)?;

        let began = Instant::now();
        spine::log::consistency_proof(app, index + 1, LEAVES).await?;
        consistency.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    let proof = spine::log::consistency_proof(app, half.size, LEAVES).await?;
    verify_consistency(&half, &whole, &proof)?;
    Ok(vec![
        Row::new("proof_p50", "ms", quantile(&inclusion, 0.5)),
        Row::new("proof_p95", "ms", quantile(&inclusion, 0.95)),
        Row::new("consistency_p50", "ms", quantile(&consistency, 0.5)),
        Row::new("consistency_p95", "ms", quantile(&consistency, 0.95)),
    ])
}

fn leaf(index: u64) -> [u8; 32] {
    entry_hash(&index.to_be_bytes())
}

/// The tree, and how it was half-way. What was there makes room: only a superuser of a database that is thrown away can do that.
async fn grow(owner: &PgPool) -> Result<[TreeHead; 2]> {
    owner
        .execute(
            "ALTER TABLE spine.leaf DISABLE TRIGGER ALL;
             ALTER TABLE spine.tile DISABLE TRIGGER ALL;
             ALTER TABLE spine.checkpoint DISABLE TRIGGER ALL;
             TRUNCATE spine.leaf, spine.tile, spine.checkpoint;",
        )
        .await?;
    let mut edge = RightEdge::default();
    let mut half = head(&edge);
    for first in (0..LEAVES).step_by(usize::try_from(BATCH)?) {
        let mut full = Vec::new();
        let indices = first..first + BATCH;
        let leaves: Vec<[u8; 32]> = indices.clone().map(leaf).collect();
        for leaf in &leaves {
            edge.append(*leaf, &mut full);
        }
        let indices = indices.map(i64::try_from).collect::<Result<Vec<_>, _>>()?;
        let leaves: Vec<Vec<u8>> = leaves.iter().map(|leaf| leaf.to_vec()).collect();
        sqlx::query("INSERT INTO spine.leaf (leaf_index, sequence, leaf_hash) SELECT i, i, h FROM unnest($1::bigint[], $2::bytea[]) AS new (i, h)")
            .bind(indices)
            .bind(leaves)
            .execute(owner)
            .await?;
        write_tiles(owner, &full).await?;
        if edge.frontier().size() == LEAVES / 2 {
            half = head(&edge);
        }
    }
    for table in ["leaf", "tile"] {
        let vacuum = format!("VACUUM ANALYZE spine.{table}");
        owner.execute(AssertSqlSafe(vacuum)).await?;
    }
    Ok([half, head(&edge)])
}

async fn write_tiles(owner: &PgPool, full: &[Tile]) -> Result<()> {
    for tile in full {
        sqlx::query(
            "INSERT INTO spine.tile (level, tile_index, root, hashes) VALUES ($1, $2, $3, $4)",
        )
        .bind(i16::from(tile.id().level))
        .bind(i64::try_from(tile.id().index)?)
        .bind(tile.root().as_slice())
        .bind(tile.to_bytes())
        .execute(owner)
        .await?;
    }
    Ok(())
}

fn head(edge: &RightEdge) -> TreeHead {
    let frontier = edge.frontier();
    TreeHead {
        size: frontier.size(),
        root: frontier.root(),
    }
}
