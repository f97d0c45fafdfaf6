//! The eighth step: the rules, given by the caller, follow the events once more.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{UnixMicros, event::Payload, views::Role};

use super::{
    fault::Fault,
    proofs::skipped,
    report::{Findings, Outcome, Step, StepName},
    signatures::Actor,
    unpack::{ReadEntry, Unpacked},
};

/// The rules of one sort of stream.
pub trait Replay {
    /// What the names of the streams begin with: "job/".
    fn stream_prefix(&self) -> &str;

    /// Follows the events of `stream` from its first on, and says in words where they lead.
    fn replay(&mut self, stream: &str, events: &[ReplayedEvent<'_>])
    -> Result<String, ReplayFault>;
}

/// One event as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct ReplayedEvent<'bundle> {
    /// Its place in the stream, from 1.
    pub stream_number: u64,
    /// The gateway's clock when it was recorded.
    pub recorded_at: UnixMicros,
    /// Who caused it, by their signature.
    pub actor: Actor,
    /// In which role, if they are a person.
    pub acting_as: Option<Role>,
    /// What happened.
    pub payload: &'bundle Payload,
}

/// The first event that the rules don't allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayFault {
    /// Its place among the events that were given, from 0.
    pub index: usize,
    /// Why not.
    pub why: String,
}

/// Replays every stream that has rules. `unsound` names the entries that a step before did not believe.
pub(super) fn check(
    unpacked: &Unpacked,
    actors: &[Option<Actor>],
    unsound: &BTreeSet<usize>,
    replays: &mut [&mut dyn Replay],
) -> Step {
    let mut streams: BTreeMap<&str, Vec<(usize, &ReadEntry)>> = BTreeMap::new();
    for (index, entry) in unpacked.entries.iter().enumerate() {
        let stream = match (&entry.content, &entry.name.place) {
            (Ok(content), _) => content.event.payload.stream.as_str(),
            (Err(_), Some(place)) => place.stream.as_str(),
            (Err(_), None) => continue,
        };
        streams.entry(stream).or_default().push((index, entry));
    }
    let mut findings = Findings::default();
    let (mut ends, mut unplayed) = (Vec::new(), 0);
    for (stream, entries) in &streams {
        let rules = replays
            .iter_mut()
            .find(|rules| stream.starts_with(rules.stream_prefix()));
        let Some(rules) = rules else {
            continue;
        };
        let Some(events) = events(entries, actors, unsound) else {
            unplayed += 1;
            continue;
        };
        match rules.replay(stream, &events) {
            Ok(end) => ends.push(format!("{stream}: {end}")),
            Err(ReplayFault { index, why }) => {
                if let Some((_, entry)) = entries.get(index).or_else(|| entries.last()) {
                    findings.add(entry.failure(Fault::Replay(why)));
                }
            }
        }
    }
    if findings.is_empty() && (ends.is_empty() || unplayed > 0) {
        let detail = if unplayed > 0 {
            "Events of a stream are not believed, so that nothing follows from it"
        } else {
            "This verifier has no rules for the streams in this bundle"
        };
        return skipped(StepName::Replay, "Not replayed", detail);
    }
    let summary = if findings.is_empty() {
        "Follows"
    } else {
        "Does not follow"
    };
    let detail = ends.join("; ");
    findings.into_step(
        StepName::Replay,
        Outcome::Passed,
        summary.to_owned(),
        detail,
    )
}

/// The events of a stream, if every one of them is believed.
fn events<'bundle>(
    entries: &[(usize, &'bundle ReadEntry)],
    actors: &[Option<Actor>],
    unsound: &BTreeSet<usize>,
) -> Option<Vec<ReplayedEvent<'bundle>>> {
    entries
        .iter()
        .map(|&(index, entry)| {
            let content = entry.content.as_ref().ok()?;
            let event = &content.event.payload;
            let is_sound = !unsound.contains(&entry.item);
            let actor = (*actors.get(index)?).filter(|_| is_sound)?;
            Some(ReplayedEvent {
                stream_number: content.entry.payload.stream_number,
                recorded_at: content.entry.payload.recorded_at,
                actor,
                acting_as: event.acting_as,
                payload: &event.payload,
            })
        })
        .collect()
}
