//! Bundles as a gateway writes them, whole and damaged in every way there is, against the check that everybody makes.

#[path = "bundle/actors.rs"]
mod actors;
#[path = "bundle/altered.rs"]
#[expect(clippy::unwrap_used, reason = "a test's own looking up")]
mod altered;
#[path = "bundle/damage.rs"]
mod damage;
#[path = "bundle/items.rs"]
#[expect(clippy::unwrap_used, reason = "a test's own reading")]
mod items;
#[path = "bundle/world.rs"]
#[expect(clippy::unwrap_used, reason = "a test's own log")]
mod world;

use ledger::{
    bundle::{AttachmentName, write},
    log::{Entry, Hash, entry_hash, signature_line},
    verify::{
        Fault, KnownCheckpoint, KnownProof, Outcome, Progress, Report, StepName, Subject, Trust,
        Verdict, Verification, verify,
    },
};
use protocol::{EvidenceId, job::job_stream};
use uuid::Uuid;
use world::{AllBut, GATEWAY, JOB, LOG, ORIGIN, World, key, report, trust};

/// The code and subject of the first failure of a step.
fn failure_of(report: &Report, name: StepName) -> Option<(&'static str, String)> {
    let step = report.steps.iter().find(|step| step.name == name)?;
    let failure = step.failures.first()?;
    Some((failure.fault.code(), failure.subject.to_string()))
}

fn outcomes(report: &Report) -> Vec<Outcome> {
    report.steps.iter().map(|step| step.outcome).collect()
}

#[test]
fn a_whole_bundle_is_intact_under_trusted_keys() {
    let world = World::whole();

    let report = report(&world.bundle(), &trust());

    assert_eq!(report.verdict, Verdict::Intact, "{report:#?}");
    assert_eq!(
        outcomes(&report),
        [
            Outcome::Passed,
            Outcome::Passed,
            Outcome::Passed,
            Outcome::Passed,
            Outcome::Passed,
            Outcome::Skipped,
            Outcome::Weak,
            Outcome::Passed,
            Outcome::Passed,
            Outcome::Skipped,
        ]
    );
    let names: Vec<StepName> = report.steps.iter().map(|step| step.name).collect();
    assert_eq!(names, StepName::ALL);
    assert_eq!(
        report.steps[1].detail,
        "Ed25519, strict. Signed by 1 robot, 2 people, the cloud; 1 event recorded by the cloud on behalf of 1 person"
    );
    let facts = report.facts.unwrap();
    assert_eq!(facts.entries, world.entries.len());
    assert_eq!(facts.checkpoint.unwrap().origin, ORIGIN);
}

#[test]
fn many_threads_find_what_one_finds() {
    let mut world = World::whole();
    world.entries[3].sealed[40] ^= 1;
    let (bundle, trust) = (world.bundle(), trust());
    let one = verify(&bundle, &trust, &mut []);

    let mut verification = Verification::new(&bundle, &trust).on_threads(3);
    while verification.advance(&mut []) != Progress::Over {}

    assert_eq!(verification.into_report(), one);
    assert_eq!(one.verdict, Verdict::NotIntact);
}

#[test]
fn keys_that_came_inside_the_bundle_prove_nothing() {
    let bundle = World::whole().bundle();
    let only_gateway = Trust {
        log: Vec::new(),
        ..trust()
    };
    let only_log = Trust {
        gateway: Vec::new(),
        ..trust()
    };

    for partial in [Trust::default(), only_gateway, only_log] {
        let report = report(&bundle, &partial);

        assert_eq!(report.verdict, Verdict::KeysUnchecked);
        let is_weak = |index: usize| report.steps[index].outcome == Outcome::Weak;
        assert_eq!(is_weak(1), partial.gateway.is_empty());
        assert_eq!(is_weak(4), partial.log.is_empty());
    }
}

