//! Reading the log in the order of its transactions, without ever skipping a slow one, and waiting for more.

use std::{sync::LazyLock, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ledger::log::entry_hash;
use protocol::{OrganisationId, SiteId, sealed::KeyId, views::EventView};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use crate::{
    Position,
    error::SpineError,
    row::{Columns, Damage, Sealed},
    transaction::{number, transaction},
};

/// Counts commits of this process. A watch keeps only the latest value, so any number of commits is one wake.
static COMMITS: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

/// Reads of one follower are this far apart while the log grows: what is recorded meanwhile is read together. Nobody sees the
/// difference; without it, followers that ask after every commit cost as much as what they follow.
const READ_EVERY: Duration = Duration::from_millis(20);

/// After a wake the events may still hide behind an older transaction that runs on: look again this soon…
const FIRST_LOOK_AFTER: Duration = Duration::from_millis(2);

/// …then ever later, up to this: also how late the commits of another process are seen.
const LAST_LOOK_AFTER: Duration = Duration::from_millis(500);

/// Which events a reader may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this organisation's; absent for all of them.
    pub organisation: Option<OrganisationId>,
    /// Only what happened at these sites; absent for all sites and for what concerns none.
    pub sites: Option<Vec<SiteId>>,
}

/// The kind of an event whose sealed bytes can't be read.
pub const UNREADABLE: &str = "unreadable";

/// An event as the log holds it. Where it stands, its columns say; what happened, its sealed bytes do.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Where it stands for followers.
    pub position: Position,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it happened.
    pub site: Option<SiteId>,
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub stream_number: u64,
    /// Its frozen name; [`UNREADABLE`] where the bytes say none.
    pub kind: String,
    /// Who is said to have signed it; zeros where the bytes don't say.
    pub actor_key: KeyId,
    /// Its place among the events of that key.
    pub actor_number: Option<u64>,
    /// When it was recorded.
    pub recorded_at: OffsetDateTime,
    /// What happened, as JSON; null where the bytes don't say.
    pub payload: serde_json::Value,
    /// The signed entry.
    pub entry: Vec<u8>,
    /// The entry's name.
    pub entry_hash: [u8; 32],
    /// Why the row can't be what was once written. Somebody has to be told: only who owns the database can change it.
    pub damage: Option<Damage>,
}

impl From<StoredEvent> for EventView {
    fn from(event: StoredEvent) -> Self {
        Self {
            position: event.position.to_string(),
            stream: event.stream,
            stream_number: event.stream_number,
            kind: event.kind,
            actor_key: event.actor_key.to_string(),
            recorded_at: event.recorded_at,
            payload: event.payload,
            entry_hash: hex::encode(event.entry_hash),
            entry: BASE64_STANDARD.encode(event.entry),
        }
    }
}

struct EventRow {
    transaction_id: String,
    sequence: i64,
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
}

impl EventRow {
    fn event(self) -> Result<StoredEvent, SpineError> {
        let position = Position {
            transaction: transaction(&self.transaction_id)?,
            sequence: self.sequence,
        };
        let columns = self.columns()?;
        let (organisation, site) = (columns.organisation, columns.site);
        let stream_number = columns.stream_number;
        let sealed = Sealed::read(&self.entry);
        let damage = sealed.as_ref().map_or(Some(Damage::Unreadable), |sealed| {
            sealed.contradicted_by(&columns)
        });
        let said_at = sealed.as_ref().and_then(Sealed::recorded_at);
        let chain = sealed.as_ref().and_then(|sealed| sealed.event.chain);
        let (kind, actor_key, payload) = match sealed {
            Some(sealed) => (sealed.event.payload.kind(), sealed.key, sealed.payload),
            None => (UNREADABLE, KeyId([0; 32]), serde_json::Value::Null),
        };
        Ok(StoredEvent {
            position,
            organisation,
            site,
            stream: self.stream,
            stream_number,
            kind: kind.to_owned(),
            actor_key,
            actor_number: chain.map(|chain| chain.number),
            recorded_at: said_at.unwrap_or(self.recorded_at),
            payload,
            entry_hash: entry_hash(&self.entry),
            entry: self.entry,
            damage,
        })
    }

    fn columns(&self) -> Result<Columns<'_>, SpineError> {
        Ok(Columns {
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
        })
    }
}

