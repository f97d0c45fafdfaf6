//! A log with long jobs in it, and their bundles: what the gateway records and exports, without the database.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use e2e::pen::Pen;
use ed25519_dalek::SigningKey;
use jobs::{Actor, Decision, Job, decide};
use ledger::{
    bundle::{About, Part, Parts, ProvedEntry, write},
    log::{
        Checkpoint, Entry, Hash, Head, NoteKey, TreeHead, entry_hash, node_hash, prove_inclusion,
        root_of,
    },
    verify::Trust,
};
use protocol::{
    AccessId, JobId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    event::{ActorEvent, Payload, person_stream, robot_stream},
    job::{AccessPlan, JobEvent, JobRequest, ParameterValue, TemplateName, Window, job_stream},
    sealed::{self, Kind},
    views::Role,
};
use uuid::Uuid;

/// Leaves of the log that the bundles are from: a proof has as many hashes as in a log that was in use for a while.
const LEAVES: usize = 1_000_000;

/// How often a robot is let in, stopped and let in again: five events each time, so that the bundle is nearly as large as
/// the gateway exports one.
const ROUNDS: usize = 1_990;

const ORIGIN: &str = "log.example/bench";
const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));
const WING_A: SiteId = SiteId(Uuid::from_u128(2));
const ROBOT: RobotId = RobotId(Uuid::from_u128(3));
const REQUESTER: PersonId = PersonId(Uuid::from_u128(4));
const OPERATOR: PersonId = PersonId(Uuid::from_u128(5));

const START: UnixMicros = UnixMicros(1_800_000_000_000_000);

/// Between one act and the next.
const ACT_EVERY_MICROS: i64 = 50_000;

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Who acts, and who seals that.
#[derive(Debug, Clone, Copy)]
enum By {
    Cloud,
    /// The robot, with its own key.
    Robot,
    /// A person, with the key of their session.
    Person(Role),
    /// A person by a token: the gateway seals it for them.
    For(Role),
}

impl By {
    const fn actor(self) -> Actor {
        match self {
            Self::Cloud => Actor::Cloud,
            Self::Robot => Actor::Robot(ROBOT),
            Self::Person(role) | Self::For(role) => Actor::person(role, who(role)),
        }
    }
}

const fn who(role: Role) -> PersonId {
    match role {
        Role::Requester => REQUESTER,
        Role::Operator | Role::Supervisor | Role::Owner | Role::Admin => OPERATOR,
    }
}

/// The log, with whoever writes to it.
pub(super) struct Book {
    gateway: SigningKey,
    log: SigningKey,
    robot: Pen,
    requester: Pen,
    operator: Pen,
    now: UnixMicros,
    streams: BTreeMap<String, Head>,
    entries: Vec<ProvedEntry>,
}

impl Book {
    /// A log that says whose the keys are.
    pub(super) fn new() -> Result<Self> {
        let key = |seed: u8| SigningKey::from_bytes(&[seed; 32]);
        let mut book = Self {
            gateway: key(1),
            log: key(2),
            robot: Pen::new(key(3)),
            requester: Pen::new(key(4)),
            operator: Pen::new(key(5)),
            now: START,
            streams: BTreeMap::new(),
            entries: Vec::new(),
        };
        let robot = Payload::RobotKeyBound {
            robot: ROBOT,
            key: book.robot.id(),
            public_key: book.robot.key().verifying_key().to_bytes(),
        };
        book.record(robot_stream(ROBOT), Part::Binding, By::Cloud, robot)?;
        for (person, pen) in [(REQUESTER, &book.requester), (OPERATOR, &book.operator)]
            .map(|(person, pen)| (person, (pen.id(), pen.key().verifying_key().to_bytes())))
        {
            let (key, public_key) = pen;
            let session = Payload::SessionKeyBound {
                person,
                key,
                public_key,
                expires_at: START.plus(DAY_MICROS),
            };
            book.record(person_stream(person), Part::Binding, By::Cloud, session)?;
        }
        Ok(book)
    }

    /// Whom to believe.
    pub(super) fn trust(&self) -> Result<Trust> {
        Ok(Trust {
            gateway: vec![self.gateway.verifying_key()],
            log: vec![self.log_key()?],
            ..Trust::default()
        })
    }

    fn log_key(&self) -> Result<NoteKey> {
        Ok(NoteKey::new(ORIGIN, self.log.verifying_key())?)
    }

    /// Records a job whose robot is stopped and let in again all day, and half of whose events other keys than the gateway's
    /// sealed.
    pub(super) fn record_job(&mut self, id: JobId) -> Result<()> {
        let mut job = Happening {
            book: self,
            id,
            job: None,
        };
        job.begin()?;
        for round in 0..ROUNDS {
            let access = AccessId(Uuid::from_u128(u128::try_from(round)?));
            job.let_in(access)?;
            let stops = if round % 2 == 0 {
                By::Person(Role::Operator)
            } else {
                By::For(Role::Operator)
            };
            job.happens(stops, &JobEvent::Paused {})?;
            job.happens(By::Robot, &JobEvent::SafeStateReached { epoch: 1 })?;
        }
        job.end()
    }

