//! The bytes that were signed once and never change, as seeds: every parser has to know what is in them.

use protocol::sealed::{self, Kind};

use crate::Seed;

const PROTOCOL: &str = include_str!("../../../protocol/tests/golden/sealed.txt");
const LEDGER: &str = include_str!("../../../ledger/tests/golden/sealed.txt");
const BUNDLE: &str = include_str!("../../../ledger/tests/golden/bundle.txt");

/// Every kind of envelope.
pub(crate) const KINDS: [Kind; 13] = [
    Kind::Event,
    Kind::Entry,
    Kind::Enrolment,
    Kind::SessionKey,
    Kind::Bundle,
    Kind::Roster,
    Kind::Revocations,
    Kind::Grant,
    Kind::Assertion,
    Kind::PersonKey,
    Kind::Command,
    Kind::Drive,
    Kind::SafetyPolicy,
];

/// A name, and the bytes under it.
fn blocks(text: &str) -> impl Iterator<Item = (&str, Vec<u8>)> {
    text.trim_end().split("\n\n").filter_map(|block| {
        let mut lines = block.lines().filter(|line| !line.starts_with('#'));
        let (name, _json, bytes) = (lines.next()?, lines.next()?, lines.next()?);
        Some((name, hex::decode(bytes).unwrap()))
    })
}

/// Everything that is sealed, and as what.
pub(crate) fn sealed_as() -> Vec<(String, Kind, Vec<u8>)> {
    let all = blocks(PROTOCOL).chain(blocks(LEDGER));
    all.filter_map(|(name, bytes)| {
        let kind = KINDS
            .into_iter()
            .find(|kind| payload(*kind, &bytes).is_some())?;
        Some((name.to_owned(), kind, bytes))
    })
    .collect()
}

/// The payload of an envelope.
pub(crate) fn payload(kind: Kind, bytes: &[u8]) -> Option<Vec<u8>> {
    let read = sealed::unverified::<ciborium::Value>(kind, bytes).ok()?;
    protocol::deterministic::to_vec(&read.payload).ok()
}

/// Payloads of these kinds, each behind the byte that the target tells them apart by.
pub(crate) fn payloads_of(kinds: &[Kind]) -> Vec<Seed> {
    let sealed = sealed_as().into_iter();
    sealed
        .filter_map(|(name, kind, bytes)| {
            let place = kinds.iter().position(|known| *known == kind)?;
            let mut behind = vec![u8::try_from(place).unwrap()];
            behind.extend(payload(kind, &bytes)?);
            Some(Seed::new(&name, behind))
        })
        .collect()
}

/// Every payload and every part of one.
pub(crate) fn values() -> Vec<Seed> {
    let all = blocks(PROTOCOL).chain(blocks(LEDGER));
    all.map(|(name, bytes)| {
        let inner = KINDS.into_iter().find_map(|kind| payload(kind, &bytes));
        Seed::new(name, inner.unwrap_or(bytes))
    })
    .collect()
}

/// A whole bundle.
pub(crate) fn bundle() -> Vec<u8> {
    blocks(BUNDLE).flat_map(|(_, item)| item).collect()
}
