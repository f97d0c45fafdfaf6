//! How events get behind the heads of their streams: sealed, numbered, and written with as few statements as they allow.

use std::collections::BTreeMap;

use ledger::log::{Entry, Head, entry_hash, hash_of_actor_bytes};
use protocol::{
    OrganisationId, SiteId, UnixMicros,
    event::ActorEvent,
    sealed::{self, KeyId, Kind, SealFailure},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Recorded, column, head,
    lone::{LoneRow, RecordedRow},
    moment,
};
use crate::{Signer, error::SpineError, idempotency::Answer};

/// An event that waits for the commit.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) organisation: OrganisationId,
    pub(super) site: Option<SiteId>,
    pub(super) event: ActorEvent,
    /// The actor's own bytes; absent for what the gateway is to sign.
    pub(super) sealed: Option<Sealed>,
}

/// An event under its actor's signature.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) key: KeyId,
    pub(super) hash: [u8; 32],
}

impl Sealed {
    pub(super) fn new(bytes: Vec<u8>, key: KeyId) -> Self {
        let hash = hash_of_actor_bytes(&bytes);
        Self { bytes, key, hash }
    }
}

/// What was appended, and the heads that it made.
pub(super) struct Appended {
    pub(super) recorded: Vec<Recorded>,
    pub(super) heads: BTreeMap<String, Head>,
}

/// What else is written with the events.
pub(super) struct Work {
    /// The answer of the request that all this does.
    pub(super) answer: Option<Answer>,
    /// Heads of actors, which are locked, as the events leave them.
    pub(super) actors: Vec<(KeyId, Head)>,
}

/// Puts every event under a signature.
pub(super) fn sign(pending: Vec<Pending>, signer: &Signer) -> Result<Vec<Signed>, SpineError> {
    pending
        .into_iter()
        .map(|pending| Signed::new(pending, signer))
        .collect()
}

/// Appends the events, and writes what else there is, in two statements.
pub(super) async fn append(
    connection: &mut PgConnection,
    events: Vec<Signed>,
    work: Work,
    signer: &Signer,
    now: UnixMicros,
) -> Result<Appended, SpineError> {
    let mut heads = lock(connection, &events).await?;
    let mut batch = Batch::default();
    for event in events {
        let head = heads
            .get_mut(&event.event.stream)
            .ok_or(SpineError::Corrupt("a stream without a head"))?;
        *head = batch.add(event, *head, signer, now)?;
    }
    let recorded = batch.write(connection, &heads, work, now).await?;
    Ok(Appended { recorded, heads })
}

/// An event under its actor's signature, whoever that is.
pub(super) struct Signed {
    organisation: OrganisationId,
    site: Option<SiteId>,
    event: ActorEvent,
    actor: Sealed,
    payload: serde_json::Value,
}

impl Signed {
    fn new(pending: Pending, signer: &Signer) -> Result<Self, SpineError> {
        let event = pending.event;
        let actor = match pending.sealed {
            Some(sealed_by_actor) => sealed_by_actor,
            None => Sealed::new(
                sealed::seal(Kind::Event, &event, signer.key())?,
                signer.id(),
            ),
        };
        Ok(Self {
            organisation: pending.organisation,
            site: pending.site,
            payload: serde_json::to_value(&event.payload)?,
            event,
            actor,
        })
    }

    /// The entry behind `head`, and the head that it makes.
    fn seal(
        &self,
        head: Head,
        signer: &Signer,
        now: UnixMicros,
    ) -> Result<(Vec<u8>, Head), SealFailure> {
        let stream_number = head.stream_number + 1;
        let entry = Entry {
            organisation: self.organisation,
            site: self.site,
            stream_number,
            previous: head.hash,
            recorded_at: now,
            actor: self.actor.bytes.clone(),
        }
        .seal(signer.key())?;
        let hash = entry_hash(&entry);
        let head = Head {
            stream_number,
            hash,
        };
        Ok((entry, head))
    }

    pub(super) fn stream(&self) -> &str {
        &self.event.stream
    }

    fn actor_number(&self) -> Result<Option<i64>, SpineError> {
        let chain = self.event.chain;
        chain.map(|chain| column(chain.number)).transpose()
    }

    /// The row of this event behind `known`, and the head that it makes.
    pub(super) fn behind(
        &self,
        known: Head,
        signer: &Signer,
        now: UnixMicros,
    ) -> Result<(LoneRow, Head), SpineError> {
        let (entry, head) = self.seal(known, signer, now)?;
        let row = LoneRow {
            organisation: self.organisation.0,
            site: self.site.map(|site| site.0),
            stream: self.event.stream.clone(),
            stream_number: column(head.stream_number)?,
            previous: known.hash,
            kind: self.event.payload.kind(),
            actor_key: self.actor.key.0,
            actor_number: self.actor_number()?,
            actor_hash: self.actor.hash,
            recorded_at: moment(now)?,
            entry,
            entry_hash: head.hash,
            payload: self.payload.clone(),
        };
        Ok((row, head))
    }
}

