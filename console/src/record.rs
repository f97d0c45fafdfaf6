//! The record of a job as this browser reads and checks it: each entry by its own bytes, never by what was said about it.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use jobs::{Actor, JobRules};
use ledger::{
    bundle::Manifest,
    log::{Entry, entry_hash},
    verify::{self, EntryName, Replay, ReplayFault, ReplayedEvent, Report, Subject},
};
use protocol::{
    AssistId, JobId, PersonId, UnixMicros,
    event::{ActorEvent, Payload},
    job::{JobEvent, job_stream},
    sealed::{KeyId, Kind, unverified},
    views::{JobView, Role},
};

use crate::{machine::History, words};

/// One entry of the job's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its place in the stream.
    pub number: u64,
    /// When the gateway recorded it.
    pub recorded_at: UnixMicros,
    /// What happened.
    pub event: JobEvent,
    /// Who says so.
    pub signer: Signer,
    /// The key that the actor signed with.
    pub key: KeyId,
    /// Its name.
    pub hash: [u8; 32],
    /// The name of the entry before.
    pub previous: [u8; 32],
    /// What the entry's own signature and its place in the stream are worth.
    pub seal: Seal,
}

/// Who an event is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The gateway itself.
    Cloud,
    /// The gateway, for somebody without a key.
    CloudFor(Role, Option<PersonId>),
    /// A person.
    Person(Role),
    /// The robot.
    Robot,
}

/// What an entry's own signature is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// The gateway signed exactly these bytes, and they follow the entry before.
    Signed,
    /// They are not what the gateway signed.
    BadSignature,
    /// The gateway signed the bytes, but not as the ones that follow the entry before.
    OutOfPlace,
}

/// Why an entry is no line of this record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// The record so far.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The entries, oldest first.
    pub lines: Vec<Line>,
    /// Entries that can't be read as events of this job.
    pub unreadable: usize,
    read_to: u64,
    /// What was proposed with each call for help, for the answers that name an option by its place.
    pub options: BTreeMap<AssistId, Vec<String>>,
    /// What the rules make of them.
    pub history: History,
}

impl Record {
    /// The place in the stream up to which it was read.
    pub const fn read_to(&self) -> u64 {
        self.read_to
    }

    /// Reads one more sealed entry, which stands at this place of the job's stream and is signed by the gateway with this key,
    /// or so it is said.
    pub fn read(&mut self, job: JobId, number: u64, sealed: &[u8], gateway: &VerifyingKey) {
        self.read_to = number;
        let head = self.lines.last().map(|line| (line.number, line.hash));
        match line(job, sealed, gateway, head, &self.history) {
            Ok((line, actor)) => {
                self.history.play(&line.event, actor, line.recorded_at);
                if let JobEvent::AssistRequested {
                    assist, question, ..
                } = &line.event
                {
                    self.options.insert(*assist, question.options.clone());
                }
                self.lines.push(line);
            }
            Err(Unreadable) => self.unreadable += 1,
        }
    }
}

fn line(
    job: JobId,
    sealed: &[u8],
    gateway: &VerifyingKey,
    head: Option<(u64, [u8; 32])>,
    history: &History,
) -> Result<(Line, Actor), Unreadable> {
    let entry = unverified::<Entry>(Kind::Entry, sealed).map_err(|_malformed| Unreadable)?;
    let is_signed = entry.verify(gateway).is_ok();
    let entry = entry.payload;
    let event =
        unverified::<ActorEvent>(Kind::Event, &entry.actor).map_err(|_malformed| Unreadable)?;
    // The gateway's own word is checked here; other keys' with the bundle, which says whose they are.
    let is_gateways = event.key == KeyId::of(gateway);
    let is_signed = is_signed && (!is_gateways || event.verify(gateway).is_ok());
    let key = event.key;
    let event = event.payload;
    let actor = history.claimed_actor(&event);
    let signer = signer(&event, is_gateways);
    let Payload::Job(happened) = event.payload else {
        return Err(Unreadable);
    };
    let (number, previous) = head.map_or((1, [0; 32]), |(number, hash)| (number + 1, hash));
    let is_next = event.stream == job_stream(job)
        && entry.stream_number == number
        && entry.previous == previous;
    let line = Line {
        number: entry.stream_number,
        recorded_at: entry.recorded_at,
        event: happened,
        signer,
        key,
        hash: entry_hash(sealed),
        previous: entry.previous,
        seal: match (is_signed, is_next) {
            (false, _) => Seal::BadSignature,
            (true, false) => Seal::OutOfPlace,
            (true, true) => Seal::Signed,
        },
    };
    Ok((line, actor))
}

const fn signer(event: &ActorEvent, is_gateways: bool) -> Signer {
    match (is_gateways, event.acting_as) {
        (true, Some(role)) => Signer::CloudFor(role, event.on_behalf_of),
        (true, None) => Signer::Cloud,
        (false, Some(role)) => Signer::Person(role),
        (false, None) => Signer::Robot,
    }
}

