//! One transaction: the rows that modules write and the events that explain them, committed together or not at all.

mod append;
mod lone;
mod together;

use std::collections::BTreeMap;

use ledger::log::Head;
use protocol::{
    OrganisationId, PersonId, SiteId, UnixMicros,
    event::{ActorChain, ActorEvent, Payload},
    sealed::KeyId,
    views::Role,
};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use time::OffsetDateTime;

use append::{Appended, Pending, Sealed, Signed, Work, append, sign};

use crate::{
    Position, Signer,
    error::{RecordError, Refusal, SpineError},
    heads,
    idempotency::Answer,
    tail,
};

/// A database transaction that carries its events. Dropped without [`Tx::commit`], it never happened.
///
/// The database hears of it when something is first read or written in it: one event alone is one statement.
#[derive(Debug)]
pub struct Tx {
    pool: PgPool,
    /// Absent until it is needed.
    transaction: Option<Transaction<'static, Postgres>>,
    pending: Vec<Pending>,
    /// Heads of actors that are locked here, as they stand behind what is pending.
    actors: BTreeMap<KeyId, Actor>,
    /// What the request that this does was answered.
    answer: Option<Answer>,
}

/// The head of an actor.
#[derive(Debug, Clone, Copy)]
struct Actor {
    head: Head,
    /// Whether the row says the same.
    is_written: bool,
}

/// An event that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Where followers find it.
    pub position: Position,
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub stream_number: u64,
    /// The name of its entry.
    pub entry_hash: [u8; 32],
}

/// What became of an actor's own event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// It is written with this transaction.
    New,
    /// The log holds exactly this event already; nothing to do.
    AlreadyHeld,
}

impl Tx {
    /// A transaction in which nothing happened yet.
    pub fn begin(pool: &PgPool) -> Self {
        Self {
            pool: pool.clone(),
            transaction: None,
            pending: Vec::new(),
            actors: BTreeMap::new(),
            answer: None,
        }
    }

