//! What a row of the log says by its sealed bytes. These count: the other columns find and sort rows, are compared with
//! the bytes, and what happened is never read from them.

use ledger::log::{Entry, entry_hash, hash_of_actor_bytes};
use protocol::{
    OrganisationId, SiteId,
    event::ActorEvent,
    sealed::{KeyId, Kind, unverified},
};
use serde_json::{Number, Value};
use time::OffsetDateTime;

/// Why a row of the log can't be what was once written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The bytes are no entry of ours, or one of a newer version.
    #[error("its sealed bytes can't be read")]
    Unreadable,
    /// A column says something else than the bytes.
    #[error("its column `{0}` says something else than its sealed bytes")]
    Contradicted(&'static str),
}

/// The columns of `spine.event` that repeat what its sealed bytes say.
#[derive(Debug)]
pub(crate) struct Columns<'row> {
    pub(crate) organisation: OrganisationId,
    pub(crate) site: Option<SiteId>,
    pub(crate) stream: &'row str,
    pub(crate) stream_number: u64,
    pub(crate) kind: &'row str,
    pub(crate) actor_key: &'row [u8],
    pub(crate) actor_number: Option<u64>,
    pub(crate) actor_hash: &'row [u8],
    pub(crate) recorded_at: OffsetDateTime,
    pub(crate) entry_hash: &'row [u8],
    pub(crate) payload: &'row Value,
}

/// A row's sealed bytes, read. By nobody's word: whoever wants to believe them verifies them.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) entry: Entry,
    pub(crate) event: ActorEvent,
    /// Who is said to have signed the event.
    pub(crate) key: KeyId,
    pub(crate) hash: [u8; 32],
    /// What happened, as JSON.
    pub(crate) payload: Value,
}

impl Sealed {
    /// Reads the bytes of a row.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let entry = unverified::<Entry>(Kind::Entry, bytes).ok()?.payload;
        let event = unverified::<ActorEvent>(Kind::Event, &entry.actor).ok()?;
        Some(Self {
            payload: serde_json::to_value(&event.payload.payload).ok()?,
            hash: entry_hash(bytes),
            key: event.key,
            event: event.payload,
            entry,
        })
    }

    /// When the gateway says that it recorded the event.
    pub(crate) fn recorded_at(&self) -> Option<OffsetDateTime> {
        let nanos = i128::from(self.entry.recorded_at.0) * 1_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
    }

    /// The first column that says something else.
    pub(crate) fn contradicted_by(&self, columns: &Columns<'_>) -> Option<Damage> {
        let (entry, event) = (&self.entry, &self.event);
        let actor_number = event.chain.map(|chain| chain.number);
        let actor_hash = hash_of_actor_bytes(&entry.actor);
        [
            (
                "organisation_id",
                columns.organisation == entry.organisation,
            ),
            ("site_id", columns.site == entry.site),
            ("stream", columns.stream == event.stream),
            (
                "stream_number",
                columns.stream_number == entry.stream_number,
            ),
            ("kind", columns.kind == event.payload.kind()),
            ("actor_key", columns.actor_key == self.key.0),
            ("actor_number", columns.actor_number == actor_number),
            ("actor_hash", columns.actor_hash == actor_hash),
            (
                "recorded_at",
                Some(columns.recorded_at) == self.recorded_at(),
            ),
            ("entry_hash", columns.entry_hash == self.hash),
            ("payload", is_same(columns.payload, &self.payload)),
        ]
        .into_iter()
        .find_map(|(column, agrees)| (!agrees).then_some(Damage::Contradicted(column)))
    }
}

/// Whether the column's JSON says what the bytes do.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || is_same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, one)| other.get(name).is_some_and(|other| is_same(one, other)))
        }
        (one, other) => one == other,
    }
}

/// Postgres writes a float that is a whole number as one, and both are read exactly.
fn is_same_number(one: &Number, other: &Number) -> bool {
    (one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64()
}