/// Who signed, by name where it is known: of the job's people, and of those in `people`. A person is only told by name whose key the
/// bundle's check found to be theirs, or by whose role in this job there is no other.
pub fn signer_words(
    line: &Line,
    proofs: &Proofs,
    job: &JobView,
    people: &BTreeMap<PersonId, String>,
) -> String {
    let named = |person: PersonId| match people.get(&person) {
        _ if person == job.requester => Some(job.requester_name.clone()),
        named => named.cloned(),
    };
    let person = |role: Role, claimed: Option<PersonId>| {
        let person = proofs.people.get(&line.number).copied().or(claimed);
        person.and_then(named).unwrap_or_else(|| match role {
            Role::Requester => job.requester_name.clone(),
            Role::Operator | Role::Supervisor => "An operator".to_owned(),
            Role::Owner => "An owner".to_owned(),
            Role::Admin => "An admin".to_owned(),
        })
    };
    match line.signer {
        Signer::Cloud => "Cloud".to_owned(),
        Signer::CloudFor(role, claimed) => format!("Cloud for {}", person(role, claimed)),
        Signer::Person(role) => person(role, None),
        Signer::Robot => job.robot_name.clone().unwrap_or_else(|| "Robot".to_owned()),
    }
}

/// What the check of the whole bundle found for each entry of the job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Places in the log's tree, by number in the stream.
    pub leaves: BTreeMap<u64, u64>,
    /// The people whose keys signed, or for whom the gateway did, by number in the stream.
    pub people: BTreeMap<u64, PersonId>,
    /// What does not hold, by number in the stream.
    pub faults: BTreeMap<u64, String>,
    /// What does not hold of the bundle as a whole.
    pub whole: Option<String>,
    /// The checkpoint's size.
    pub tree_size: Option<u64>,
}

/// What a line is worth, all in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// The gateway signed it; whether the log holds it is not known yet.
    Signed,
    /// Every signature holds, and the log holds it.
    Included,
    /// Something does not hold.
    Bad(String),
}

/// What a line is worth.
pub fn worth(line: &Line, proofs: &Proofs) -> Worth {
    match line.seal {
        Seal::BadSignature => return Worth::Bad("Bad signature".to_owned()),
        Seal::OutOfPlace => return Worth::Bad("Out of place".to_owned()),
        Seal::Signed => {}
    }
    if let Some(fault) = proofs.faults.get(&line.number) {
        return Worth::Bad(fault.clone());
    }
    match proofs.leaves.get(&line.number) {
        Some(_) if proofs.whole.is_none() => Worth::Included,
        Some(_) | None => Worth::Signed,
    }
}

/// How much of a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Lines.
    pub all: usize,
    /// Lines that were signed, by the gateway at least.
    pub signed: usize,
    /// Lines of which everything holds, the log's proof included.
    pub included: usize,
    /// Lines of which something does not hold.
    pub bad: usize,
}

/// Counts them.
pub fn tally(record: &Record, proofs: &Proofs) -> Tally {
    let mut tally = Tally {
        all: record.lines.len() + record.unreadable,
        bad: record.unreadable,
        ..Tally::default()
    };
    for line in &record.lines {
        match worth(line, proofs) {
            Worth::Signed => tally.signed += 1,
            Worth::Included => {
                tally.signed += 1;
                tally.included += 1;
            }
            Worth::Bad(_) => tally.bad += 1,
        }
    }
    tally
}

/// Puts what a whole bundle's check found to the job's entries.
pub fn proofs(job: JobId, manifest: Option<&Manifest>, report: &Report, rules: Rules) -> Proofs {
    let stream = job_stream(job);
    let listed = manifest.into_iter().flat_map(|manifest| &manifest.entries);
    let leaves = listed
        .filter(|entry| entry.stream == stream)
        .map(|entry| (entry.stream_number, entry.leaf_index));
    let mut proofs = Proofs {
        leaves: leaves.collect(),
        people: rules.people,
        tree_size: report
            .facts
            .as_ref()
            .and_then(|facts| facts.checkpoint.as_ref())
            .map(|tree| tree.size),
        ..Proofs::default()
    };
    for failure in report.steps.iter().flat_map(|step| &step.failures) {
        match &failure.subject {
            Subject::Entry(EntryName {
                place: Some(place), ..
            }) if place.stream == stream => {
                let fault = words::capitalised(&failure.fault.to_string());
                proofs.faults.entry(place.stream_number).or_insert(fault);
            }
            // Pictures and words that were deleted or altered are another matter than the record.
            Subject::Attachment(_) => {}
            Subject::Bundle
            | Subject::Manifest
            | Subject::Checkpoint
            | Subject::Entry(_)
            | Subject::Item => {
                let fault = words::capitalised(&failure.to_string());
                proofs.whole.get_or_insert(fault);
            }
        }
    }
    proofs
}

/// The rules of jobs, for the check of a bundle; keeps who was found to have signed.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// People by number in the stream.
    pub people: BTreeMap<u64, PersonId>,
}

impl Replay for Rules {
    fn stream_prefix(&self) -> &'static str {
        "job/"
    }

    fn replay(
        &mut self,
        stream: &str,
        events: &[ReplayedEvent<'_>],
    ) -> Result<String, ReplayFault> {
        let people = events.iter().filter_map(|event| match event.actor {
            verify::Actor::Person(person) | verify::Actor::CloudFor(person) => {
                Some((event.stream_number, person))
            }
            verify::Actor::Cloud | verify::Actor::Robot(_) => None,
        });
        self.people = people.collect();
        JobRules.replay(stream, events)
    }
}

#[cfg(test)]
mod tests;
