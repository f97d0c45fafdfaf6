//! The whole log as it stands at the end, checked in itself and against what the writers were answered.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use jobs::replay::{Step, play};
use ledger::log::{
    Checkpoint, Entry, Hash, Head, NoteKey, TreeHead, check_chain, entry_hash, root_of,
    verify_consistency,
};
use protocol::{
    JobId, RobotId,
    event::Payload,
    job::{JobEvent, PhaseName, job_stream},
    views::{ConsistencyView, LogKeysView},
};
use sqlx::PgPool;

use super::{
    Findings,
    signers::{Holder, Signed, Signers, longest_chains},
    writer::{Mark, Written, mark},
};
use crate::{api::Api, stack::Stack, until::until};

/// The sequencer signs every second.
const SEQUENCED_WITHIN: Duration = Duration::from_secs(30);

/// An event and its place in the tree.
struct Row {
    stream: String,
    stream_number: i64,
    entry: Vec<u8>,
    leaf_index: Option<i64>,
}

/// Everything that was logged.
pub(super) struct Record {
    /// The tree that the log signed, of every event.
    tree: TreeHead,
    signers: Signers,
    /// What stands in each stream, in its order.
    streams: BTreeMap<String, Vec<Signed>>,
    /// How many events each key signed.
    signed: BTreeMap<Holder, u64>,
    pool: PgPool,
}

/// The log's latest checkpoint; waits for the first.
pub(super) async fn latest_checkpoint(api: &Api) -> Result<TreeHead> {
    let key: NoteKey = keys(api).await?.log.parse()?;
    let note = until("a checkpoint", SEQUENCED_WITHIN, async || {
        let response = api.get("/api/v1/log/checkpoint").await?;
        Ok(Some(response.error_for_status()?.text().await?))
    })
    .await?;
    Ok(Checkpoint::open(&note, &[key])?.checkpoint.tree)
}

async fn keys(api: &Api) -> Result<LogKeysView> {
    let response = api.get("/api/v1/log/keys").await?;
    Ok(response.error_for_status()?.json().await?)
}

