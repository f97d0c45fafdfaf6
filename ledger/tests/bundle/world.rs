//! A log with one job in it from the wish to the complaint's ruling, and other things in between.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use ledger::{
    bundle::{About, Attachment, AttachmentName, Part, Parts, ProvedEntry, write},
    log::{
        Checkpoint, Entry, Hash, NoteKey, TreeHead, entry_hash, hash_of_actor_bytes,
        prove_consistency, prove_inclusion, root_of,
    },
    verify::{Replay, ReplayFault, ReplayedEvent, Report, Trust, verify},
};
use protocol::{
    AssistId, CaseId, EvidenceId, JobId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    assist::AssistEnding,
    case::{CaseEvent, CaseKind, Ruling, SaltedHash, case_stream},
    event::{ActorChain, ActorEvent, Payload, person_stream, robot_stream},
    job::{EvidenceHash, JobEvent, JobRequest, Plan, TemplateName, Window, job_stream},
    sealed::{self, KeyId, Kind},
    views::Role,
};
use uuid::Uuid;

pub(crate) const ORIGIN: &str = "log.example/linden";
pub(crate) const ORGANISATION: OrganisationId = OrganisationId(Uuid::from_u128(1));
pub(crate) const JOB: JobId = JobId(Uuid::from_u128(2));
pub(crate) const CASE: CaseId = CaseId(Uuid::from_u128(3));
pub(crate) const ROBOT: RobotId = RobotId(Uuid::from_u128(4));
pub(crate) const OPERATOR: PersonId = PersonId(Uuid::from_u128(5));
pub(crate) const REQUESTER: PersonId = PersonId(Uuid::from_u128(6));
const ASSIST: AssistId = AssistId(Uuid::from_u128(7));
const PICTURE: EvidenceId = EvidenceId(Uuid::from_u128(8));
/// The robot chose the id that the requester chose for theirs: neither changes what the other was.
const SHELF: EvidenceId = PICTURE;
const SITE: SiteId = SiteId(Uuid::from_u128(10));
pub(crate) const SALT: [u8; 32] = [0x5a; 32];
const START: i64 = 1_700_000_000_000_000;
const SECOND: i64 = 1_000_000;

/// Who seals an event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    Cloud,
    CloudFor(PersonId, Role),
    /// With this seed's key.
    Key(u8, Option<Role>),
}

pub(crate) const GATEWAY: u8 = 1;
pub(crate) const LOG: u8 = 2;
pub(crate) const ROBOT_KEY: u8 = 3;
pub(crate) const OPERATOR_KEY: u8 = 4;
pub(crate) const REQUESTER_KEY: u8 = 5;
const ROBOT_ACTS: By = By::Key(ROBOT_KEY, None);
const OPERATOR_ACTS: By = By::Key(OPERATOR_KEY, Some(Role::Operator));
const REQUESTER_ACTS: By = By::Key(REQUESTER_KEY, Some(Role::Requester));

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A log that grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) leaves: Vec<Hash>,
    pub(crate) entries: Vec<ProvedEntry>,
    pub(crate) attachments: Vec<Attachment>,
    streams: BTreeMap<String, (u64, Hash)>,
    actors: BTreeMap<KeyId, (u64, Hash)>,
}

impl World {
    /// The whole story.
    pub(crate) fn whole() -> Self {
        let mut world = Self::default();
        world.bind_keys();
        world.work();
        world.complain();
        world.cloud(
            person_stream(OPERATOR),
            Payload::SessionKeyEnded {
                person: OPERATOR,
                key: KeyId::of(&key(OPERATOR_KEY).verifying_key()),
            },
        );
        world.others(5);
        world
    }

    /// A short one: three events of a job, and the keys.
    pub(crate) fn short() -> Self {
        let mut world = Self::default();
        world.bind_keys();
        world.record(job_stream(JOB), REQUESTER_ACTS, Payload::Job(requested()));
        world.record(
            job_stream(JOB),
            OPERATOR_ACTS,
            Payload::Job(JobEvent::Assigned { robot: ROBOT }),
        );
        world.record(
            job_stream(JOB),
            ROBOT_ACTS,
            Payload::Job(JobEvent::ReservationConfirmed { epoch: 1 }),
        );
        world
    }

