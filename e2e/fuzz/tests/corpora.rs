//! Every input that was ever worth keeping, given to its target again: one test for each, so that they run side by side.

#![expect(clippy::unwrap_used, reason = "what can't be read has failed")]

use std::{
    collections::BTreeSet,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use fuzz::{TARGETS, Target};

/// All corpora together: they are in every clone.
const MOST_BYTES: u64 = 1_536 * 1024;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The files of a target's corpus, by name.
fn corpus(target: &Target) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(corpora().join(target.name)).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[track_caller]
fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let kept = corpus(target).into_iter().map(|file| {
        let name = file.display().to_string();
        (name, std::fs::read(file).unwrap())
    });
    let seeds = (target.seeds)().into_iter();
    let seeds = seeds.map(|seed| (format!("the seed {}", seed.name), seed.bytes));
    let mut broken = Vec::new();
    let mut taken = 0_usize;
    for (name, bytes) in kept.chain(seeds) {
        match catch_unwind(|| (target.run)(&bytes)) {
            Ok(is_taken) => taken += usize::from(is_taken),
            Err(_) => broken.push(name),
        }
    }
    assert!(broken.is_empty(), "claims do not hold for {broken:#?}");
    assert!(
        taken > 0,
        "nothing was taken: no input gets past the first line"
    );
}

/// A test for each target, and one that none is forgotten.
macro_rules! replays {
    ($($name:ident: $target:literal),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                replay($target);
            }
        )*

        #[test]
        fn each_target_is_replayed_and_has_a_corpus_of_its_own() {
            let replayed = BTreeSet::from([$($target),*]);
            let targets: BTreeSet<_> = TARGETS.iter().map(|target| target.name).collect();
            let folders = std::fs::read_dir(corpora()).unwrap();
            let folders: Vec<_> = folders
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            let folders: BTreeSet<_> = folders.iter().map(String::as_str).collect();
            assert_eq!(replayed, targets);
            assert_eq!(folders, targets);
        }
    };
}

replays! {
    what_was_read_as_cbor_is_written_as_the_same_bytes: "cbor",
    an_envelope_is_one_kind_of_one_key_whoever_reads_it: "sealed",
    events_are_read_again_as_they_are_written: "events",
    rosters_lists_and_grants_have_one_meaning: "authority",
    commands_are_read_again_as_they_are_written: "commands",
    a_policy_that_is_believed_is_one_that_a_robot_can_keep_to: "policy",
    a_passkey_binds_only_what_it_was_shown: "passkey",
    what_robots_say_is_something_that_pages_can_read: "robot_frames",
    frames_of_pages_are_read_or_refused: "console_frames",
    a_still_is_passed_on_as_it_came: "stills",
    bodies_of_requests_are_read_or_refused: "bodies",
    short_texts_mean_one_thing: "words",
    a_bundle_is_intact_only_if_it_is_the_one_that_was_exported: "bundle",
    proofs_and_checkpoints_prove_only_what_was_signed: "proofs",
    a_camera_sends_what_it_likes: "rtp",
    an_offer_is_within_bounds_or_refused: "offer",
    a_datagram_finds_one_connection_or_none: "datagram",
    nothing_moves_without_authority: "orders",
    whatever_comes_in_the_output_stays_inside_the_envelope: "envelope",
}

#[test]
fn the_corpora_are_small_and_no_longer_than_what_is_made_up() {
    let mut bytes = 0;
    for target in TARGETS {
        for file in corpus(target) {
            let length = std::fs::metadata(&file).unwrap().len();
            let longest = u64::try_from(target.longest).unwrap();
            assert!(length <= longest, "{} has {length} bytes", file.display());
            bytes += length;
        }
    }
    assert!(bytes <= MOST_BYTES, "{bytes} bytes");
}

#[test]
fn what_each_target_covers_is_written_down() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/fuzzing.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    for target in TARGETS {
        let row = format!("| `{}` |", target.name);
        assert!(docs.contains(&row), "{} has no row", target.name);
    }
}
