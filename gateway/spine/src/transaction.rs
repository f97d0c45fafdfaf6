//! One transaction: the rows that modules write and the events that explain them, committed together or not at all.

use std::collections::BTreeMap;

use ledger::log::{Entry, Head, entry_hash, hash_of_actor_bytes};
use protocol::{
    OrganisationId, PersonId, SiteId, UnixMicros,
    event::{ActorChain, ActorEvent, Payload},
    sealed::{self, KeyId, Kind},
    views::Role,
};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Position, Signer,
    error::{RecordError, Refusal, SpineError},
    tail,
};

/// A database transaction that carries its events. Dropped without [`Tx::commit`], it never happened.
#[derive(Debug)]
pub struct Tx {
    transaction: Transaction<'static, Postgres>,
    pending: Vec<Pending>,
}

/// An event that waits for the commit.
#[derive(Debug)]
struct Pending {
    organisation: OrganisationId,
    site: Option<SiteId>,
    event: ActorEvent,
    /// The actor's own bytes; absent for what the gateway is to sign.
    sealed: Option<(Vec<u8>, KeyId)>,
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
    /// Opens a transaction.
    pub async fn begin(pool: &PgPool) -> Result<Self, SpineError> {
        Ok(Self {
            transaction: pool.begin().await?,
            pending: Vec::new(),
        })
    }

    /// The connection that a module's store reads and writes through.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
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
        let hash = hash_of_actor_bytes(&sealed);
        let head = self.lock_actor(key, organisation, site).await?;
        if chain.number <= head.stream_number {
            let known = self.known_hash(key, chain.number).await?;
            return (known == hash)
                .then_some(Recording::AlreadyHeld)
                .ok_or_else(|| {
                    Refusal::Forked {
                        number: chain.number,
                    }
                    .into()
                });
        }
        follows(head, chain)?;
        self.move_actor(key, chain.number, hash).await?;
        self.pending.push(Pending {
            organisation,
            site,
            event: opened,
            sealed: Some((sealed, key)),
        });
        Ok(Recording::New)
    }

    /// Seals and appends the events, commits everything at once and wakes the followers.
    pub async fn commit(
        mut self,
        signer: &Signer,
        now: UnixMicros,
    ) -> Result<Vec<Recorded>, SpineError> {
        if self.pending.is_empty() {
            self.transaction.commit().await?;
            return Ok(Vec::new());
        }
        let mut heads = self.lock_streams().await?;
        let mut batch = Batch::default();
        for pending in std::mem::take(&mut self.pending) {
            let head = heads
                .get_mut(&pending.event.stream)
                .ok_or(SpineError::Corrupt("a stream without a head"))?;
            *head = batch.append(pending, *head, signer, now)?;
        }
        let recorded = self.write(batch, &heads, now).await?;
        self.transaction.commit().await?;
        tail::wake();
        Ok(recorded)
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
        .fetch_one(self.connection())
        .await?;
        head(row.actor_number, &row.actor_hash)
    }

    async fn move_actor(
        &mut self,
        key: KeyId,
        number: u64,
        hash: [u8; 32],
    ) -> Result<(), SpineError> {
        sqlx::query!(
            "UPDATE spine.actor_head SET actor_number = $2, actor_hash = $3 WHERE actor_key = $1",
            key.0.as_slice(),
            column(number)?,
            hash.as_slice(),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The hash of the event that is held under this number, here or in the log.
    async fn known_hash(&mut self, key: KeyId, number: u64) -> Result<[u8; 32], SpineError> {
        let here = self.pending.iter().find_map(|pending| {
            let (sealed, by) = pending.sealed.as_ref()?;
            let is_it = *by == key
                && pending
                    .event
                    .chain
                    .is_some_and(|chain| chain.number == number);
            is_it.then(|| hash_of_actor_bytes(sealed))
        });
        if let Some(hash) = here {
            return Ok(hash);
        }
        let hash = sqlx::query_scalar!(
            "SELECT actor_hash FROM spine.event WHERE actor_key = $1 AND actor_number = $2",
            key.0.as_slice(),
            column(number)?,
        )
        .fetch_optional(self.connection())
        .await?
        .ok_or(SpineError::Corrupt(
            "an actor's head stands over an event that is not there",
        ))?;
        bytes32(&hash)
    }

    /// Locks the head of every stream that is written to, always in the order of their names: two transactions that
    /// write to the same streams wait for each other and never for one another.
    async fn lock_streams(&mut self) -> Result<BTreeMap<String, Head>, SpineError> {
        let streams: BTreeMap<&str, &Pending> = self
            .pending
            .iter()
            .map(|pending| (pending.event.stream.as_str(), pending))
            .collect();
        let names: Vec<String> = streams.keys().map(|&name| name.to_owned()).collect();
        let organisations: Vec<Uuid> = streams.values().map(|first| first.organisation.0).collect();
        let sites: Vec<Option<Uuid>> = streams
            .values()
            .map(|first| first.site.map(|site| site.0))
            .collect();
        let rows = sqlx::query!(
            r#"INSERT INTO spine.stream_head AS head (stream, organisation_id, site_id, stream_number, entry_hash)
               SELECT stream, organisation_id, site_id, 0, $4
               FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS wanted (stream, organisation_id, site_id)
               ORDER BY stream COLLATE "C"
               ON CONFLICT (stream) DO UPDATE SET stream_number = head.stream_number
               RETURNING stream, stream_number, entry_hash"#,
            &names,
            &organisations,
            &sites as &[Option<Uuid>],
            Head::START.hash.as_slice(),
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| Ok((row.stream, head(row.stream_number, &row.entry_hash)?)))
            .collect()
    }

    /// Appends the batch and moves the heads: one statement, however many events.
    async fn write(
        &mut self,
        batch: Batch,
        heads: &BTreeMap<String, Head>,
        now: UnixMicros,
    ) -> Result<Vec<Recorded>, SpineError> {
        let names: Vec<String> = heads.keys().cloned().collect();
        let numbers = heads
            .values()
            .map(|head| column(head.stream_number))
            .collect::<Result<Vec<i64>, _>>()?;
        let hashes: Vec<Vec<u8>> = heads.values().map(|head| head.hash.to_vec()).collect();
        let rows = sqlx::query!(
            r#"WITH moved AS (
                   UPDATE spine.stream_head AS head
                   SET stream_number = latest.stream_number, entry_hash = latest.entry_hash
                   FROM unnest($12::text[], $13::bigint[], $14::bytea[]) AS latest (stream, stream_number, entry_hash)
                   WHERE head.stream = latest.stream
               )
               INSERT INTO spine.event (organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                                        actor_hash, recorded_at, entry, entry_hash, payload)
               SELECT organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                      actor_hash, $11, entry, entry_hash, payload
               FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::bigint[],
                           $8::bytea[], $9::bytea[], $10::bytea[], $15::jsonb[])
                   AS new (organisation_id, site_id, stream, stream_number, kind, actor_key, actor_number,
                           actor_hash, entry, entry_hash, payload)
               RETURNING transaction_id::text AS "transaction_id!", sequence, stream, stream_number, entry_hash"#,
            &batch.organisations,
            &batch.sites as &[Option<Uuid>],
            &batch.streams,
            &batch.stream_numbers,
            &batch.kinds,
            &batch.actor_keys,
            &batch.actor_numbers as &[Option<i64>],
            &batch.actor_hashes,
            &batch.entries,
            &batch.entry_hashes,
            moment(now)?,
            &names,
            &numbers,
            &hashes,
            &batch.payloads,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Recorded {
                    position: Position {
                        transaction: transaction(&row.transaction_id)?,
                        sequence: row.sequence,
                    },
                    stream: row.stream,
                    stream_number: number(row.stream_number)?,
                    entry_hash: bytes32(&row.entry_hash)?,
                })
            })
            .collect()
    }
}

