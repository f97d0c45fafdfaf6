//! What the gateway signs around events, and a whole bundle: always the same.

use ledger::{
    bundle::{About, AttachmentName, ListedAttachment, ListedEntry, Manifest, Part, PublicKey},
    log::Entry,
    verify::Verdict,
};
use protocol::{CaseId, EvidenceId, JobId, OrganisationId, SiteId, UnixMicros, sealed::Kind};
use uuid::Uuid;

use super::{
    golden::{
        fixtures::{self, Fixture, Fixtures, add},
        sample::Sample,
        samples::one_of_each,
    },
    items::ranges,
    world::{World, report, trust},
};

/// What stands on top of the file with the bundle.
pub(crate) const BUNDLE_HEAD: &str = "\
The items of a bundle, in their order: joined, they are the file. Nothing here ever changes, or bundles that people
keep could no longer be verified.";

const NOW: UnixMicros = UnixMicros(1_767_254_400_000_000);
const ORGANISATION: OrganisationId = OrganisationId(Uuid::from_u128(1));
const CASE: CaseId = CaseId(Uuid::from_u128(3));

/// Everything that the gateway signs.
pub(crate) fn all() -> Vec<Sample> {
    let entry = Entry {
        organisation: ORGANISATION,
        site: Some(SiteId(Uuid::from_u128(10))),
        stream_number: 256,
        previous: [9; 32],
        recorded_at: NOW,
        actor: b"what an actor sealed".to_vec(),
    };
    let of_no_site = Entry {
        site: None,
        ..entry.clone()
    };
    vec![
        Sample::sealed("entry", Kind::Entry, entry),
        Sample::sealed("entry of no site", Kind::Entry, of_no_site),
        Sample::sealed("manifest", Kind::Bundle, manifest()),
    ]
}

/// With an entry of every part and an attachment of every name.
fn manifest() -> Manifest {
    let parts = one_of_each![Part: Job {}, Case {}, Binding {}];
    let evidence = EvidenceId(Uuid::from_u128(8));
    let names = one_of_each![AttachmentName:
        Words { case: CASE },
        Reason { case: CASE },
        Picture { case: CASE, evidence },
        Evidence { evidence },
    ];
    Manifest {
        about: About {
            organisation: ORGANISATION,
            job: JobId(Uuid::from_u128(2)),
            cases: vec![CASE],
        },
        exported_at: NOW,
        gateway_keys: vec![PublicKey([1; 32]), PublicKey([2; 32])],
        log_key: "log.example/linden+0a1b2c3d+AQ==".to_owned(),
        checkpoint: [4; 32],
        entries: parts.map(listed).into(),
        attachments: names.map(attached).into(),
    }
}

fn listed(part: Part) -> ListedEntry {
    ListedEntry {
        part,
        stream: "job/00000000-0000-0000-0000-000000000002".to_owned(),
        stream_number: 24,
        leaf_index: 65_536,
        entry_hash: [5; 32],
        sha256: [6; 32],
    }
}

fn attached(name: AttachmentName) -> ListedAttachment {
    ListedAttachment {
        name,
        media_type: "text/plain".to_owned(),
        sha256: [7; 32],
    }
}

/// A whole bundle, item by item.
pub(crate) fn bundle() -> Fixtures {
    let file = World::short().bundle();
    let mut items = Fixtures::new();
    for (number, range) in ranges(&file).into_iter().enumerate() {
        let what = match number {
            0 => "the format",
            1 => "the manifest",
            2 => "the checkpoint",
            _ => "an entry",
        };
        let fixture = Fixture::new(what, file[range].to_vec());
        add(&mut items, &format!("item {number:02}"), fixture);
    }
    items
}

/// What is wrong with the bundle that was written once: it is written otherwise now, or no longer intact.
pub(crate) fn wrong_with_bundle(text: &str) -> Vec<String> {
    let written = fixtures::read(text);
    let mut found = fixtures::differences(&written, &bundle());
    let file: Vec<u8> = written
        .values()
        .flat_map(|item| item.bytes.iter().copied())
        .collect();
    let report = report(&file, &trust());
    if report.verdict != Verdict::Intact {
        found.push(format!("the bundle is not intact: {report:#?}"));
    }
    found
}
