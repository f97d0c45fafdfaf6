//! Claims about the command: what it says of whole, broken and unusable files, and with which exit status.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Parser;
use ed25519_dalek::SigningKey;
use ledger::{
    bundle::{About, Part, Parts, ProvedEntry, write},
    log::{Checkpoint, Entry, NoteKey, TreeHead, entry_hash},
};
use protocol::{
    JobId, OrganisationId, PersonId, SiteId, UnixMicros,
    event::{ActorEvent, Payload},
    job::{JobEvent, JobRequest, ParameterValue, TemplateName, Window, job_stream},
    sealed::{self, Kind},
    views::Role,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::{BROKEN, UNUSABLE, Verify, verify};

const ORIGIN: &str = "log.example";
const NOW: UnixMicros = UnixMicros(1_700_000_000_000_000);

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    task: Verify,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Somebody asks for work: in the words of `event`, recorded for them.
fn bundle(event: JobEvent) -> Vec<u8> {
    let job = JobId(Uuid::from_u128(1));
    let organisation = OrganisationId(Uuid::from_u128(2));
    let actor = ActorEvent {
        stream: job_stream(job),
        chain: None,
        on_behalf_of: Some(PersonId(Uuid::from_u128(3))),
        acting_as: Some(Role::Requester),
        payload: Payload::Job(event),
    };
    let entry = Entry {
        organisation,
        site: None,
        stream_number: 1,
        previous: [0; 32],
        recorded_at: NOW,
        actor: sealed::seal(Kind::Event, &actor, &key(1)).unwrap(),
    };
    let sealed = entry.seal(&key(1)).unwrap();
    let tree = TreeHead {
        size: 1,
        root: entry_hash(&sealed),
    };
    let origin = ORIGIN.to_owned();
    let parts = Parts {
        about: About {
            organisation,
            job,
            cases: Vec::new(),
        },
        exported_at: NOW,
        older_gateway_keys: Vec::new(),
        log_key: log_key().to_string(),
        checkpoint: Checkpoint { origin, tree }.sign(&key(2)).unwrap(),
        entries: vec![ProvedEntry {
            part: Part::Job,
            stream: job_stream(job),
            stream_number: 1,
            sealed,
            leaf_index: 0,
            proof: Vec::new(),
        }],
        attachments: Vec::new(),
    };
    write(parts, &key(1)).unwrap()
}

fn requested() -> JobEvent {
    let request = JobRequest {
        job: JobId(Uuid::from_u128(1)),
        site: SiteId(Uuid::from_u128(4)),
        template: TemplateName {
            name: "reset_room".to_owned(),
            version: 1,
        },
        parameters: BTreeMap::from([(
            "room".to_owned(),
            ParameterValue::Text("Room 3".to_owned()),
        )]),
        window: Window {
            from: NOW,
            until: NOW.plus(3_600_000_000),
        },
        operator_cover: true,
    };
    JobEvent::Requested {
        plan: jobs::template::plan(&request).unwrap(),
        request,
        requester: PersonId(Uuid::from_u128(3)),
    }
}

fn log_key() -> NoteKey {
    NoteKey::new(ORIGIN, key(2).verifying_key()).unwrap()
}

fn keys(gateway: u8) -> String {
    let gateway = hex::encode(key(gateway).verifying_key().as_bytes());
    format!("# from the paper\ngateway {gateway}\nlog {}\n", log_key())
}

/// Files for a command.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The exit status, and what was said.
    fn run(&self, arguments: &[&str]) -> (u8, String) {
        let path = |argument: &&str| {
            let is_option = argument.starts_with("--");
            if is_option {
                PathBuf::from(argument)
            } else {
                self.0.path().join(Path::new(argument))
            }
        };
        let line = std::iter::once(PathBuf::from("nooterra")).chain(arguments.iter().map(path));
        let line = Line::try_parse_from(line).unwrap();
        let mut out = Vec::new();
        let status = verify(&line.task, &mut out).unwrap_or(UNUSABLE);
        (status, String::from_utf8(out).unwrap())
    }
}

