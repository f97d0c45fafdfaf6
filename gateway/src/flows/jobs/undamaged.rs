//! What somebody changed in the database and no bundle would show: columns beside the signed bytes, the end of a
//! record, the rows that a record leads to. What was changed in the signed bytes is handed out as it is: whoever
//! verifies the bundle finds it.

use std::collections::BTreeMap;

use jobs::store::Stored;
use ledger::{bundle::Part, log::Entry};
use protocol::{
    CaseId, PersonId, RobotId, UnixMicros,
    case::case_stream,
    event::{ActorEvent, Payload},
    job::job_stream,
    sealed::{KeyId, Kind, unverified},
    views::Role,
};
use spine::evidence::LoggedEntry;
use trust::store::StoredCase;

use crate::error::ApiError;

/// A job's record, its complaints' and the rows that are to follow from them, all of one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The entries, and the bindings of the keys in them.
    pub(super) entries: Vec<(Part, LoggedEntry)>,
    /// How many entries each stream has, by the heads that are appended behind.
    pub(super) lengths: BTreeMap<String, u64>,
    /// The job.
    pub(super) job: Stored,
    /// Complaints about it.
    pub(super) cases: Vec<StoredCase>,
}

/// Refuses what was changed, and says where.
pub(super) fn check(snapshot: &Snapshot, gateway: KeyId) -> Result<(), ApiError> {
    check_columns(snapshot)?;
    check_lengths(snapshot)?;
    check_rows(snapshot, gateway)
}

fn check_columns(snapshot: &Snapshot) -> Result<(), ApiError> {
    for (_, entry) in &snapshot.entries {
        if let Some(damage) = entry.damage {
            let (number, stream) = (entry.stream_number, &entry.stream);
            return Err(ApiError::damaged(format!(
                "entry {number} of {stream}: {damage}"
            )));
        }
    }
    Ok(())
}

/// A gap shows in the bundle; an end that was cut off does not.
fn check_lengths(snapshot: &Snapshot) -> Result<(), ApiError> {
    for (stream, length) in &snapshot.lengths {
        let of_stream = snapshot.entries.iter().map(|(_, entry)| entry);
        let last = of_stream
            .filter(|entry| entry.stream == *stream)
            .map(|entry| entry.stream_number)
            .max();
        if last < Some(*length) {
            return Err(ApiError::damaged(format!(
                "entry {length} of {stream} is missing"
            )));
        }
    }
    Ok(())
}

fn check_rows(snapshot: &Snapshot, gateway: KeyId) -> Result<(), ApiError> {
    let signers = Signers::of(gateway, &snapshot.entries);
    let job = &snapshot.job.job;
    let told = told(snapshot, &job_stream(job.id()));
    let played = told.and_then(|told| signers.play_job(&told));
    if played.is_some_and(|played| played != *job) {
        return Err(contradicted(&format!("job {}", job.id())));
    }
    for stored in &snapshot.cases {
        let case = stored.case.case;
        let played = told_of(snapshot, case).and_then(|told| signers.play_case(case, &told));
        if played.is_some_and(|played| played != stored.case) {
            return Err(contradicted(&format!("case {case}")));
        }
    }
    Ok(())
}

fn contradicted(what: &str) -> ApiError {
    ApiError::damaged(format!(
        "the row of {what} says something else than its record"
    ))
}

fn told_of(snapshot: &Snapshot, case: CaseId) -> Option<Vec<Told>> {
    told(snapshot, &case_stream(case))
}

/// The entries of a stream, read; nothing where one can't be, for then nothing follows from them.
fn told(snapshot: &Snapshot, stream: &str) -> Option<Vec<Told>> {
    let entries = snapshot.entries.iter().map(|(_, entry)| entry);
    entries
        .filter(|entry| entry.stream == stream)
        .map(Told::read)
        .collect()
}

/// An entry by its own bytes. Its signatures are for whoever verifies the bundle.
struct Told {
    event: ActorEvent,
    key: KeyId,
    recorded_at: UnixMicros,
}

impl Told {
    fn read(entry: &LoggedEntry) -> Option<Self> {
        let entry = unverified::<Entry>(Kind::Entry, &entry.entry).ok()?.payload;
        let event = unverified::<ActorEvent>(Kind::Event, &entry.actor).ok()?;
        Some(Self {
            key: event.key,
            event: event.payload,
            recorded_at: entry.recorded_at,
        })
    }
}

/// Who somebody is.
#[derive(Debug, Clone, Copy)]
enum Signer {
    Cloud,
    Person(PersonId, Role),
    Robot(RobotId),
}

/// Whose the keys are.
struct Signers {
    gateway: KeyId,
    people: BTreeMap<KeyId, PersonId>,
    robots: BTreeMap<KeyId, RobotId>,
}

impl Signers {
    fn of(gateway: KeyId, entries: &[(Part, LoggedEntry)]) -> Self {
        let (mut people, mut robots) = (BTreeMap::new(), BTreeMap::new());
        let bindings = entries.iter().filter(|(part, _)| *part == Part::Binding);
        for told in bindings.filter_map(|(_, entry)| Told::read(entry)) {
            match told.event.payload {
                Payload::SessionKeyBound { person, key, .. } => drop(people.insert(key, person)),
                Payload::RobotKeyBound { robot, key, .. } => drop(robots.insert(key, robot)),
                _ => {}
            }
        }
        Self {
            gateway,
            people,
            robots,
        }
    }

    fn signer(&self, told: &Told) -> Option<Signer> {
        let role = told.event.acting_as;
        if told.key == self.gateway {
            return match (told.event.on_behalf_of, role) {
                (None, None) => Some(Signer::Cloud),
                (Some(person), Some(role)) => Some(Signer::Person(person, role)),
                (Some(_), None) | (None, Some(_)) => None,
            };
        }
        let person = self.people.get(&told.key).zip(role);
        let person = person.map(|(person, role)| Signer::Person(*person, role));
        person.or_else(|| {
            self.robots
                .get(&told.key)
                .map(|robot| Signer::Robot(*robot))
        })
    }

    /// The job that the entries lead to; nothing where the rules don't allow them, which whoever verifies the bundle is
    /// told.
    fn play_job(&self, record: &[Told]) -> Option<jobs::Job> {
        let steps = record.iter().map(|told| {
            let actor = match self.signer(told)? {
                Signer::Cloud => jobs::Actor::Cloud,
                Signer::Person(person, role) => jobs::Actor::person(role, person),
                Signer::Robot(robot) => jobs::Actor::Robot(robot),
            };
            Some((&told.event, actor, told.recorded_at))
        });
        let steps = steps.collect::<Option<Vec<_>>>()?;
        jobs::replay::play_signed(steps).ok()?.job
    }

    /// The same of a complaint.
    fn play_case(&self, case: CaseId, record: &[Told]) -> Option<trust::Case> {
        let steps = record.iter().map(|told| {
            let Payload::Case(event) = &told.event.payload else {
                return None;
            };
            let actor = match self.signer(told)? {
                Signer::Cloud => trust::Actor::Cloud,
                Signer::Person(person, role) => trust::Actor::of(role, person),
                Signer::Robot(_) => return None,
            };
            let at = told.recorded_at;
            Some(trust::replay::Step { event, actor, at })
        });
        let steps = steps.collect::<Option<Vec<_>>>()?;
        trust::replay::replay(case, steps).ok()?
    }
}
