//! Every way in which a bundle is damaged on its way. Run natively and, by the same code, as wasm.
//!
//! Each says which damage passed unseen, or was laid on another item: nothing, if all is well.

use ledger::verify::StepName;

use super::{
    items::{joined, missed, ranges},
    world::{World, report, trust},
};

/// Every `stride`th byte of a whole bundle, from `first` on, each with another of its bits flipped.
pub(crate) fn flipped(first: usize, stride: usize) -> Vec<String> {
    let world = World::whole();
    let bundle = world.bundle();
    let items = ranges(&bundle);
    let trust = trust();
    let missed = |at: usize| {
        let item = items.iter().position(|range| range.contains(&at)).unwrap();
        let mut altered = bundle.clone();
        altered[at] ^= 1 << (at / stride % 8);
        let case = format!("a flipped bit in byte {at}");
        missed(&altered, item, world.entries.len(), &trust, &case)
    };
    (first..bundle.len())
        .step_by(stride)
        .filter_map(missed)
        .collect()
}

/// Every `stride`th length.
pub(crate) fn cut(stride: usize) -> Vec<String> {
    let world = World::whole();
    let bundle = world.bundle();
    let items = ranges(&bundle);
    let trust = trust();
    let missed = |length: usize| {
        let is_cut = |range: &std::ops::Range<usize>| range.contains(&length);
        let item = items.iter().position(is_cut).unwrap();
        let (left, entries) = (&bundle[..length], world.entries.len());
        missed(left, item, entries, &trust, &format!("a cut at {length}"))
    };
    (0..bundle.len())
        .step_by(stride)
        .filter_map(missed)
        .collect()
}

/// Each item but the first dropped, doubled, and swapped with the next.
pub(crate) fn shuffled() -> Vec<String> {
    let world = World::whole();
    let bundle = world.bundle();
    let items = ranges(&bundle);
    let trust = trust();
    let mut found = Vec::new();
    for at in 1..items.len() {
        let mut dropped = items.clone();
        dropped.remove(at);
        let mut doubled = items.clone();
        doubled.insert(at, items[at].clone());
        let mut cases = vec![("dropped", dropped), ("doubled", doubled)];
        if at + 1 < items.len() {
            let mut swapped = items.clone();
            swapped.swap(at, at + 1);
            cases.push(("swapped", swapped));
        }
        for (how, order) in cases {
            let (file, entries) = (joined(&bundle, &order), world.entries.len());
            let case = format!("the {how} item {at}");
            found.extend(missed(&file, at, entries, &trust, &case));
        }
    }
    found
}

/// One item more, and one byte more.
pub(crate) fn lengthened() -> Vec<String> {
    let bundle = World::short().bundle();
    let items = ranges(&bundle);
    let more = [bundle.clone(), bundle[items[4].clone()].to_vec()].concat();
    let noise = [bundle, vec![0]].concat();
    let mut found = Vec::new();
    for (case, file) in [("an item more", more), ("a byte more", noise)] {
        let report = report(&file, &trust());
        let named = report
            .first_failure()
            .map(|(step, failure)| (step.name, failure.item));
        if named != Some((StepName::Unpack, Some(items.len()))) {
            found.push(format!("{case} is found as {named:?}"));
        }
    }
    found
}