    pub(crate) fn now(&self) -> UnixMicros {
        let leaves = i64::try_from(self.leaves.len()).unwrap();
        UnixMicros(START + leaves * SECOND)
    }

    pub(crate) fn bind_keys(&mut self) {
        self.others(3);
        self.bind_robot();
        self.bind_session(OPERATOR, OPERATOR_KEY, 3_600);
        self.bind_session(REQUESTER, REQUESTER_KEY, 3_600);
    }

    pub(crate) fn bind_robot(&mut self) {
        let public = key(ROBOT_KEY).verifying_key();
        let (key, public_key) = (KeyId::of(&public), public.to_bytes());
        let payload = Payload::RobotKeyBound {
            robot: ROBOT,
            key,
            public_key,
        };
        self.cloud(robot_stream(ROBOT), payload);
    }

    pub(crate) fn bind_session(&mut self, person: PersonId, seed: u8, seconds: i64) {
        let public = key(seed).verifying_key();
        let payload = Payload::SessionKeyBound {
            person,
            key: KeyId::of(&public),
            public_key: public.to_bytes(),
            expires_at: self.now().plus(seconds * SECOND),
        };
        self.cloud(person_stream(person), payload);
    }

    fn work(&mut self) {
        let epoch = 1;
        let acknowledge_by = self.now().plus(SECOND);
        self.on_job(REQUESTER_ACTS, requested());
        self.on_job(OPERATOR_ACTS, JobEvent::Assigned { robot: ROBOT });
        self.on_job(
            By::Cloud,
            JobEvent::ReservationProposed {
                robot: ROBOT,
                epoch,
                acknowledge_by,
            },
        );
        self.others(2);
        self.on_job(ROBOT_ACTS, JobEvent::ReservationConfirmed { epoch });
        self.on_job(ROBOT_ACTS, JobEvent::Departed { epoch });
        // What the robot says about something else is in its chain and not in the bundle.
        self.record(
            robot_stream(ROBOT),
            ROBOT_ACTS,
            Payload::Job(JobEvent::Paused {}),
        );
        self.entries.pop();
        self.on_job(ROBOT_ACTS, JobEvent::Arrived { epoch });
        self.on_job(ROBOT_ACTS, JobEvent::ExecutionStarted { epoch });
        self.on_job(OPERATOR_ACTS, JobEvent::AssistClaimed { assist: ASSIST });
        self.on_job(
            OPERATOR_ACTS,
            JobEvent::AssistAnswered {
                assist: ASSIST,
                option: 0,
            },
        );
        self.on_job(
            OPERATOR_ACTS,
            JobEvent::AssistEnded {
                assist: ASSIST,
                ending: AssistEnding::Resolved,
            },
        );
        let evidence = vec![evidence(SHELF, b"a shelf")];
        self.on_job(
            ROBOT_ACTS,
            JobEvent::CheckpointDone {
                epoch,
                number: 1,
                left_out: false,
                evidence,
            },
        );
        self.on_job(ROBOT_ACTS, JobEvent::WorkFinished { epoch });
        self.on_job(By::Cloud, JobEvent::WorkAccepted {});
    }