/// The latest entry of a stream, locked until the transaction ends; nothing when it has none.
pub async fn stream_head(tx: &mut Tx, stream: &str) -> Result<Option<Head>, SpineError> {
    let row = sqlx::query!(
        "SELECT stream_number, entry_hash FROM spine.stream_head WHERE stream = $1 FOR UPDATE",
        stream,
    )
    .fetch_optional(tx.connection())
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

/// Columns of the rows to append.
#[derive(Debug, Default)]
struct Batch {
    organisations: Vec<Uuid>,
    sites: Vec<Option<Uuid>>,
    streams: Vec<String>,
    stream_numbers: Vec<i64>,
    kinds: Vec<String>,
    actor_keys: Vec<Vec<u8>>,
    actor_numbers: Vec<Option<i64>>,
    actor_hashes: Vec<Vec<u8>>,
    entries: Vec<Vec<u8>>,
    entry_hashes: Vec<Vec<u8>>,
    payloads: Vec<serde_json::Value>,
}

impl Batch {
    /// Seals `pending` behind `head` and returns the head that it makes.
    fn append(
        &mut self,
        pending: Pending,
        head: Head,
        signer: &Signer,
        now: UnixMicros,
    ) -> Result<Head, SpineError> {
        let event = pending.event;
        let (actor, key) = match pending.sealed {
            Some(sealed_by_actor) => sealed_by_actor,
            None => (
                sealed::seal(Kind::Event, &event, signer.key())?,
                signer.id(),
            ),
        };
        let stream_number = head.stream_number + 1;
        self.actor_hashes.push(hash_of_actor_bytes(&actor).to_vec());
        let entry = Entry {
            organisation: pending.organisation,
            site: pending.site,
            stream_number,
            previous: head.hash,
            recorded_at: now,
            actor,
        }
        .seal(signer.key())?;
        let hash = entry_hash(&entry);
        self.organisations.push(pending.organisation.0);
        self.sites.push(pending.site.map(|site| site.0));
        self.stream_numbers.push(column(stream_number)?);
        self.kinds.push(event.payload.kind().to_owned());
        self.actor_keys.push(key.0.to_vec());
        let actor_number = event.chain.map(|chain| column(chain.number)).transpose()?;
        self.actor_numbers.push(actor_number);
        self.entries.push(entry);
        self.entry_hashes.push(hash.to_vec());
        self.payloads.push(serde_json::to_value(&event.payload)?);
        self.streams.push(event.stream);
        Ok(Head {
            stream_number,
            hash,
        })
    }
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
