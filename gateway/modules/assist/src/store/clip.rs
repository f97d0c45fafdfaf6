//! What people saw when they gave commands, as robots kept it.

use protocol::{RobotId, picture::ClipHash};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::StoreError;

/// A robot's event names a clip: it may be brought from now on. Once more changes nothing.
pub async fn name_clip(
    tx: &mut Tx,
    robot: RobotId,
    clip: ClipHash,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO assist.clip (robot_id, clip_hash, named_at)
         VALUES ($1, $2, $3)
         ON CONFLICT (robot_id, clip_hash) DO NOTHING",
        robot.0,
        &clip.0,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(())
}

/// Whether an event of the robot names the clip.
pub async fn is_named(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    clip: ClipHash,
) -> Result<bool, StoreError> {
    let found = sqlx::query!(
        "SELECT 1 AS one FROM assist.clip WHERE robot_id = $1 AND clip_hash = $2",
        robot.0,
        &clip.0,
    )
    .fetch_optional(executor)
    .await?;
    Ok(found.is_some())
}

/// Keeps a clip that is named. One that is here already stays as it is.
pub async fn keep_clip(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    clip: ClipHash,
    content: &[u8],
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE assist.clip SET content = $3
         WHERE robot_id = $1 AND clip_hash = $2 AND content IS NULL",
        robot.0,
        &clip.0,
        content,
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// The clip, if the robot brought it.
pub async fn clip(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    clip: ClipHash,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found = sqlx::query!(
        "SELECT content FROM assist.clip WHERE robot_id = $1 AND clip_hash = $2",
        robot.0,
        &clip.0,
    )
    .fetch_optional(executor)
    .await?;
    Ok(found.and_then(|row| row.content))
}

/// Which of these clips are here.
pub async fn clips_here(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    clips: &[ClipHash],
) -> Result<Vec<ClipHash>, StoreError> {
    let hashes: Vec<Vec<u8>> = clips.iter().map(|clip| clip.0.to_vec()).collect();
    let found = sqlx::query!(
        "SELECT clip_hash FROM assist.clip
         WHERE robot_id = $1 AND clip_hash = ANY ($2) AND content IS NOT NULL",
        robot.0,
        &hashes,
    )
    .fetch_all(executor)
    .await?;
    Ok(found
        .into_iter()
        .filter_map(|row| row.clip_hash.try_into().ok().map(ClipHash))
        .collect())
}

/// Deletes what was seen before `until`, at most `limit` clips; says how many. The log keeps their hashes.
pub async fn forget_clips(
    executor: impl PgExecutor<'_>,
    until: OffsetDateTime,
    limit: u32,
) -> Result<u64, StoreError> {
    let forgotten = sqlx::query!(
        "UPDATE assist.clip SET content = NULL
         WHERE (robot_id, clip_hash) IN (SELECT robot_id, clip_hash FROM assist.clip
                                         WHERE named_at < $1 AND content IS NOT NULL
                                         ORDER BY named_at LIMIT $2)",
        until,
        i64::from(limit),
    )
    .execute(executor)
    .await?;
    Ok(forgotten.rows_affected())
}