    fn complain(&mut self) {
        let (words, reason) = ("The vase broke.", "The film shows it.");
        let for_requester = By::CloudFor(REQUESTER, Role::Requester);
        self.on_case(
            for_requester,
            CaseEvent::Opened {
                case: CASE,
                job: JOB,
                about: CaseKind::PropertyDamage,
                severity: 3,
                requester: REQUESTER,
                words: SaltedHash::of(&SALT, words.as_bytes()),
                pictures: vec![evidence(PICTURE, b"shards")],
            },
        );
        let (entries, head) = self.streams[&job_stream(JOB)];
        let files = vec![evidence(SHELF, b"a shelf")];
        self.on_case(
            By::Cloud,
            CaseEvent::EvidenceFrozen {
                entries,
                head,
                files,
            },
        );
        self.on_case(OPERATOR_ACTS, CaseEvent::ReviewStarted {});
        self.on_case(
            OPERATOR_ACTS,
            CaseEvent::Ruled {
                ruling: Ruling::Upheld,
                reason: SaltedHash::of(&SALT, reason.as_bytes()),
            },
        );
        self.attach(AttachmentName::Words { case: CASE }, words.as_bytes());
        self.attach(AttachmentName::Reason { case: CASE }, reason.as_bytes());
        let picture = AttachmentName::Picture {
            case: CASE,
            evidence: PICTURE,
        };
        self.attach(picture, b"shards");
    }

    pub(crate) fn on_job(&mut self, by: By, event: JobEvent) {
        self.record(job_stream(JOB), by, Payload::Job(event));
    }

    pub(crate) fn on_case(&mut self, by: By, event: CaseEvent) {
        self.record(case_stream(CASE), by, Payload::Case(event));
    }

    pub(crate) fn cloud(&mut self, stream: String, payload: Payload) {
        self.record(stream, By::Cloud, payload);
    }

    pub(crate) fn attach(&mut self, name: AttachmentName, content: &[u8]) {
        self.attachments.push(Attachment {
            name,
            media_type: "text/plain".to_owned(),
            salt: SALT,
            content: content.to_vec(),
        });
    }

    /// Leaves that are about something else.
    pub(crate) fn others(&mut self, count: u8) {
        for _ in 0..count {
            // As wide as it is everywhere: the same log, natively and as wasm.
            let number = u64::try_from(self.leaves.len()).unwrap();
            self.leaves.push(entry_hash(&number.to_be_bytes()));
        }
    }

    pub(crate) fn record(&mut self, stream: String, by: By, payload: Payload) {
        let (seed, on_behalf_of, acting_as) = match by {
            By::Cloud => (GATEWAY, None, None),
            By::CloudFor(person, role) => (GATEWAY, Some(person), Some(role)),
            By::Key(seed, role) => (seed, None, role),
        };
        let actor = KeyId::of(&key(seed).verifying_key());
        let (number, previous) = self.actors.get(&actor).copied().unwrap_or_default();
        let number = number + 1;
        let event = ActorEvent {
            stream: stream.clone(),
            chain: (seed != GATEWAY).then_some(ActorChain { number, previous }),
            on_behalf_of,
            acting_as,
            payload,
        };
        let sealed = sealed::seal(Kind::Event, &event, &key(seed)).unwrap();
        self.actors
            .insert(actor, (number, hash_of_actor_bytes(&sealed)));
        self.append(stream, Part::of(&event, &about()), sealed);
    }

    /// Lets the gateway record what an actor sealed.
    pub(crate) fn append(&mut self, stream: String, part: Option<Part>, actor: Vec<u8>) {
        let (number, previous) = self.streams.get(&stream).copied().unwrap_or_default();
        let entry = Entry {
            organisation: ORGANISATION,
            site: Some(SITE),
            stream_number: number + 1,
            previous,
            recorded_at: self.now(),
            actor,
        };
        let sealed = entry.seal(&key(GATEWAY)).unwrap();
        self.streams
            .insert(stream.clone(), (number + 1, entry_hash(&sealed)));
        self.entries.push(ProvedEntry {
            part: part.unwrap_or(Part::Binding),
            stream,
            stream_number: number + 1,
            leaf_index: u64::try_from(self.leaves.len()).unwrap(),
            proof: Vec::new(),
            sealed: sealed.clone(),
        });
        self.leaves.push(entry_hash(&sealed));
    }

    pub(crate) fn tree(&self, size: usize) -> TreeHead {
        TreeHead {
            size: u64::try_from(size).unwrap(),
            root: root_of(&self.leaves[..size]),
        }
    }