/// Locks the head of every stream that is written to, always in the order of their names: two transactions that
/// write to the same streams wait for each other and never for one another.
async fn lock(
    connection: &mut PgConnection,
    events: &[Signed],
) -> Result<BTreeMap<String, Head>, SpineError> {
    let streams: BTreeMap<&str, &Signed> = events
        .iter()
        .map(|event| (event.event.stream.as_str(), event))
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
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.stream, head(row.stream_number, &row.entry_hash)?)))
        .collect()
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
    /// Seals `event` behind `head` and returns the head that it makes.
    fn add(
        &mut self,
        event: Signed,
        head: Head,
        signer: &Signer,
        now: UnixMicros,
    ) -> Result<Head, SpineError> {
        let (entry, head) = event.seal(head, signer, now)?;
        self.organisations.push(event.organisation.0);
        self.sites.push(event.site.map(|site| site.0));
        self.stream_numbers.push(column(head.stream_number)?);
        self.kinds.push(event.event.payload.kind().to_owned());
        self.actor_keys.push(event.actor.key.0.to_vec());
        self.actor_numbers.push(event.actor_number()?);
        self.actor_hashes.push(event.actor.hash.to_vec());
        self.entries.push(entry);
        self.entry_hashes.push(head.hash.to_vec());
        self.payloads.push(event.payload);
        self.streams.push(event.event.stream);
        Ok(head)
    }

    /// Appends the batch, moves the heads and writes what else there is: one statement, however many events.
    async fn write(
        self,
        connection: &mut PgConnection,
        heads: &BTreeMap<String, Head>,
        work: Work,
        now: UnixMicros,
    ) -> Result<Vec<Recorded>, SpineError> {
        let streams = HeadColumns::of(heads.iter().map(|(name, head)| (name.clone(), *head)))?;
        let actors = (work.actors.iter()).map(|(key, head)| (key.0.to_vec(), *head));
        let actors = HeadColumns::of(actors)?;
        let answer = work.answer.as_ref();
        let rows = sqlx::query_as!(
            RecordedRow,
            r#"WITH moved AS (
                   UPDATE spine.stream_head AS head
                   SET stream_number = latest.stream_number, entry_hash = latest.entry_hash
                   FROM unnest($12::text[], $13::bigint[], $14::bytea[]) AS latest (stream, stream_number, entry_hash)
                   WHERE head.stream = latest.stream
               ), acted AS (
                   UPDATE spine.actor_head AS head
                   SET actor_number = latest.actor_number, actor_hash = latest.actor_hash
                   FROM unnest($16::bytea[], $17::bigint[], $18::bytea[]) AS latest (actor_key, actor_number, actor_hash)
                   WHERE head.actor_key = latest.actor_key
               ), answered AS (
                   UPDATE spine.idempotency SET status = $21, answer = $22
                   WHERE caller = $19 AND request_key = $20
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
            &self.organisations,
            &self.sites as &[Option<Uuid>],
            &self.streams,
            &self.stream_numbers,
            &self.kinds,
            &self.actor_keys,
            &self.actor_numbers as &[Option<i64>],
            &self.actor_hashes,
            &self.entries,
            &self.entry_hashes,
            moment(now)?,
            &streams.names,
            &streams.numbers,
            &streams.hashes,
            &self.payloads,
            &actors.names,
            &actors.numbers,
            &actors.hashes,
            answer.map(|answer| answer.caller),
            answer.map(|answer| answer.key),
            answer.map(|answer| answer.status),
            answer.map(|answer| &answer.body),
        )
        .fetch_all(connection)
        .await?;
        rows.into_iter().map(RecordedRow::recorded).collect()
    }
}

/// Heads as columns, under the names of their rows.
struct HeadColumns<Name> {
    names: Vec<Name>,
    numbers: Vec<i64>,
    hashes: Vec<Vec<u8>>,
}

impl<Name> HeadColumns<Name> {
    fn of(heads: impl Iterator<Item = (Name, Head)>) -> Result<Self, SpineError> {
        let mut columns = Self {
            names: Vec::new(),
            numbers: Vec::new(),
            hashes: Vec::new(),
        };
        for (name, head) in heads {
            columns.names.push(name);
            columns.numbers.push(column(head.stream_number)?);
            columns.hashes.push(head.hash.to_vec());
        }
        Ok(columns)
    }
}