impl Record {
    /// Reads the log once every event has its leaf and the log has signed them all.
    ///
    /// Fails when an event has none, when the leaves have a gap, or when the tree over them is not the one that was signed.
    pub(super) async fn read(stack: &Stack) -> Result<Self> {
        let api = stack.operator()?;
        let pool = PgPool::connect(&stack.ready.database_url).await?;
        let (tree, rows) = until(
            "every event to have its leaf",
            SEQUENCED_WITHIN,
            async || {
                let rows = rows(&pool).await?;
                let tree = latest_checkpoint(&api).await?;
                let leafless = rows.iter().filter(|row| row.leaf_index.is_none()).count();
                ensure!(leafless == 0, "{leafless} of {} have none", rows.len());
                let size = u64::try_from(rows.len())?;
                ensure!(
                    tree.size == size,
                    "{size} leaves, {} of them signed",
                    tree.size
                );
                Ok(Some((tree, rows)))
            },
        )
        .await?;
        let mut leaves: Vec<Hash> = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            ensure!(
                row.leaf_index == Some(i64::try_from(index)?),
                "leaf {:?} stands where {index} was due",
                row.leaf_index
            );
            leaves.push(entry_hash(&row.entry));
        }
        ensure!(
            root_of(&leaves) == tree.root,
            "the log signed another tree than that of its events"
        );
        let gateway = BASE64_STANDARD.decode(keys(&api).await?.gateway)?;
        Self::of(
            tree,
            VerifyingKey::try_from(gateway.as_slice())?,
            rows,
            pool,
        )
    }

    /// Fails when a stream has a gap, or an entry follows another than the one before it; when an event was signed by nobody who is bound
    /// to a key, or when somebody's own events have a gap, stand twice or do not follow one another.
    fn of(tree: TreeHead, gateway: VerifyingKey, mut rows: Vec<Row>, pool: PgPool) -> Result<Self> {
        let mut entries: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        // Leaves follow the ids of transactions, and those of two on one stream may have begun the other way round.
        rows.sort_by_key(|row| row.stream_number);
        for row in rows {
            entries.entry(row.stream).or_default().push(row.entry);
        }
        for (stream, entries) in &entries {
            check_chain(Head::START, entries.iter().map(Vec::as_slice), &gateway)
                .with_context(|| format!("the chain of {stream}"))?;
        }
        let streams: BTreeMap<String, Vec<Signed>> = entries
            .into_iter()
            .map(|(stream, entries)| {
                let open = |bytes: &Vec<u8>| Signed::read(&Entry::open(bytes, &gateway)?);
                Ok((stream, entries.iter().map(open).collect::<Result<_>>()?))
            })
            .collect::<Result<_>>()?;
        let signers = Signers::bound(&gateway, streams.values().flatten());
        let signed = longest_chains(&signers, streams.values().flatten())?;
        Ok(Self {
            tree,
            signers,
            streams,
            signed,
            pool,
        })
    }

    /// Fails unless the log began with every one of these earlier states of it.
    pub(super) async fn continues(&self, stack: &Stack, earlier: &[TreeHead]) -> Result<()> {
        let api = stack.operator()?;
        for tree in earlier {
            let path = format!("/api/v1/log/proof?from={}&to={}", tree.size, self.tree.size);
            let response = api.get(&path).await?.error_for_status()?;
            let view: ConsistencyView = response.json().await?;
            let proof = view
                .hashes
                .iter()
                .map(|hash| {
                    let bytes = BASE64_STANDARD.decode(hash)?;
                    Hash::try_from(bytes.as_slice()).context("a hash of another length")
                })
                .collect::<Result<Vec<Hash>>>()?;
            verify_consistency(tree, &self.tree, &proof)
                .with_context(|| format!("the log of {} events was rewritten", tree.size))?;
        }
        Ok(())
    }

    /// Compares the record with what the writers were answered. Fails when a job is not what its record makes it.
    pub(super) async fn judge(&self, written: &[Written]) -> Result<Findings> {
        let mut acknowledged: BTreeMap<Mark, usize> = BTreeMap::new();
        for mark in written.iter().flat_map(|written| &written.acknowledged) {
            *acknowledged.entry(*mark).or_default() += 1;
        }
        let mut found: BTreeMap<Mark, Vec<usize>> = BTreeMap::new();
        let jobs: Vec<JobId> = acknowledged
            .keys()
            .filter(|(_, kind, _)| *kind == "job.requested")
            .map(|(job, ..)| *job)
            .collect();
        let mut jobs_done = 0;
        for job in jobs {
            let steps = self.steps(job)?;
            for (place, step) in steps.iter().enumerate() {
                if let Some(mark) = mark(job, &step.event) {
                    found.entry(mark).or_default().push(place);
                }
            }
            let phase = self.phase_as_played(job, steps).await?;
            jobs_done += usize::from(phase == PhaseName::Completed);
        }
        let by = |is_meant: fn(&Holder) -> bool| {
            let counts = self.signed.iter().filter(|(holder, _)| is_meant(holder));
            counts.map(|(_, count)| *count).sum()
        };
        let all = |of: fn(&Written) -> usize| written.iter().map(of).sum();
        let times = |mark: &Mark| found.get(mark).map_or(0, Vec::len);
        Ok(Findings {
            rounds: 0,
            acknowledged: all(|written| written.acknowledged.len()),
            refused: all(|written| written.refused.len()),
            sent_again: all(|written| written.sent_again),
            events: usize::try_from(self.tree.size)?,
            by_people: by(|holder| matches!(holder, Holder::Session(..))),
            by_robots: by(|holder| matches!(holder, Holder::Robot(..))),
            jobs_done,
            lost: acknowledged
                .iter()
                .map(|(mark, wanted)| wanted.saturating_sub(times(mark)))
                .sum(),
            doubled: found
                .iter()
                .map(|(mark, places)| {
                    let wanted = acknowledged.get(mark).copied().unwrap_or_default();
                    places.len().saturating_sub(wanted)
                })
                .sum(),
            reordered: written
                .iter()
                .map(|written| inversions(&written.acknowledged, &found))
                .sum(),
        })
    }

    /// Where a job stands. Fails when its record makes another job than the one that is stored.
    async fn phase_as_played(&self, job: JobId, record: Vec<Step<JobEvent>>) -> Result<PhaseName> {
        let stored = jobs::store::peek(&self.pool, job)
            .await?
            .with_context(|| format!("job {job} is gone"))?;
        let played = play(record).with_context(|| format!("the record of {job}"))?;
        ensure!(
            played.job.as_ref() == Some(&stored.job),
            "{job} is stored as {:?}, and its record makes {:?}",
            stored.job,
            played.job
        );
        Ok(stored.job.phase_name())
    }

    /// A job's record as the rules play it again.
    fn steps(&self, job: JobId) -> Result<Vec<Step<JobEvent>>> {
        let signed = self.streams.get(&job_stream(job));
        let signed = signed.map(Vec::as_slice).unwrap_or_default();
        signed
            .iter()
            .map(|signed| {
                let actor = self.signers.actor_of(signed)?;
                let Payload::Job(event) = signed.event.payload.payload.clone() else {
                    bail!("an event that is none of a job")
                };
                Ok(Step {
                    event,
                    actor,
                    recorded_at: signed.recorded_at,
                })
            })
            .collect()
    }

    /// How many events in a row a robot has in the log, from its first.
    pub(super) fn words_of(&self, robot: RobotId) -> u64 {
        let counts = self.signed.iter();
        let own =
            counts.filter(|(holder, _)| matches!(holder, Holder::Robot(_, of) if *of == robot));
        own.map(|(_, count)| *count).sum()
    }
}

/// Neighbours in a writer's own order that stand the other way round in the record.
fn inversions(own: &[Mark], found: &BTreeMap<Mark, Vec<usize>>) -> usize {
    let places: Vec<usize> = own
        .iter()
        .filter_map(|mark| found.get(mark)?.first().copied())
        .collect();
    places.windows(2).filter(|pair| pair[1] <= pair[0]).count()
}

async fn rows(pool: &PgPool) -> Result<Vec<Row>> {
    Ok(sqlx::query_as!(
        Row,
        r#"SELECT stream, stream_number, entry, leaf_index AS "leaf_index?"
           FROM spine.event
           LEFT JOIN spine.leaf USING (sequence)
           ORDER BY leaf_index"#
    )
    .fetch_all(pool)
    .await?)
}