    /// Records one event and gives it its place in its stream.
    fn record(&mut self, stream: String, part: Part, by: By, payload: Payload) -> Result<()> {
        let actor = match by {
            By::Robot => self.robot.seal(stream.clone(), None, payload)?,
            By::Person(Role::Requester) => {
                self.requester
                    .seal(stream.clone(), Some(Role::Requester), payload)?
            }
            By::Person(role) => self.operator.seal(stream.clone(), Some(role), payload)?,
            By::Cloud | By::For(_) => {
                let role = if let By::For(role) = by {
                    Some(role)
                } else {
                    None
                };
                let event = ActorEvent {
                    stream: stream.clone(),
                    chain: None,
                    on_behalf_of: role.map(who),
                    acting_as: role,
                    payload,
                };
                sealed::seal(Kind::Event, &event, &self.gateway)?
            }
        };
        let head = self.streams.entry(stream.clone()).or_insert(Head::START);
        let entry = Entry {
            organisation: LINDEN,
            site: Some(WING_A),
            stream_number: head.stream_number + 1,
            previous: head.hash,
            recorded_at: self.now,
            actor,
        };
        let sealed = entry.seal(&self.gateway)?;
        *head = Head {
            stream_number: entry.stream_number,
            hash: entry_hash(&sealed),
        };
        self.entries.push(ProvedEntry {
            part,
            stream,
            stream_number: entry.stream_number,
            sealed,
            leaf_index: 0,
            proof: Vec::new(),
        });
        Ok(())
    }

    /// The bundles of these jobs, with proofs against one checkpoint. Between their events stand those of everybody else.
    pub(super) fn bundles(mut self, jobs: &[JobId]) -> Result<Vec<Vec<u8>>> {
        let stride = LEAVES / self.entries.len();
        let mut leaves: Vec<Hash> = (0..LEAVES)
            .map(|leaf| entry_hash(&leaf.to_be_bytes()))
            .collect();
        for (place, entry) in self.entries.iter_mut().enumerate() {
            let leaf = place * stride;
            entry.leaf_index = u64::try_from(leaf)?;
            leaves[leaf] = entry_hash(&entry.sealed);
        }
        let tree = Tree::over(leaves);
        for entry in &mut self.entries {
            entry.proof = tree.prove(entry.leaf_index)?;
        }
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            tree: tree.head()?,
        };
        let checkpoint = checkpoint.sign(&self.log)?;
        jobs.iter()
            .map(|job| self.bundle(*job, checkpoint.clone()))
            .collect()
    }

    fn bundle(&self, job: JobId, checkpoint: String) -> Result<Vec<u8>> {
        let stream = job_stream(job);
        let is_of_job =
            |entry: &&ProvedEntry| entry.part == Part::Binding || entry.stream == stream;
        let parts = Parts {
            about: About {
                organisation: LINDEN,
                job,
                cases: Vec::new(),
            },
            exported_at: self.now,
            older_gateway_keys: Vec::new(),
            log_key: self.log_key()?.to_string(),
            checkpoint,
            entries: self.entries.iter().filter(is_of_job).cloned().collect(),
            attachments: Vec::new(),
        };
        Ok(write(parts, &self.gateway)?)
    }
}

/// A job that the rules look at, event by event.
struct Happening<'book> {
    book: &'book mut Book,
    id: JobId,
    job: Option<Job>,
}

