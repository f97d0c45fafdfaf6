//! The items of a bundle as any reader of CBOR sequences finds them, and what a test expects to hear of each.

use std::ops::Range;

use ledger::verify::{Progress, Report, StepName, Subject, Trust, Verdict, Verification};

use super::world::report;

/// Where each item of a sound file stands.
pub(crate) fn ranges(file: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < file.len() {
        let mut rest = &file[start..];
        let _item: ciborium::Value = ciborium::from_reader(&mut rest).unwrap();
        let end = file.len() - rest.len();
        ranges.push(start..end);
        start = end;
    }
    ranges
}

pub(crate) fn joined(file: &[u8], items: &[Range<usize>]) -> Vec<u8> {
    items
        .iter()
        .flat_map(|range| &file[range.clone()])
        .copied()
        .collect()
}

/// Whether `subject` names the item number `item` of a bundle with so many entries.
pub(crate) fn names(subject: &Subject, item: usize, entries: usize) -> bool {
    match subject {
        Subject::Bundle => item == 0,
        Subject::Manifest => item == 1,
        Subject::Checkpoint => item == 2,
        Subject::Entry(name) => name.index + 3 == item && item < 3 + entries,
        Subject::Attachment(_) => item >= 3 + entries,
        Subject::Item => false,
    }
}

/// What is found in an altered file. Stops where nothing can mend the verdict: with the first step, if that failed.
pub(crate) fn first_finding(file: &[u8], trust: &Trust) -> Report {
    let mut verification = Verification::new(file, trust);
    while verification.advance(&mut []) != Progress::Finished(StepName::Unpack) {}
    let has_failed = verification
        .steps()
        .iter()
        .any(|step| !step.failures.is_empty());
    if has_failed {
        return verification.into_report();
    }
    report(file, trust)
}

/// What is wrong with how `file` is judged: it is altered, and first of all in `item`.
pub(crate) fn missed(
    file: &[u8],
    item: usize,
    entries: usize,
    trust: &Trust,
    case: &str,
) -> Option<String> {
    let report = first_finding(file, trust);
    let Some((_, failure)) = report.first_failure() else {
        return Some(format!("{case} passes unseen"));
    };
    if report.verdict != Verdict::NotIntact {
        return Some(format!("{case} is judged {:?}", report.verdict));
    }
    (!names(&failure.subject, item, entries))
        .then(|| format!("{case} belongs to item {item}, found was {failure}"))
}