    /// The connection that a module's store reads and writes through.
    pub async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        let open = match self.transaction.take() {
            Some(open) => open,
            None => self.pool.begin().await?,
        };
        Ok(self.transaction.insert(open))
    }

    /// Keeps the answer with the work, for a request that was claimed here.
    pub(crate) fn keep_answer(&mut self, answer: Answer) {
        self.answer = Some(answer);
    }

    /// Notes what happened, to be signed by the gateway at commit, for itself or for a person who holds no key.
    pub fn record(
        &mut self,
        stream: String,
        organisation: OrganisationId,
        site: Option<SiteId>,
        on_behalf_of: Option<PersonId>,
        payload: Payload,
    ) {
        self.pending.push(Pending {
            organisation,
            site,
            event: ActorEvent {
                stream,
                chain: None,
                on_behalf_of,
                acting_as: None,
                payload,
            },
            sealed: None,
        });
    }

    /// Notes what a person who holds no key did in one of their roles, to be signed by the gateway for them.
    pub fn record_for(
        &mut self,
        stream: String,
        organisation: OrganisationId,
        site: Option<SiteId>,
        (person, role): (PersonId, Role),
        payload: Payload,
    ) {
        self.pending.push(Pending {
            organisation,
            site,
            event: ActorEvent {
                stream,
                chain: None,
                on_behalf_of: Some(person),
                acting_as: Some(role),
                payload,
            },
            sealed: None,
        });
    }

    /// Notes an event that its actor sealed with `key`; its bytes are kept as they came. `opened` is what `sealed` holds:
    /// the caller has verified it.
    ///
    /// Events of one key are taken one after the other and each at most once: the key's head is locked until the end.
    pub async fn record_sealed(
        &mut self,
        organisation: OrganisationId,
        site: Option<SiteId>,
        sealed: Vec<u8>,
        opened: ActorEvent,
        key: KeyId,
    ) -> Result<Recording, RecordError> {
        let chain = opened.chain.ok_or(Refusal::Unnumbered)?;
        let sealed = Sealed::new(sealed, key);
        let hash = sealed.hash;
        let is_locked = self.actors.contains_key(&key);
        let is_written = !is_locked && self.follow_actor(key, chain, hash).await?;
        if !is_written {
            let head = match self.actors.get(&key) {
                Some(actor) => actor.head,
                None => self.lock_actor(key, organisation, site).await?,
            };
            if chain.number <= head.stream_number {
                return self.known(key, chain.number, hash).await;
            }
            follows(head, chain)?;
        }
        let head = Head {
            stream_number: chain.number,
            hash,
        };
        self.actors.insert(key, Actor { head, is_written });
        self.pending.push(Pending {
            organisation,
            site,
            event: opened,
            sealed: Some(sealed),
        });
        Ok(Recording::New)
    }

    /// Seals and appends the events, commits everything at once and wakes the followers.
    pub async fn commit(
        mut self,
        signer: &Signer,
        now: UnixMicros,
    ) -> Result<Vec<Recorded>, SpineError> {
        let work = Work {
            answer: self.answer.take(),
            actors: std::mem::take(&mut self.actors)
                .into_iter()
                .filter(|(_, actor)| !actor.is_written)
                .map(|(key, actor)| (key, actor.head))
                .collect(),
        };
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            if let Some(answer) = work.answer {
                answer.write(self.connection().await?).await?;
            }
            if let Some(open) = self.transaction {
                open.commit().await?;
            }
            return Ok(Vec::new());
        }
        // Before any lock: the actors' bytes don't depend on what others write.
        let events = sign(pending, signer)?;
        let appended = match self.append_alone(&events, &work, signer, now).await? {
            Some(appended) => appended,
            None => append(self.connection().await?, events, work, signer, now).await?,
        };
        if let Some(open) = self.transaction {
            open.commit().await?;
        }
        heads::keep(appended.heads);
        tail::wake();
        Ok(appended.recorded)
    }

    /// Appends a single event behind the head that this process left its stream with. None, and nothing is done, when there are
    /// others, or somebody else wrote to the stream.
    async fn append_alone(
        &mut self,
        events: &[Signed],
        work: &Work,
        signer: &Signer,
        now: UnixMicros,
    ) -> Result<Option<Appended>, SpineError> {
        let ([alone], true) = (events, work.actors.is_empty()) else {
            return Ok(None);
        };
        let Some(head) = heads::take(alone.stream()) else {
            return Ok(None);
        };
        let (row, head) = alone.behind(head, signer, now)?;
        let stream = row.stream.clone();
        let row = match (&mut self.transaction, work.answer.as_ref()) {
            (Some(open), None) => row.insert(&mut **open).await?,
            (Some(open), Some(answer)) => row.insert_with_answer(&mut **open, answer).await?,
            // One statement is a transaction by itself.
            (None, Some(answer)) => row.insert_with_answer(&self.pool, answer).await?,
            (None, None) => together::write(&self.pool, row).await?,
        };
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Appended {
            recorded: vec![row.recorded()?],
            heads: BTreeMap::from([(stream, head)]),
        }))
    }

    /// Moves the head of an actor whose event follows it, as nearly every event does, and keeps it locked. False, and nothing
    /// is done, when the event does not follow.
    async fn follow_actor(
        &mut self,
        key: KeyId,
        chain: ActorChain,
        hash: [u8; 32],
    ) -> Result<bool, SpineError> {
        let moved = sqlx::query!(
            "UPDATE spine.actor_head SET actor_number = $2::bigint, actor_hash = $3
             WHERE actor_key = $1 AND actor_number = $2::bigint - 1 AND actor_hash = $4",
            key.0.as_slice(),
            column(chain.number)?,
            hash.as_slice(),
            chain.previous.as_slice(),
        )
        .execute(self.connection().await?)
        .await?;
        Ok(moved.rows_affected() == 1)
    }

    /// Locks one actor's head, made if it is missing.
    async fn lock_actor(
        &mut self,
        key: KeyId,
        organisation: OrganisationId,
        site: Option<SiteId>,
    ) -> Result<Head, SpineError> {
        let row = sqlx::query!(
            "INSERT INTO spine.actor_head AS head (actor_key, organisation_id, site_id, actor_number, actor_hash)
             VALUES ($1, $2, $3, 0, $4)
             ON CONFLICT (actor_key) DO UPDATE SET actor_number = head.actor_number
             RETURNING actor_number, actor_hash",
            key.0.as_slice(),
            organisation.0,
            site.map(|site| site.0),
            Head::START.hash.as_slice(),
        )
        .fetch_one(self.connection().await?)
        .await?;
        head(row.actor_number, &row.actor_hash)
    }

    /// An event whose number is taken: held already if it is the very same.
    async fn known(
        &mut self,
        key: KeyId,
        number: u64,
        hash: [u8; 32],
    ) -> Result<Recording, RecordError> {
        let known = self.known_hash(key, number).await?;
        (known == hash)
            .then_some(Recording::AlreadyHeld)
            .ok_or_else(|| Refusal::Forked { number }.into())
    }

    /// The hash of the event that is held under this number, here or in the log.
    async fn known_hash(&mut self, key: KeyId, number: u64) -> Result<[u8; 32], SpineError> {
        let here = self.pending.iter().find_map(|pending| {
            let sealed = pending.sealed.as_ref()?;
            let chain = pending.event.chain?;
            (sealed.key == key && chain.number == number).then_some(sealed.hash)
        });
        if let Some(hash) = here {
            return Ok(hash);
        }
        let hash = sqlx::query_scalar!(
            "SELECT actor_hash FROM spine.event WHERE actor_key = $1 AND actor_number = $2",
            key.0.as_slice(),
            column(number)?,
        )
        .fetch_optional(self.connection().await?)
        .await?
        .ok_or(SpineError::Corrupt(
            "an actor's head stands over an event that is not there",
        ))?;
        bytes32(&hash)
    }
}

