//! What a bundle is made of: the whole record of some streams, and the events that say whose the keys in it are.

use protocol::{OrganisationId, RobotId, sealed::KeyId};
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

use crate::{
    error::SpineError,
    transaction::{bytes32, number},
};

/// Entries of one bundle: a job's life has some fifty; one that was argued about for weeks a few hundred.
pub const MAX_ENTRIES: usize = 10_000;

/// An entry and its place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub stream_number: u64,
    /// Who signed the event in it.
    pub actor_key: KeyId,
    /// The signed bytes.
    pub entry: Vec<u8>,
    /// Its leaf; absent until the sequencer has been there.
    pub leaf_index: Option<u64>,
}

struct Row {
    stream: String,
    stream_number: i64,
    actor_key: Vec<u8>,
    entry: Vec<u8>,
    leaf_index: Option<i64>,
}

impl Row {
    fn entry(self) -> Result<LoggedEntry, SpineError> {
        Ok(LoggedEntry {
            stream: self.stream,
            stream_number: number(self.stream_number)?,
            actor_key: KeyId(bytes32(&self.actor_key)?),
            entry: self.entry,
            leaf_index: self.leaf_index.map(number).transpose()?,
        })
    }
}

/// The whole record of `streams` of one organisation, at most [`MAX_ENTRIES`] and one.
pub async fn read_streams(
    pool: &PgPool,
    organisation: OrganisationId,
    streams: &[String],
) -> Result<Vec<LoggedEntry>, SpineError> {
    let limit = i64::try_from(MAX_ENTRIES).unwrap_or(i64::MAX) + 1;
    sqlx::query_as!(
        Row,
        r#"SELECT stream, stream_number, actor_key, entry, leaf_index AS "leaf_index?"
           FROM spine.event
           LEFT JOIN spine.leaf USING (sequence)
           WHERE stream = ANY ($1) AND organisation_id = $2
           ORDER BY stream, stream_number
           LIMIT $3"#,
        streams,
        organisation.0,
        limit,
    )
    .fetch_all(pool)
    .await?
    .into_iter()
    .map(Row::entry)
    .collect()
}

/// The events that bind these keys, or end them.
pub async fn read_bindings(
    pool: &PgPool,
    organisation: OrganisationId,
    keys: &[KeyId],
) -> Result<Vec<LoggedEntry>, SpineError> {
    let names: Vec<String> = keys.iter().map(KeyId::to_string).collect();
    sqlx::query_as!(
        Row,
        r#"SELECT stream, stream_number, actor_key, entry, leaf_index AS "leaf_index?"
           FROM spine.event
           LEFT JOIN spine.leaf USING (sequence)
           WHERE kind IN ('robot.key_bound', 'session.key_bound', 'session.key_ended')
             AND payload ->> 'key' = ANY ($1) AND organisation_id = $2
           ORDER BY stream, stream_number"#,
        &names,
        organisation.0,
    )
    .fetch_all(pool)
    .await?
    .into_iter()
    .map(Row::entry)
    .collect()
}

/// An event of a stream and the robot that said it, if it was one.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What, as JSON.
    pub payload: serde_json::Value,
    /// When it was recorded.
    pub recorded_at: OffsetDateTime,
    /// The robot whose key signed it.
    pub robot: Option<RobotId>,
}

/// The events of these kinds in one stream of an organisation, in its order, at most [`MAX_ENTRIES`].
pub async fn read_said(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    stream: &str,
    kinds: &[&str],
) -> Result<Vec<Said>, SpineError> {
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let rows = sqlx::query!(
        r#"SELECT event.payload, event.recorded_at,
                  (SELECT (bound.payload ->> 'robot')::uuid
                   FROM spine.event AS bound
                   WHERE bound.kind = 'robot.key_bound'
                     AND bound.payload ->> 'key' = encode(event.actor_key, 'hex')
                     AND bound.organisation_id = event.organisation_id
                   LIMIT 1) AS robot
           FROM spine.event
           WHERE event.stream = $1 AND event.organisation_id = $2 AND event.kind = ANY ($3)
           ORDER BY event.stream_number
           LIMIT $4"#,
        stream,
        organisation.0,
        &kinds,
        i64::try_from(MAX_ENTRIES).unwrap_or(i64::MAX),
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Said {
            payload: row.payload,
            recorded_at: row.recorded_at,
            robot: row.robot.map(RobotId),
        })
        .collect())
}