    pub(crate) fn checkpoint(&self, size: usize, seed: u8) -> String {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            tree: self.tree(size),
        };
        checkpoint.sign(&key(seed)).unwrap()
    }

    pub(crate) fn consistency(&self, old: usize) -> Vec<Hash> {
        let [old, new] = [old, self.leaves.len()].map(|size| u64::try_from(size).unwrap());
        prove_consistency(old, new, self.subtree()).unwrap()
    }

    fn subtree(&self) -> impl FnMut(ledger::log::Node) -> Option<Hash> {
        |node| {
            let width = 1_usize << node.level;
            let start = usize::try_from(node.index).unwrap() * width;
            self.leaves.get(start..start + width).map(root_of)
        }
    }

    /// What the gateway would export now.
    pub(crate) fn parts(&self) -> Parts {
        let size = u64::try_from(self.leaves.len()).unwrap();
        let entries = self.entries.iter().cloned().map(|mut entry| {
            entry.proof = prove_inclusion(entry.leaf_index, size, self.subtree()).unwrap();
            entry
        });
        let mut about = about();
        let has_case = self.entries.iter().any(|entry| entry.part == Part::Case);
        if !has_case {
            about.cases.clear();
        }
        Parts {
            about,
            exported_at: self.now(),
            older_gateway_keys: Vec::new(),
            log_key: log_key().to_string(),
            checkpoint: self.checkpoint(self.leaves.len(), LOG),
            entries: entries.collect(),
            attachments: self.attachments.clone(),
        }
    }

    pub(crate) fn bundle(&self) -> Vec<u8> {
        write(self.parts(), &key(GATEWAY)).unwrap()
    }
}

pub(crate) fn about() -> About {
    About {
        organisation: ORGANISATION,
        job: JOB,
        cases: vec![CASE],
    }
}

pub(crate) fn log_key() -> NoteKey {
    NoteKey::new(ORIGIN, key(LOG).verifying_key()).unwrap()
}

pub(crate) fn trust() -> Trust {
    Trust {
        gateway: vec![key(GATEWAY).verifying_key()],
        log: vec![log_key()],
        ..Trust::default()
    }
}

fn evidence(evidence: EvidenceId, content: &[u8]) -> EvidenceHash {
    EvidenceHash {
        evidence,
        media_type: "image/jpeg".to_owned(),
        salted_sha256: SaltedHash::of(&SALT, content).0,
    }
}

pub(crate) fn requested() -> JobEvent {
    JobEvent::Requested {
        request: JobRequest {
            job: JOB,
            site: SITE,
            template: TemplateName {
                name: "reset_room".to_owned(),
                version: 1,
            },
            parameters: BTreeMap::new(),
            window: Window {
                from: UnixMicros(START),
                until: UnixMicros(START + 3_600 * SECOND),
            },
            operator_cover: true,
        },
        plan: Plan {
            title: "Reset Room 3".to_owned(),
            place: "Room 3".to_owned(),
            steps: Vec::new(),
        },
        requester: REQUESTER,
    }
}

/// Rules that allow everything but one kind of event.
#[derive(Debug)]
pub(crate) struct AllBut {
    pub(crate) prefix: &'static str,
    pub(crate) kind: &'static str,
}

impl Replay for AllBut {
    fn stream_prefix(&self) -> &str {
        self.prefix
    }

    fn replay(
        &mut self,
        _stream: &str,
        events: &[ReplayedEvent<'_>],
    ) -> Result<String, ReplayFault> {
        let refused = events
            .iter()
            .position(|event| event.payload.kind() == self.kind);
        refused.map_or_else(
            || Ok(format!("{} events", events.len())),
            |index| {
                let why = "not allowed".to_owned();
                Err(ReplayFault { index, why })
            },
        )
    }
}

/// What is found under rules that allow everything.
pub(crate) fn report(file: &[u8], trust: &Trust) -> Report {
    let mut jobs = AllBut {
        prefix: "job/",
        kind: "",
    };
    let mut cases = AllBut {
        prefix: "case/",
        kind: "",
    };
    verify(file, trust, &mut [&mut jobs, &mut cases])
}
