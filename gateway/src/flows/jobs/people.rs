//! Who did something to a job, by name: what people signed says who they are by their ids only, and names stay out of the log.

use std::collections::BTreeSet;

use jobs::store::Stored;
use ledger::log::Entry;
use protocol::{
    PersonId,
    event::{ActorEvent, Payload},
    job::job_stream,
    sealed::{KeyId, Kind, unverified},
    views::PersonName,
};
use spine::evidence::{read_bindings, read_streams};

use crate::{app::App, error::ApiError};

/// The people in the job's record whose names are still known, by id.
pub async fn people(app: &App, stored: &Stored) -> Result<Vec<PersonName>, ApiError> {
    let streams = [job_stream(stored.job.id())];
    let record = read_streams(&app.pool, stored.organisation, &streams).await?;
    let keys: BTreeSet<KeyId> = record.iter().map(|entry| entry.actor_key).collect();
    let keys: Vec<KeyId> = keys.into_iter().collect();
    let bindings = read_bindings(&app.pool, stored.organisation, &keys).await?;
    let found: BTreeSet<PersonId> = record
        .iter()
        .chain(&bindings)
        .filter_map(|entry| person_in(&entry.entry))
        .chain([stored.job.requester])
        .collect();
    let found: Vec<PersonId> = found.into_iter().collect();
    let known = identity::store::person_names(&app.pool, &found).await?;
    let told = |(person, name)| PersonName { person, name };
    Ok(known.into_iter().map(told).collect())
}

/// Whose key an entry binds, or for whom the cloud signed it. Read from our own log, so not checked again.
fn person_in(entry: &[u8]) -> Option<PersonId> {
    let entry = unverified::<Entry>(Kind::Entry, entry).ok()?.payload;
    let event = unverified::<ActorEvent>(Kind::Event, &entry.actor).ok()?;
    match event.payload.payload {
        Payload::SessionKeyBound { person, .. } => Some(person),
        _ => event.payload.on_behalf_of,
    }
}
