//! A file that is flipped, cut, shuffled and edited: whatever happens to it is found, and the right entry named.

use ledger::verify::{StepName, Trust, Verdict};
use proptest::prelude::*;

use super::{
    items::{assert_found, joined, ranges},
    world::{World, report, trust},
};

/// Every byte of the `part`th of `parts` equal parts of a whole bundle, each with another of its bits flipped.
fn flip_every_byte_of(part: usize, parts: usize) {
    let world = World::whole();
    let bundle = world.bundle();
    let items = ranges(&bundle);
    let trust = trust();
    for at in (part..bundle.len()).step_by(parts) {
        let item = items.iter().position(|range| range.contains(&at)).unwrap();
        let mut altered = bundle.clone();
        altered[at] ^= 1 << (at / parts % 8);
        let case = format!("a flipped bit in byte {at}");
        assert_found(&altered, item, world.entries.len(), &trust, &case);
    }
}

#[test]
fn a_flipped_bit_in_any_even_byte_is_found_and_its_entry_named() {
    flip_every_byte_of(0, 2);
}

#[test]
fn a_flipped_bit_in_any_odd_byte_is_found_and_its_entry_named() {
    flip_every_byte_of(1, 2);
}

#[test]
fn a_cut_at_any_length_is_found_and_the_first_lost_entry_named() {
    let world = World::whole();
    let bundle = world.bundle();
    let items = ranges(&bundle);
    for length in 0..bundle.len() {
        let item = items
            .iter()
            .position(|range| range.contains(&length))
            .unwrap();
        let case = format!("a cut at {length}");
        assert_found(
            &bundle[..length],
            item,
            world.entries.len(),
            &trust(),
            &case,
        );
    }
}

#[test]
fn a_dropped_doubled_or_swapped_item_is_found_and_named() {
    let world = World::whole();
    let bundle = world.bundle();
    let items = ranges(&bundle);
    let entries = world.entries.len();
    for at in 1..items.len() {
        let mut dropped = items.clone();
        dropped.remove(at);
        let case = format!("the dropped item {at}");
        assert_found(&joined(&bundle, &dropped), at, entries, &trust(), &case);

        let mut doubled = items.clone();
        doubled.insert(at, items[at].clone());
        let case = format!("the doubled item {at}");
        assert_found(&joined(&bundle, &doubled), at, entries, &trust(), &case);

        let mut swapped = items.clone();
        if at + 1 < items.len() {
            swapped.swap(at, at + 1);
            let case = format!("the swapped item {at}");
            assert_found(&joined(&bundle, &swapped), at, entries, &trust(), &case);
        }
    }
}

#[test]
fn what_is_added_at_the_end_is_found() {
    let bundle = World::short().bundle();
    let items = ranges(&bundle);
    let more = [bundle.clone(), bundle[items[4].clone()].to_vec()].concat();
    let noise = [bundle, vec![0]].concat();

    for file in [more, noise] {
        let report = report(&file, &trust());

        let (step, failure) = report.first_failure().unwrap();
        assert_eq!(step.name, StepName::Unpack);
        assert_eq!(failure.item, Some(items.len()));
    }
}

/// One thing that happens to a file.
#[derive(Debug, Clone)]
enum Edit {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<prop::sample::Index>;
    let edit = prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        (at(), 1..400_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        (at(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, new)| Edit::Insert(at, new)),
        (at(), 1..400_usize).prop_map(|(at, length)| Edit::Repeat(at, length)),
    ];
    prop::collection::vec(edit, 1..6)
}

fn edit(file: &mut Vec<u8>, edit: &Edit) {
    if file.is_empty() {
        return;
    }
    match edit {
        Edit::Flip(at, bit) => {
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
        }
        Edit::Cut(at, length) => {
            let at = at.index(file.len());
            file.drain(at..file.len().min(at + length));
        }
        Edit::Insert(at, new) => {
            let at = at.index(file.len());
            file.splice(at..at, new.iter().copied());
        }
        Edit::Repeat(at, length) => {
            let at = at.index(file.len());
            let part = file[at..file.len().min(at + length)].to_vec();
            file.splice(at..at, part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_happens_to_a_file_it_is_intact_only_if_it_is_the_same(edits in edits()) {
        let bundle = World::short().bundle();
        let mut altered = bundle.clone();
        for one in &edits {
            edit(&mut altered, one);
        }

        for trust in [trust(), Trust::default()] {
            let is_good = report(&altered, &trust).verdict != Verdict::NotIntact;
            prop_assert_eq!(is_good, altered == bundle);
        }
    }

    #[test]
    fn bytes_of_any_kind_are_judged_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let behind_magic = [b"\xd9\xd9\xf7\x71nooterra-bundle/1".as_slice(), &noise].concat();

        for file in [noise, behind_magic] {
            prop_assert_eq!(report(&file, &trust()).verdict, Verdict::NotIntact);
        }
    }
}