#[test]
fn under_other_keys_than_its_own_a_bundle_is_not_intact() {
    let bundle = World::whole().bundle();
    let other_gateway = Trust {
        gateway: vec![key(99).verifying_key()],
        ..trust()
    };
    let other_log = Trust {
        log: vec![ledger::log::NoteKey::new(ORIGIN, key(99).verifying_key()).unwrap()],
        ..trust()
    };

    let gateway = report(&bundle, &other_gateway);
    let log = report(&bundle, &other_log);

    let untrusted = ("untrusted_key", "the manifest".to_owned());
    assert_eq!(failure_of(&gateway, StepName::Unpack), Some(untrusted));
    assert_eq!(gateway.verdict, Verdict::NotIntact);
    let unsigned = ("checkpoint", "the checkpoint".to_owned());
    assert_eq!(failure_of(&log, StepName::Checkpoint), Some(unsigned));
    assert_eq!(log.verdict, Verdict::NotIntact);
}

#[test]
fn an_entry_that_was_changed_in_the_database_is_named_in_what_the_gateway_then_exports() {
    let world = World::whole();
    for (index, entry) in world.entries.iter().enumerate() {
        for at in (index % 13..entry.sealed.len()).step_by(13) {
            let mut edited = world.clone();
            edited.entries[index].sealed[at] ^= 1 << (at % 8);
            let bundle = edited.bundle();

            let report = report(&bundle, &trust());

            assert_eq!(report.verdict, Verdict::NotIntact);
            for name in [StepName::Signatures, StepName::InclusionProofs] {
                let step = report.steps.iter().find(|step| step.name == name).unwrap();
                let Subject::Entry(named) = &step.failures.first().unwrap().subject else {
                    panic!("byte {at} of entry {index}: {step:?}");
                };
                let place = named.place.as_ref().unwrap();
                assert_eq!(place.leaf_index, entry.leaf_index, "byte {at} of {index}");
            }
        }
    }
}

#[test]
fn an_entry_that_another_key_signed_again_is_named() {
    let world = World::whole();
    for index in 0..world.entries.len() {
        let mut edited = world.clone();
        let sealed = &mut edited.entries[index].sealed;
        let mut entry = Entry::open(sealed, &key(GATEWAY).verifying_key()).unwrap();
        entry.recorded_at.0 += 1;
        *sealed = entry.seal(&key(99)).unwrap();
        let leaf = usize::try_from(edited.entries[index].leaf_index).unwrap();
        edited.leaves[leaf] = entry_hash(&edited.entries[index].sealed);

        let report = report(&edited.bundle(), &trust());

        let (step, failure) = report.first_failure().unwrap();
        assert_eq!(step.name, StepName::Signatures);
        assert_eq!(failure.fault.code(), "untrusted_key");
        let Subject::Entry(named) = &failure.subject else {
            panic!("{failure}");
        };
        assert_eq!(
            named.place.as_ref().unwrap().leaf_index,
            world.entries[index].leaf_index
        );
    }
}

#[test]
fn an_entry_that_the_gateway_itself_rewrites_is_found_by_what_follows_and_by_the_tree() {
    let mut world = World::whole();
    let tree = world.checkpoint(world.leaves.len(), LOG);
    let sealed = &mut world.entries[4].sealed;
    let mut entry = Entry::open(sealed, &key(GATEWAY).verifying_key()).unwrap();
    entry.recorded_at.0 += 1;
    *sealed = entry.seal(&key(GATEWAY)).unwrap();
    let parts = ledger::bundle::Parts {
        checkpoint: tree,
        ..world.parts()
    };

    let report = report(&write(parts, &key(GATEWAY)).unwrap(), &trust());

    let place = |number| format!("entry {} (job/{JOB}, number {number}, ", number - 1);
    let (code, subject) = failure_of(&report, StepName::EventChains).unwrap();
    assert_eq!((code, subject.starts_with(&place(3))), ("previous", true));
    let (code, subject) = failure_of(&report, StepName::InclusionProofs).unwrap();
    assert_eq!(
        (code, subject.starts_with(&place(2))),
        ("not_included", true)
    );
}

