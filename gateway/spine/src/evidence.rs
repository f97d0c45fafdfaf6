//! What a bundle is made of: the whole record of some streams, and the events that say whose the keys in it are.

use std::collections::BTreeMap;

use protocol::{OrganisationId, RobotId, SiteId, UnixMicros, event::Payload, sealed::KeyId};
use sqlx::{PgExecutor, PgPool, Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    error::SpineError,
    row::{Columns, Damage, Sealed},
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
    /// What of its row was changed beside the bytes. Only where the tree holds exactly these bytes: others are found by
    /// whoever verifies them.
    pub damage: Option<Damage>,
}

struct Row {
    organisation_id: Uuid,
    site_id: Option<Uuid>,
    stream: String,
    stream_number: i64,
    kind: String,
    actor_key: Vec<u8>,
    actor_number: Option<i64>,
    actor_hash: Vec<u8>,
    recorded_at: OffsetDateTime,
    payload: serde_json::Value,
    entry: Vec<u8>,
    entry_hash: Vec<u8>,
    leaf_index: Option<i64>,
    leaf_hash: Option<Vec<u8>>,
}

impl Row {
    fn entry(self) -> Result<LoggedEntry, SpineError> {
        let damage = self.damage()?;
        Ok(LoggedEntry {
            stream: self.stream,
            stream_number: number(self.stream_number)?,
            actor_key: KeyId(bytes32(&self.actor_key)?),
            entry: self.entry,
            leaf_index: self.leaf_index.map(number).transpose()?,
            damage,
        })
    }

    fn damage(&self) -> Result<Option<Damage>, SpineError> {
        let Some(sealed) = Sealed::read(&self.entry) else {
            return Ok(None);
        };
        if self.leaf_hash.as_deref() != Some(&sealed.hash) {
            return Ok(None);
        }
        Ok(sealed.contradicted_by(&Columns {
            organisation: OrganisationId(self.organisation_id),
            site: self.site_id.map(SiteId),
            stream: &self.stream,
            stream_number: number(self.stream_number)?,
            kind: &self.kind,
            actor_key: &self.actor_key,
            actor_number: self.actor_number.map(number).transpose()?,
            actor_hash: &self.actor_hash,
            recorded_at: self.recorded_at,
            entry_hash: &self.entry_hash,
            payload: &self.payload,
        }))
    }
}

/// Begins to read what all stood there at one moment.
pub async fn begin_snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, SpineError> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    Ok(pool.begin_with(begin).await?)
}

/// How many entries each of these streams has, as the heads say behind which is appended.
pub async fn lengths(
    executor: impl PgExecutor<'_>,
    streams: &[String],
) -> Result<BTreeMap<String, u64>, SpineError> {
    let rows = sqlx::query!(
        "SELECT stream, stream_number FROM spine.stream_head WHERE stream = ANY ($1)",
        streams,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.stream, number(row.stream_number)?)))
        .collect()
}

/// The whole record of `streams` of one organisation, at most [`MAX_ENTRIES`] and one.
pub async fn read_streams(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    streams: &[String],
) -> Result<Vec<LoggedEntry>, SpineError> {
    let limit = i64::try_from(MAX_ENTRIES).unwrap_or(i64::MAX) + 1;
    sqlx::query_as!(
        Row,
        r#"SELECT organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number, actor_hash,
                  recorded_at, payload, entry, entry_hash, leaf_index AS "leaf_index?", leaf_hash AS "leaf_hash?"
           FROM spine.event
           LEFT JOIN spine.leaf USING (sequence)
           WHERE stream = ANY ($1) AND organisation_id = $2
           ORDER BY stream, stream_number
           LIMIT $3"#,
        streams,
        organisation.0,
        limit,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(Row::entry)
    .collect()
}

/// The events that bind these keys, or end them.
pub async fn read_bindings(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    keys: &[KeyId],
) -> Result<Vec<LoggedEntry>, SpineError> {
    let names: Vec<String> = keys.iter().map(KeyId::to_string).collect();
    sqlx::query_as!(
        Row,
        r#"SELECT organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number, actor_hash,
                  recorded_at, payload, entry, entry_hash, leaf_index AS "leaf_index?", leaf_hash AS "leaf_hash?"
           FROM spine.event
           LEFT JOIN spine.leaf USING (sequence)
           WHERE kind IN ('robot.key_bound', 'session.key_bound', 'session.key_ended')
             AND payload ->> 'key' = ANY ($1) AND organisation_id = $2
           ORDER BY stream, stream_number"#,
        &names,
        organisation.0,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(Row::entry)
    .collect()
}

/// An event of a stream and the robot that said it, if it was one.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What.
    pub payload: Payload,
    /// When it was recorded.
    pub recorded_at: UnixMicros,
    /// The robot whose key signed it.
    pub robot: Option<RobotId>,
}

/// The events of these kinds in one stream of an organisation, in its order, at most [`MAX_ENTRIES`]. What can't be
/// read says nothing.
pub async fn read_said(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    stream: &str,
    kinds: &[&str],
) -> Result<Vec<Said>, SpineError> {
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let rows = sqlx::query!(
        r#"SELECT event.entry,
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
    let said = |(sealed, robot): (Sealed, Option<Uuid>)| Said {
        payload: sealed.event.payload,
        recorded_at: sealed.entry.recorded_at,
        robot: robot.map(RobotId),
    };
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((Sealed::read(&row.entry)?, row.robot)))
        .map(said)
        .collect())
}

/// What a stream says, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct SaidThere {
    /// Its place in the stream.
    pub stream_number: u64,
    /// What.
    pub payload: Payload,
    /// When it was recorded.
    pub recorded_at: UnixMicros,
}

/// The events of these kinds in one stream of an organisation before the place `before`, newest first, at most `limit`. What
/// can't be read says nothing.
pub async fn read_said_before(
    executor: impl PgExecutor<'_>,
    (organisation, stream): (OrganisationId, &str),
    kinds: &[&str],
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<SaidThere>, SpineError> {
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let rows = sqlx::query!(
        r#"SELECT stream_number, entry
           FROM spine.event
           WHERE stream = $1 AND organisation_id = $2 AND kind = ANY ($3) AND stream_number < $4
           ORDER BY stream_number DESC
           LIMIT $5"#,
        stream,
        organisation.0,
        &kinds,
        before,
        i64::from(limit),
    )
    .fetch_all(executor)
    .await?;
    let said = |(stream_number, sealed): (u64, Sealed)| SaidThere {
        stream_number,
        payload: sealed.event.payload,
        recorded_at: sealed.entry.recorded_at,
    };
    Ok(rows
        .into_iter()
        .filter_map(|row| Some((number(row.stream_number).ok()?, Sealed::read(&row.entry)?)))
        .map(said)
        .collect())
}
