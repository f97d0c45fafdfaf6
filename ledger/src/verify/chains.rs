//! The third step: whether streams and actors' own chains are whole, and whether they are about what they should be.

use std::collections::BTreeMap;

use protocol::{
    case::{CaseEvent, case_stream},
    event::{ActorChain, Payload},
    job::job_stream,
    sealed::KeyId,
};

use super::{
    fault::Fault,
    report::{Failure, Findings, Outcome, Step, StepName, Subject},
    trust::Keys,
    unpack::{Content, ReadEntry, Unpacked},
};
use crate::{
    bundle::{About, Part},
    log::{Hash, Head},
};

type Read<'bundle> = (&'bundle ReadEntry, &'bundle Content);

pub(super) fn check(unpacked: &Unpacked, keys: &Keys) -> Step {
    let mut findings = Findings::default();
    let read: Vec<Read<'_>> = unpacked
        .entries
        .iter()
        .filter_map(|entry| Some((entry, entry.content.as_ref().ok()?)))
        .collect();
    let mut streams: BTreeMap<&str, Vec<Read<'_>>> = BTreeMap::new();
    for &(entry, content) in &read {
        let stream = content.event.payload.stream.as_str();
        streams.entry(stream).or_default().push((entry, content));
    }
    let about = unpacked.claimed_manifest().map(|manifest| &manifest.about);
    for entries in streams.values() {
        check_stream(entries, about, &mut findings);
    }
    check_actors(&read, keys, &mut findings);
    if let Some(about) = about {
        check_subject(about, &streams, &mut findings);
    }
    let summary = if findings.is_empty() {
        "No gap".to_owned()
    } else {
        format!("{} wrong", findings.count())
    };
    let whole = streams
        .values()
        .filter(|entries| is_whole(entries, about))
        .count();
    let detail = format!(
        "{whole} streams from their first event on, every previous hash matches; each actor's events follow one another"
    );
    findings.into_step(StepName::EventChains, Outcome::Passed, summary, detail)
}

/// Whether every event of the stream must be here: a job's and a case's, but not those of who holds a key.
fn is_whole(entries: &[Read<'_>], about: Option<&About>) -> bool {
    entries.first().is_some_and(|(_, content)| {
        let event = &content.event.payload;
        about.map_or_else(
            || event.stream.starts_with("job/") || event.stream.starts_with("case/"),
            |about| matches!(Part::of(event, about), Some(Part::Job | Part::Case)),
        )
    })
}

fn check_stream(entries: &[Read<'_>], about: Option<&About>, findings: &mut Findings) {
    let is_whole = is_whole(entries, about);
    let mut head = Head::START;
    let mut actors: BTreeMap<KeyId, u64> = BTreeMap::new();
    for (entry, content) in entries {
        let (placed, event) = (&content.entry.payload, &content.event);
        let is_next = placed.stream_number == head.stream_number.saturating_add(1);
        let is_later = placed.stream_number > head.stream_number;
        let fault = if about.is_some_and(|about| about.organisation != placed.organisation) {
            Some(Fault::Organisation)
        } else if !is_next && (is_whole || !is_later) {
            Some(Fault::Gap {
                expected: head.stream_number.saturating_add(1),
                found: placed.stream_number,
            })
        } else if is_next && placed.previous != head.hash {
            Some(Fault::Previous)
        } else {
            event.payload.chain.and_then(|chain| {
                let before = actors.insert(event.key, chain.number);
                (before >= Some(chain.number)).then_some(Fault::ActorNumber {
                    number: chain.number,
                })
            })
        };
        if let Some(fault) = fault {
            findings.add(entry.failure(fault));
        }
        head = Head {
            stream_number: placed.stream_number,
            hash: entry.hash,
        };
    }
}

/// Each key's own chain, across streams. Events of it that are about other things are not here, so gaps say nothing.
fn check_actors(read: &[Read<'_>], keys: &Keys, findings: &mut Findings) {
    let mut chains: BTreeMap<KeyId, Vec<(ActorChain, Read<'_>)>> = BTreeMap::new();
    for &(entry, content) in read {
        let key = content.event.key;
        match content.event.payload.chain {
            Some(chain) => chains
                .entry(key)
                .or_default()
                .push((chain, (entry, content))),
            // The gateway's entries are its chain.
            None if keys.gateway.contains_key(&key) => {}
            None => findings.add(entry.failure(Fault::Unnumbered)),
        }
    }
    for chain in chains.values_mut() {
        chain.sort_by_key(|(chain, (entry, _))| (chain.number, entry.item));
        let mut before: Option<(u64, Hash)> = None;
        for (chain, (entry, content)) in chain.iter() {
            let number = chain.number;
            let (number_before, hash_before) = before.unwrap_or((0, Head::START.hash));
            let fault = if number <= number_before {
                Some(Fault::ActorNumber { number })
            } else {
                let is_adjacent = number == number_before + 1;
                (is_adjacent && chain.previous != hash_before).then_some(Fault::ActorPrevious)
            };
            if let Some(fault) = fault {
                findings.add(entry.failure(fault));
            }
            before = Some((number, content.actor_hash));
        }
    }
}

/// Whether job and cases are here, belong together, and the cases froze this history of the job.
fn check_subject(about: &About, streams: &BTreeMap<&str, Vec<Read<'_>>>, findings: &mut Findings) {
    let job = job_stream(about.job);
    let cases = about.cases.iter().map(|&case| case_stream(case));
    for stream in std::iter::once(job.clone()).chain(cases.clone()) {
        if !streams.contains_key(stream.as_str()) {
            findings.add(Failure {
                item: None,
                subject: Subject::Bundle,
                fault: Fault::NoEvents { stream },
            });
        }
    }
    let job_entries = streams.get(job.as_str()).map_or(&[][..], Vec::as_slice);
    for stream in cases {
        let entries = streams.get(stream.as_str()).into_iter().flatten();
        for (entry, content) in entries {
            let fault = match &content.event.payload.payload {
                Payload::Case(CaseEvent::Opened { job, .. }) => {
                    (*job != about.job).then_some(Fault::OtherJob)
                }
                Payload::Case(CaseEvent::EvidenceFrozen { entries, head, .. }) => {
                    (!holds(job_entries, *entries, head)).then_some(Fault::Frozen)
                }
                _other => None,
            };
            if let Some(fault) = fault {
                findings.add(entry.failure(fault));
            }
        }
    }
}

fn holds(job: &[Read<'_>], number: u64, hash: &Hash) -> bool {
    job.iter().any(|(entry, content)| {
        content.entry.payload.stream_number == number && entry.hash == *hash
    })
}
