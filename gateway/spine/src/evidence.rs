//! What a bundle of evidence is made of: whole streams, and the entries that say whose the keys of their actors are.

use std::collections::BTreeSet;

use ledger::bundle::Part;
use protocol::{OrganisationId, sealed::KeyId};
use sqlx::PgPool;

use crate::{
    Position,
    error::SpineError,
    transaction::{bytes32, number, transaction},
};

/// Entries of one bundle: some 50 MB with their proofs. A job of a whole day has a few thousand.
pub const MOST_ENTRIES: u32 = 50_000;

/// An entry that belongs into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceEntry {
    /// Why it does.
    pub part: Part,
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub stream_number: u64,
    /// Where followers find it, and with it its leaf.
    pub position: Position,
    /// The signed bytes, as they stand in the database: nobody checks them here.
    pub entry: Vec<u8>,
}

/// The entries of `job` and of `cases`, all of one moment, and of the bindings of every key that sealed one of them. None when
/// there are more than [`MOST_ENTRIES`].
pub async fn evidence(
    pool: &PgPool,
    organisation: OrganisationId,
    job: &str,
    cases: &[String],
) -> Result<Option<Vec<EvidenceEntry>>, SpineError> {
    let mut streams = cases.to_vec();
    streams.push(job.to_owned());
    let rows = sqlx::query!(
        r#"SELECT transaction_id::text AS "transaction_id!", sequence, stream, stream_number, actor_key, entry
           FROM spine.event
           WHERE stream = ANY ($1) AND organisation_id = $2
           ORDER BY stream, stream_number
           LIMIT $3"#,
        &streams,
        organisation.0,
        i64::from(MOST_ENTRIES) + 1,
    )
    .fetch_all(pool)
    .await?;
    let mut keys = BTreeSet::new();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        keys.insert(KeyId(bytes32(&row.actor_key)?));
        entries.push(EvidenceEntry {
            part: if row.stream == job {
                Part::Job
            } else {
                Part::Case
            },
            stream: row.stream,
            stream_number: number(row.stream_number)?,
            position: Position {
                transaction: transaction(&row.transaction_id)?,
                sequence: row.sequence,
            },
            entry: row.entry,
        });
    }
    entries.extend(bindings(pool, organisation, &keys).await?);
    let is_bounded = u32::try_from(entries.len()).is_ok_and(|count| count <= MOST_ENTRIES);
    Ok(is_bounded.then_some(entries))
}

async fn bindings(
    pool: &PgPool,
    organisation: OrganisationId,
    keys: &BTreeSet<KeyId>,
) -> Result<Vec<EvidenceEntry>, SpineError> {
    let names: Vec<String> = keys.iter().map(KeyId::to_string).collect();
    let rows = sqlx::query!(
        r#"SELECT transaction_id::text AS "transaction_id!", sequence, stream, stream_number, entry
           FROM spine.event
           WHERE kind IN ('robot.key_bound', 'session.key_bound', 'session.key_ended')
             AND payload ->> 'key' = ANY ($1)
             AND organisation_id = $2
           ORDER BY stream, stream_number
           LIMIT $3"#,
        &names,
        organisation.0,
        i64::from(MOST_ENTRIES) + 1,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(EvidenceEntry {
                part: Part::Binding,
                stream: row.stream,
                stream_number: number(row.stream_number)?,
                position: Position {
                    transaction: transaction(&row.transaction_id)?,
                    sequence: row.sequence,
                },
                entry: row.entry,
            })
        })
        .collect()
}
