//! Who steers, in Postgres.
//!
//! Records no event: each is its actor's own word, which the caller records in the same transaction.

use protocol::{
    OrganisationId, PersonId, RobotId, SiteId, UnixMicros, control::ControlTurn, sealed::KeyId,
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Control, Holder, Request, Seat, Turn};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlStoreError {
    /// Another writer was first. Nothing was changed; load again.
    #[error("who steers {0} was changed by someone else")]
    Stale(RobotId),
    /// The row is one that we never write.
    #[error("{0} has a row that no event explains")]
    Corrupt(RobotId),
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Who steers a robot, as it is kept: what its events make of it, and whose robot it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredControl {
    /// The robot's organisation.
    pub organisation: OrganisationId,
    /// Where it works.
    pub site: SiteId,
    /// What its events make of it.
    pub control: Control,
}

struct ControlRow {
    robot_id: Uuid,
    organisation_id: Uuid,
    site_id: Uuid,
    epoch: i64,
    holder_id: Option<Uuid>,
    holder_key: Option<Vec<u8>>,
    held_since: Option<OffsetDateTime>,
    held_until: Option<OffsetDateTime>,
    asker_id: Option<Uuid>,
    asker_key: Option<Vec<u8>>,
    asked_words: Option<String>,
    asked_until: Option<OffsetDateTime>,
    last_turn: Option<String>,
    last_person_id: Option<Uuid>,
    last_words: Option<String>,
    last_at: Option<OffsetDateTime>,
    version: i64,
}

impl ControlRow {
    fn stored(self) -> Result<StoredControl, ControlStoreError> {
        let robot = RobotId(self.robot_id);
        self.read().ok_or(ControlStoreError::Corrupt(robot))
    }

    fn read(self) -> Option<StoredControl> {
        let holder = match (self.holder_id, self.held_since, self.held_until) {
            (None, None, None) => None,
            (Some(person), Some(since), Some(until)) => Some(Holder {
                seat: seat(person, self.holder_key)?,
                since: micros(since)?,
                until: micros(until)?,
            }),
            _ => return None,
        };
        let request = match (self.asker_id, self.asked_words, self.asked_until) {
            (None, None, None) => None,
            (Some(person), Some(words), Some(until)) => Some(Request {
                seat: seat(person, self.asker_key)?,
                words,
                until: micros(until)?,
            }),
            _ => return None,
        };
        let last = match (
            self.last_turn,
            self.last_person_id,
            self.last_words,
            self.last_at,
        ) {
            (None, None, None, None) => None,
            (Some(turn), Some(person), Some(words), Some(at)) => Some(Turn {
                turn: ControlTurn::parse(&turn)?,
                person: PersonId(person),
                words,
                at: micros(at)?,
            }),
            _ => return None,
        };
        Some(StoredControl {
            organisation: OrganisationId(self.organisation_id),
            site: SiteId(self.site_id),
            control: Control {
                robot: RobotId(self.robot_id),
                epoch: u64::try_from(self.epoch).ok()?,
                holder,
                request,
                last,
                version: u64::try_from(self.version).ok()?,
            },
        })
    }
}

fn seat(person: Uuid, key: Option<Vec<u8>>) -> Option<Seat> {
    let key = match key {
        Some(key) => Some(KeyId(key.try_into().ok()?)),
        None => None,
    };
    Some(Seat {
        person: PersonId(person),
        key,
    })
}

/// Who steers a robot, locked until the transaction ends; nothing when nobody ever did.
pub async fn load_control(
    tx: &mut Tx,
    robot: RobotId,
) -> Result<Option<StoredControl>, ControlStoreError> {
    sqlx::query_as!(
        ControlRow,
        "SELECT robot_id, organisation_id, site_id, epoch, holder_id, holder_key, held_since, held_until, asker_id, asker_key,
                asked_words, asked_until, last_turn, last_person_id, last_words, last_at, version
         FROM assist.control
         WHERE robot_id = $1
         FOR UPDATE",
        robot.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(ControlRow::stored)
    .transpose()
}

/// Who steers a robot, unlocked.
pub async fn peek_control(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
) -> Result<Option<StoredControl>, ControlStoreError> {
    sqlx::query_as!(
        ControlRow,
        "SELECT robot_id, organisation_id, site_id, epoch, holder_id, holder_key, held_since, held_until, asker_id, asker_key,
                asked_words, asked_until, last_turn, last_person_id, last_words, last_at, version
         FROM assist.control
         WHERE robot_id = $1",
        robot.0,
    )
    .fetch_optional(executor)
    .await?
    .map(ControlRow::stored)
    .transpose()
}

/// Who steers each of these robots, of those that anybody ever steered.
pub async fn controls_of(
    executor: impl PgExecutor<'_>,
    robots: &[RobotId],
) -> Result<Vec<StoredControl>, ControlStoreError> {
    let robots: Vec<Uuid> = robots.iter().map(|robot| robot.0).collect();
    sqlx::query_as!(
        ControlRow,
        "SELECT robot_id, organisation_id, site_id, epoch, holder_id, holder_key, held_since, held_until, asker_id, asker_key,
                asked_words, asked_until, last_turn, last_person_id, last_words, last_at, version
         FROM assist.control
         WHERE robot_id = ANY ($1)
         ORDER BY robot_id",
        &robots,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(ControlRow::stored)
    .collect()
}

/// What one person steers, locked until the transaction ends.
pub async fn load_controls_held_by(
    tx: &mut Tx,
    person: PersonId,
) -> Result<Vec<StoredControl>, ControlStoreError> {
    sqlx::query_as!(
        ControlRow,
        "SELECT robot_id, organisation_id, site_id, epoch, holder_id, holder_key, held_since, held_until, asker_id, asker_key,
                asked_words, asked_until, last_turn, last_person_id, last_words, last_at, version
         FROM assist.control
         WHERE holder_id = $1
         ORDER BY robot_id
         FOR UPDATE",
        person.0,
    )
    .fetch_all(tx.connection().await?)
    .await?
    .into_iter()
    .map(ControlRow::stored)
    .collect()
}

/// Robots whose holder was not heard for too long, longest first, locked; those that another gateway is at are left out.
pub async fn claim_lapsed_controls(
    tx: &mut Tx,
    now: OffsetDateTime,
    limit: u32,
) -> Result<Vec<StoredControl>, ControlStoreError> {
    sqlx::query_as!(
        ControlRow,
        "SELECT robot_id, organisation_id, site_id, epoch, holder_id, holder_key, held_since, held_until, asker_id, asker_key,
                asked_words, asked_until, last_turn, last_person_id, last_words, last_at, version
         FROM assist.control
         WHERE holder_id IS NOT NULL AND held_until <= $1
         ORDER BY held_until
         LIMIT $2
         FOR UPDATE SKIP LOCKED",
        now,
        i64::from(limit),
    )
    .fetch_all(tx.connection().await?)
    .await?
    .into_iter()
    .map(ControlRow::stored)
    .collect()
}

/// Writes who steers now, or fails as `Stale` when another writer was first; `before` is nothing for a robot that nobody
/// ever steered.
pub async fn save_control(
    tx: &mut Tx,
    before: Option<&StoredControl>,
    after: &StoredControl,
) -> Result<(), ControlStoreError> {
    let written = match before {
        None => insert(tx, after).await?,
        Some(before) => update(tx, &before.control, &after.control).await?,
    };
    if written == 1 {
        Ok(())
    } else {
        Err(ControlStoreError::Stale(after.control.robot))
    }
}

async fn insert(tx: &mut Tx, after: &StoredControl) -> Result<u64, ControlStoreError> {
    let columns = Columns::of(&after.control)?;
    let inserted = sqlx::query!(
        "INSERT INTO assist.control (robot_id, organisation_id, site_id, epoch, holder_id, holder_key, held_since,
                                     held_until, asker_id, asker_key, asked_words, asked_until, last_turn,
                                     last_person_id, last_words, last_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT DO NOTHING",
        after.control.robot.0,
        after.organisation.0,
        after.site.0,
        columns.epoch,
        columns.holder,
        columns.holder_key,
        columns.held_since,
        columns.held_until,
        columns.asker,
        columns.asker_key,
        columns.asked_words,
        columns.asked_until,
        columns.last_turn,
        columns.last_person,
        columns.last_words,
        columns.last_at,
        columns.version,
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(inserted.rows_affected())
}

async fn update(tx: &mut Tx, before: &Control, after: &Control) -> Result<u64, ControlStoreError> {
    let columns = Columns::of(after)?;
    let updated = sqlx::query!(
        "UPDATE assist.control
         SET epoch = $2, holder_id = $3, holder_key = $4, held_since = $5, held_until = $6, asker_id = $7,
             asker_key = $8, asked_words = $9, asked_until = $10, last_turn = $11, last_person_id = $12,
             last_words = $13, last_at = $14, version = $15
         WHERE robot_id = $1 AND version = $16",
        after.robot.0,
        columns.epoch,
        columns.holder,
        columns.holder_key,
        columns.held_since,
        columns.held_until,
        columns.asker,
        columns.asker_key,
        columns.asked_words,
        columns.asked_until,
        columns.last_turn,
        columns.last_person,
        columns.last_words,
        columns.last_at,
        columns.version,
        number(before, before.version)?,
    )
    .execute(tx.connection().await?)
    .await?;
    Ok(updated.rows_affected())
}

/// Gives who steers the robot time until `until`, if they still steer it under this epoch at `now`. False when they don't.
pub async fn renew(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    person: PersonId,
    epoch: u64,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<bool, ControlStoreError> {
    let Ok(epoch) = i64::try_from(epoch) else {
        return Ok(false);
    };
    let renewed = sqlx::query!(
        "UPDATE assist.control
         SET held_until = GREATEST(held_until, $5)
         WHERE robot_id = $1 AND holder_id = $2 AND epoch = $3 AND held_until > $4",
        robot.0,
        person.0,
        epoch,
        now,
        until,
    )
    .execute(executor)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// What of it changes, as Postgres keeps it.
struct Columns<'control> {
    epoch: i64,
    holder: Option<Uuid>,
    holder_key: Option<&'control [u8]>,
    held_since: Option<OffsetDateTime>,
    held_until: Option<OffsetDateTime>,
    asker: Option<Uuid>,
    asker_key: Option<&'control [u8]>,
    asked_words: Option<&'control str>,
    asked_until: Option<OffsetDateTime>,
    last_turn: Option<&'static str>,
    last_person: Option<Uuid>,
    last_words: Option<&'control str>,
    last_at: Option<OffsetDateTime>,
    version: i64,
}

impl<'control> Columns<'control> {
    fn of(control: &'control Control) -> Result<Self, ControlStoreError> {
        let at = |at: Option<UnixMicros>| at.map(|at| moment(control, at)).transpose();
        let holder = control.holder.as_ref();
        let request = control.request.as_ref();
        let last = control.last.as_ref();
        Ok(Self {
            epoch: number(control, control.epoch)?,
            holder: holder.map(|holder| holder.seat.person.0),
            holder_key: holder.and_then(|holder| key(&holder.seat)),
            held_since: at(holder.map(|holder| holder.since))?,
            held_until: at(holder.map(|holder| holder.until))?,
            asker: request.map(|request| request.seat.person.0),
            asker_key: request.and_then(|request| key(&request.seat)),
            asked_words: request.map(|request| request.words.as_str()),
            asked_until: at(request.map(|request| request.until))?,
            last_turn: last.map(|last| last.turn.word()),
            last_person: last.map(|last| last.person.0),
            last_words: last.map(|last| last.words.as_str()),
            last_at: at(last.map(|last| last.at))?,
            version: number(control, control.version)?,
        })
    }
}

fn key(seat: &Seat) -> Option<&[u8]> {
    seat.key.as_ref().map(|key| key.0.as_slice())
}

fn number(control: &Control, number: u64) -> Result<i64, ControlStoreError> {
    i64::try_from(number).map_err(|_huge| ControlStoreError::Corrupt(control.robot))
}

fn moment(control: &Control, at: UnixMicros) -> Result<OffsetDateTime, ControlStoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .map_err(|_beyond_the_calendar| ControlStoreError::Corrupt(control.robot))
}

fn micros(at: OffsetDateTime) -> Option<UnixMicros> {
    i64::try_from(at.unix_timestamp_nanos() / 1_000)
        .ok()
        .map(UnixMicros)
}

#[cfg(test)]
mod tests;
