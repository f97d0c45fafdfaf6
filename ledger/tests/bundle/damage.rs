//! A file that is flipped, cut, shuffled and edited: whatever happens to it is found, and the right entry named.

use ledger::verify::{Trust, Verdict};
use proptest::prelude::*;

use super::{
    altered,
    world::{World, report, trust},
};

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_flipped_bit_in_any_even_byte_is_found_and_its_entry_named() {
    assert_eq!(altered::flipped(0, 2), nothing());
}

#[test]
fn a_flipped_bit_in_any_odd_byte_is_found_and_its_entry_named() {
    assert_eq!(altered::flipped(1, 2), nothing());
}

#[test]
fn a_cut_at_any_length_is_found_and_the_first_lost_entry_named() {
    assert_eq!(altered::cut(1), nothing());
}

#[test]
fn a_dropped_doubled_or_swapped_item_is_found_and_named() {
    assert_eq!(altered::shuffled(), nothing());
}

#[test]
fn what_is_added_at_the_end_is_found() {
    assert_eq!(altered::lengthened(), nothing());
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