#[test]
fn a_forged_manifest_or_checkpoint_is_found() {
    let world = World::whole();
    let forged_manifest = write(world.parts(), &key(99)).unwrap();
    let forged_checkpoint = ledger::bundle::Parts {
        checkpoint: world.checkpoint(world.leaves.len(), 99),
        ..world.parts()
    };
    let older_checkpoint = ledger::bundle::Parts {
        checkpoint: world.checkpoint(world.leaves.len() - 9, LOG),
        ..world.parts()
    };

    let manifest = report(&forged_manifest, &trust());
    let forged = report(&write(forged_checkpoint, &key(GATEWAY)).unwrap(), &trust());
    let older = report(&write(older_checkpoint, &key(GATEWAY)).unwrap(), &trust());

    let untrusted = ("untrusted_key", "the manifest".to_owned());
    assert_eq!(failure_of(&manifest, StepName::Unpack), Some(untrusted));
    let unsigned = ("checkpoint", "the checkpoint".to_owned());
    assert_eq!(failure_of(&forged, StepName::Checkpoint), Some(unsigned));
    let (code, _) = failure_of(&older, StepName::InclusionProofs).unwrap();
    assert_eq!(code, "not_included");
}

/// What is found by whoever saw this checkpoint before, and has this proof of what lies between.
fn compared(
    world: &World,
    note: String,
    proof: Option<KnownProof>,
) -> Result<Outcome, &'static str> {
    let trust = Trust {
        known: Some(KnownCheckpoint { note, proof }),
        ..trust()
    };
    let report = report(&world.bundle(), &trust);
    let failure = failure_of(&report, StepName::Consistency);
    let found = failure.map_or(Ok(report.steps[5].outcome), |(code, _)| Err(code));
    assert_eq!(report.verdict == Verdict::Intact, found.is_ok());
    found
}

/// A proof that says that it leads from a tree of so many entries to that of the bundle.
fn proof_from(world: &World, from: u64, hashes: &[Hash]) -> KnownProof {
    KnownProof {
        from,
        to: world.leaves.len() as u64,
        hashes: hashes.to_vec(),
    }
}

#[test]
fn a_known_checkpoint_of_the_same_history_holds_if_the_proof_leads_from_it() {
    let world = World::whole();
    let (size, proof) = (world.leaves.len(), world.consistency(10));
    let earlier = || world.checkpoint(10, LOG);

    let found = [
        compared(&world, world.checkpoint(size, LOG), None),
        compared(&world, earlier(), Some(proof_from(&world, 10, &proof))),
        compared(&world, earlier(), None),
        compared(&world, earlier(), Some(proof_from(&world, 9, &proof))),
        compared(&world, earlier(), Some(proof_from(&world, 10, &proof[1..]))),
    ];

    let (passed, weak) = (Ok(Outcome::Passed), Ok(Outcome::Weak));
    assert_eq!(found, [passed, passed, weak, weak, Err("forked")]);
}

#[test]
fn a_known_checkpoint_of_another_history_or_of_nobody_is_told() {
    let world = World::whole();
    let mut other = world.clone();
    other.leaves[0] = [0; 32];
    let size = world.leaves.len();
    let proof = Some(proof_from(&world, 10, &world.consistency(10)));

    let found = [
        compared(&world, other.checkpoint(size, LOG), None),
        compared(&world, other.checkpoint(10, LOG), proof),
        compared(&world, world.checkpoint(size, 99), None),
        compared(&world, String::new(), None),
    ];

    assert_eq!(found, ["forked", "forked", "earlier", "earlier"].map(Err));
}