/// The events behind `after`, at most `limit`, in the order of their positions.
///
/// Events of a transaction are held back while an older transaction is still running, since that one's events sort before
/// them. Between streams this order says nothing about time; inside one stream `stream_number` decides.
pub async fn read_after(
    pool: &PgPool,
    after: Position,
    limit: u32,
    filter: &Filter,
) -> Result<Vec<StoredEvent>, SpineError> {
    let sites: Option<Vec<Uuid>> = filter
        .sites
        .as_ref()
        .map(|sites| sites.iter().map(|site| site.0).collect());
    let rows = sqlx::query_as!(
        EventRow,
        r#"SELECT transaction_id::text AS "transaction_id!", sequence, organisation_id, site_id, stream, stream_number,
                  kind, actor_key, actor_number, actor_hash, recorded_at, payload, entry, entry_hash
           FROM spine.event
           WHERE (transaction_id, sequence) > ($1::text::xid8, $2::bigint)
             AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
             AND ($3::uuid IS NULL OR organisation_id = $3)
             AND ($4::uuid[] IS NULL OR site_id = ANY ($4))
           ORDER BY transaction_id, sequence
           LIMIT $5"#,
        after.transaction.to_string(),
        after.sequence,
        filter.organisation.map(|organisation| organisation.0),
        sites.as_deref(),
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(EventRow::event).collect()
}

/// The committed events of one stream behind `after`, in its own order, at most `limit`.
pub async fn read_stream(
    pool: &PgPool,
    stream: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredEvent>, SpineError> {
    let rows = sqlx::query_as!(
        EventRow,
        r#"SELECT transaction_id::text AS "transaction_id!", sequence, organisation_id, site_id, stream, stream_number,
                  kind, actor_key, actor_number, actor_hash, recorded_at, payload, entry, entry_hash
           FROM spine.event
           WHERE stream = $1 AND stream_number > $2
           ORDER BY stream_number
           LIMIT $3"#,
        stream,
        i64::try_from(after).unwrap_or(i64::MAX),
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(EventRow::event).collect()
}

/// Where the log ends for followers now: a follower that starts here sees only what comes.
pub async fn end(pool: &PgPool) -> Result<Position, SpineError> {
    let last = sqlx::query!(
        r#"SELECT transaction_id::text AS "transaction_id!", sequence
           FROM spine.event
           WHERE transaction_id < pg_snapshot_xmin(pg_current_snapshot())
           ORDER BY transaction_id DESC, sequence DESC
           LIMIT 1"#
    )
    .fetch_optional(pool)
    .await?;
    last.map_or(Ok(Position::START), |row| {
        Ok(Position {
            transaction: transaction(&row.transaction_id)?,
            sequence: row.sequence,
        })
    })
}

/// Tells every follower in this process that the log has grown.
pub(crate) fn wake() {
    COMMITS.send_modify(|commits| *commits = commits.wrapping_add(1));
}

/// Changes whenever the log has grown by a commit of this process.
pub(crate) fn commits() -> watch::Receiver<u64> {
    COMMITS.subscribe()
}

/// Reads on from a position, and waits where there is nothing more.
#[derive(Debug)]
pub struct Follower {
    pool: PgPool,
    position: Position,
    filter: Filter,
    commits: watch::Receiver<u64>,
    look_after: Duration,
    not_before: Instant,
}

impl Follower {
    /// Follows the log behind `position`.
    pub fn new(pool: PgPool, position: Position, filter: Filter) -> Self {
        Self {
            pool,
            position,
            filter,
            commits: commits(),
            look_after: FIRST_LOOK_AFTER,
            not_before: Instant::now(),
        }
    }

    /// The last event that was given out.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The next events, at least one and at most `limit`; waits until there are any. May be dropped while it waits.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<StoredEvent>, SpineError> {
        loop {
            tokio::time::sleep_until(self.not_before).await;
            // Marked before the read: a commit during the read wakes the wait below.
            self.commits.mark_unchanged();
            self.not_before = Instant::now() + READ_EVERY;
            let events = read_after(&self.pool, self.position, limit, &self.filter).await?;
            if let Some(last) = events.last() {
                self.position = last.position;
                self.look_after = FIRST_LOOK_AFTER;
                if u32::try_from(events.len()).is_ok_and(|read| read >= limit) {
                    // There is more already.
                    self.not_before = Instant::now();
                }
                return Ok(events);
            }
            self.wait().await;
        }
    }

    async fn wait(&mut self) {
        match tokio::time::timeout(self.look_after, self.commits.changed()).await {
            Ok(_woken) => self.look_after = FIRST_LOOK_AFTER,
            Err(_late) => self.look_after = (self.look_after * 2).min(LAST_LOOK_AFTER),
        }
    }
}

/// Reads one stream on from a place in it, and waits where there is nothing more.
#[derive(Debug)]
pub struct StreamFollower {
    pool: PgPool,
    stream: String,
    after: u64,
    commits: watch::Receiver<u64>,
    look_after: Duration,
}

impl StreamFollower {
    /// Follows `stream` behind its event `after`; 0 for the beginning.
    pub fn new(pool: PgPool, stream: String, after: u64) -> Self {
        Self {
            pool,
            stream,
            after,
            commits: COMMITS.subscribe(),
            look_after: FIRST_LOOK_AFTER,
        }
    }

    /// The next events, at least one and at most `limit`; waits until there are any. May be dropped while it waits.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<StoredEvent>, SpineError> {
        loop {
            self.commits.mark_unchanged();
            let events = read_stream(&self.pool, &self.stream, self.after, limit).await?;
            if let Some(last) = events.last() {
                self.after = last.stream_number;
                self.look_after = FIRST_LOOK_AFTER;
                return Ok(events);
            }
            match tokio::time::timeout(self.look_after, self.commits.changed()).await {
                Ok(_woken) => self.look_after = FIRST_LOOK_AFTER,
                Err(_late) => self.look_after = (self.look_after * 2).min(LAST_LOOK_AFTER),
            }
        }
    }
}

/// Whether Postgres answers.
pub async fn ping(pool: &PgPool) -> Result<(), SpineError> {
    sqlx::query!("SELECT 1 AS one").fetch_one(pool).await?;
    Ok(())
}