#[test]
fn a_whole_bundle_is_intact_under_the_keys_that_were_given_and_unchecked_without() {
    let desk = Desk::new();
    desk.put("job.nooterra", bundle(requested()));
    desk.put("keys", keys(1));

    let (trusted, said) = desk.run(&["--trust", "keys", "job.nooterra"]);
    let (unchecked, warned) = desk.run(&["job.nooterra"]);

    assert_eq!(trusted, 0, "{said}");
    assert!(said.contains("intact: everything holds"), "{said}");
    assert!(said.contains("requested"), "{said}");
    assert_eq!(unchecked, 0);
    assert!(warned.contains("keys unchecked"), "{warned}");
    // What it prints is what --trust reads.
    assert!(warned.ends_with(&format!("{}\n", &keys(1)["# from the paper\n".len()..])));
}

#[test]
fn a_broken_bundle_is_one_whatever_stands_beside_it_and_what_cannot_be_judged_is_worse() {
    let desk = Desk::new();
    let whole = bundle(requested());
    let mut broken = whole.clone();
    broken[900] ^= 1;
    desk.put("whole", &whole);
    desk.put("broken", &broken);
    desk.put("picture.jpg", [0xff, 0xd8, 0xff]);
    desk.put("keys", keys(1));
    desk.put("others", keys(9));
    desk.put("no-keys", "# none yet\n");
    desk.put("bad-keys", "gateway zz\n");
    desk.put("no-proof", "{}");

    for (arguments, status) in [
        (vec!["whole"], 0),
        (vec!["broken"], BROKEN),
        (vec!["whole", "broken", "whole"], BROKEN),
        (vec!["picture.jpg"], BROKEN),
        (vec!["--trust", "others", "whole"], BROKEN),
        (vec!["nowhere"], UNUSABLE),
        (vec!["nowhere", "broken"], UNUSABLE),
        (vec!["--trust", "nowhere", "whole"], UNUSABLE),
        (vec!["--trust", "no-keys", "whole"], UNUSABLE),
        (vec!["--trust", "bad-keys", "whole"], UNUSABLE),
        (vec!["--checkpoint", "nowhere", "whole"], UNUSABLE),
        (
            vec!["--checkpoint", "keys", "--consistency", "no-proof", "whole"],
            UNUSABLE,
        ),
        // Not a note.
        (
            vec!["--trust", "keys", "--checkpoint", "keys", "whole"],
            BROKEN,
        ),
    ] {
        assert_eq!(desk.run(&arguments).0, status, "{arguments:?}");
    }
    assert!(Line::try_parse_from(["nooterra"]).is_err());
    assert!(Line::try_parse_from(["nooterra", "--consistency", "proof", "file"]).is_err());
}

#[test]
fn what_the_rules_forbid_is_named_with_its_place() {
    let desk = Desk::new();
    desk.put("job", bundle(JobEvent::Paused {}));
    desk.put("keys", keys(1));

    let (status, said) = desk.run(&["--trust", "keys", "job"]);

    assert_eq!(status, BROKEN);
    let named = "NOT INTACT: step 8, Replay: entry 0 (job/00000000-0000-0000-0000-000000000001, number 1, job.paused)";
    assert!(said.contains(named), "{said}");
}

#[test]
fn a_machine_reads_one_object_a_line() {
    let desk = Desk::new();
    let mut broken = bundle(requested());
    *broken.last_mut().unwrap() ^= 1;
    desk.put("whole", bundle(requested()));
    desk.put("broken", broken);

    let (_, said) = desk.run(&["--json", "whole", "broken"]);

    let lines: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["verdict"], "keys_unchecked");
    assert_eq!(lines[0]["steps"][7]["outcome"], "passed");
    assert_eq!(lines[1]["verdict"], "not_intact");
    let failure = &lines[1]["steps"][0]["failures"][0];
    assert_eq!(failure["subject"]["entry"]["index"], 0);
    assert_eq!(failure["code"], "changed");
}