#[test]
fn a_witness_counts_by_its_signature_alone() {
    let world = World::short();
    let mut parts = world.parts();
    let text = parts
        .checkpoint
        .split_inclusive('\n')
        .take(3)
        .collect::<String>();
    let line = signature_line(&text, "witness.example", &key(7)).unwrap();
    parts.checkpoint.push_str(&line);
    let bundle = write(parts, &key(GATEWAY)).unwrap();
    let witness = |seed| Trust {
        witnesses: vec![
            ledger::log::NoteKey::new("witness.example", key(seed).verifying_key()).unwrap(),
        ],
        ..trust()
    };

    for (trust, summary) in [
        (witness(7), "1 of 1, weak"),
        (witness(8), "None, weak"),
        (trust(), "None, weak"),
    ] {
        let report = report(&bundle, &trust);

        assert_eq!(report.steps[6].summary, summary);
        assert_eq!(report.verdict, Verdict::Intact);
    }
}

#[test]
fn a_gap_a_cut_tail_and_a_lost_event_of_an_actor_are_found_in_what_the_gateway_exports() {
    let world = World::whole();
    let job_entry = |number| {
        let is_it = |entry: &ledger::bundle::ProvedEntry| {
            entry.stream == job_stream(JOB) && entry.stream_number == number
        };
        world.entries.iter().position(is_it).unwrap()
    };
    let without = |index: usize| {
        let mut world = world.clone();
        world.entries.remove(index);
        failure_of(&report(&world.bundle(), &trust()), StepName::EventChains)
            .unwrap()
            .0
    };
    let last = world
        .entries
        .iter()
        .filter(|entry| entry.stream == job_stream(JOB))
        .map(|entry| entry.stream_number)
        .max()
        .unwrap();

    assert_eq!(without(job_entry(1)), "gap");
    assert_eq!(without(job_entry(5)), "gap");
    // Nothing follows the last one but the case, which froze how far the job's record went.
    assert_eq!(without(job_entry(last)), "frozen");

    let mut jobless = world.clone();
    jobless
        .entries
        .retain(|entry| entry.stream != job_stream(JOB));
    let report = report(&jobless.bundle(), &trust());
    assert_eq!(
        failure_of(&report, StepName::EventChains).unwrap().0,
        "no_events"
    );
}

#[test]
fn words_and_pictures_must_be_those_that_were_logged() {
    let mut changed = World::whole();
    changed.attachments[0].content.push(b'!');
    let mut unnamed = World::whole();
    let evidence = EvidenceId(Uuid::from_u128(77));
    unnamed.attach(AttachmentName::Evidence { evidence }, b"a cat");
    let mut deleted = World::whole();
    deleted.attachments.clear();

    let changed = report(&changed.bundle(), &trust());
    let unnamed = report(&unnamed.bundle(), &trust());
    let deleted = report(&deleted.bundle(), &trust());

    let words = AttachmentName::Words { case: world::CASE }.to_string();
    assert_eq!(
        failure_of(&changed, StepName::Attachments),
        Some(("attachment_changed", words))
    );
    assert_eq!(
        failure_of(&unnamed, StepName::Attachments).unwrap().0,
        "unnamed"
    );
    assert_eq!(deleted.verdict, Verdict::Intact);
    // The robot's picture of the shelf never was in the bundle.
    assert_eq!(deleted.steps[9].summary, "4 not here");
}

#[test]
fn the_replay_names_the_event_that_the_rules_forbid() {
    let bundle = World::whole().bundle();
    let mut jobs = AllBut {
        prefix: "job/",
        kind: "robot.arrived",
    };

    let report = verify(&bundle, &trust(), &mut [&mut jobs]);

    let (step, failure) = report.first_failure().unwrap();
    assert_eq!(step.name, StepName::Replay);
    assert_eq!(failure.fault, Fault::Replay("not allowed".to_owned()));
    assert_eq!(
        failure.subject.to_string(),
        format!("entry 5 (job/{JOB}, number 6, robot.arrived)")
    );
}