/// The latest entry of a stream, locked until the transaction ends; nothing when it has none.
pub async fn stream_head(tx: &mut Tx, stream: &str) -> Result<Option<Head>, SpineError> {
    let row = sqlx::query!(
        "SELECT stream_number, entry_hash FROM spine.stream_head WHERE stream = $1 FOR UPDATE",
        stream,
    )
    .fetch_optional(tx.connection().await?)
    .await?;
    row.map(|row| head(row.stream_number, &row.entry_hash))
        .transpose()
}

/// Highest number that the log holds of the events of this key, without a gap below it; 0 when it holds none.
pub async fn actor_held(pool: &PgPool, key: KeyId) -> Result<u64, SpineError> {
    let held = sqlx::query_scalar!(
        "SELECT actor_number FROM spine.actor_head WHERE actor_key = $1",
        key.0.as_slice(),
    )
    .fetch_optional(pool)
    .await?;
    number(held.unwrap_or(0))
}

fn follows(head: Head, chain: ActorChain) -> Result<(), Refusal> {
    if chain.number != head.stream_number + 1 {
        return Err(Refusal::Gap {
            held: head.stream_number,
            found: chain.number,
        });
    }
    (chain.previous == head.hash)
        .then_some(())
        .ok_or(Refusal::Forked {
            number: chain.number,
        })
}

fn head(stream_number: i64, hash: &[u8]) -> Result<Head, SpineError> {
    Ok(Head {
        stream_number: number(stream_number)?,
        hash: bytes32(hash)?,
    })
}

/// A count as Postgres keeps it.
pub(crate) fn column(number: u64) -> Result<i64, SpineError> {
    i64::try_from(number)
        .map_err(|_too_large| SpineError::Corrupt("a number beyond what Postgres counts"))
}

pub(crate) fn number(column: i64) -> Result<u64, SpineError> {
    u64::try_from(column).map_err(|_negative| SpineError::Corrupt("a negative number"))
}

pub(crate) fn transaction(text: &str) -> Result<u64, SpineError> {
    text.parse()
        .map_err(|_no_number| SpineError::Corrupt("a transaction that has no number"))
}

pub(crate) fn bytes32(bytes: &[u8]) -> Result<[u8; 32], SpineError> {
    <[u8; 32]>::try_from(bytes)
        .map_err(|_length| SpineError::Corrupt("a hash or key that is not 32 bytes"))
}

fn moment(at: UnixMicros) -> Result<OffsetDateTime, SpineError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .map_err(|_year| SpineError::Corrupt("a moment beyond the calendar"))
}