impl Happening<'_> {
    /// From the wish to the door.
    fn begin(&mut self) -> Result<()> {
        let request = request(self.id, self.book.now);
        let plan = jobs::template::plan(&request)?;
        let requested = JobEvent::Requested {
            request,
            plan,
            requester: REQUESTER,
        };
        self.happens(By::Person(Role::Requester), &requested)?;
        self.happens(
            By::For(Role::Operator),
            &JobEvent::Assigned { robot: ROBOT },
        )?;
        for event in [
            JobEvent::ReservationConfirmed { epoch: 1 },
            JobEvent::Departed { epoch: 1 },
            JobEvent::Arrived { epoch: 1 },
        ] {
            self.happens(By::Robot, &event)?;
        }
        Ok(())
    }

    /// The requester says that the robot may come in, and it finds the door open; one that an operator stopped goes on by their
    /// word.
    fn let_in(&mut self, access: AccessId) -> Result<()> {
        let plan = AccessPlan {
            access,
            place: "Room 2".to_owned(),
            window: day_from(self.book.now),
            secret: None,
        };
        self.happens(By::For(Role::Requester), &JobEvent::AccessGranted { plan })?;
        self.happens(By::Robot, &JobEvent::AccessVerified { epoch: 1, access })?;
        if self.job.as_ref().is_some_and(Job::is_held) {
            return self.happens(By::For(Role::Operator), &JobEvent::Resumed {});
        }
        Ok(())
    }

    /// From the door to the requester's yes.
    fn end(&mut self) -> Result<()> {
        self.let_in(AccessId(Uuid::from_u128(u128::MAX)))?;
        self.happens(By::Robot, &JobEvent::ExecutionStarted { epoch: 1 })?;
        let steps = self.job.as_ref().map_or(0, |job| job.plan.steps.len());
        for number in 1..=u32::try_from(steps)? {
            let done = JobEvent::CheckpointDone {
                epoch: 1,
                number,
                left_out: false,
                evidence: Vec::new(),
            };
            self.happens(By::Robot, &done)?;
        }
        self.happens(By::Robot, &JobEvent::WorkFinished { epoch: 1 })?;
        self.happens(By::Person(Role::Requester), &JobEvent::WorkAccepted {})
    }

    /// Lets it happen, with what the cloud adds.
    fn happens(&mut self, by: By, event: &JobEvent) -> Result<()> {
        let now = self.book.now.plus(ACT_EVERY_MICROS);
        self.book.now = now;
        let decided = decide(self.job.as_ref(), event, by.actor(), now)
            .with_context(|| format!("{} in {:?}", event.kind(), self.job))?;
        let Decision::Apply(events) = decided else {
            bail!("{} moves nothing in {:?}", event.kind(), self.job);
        };
        self.job = jobs::apply_all(self.job.take(), &events, by.actor(), now);
        let sealers = std::iter::once(by).chain(std::iter::repeat(By::Cloud));
        for (event, by) in events.into_iter().zip(sealers) {
            self.book
                .record(job_stream(self.id), Part::Job, by, Payload::Job(event))?;
        }
        Ok(())
    }
}

fn request(job: JobId, now: UnixMicros) -> JobRequest {
    JobRequest {
        job,
        site: WING_A,
        template: TemplateName {
            name: "inspect_room".to_owned(),
            version: 1,
        },
        parameters: [
            ("room", ParameterValue::Text("Room 2".to_owned())),
            ("photograph", ParameterValue::Flag(true)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        window: day_from(now),
        operator_cover: true,
    }
}

const fn day_from(now: UnixMicros) -> Window {
    Window {
        from: now,
        until: now.plus(DAY_MICROS),
    }
}

/// A whole tree in memory: the hashes of every complete subtree, by level.
struct Tree(Vec<Vec<Hash>>);

impl Tree {
    fn over(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last()
            && below.len() > 1
        {
            let (pairs, _alone) = below.as_chunks::<2>();
            let above = pairs
                .iter()
                .map(|[left, right]| node_hash(left, right))
                .collect();
            levels.push(above);
        }
        Self(levels)
    }

    fn head(&self) -> Result<TreeHead> {
        let leaves = self.0.first().map_or(&[][..], Vec::as_slice);
        Ok(TreeHead {
            size: u64::try_from(leaves.len())?,
            root: root_of(leaves),
        })
    }

    fn prove(&self, index: u64) -> Result<Vec<Hash>> {
        let size = self.0.first().map_or(0, Vec::len);
        Ok(prove_inclusion(index, u64::try_from(size)?, |node| {
            let index = usize::try_from(node.index).ok()?;
            self.0.get(usize::from(node.level))?.get(index).copied()
        })?)
    }
}

#[cfg(test)]
mod tests {
    use jobs::JobRules;
    use ledger::verify::{Verdict, verify};

    use super::*;

    #[test]
    fn the_bundles_are_intact_and_half_of_their_events_are_not_the_gateways() {
        let mut book = Book::new().unwrap();
        let id = JobId(Uuid::from_u128(9));
        book.record_job(id).unwrap();
        let (entries, gateway) = (book.entries.len(), book.gateway.verifying_key());
        let by_gateway = book
            .entries
            .iter()
            .map(|entry| Entry::open(&entry.sealed, &gateway).unwrap())
            .filter(|entry| {
                sealed::claimed_key(&entry.actor).unwrap() == sealed::KeyId::of(&gateway)
            })
            .count();
        let trust = book.trust().unwrap();

        let bundles = book.bundles(&[id]).unwrap();

        let report = verify(&bundles[0], &trust, &mut [&mut JobRules]);
        assert_eq!(
            report.verdict,
            Verdict::Intact,
            "{:?}",
            report.first_failure()
        );
        assert_eq!(report.facts.unwrap().entries, entries);
        assert!(
            (entries * 49 / 100..=entries * 51 / 100).contains(&by_gateway),
            "{by_gateway} of {entries}"
        );
    }
}
