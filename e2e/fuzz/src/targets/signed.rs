//! What is signed, behind its signature: events, who may steer, and commands. What is read is written and read again as the same.

use ciborium::Value;
use ledger::{bundle::Manifest, log::Entry};
use protocol::{
    RobotId, SiteId,
    command::{SignedCommand, Verb},
    deterministic,
    drive::DriveCommand,
    event::{ActorEvent, EnrolmentProof, Payload, SessionKeyProof},
    grant::{Allowance, Assertion, Grant, PersonKeyProof},
    limits::{MAX_NOTE_CHARS, MAX_SEALED_EVENT_BYTES},
    roster::{MAX_KEYS_OF_PERSON, MAX_REVOKED, MAX_ROSTERED_PEOPLE, Revocations, Roster},
    sealed::Kind,
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    Seed, Target, golden,
    input::{Input, block},
};

pub(crate) const EVENTS: Target = Target {
    name: "events",
    run: events,
    seeds: || {
        golden::payloads_of(&[
            Kind::Event,
            Kind::Entry,
            Kind::Bundle,
            Kind::Enrolment,
            Kind::SessionKey,
        ])
    },
    longest: MAX_SEALED_EVENT_BYTES,
};

pub(crate) const AUTHORITY: Target = Target {
    name: "authority",
    run: authority,
    seeds: authority_seeds,
    longest: 8_192,
};

pub(crate) const COMMANDS: Target = Target {
    name: "commands",
    run: commands,
    seeds: || golden::payloads_of(&[Kind::Command, Kind::Drive]),
    longest: 2_048,
};

/// The value in `bytes`, which is written and read again as the same from then on.
pub(crate) fn settled<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value: T = deterministic::from_slice(bytes).ok()?;
    let written = deterministic::to_vec(&value).unwrap();
    let again: T = deterministic::from_slice(&written).unwrap();
    assert_eq!(deterministic::to_vec(&again).unwrap(), written);
    Some(value)
}

fn events(data: &[u8]) -> bool {
    let Some((which, bytes)) = data.split_first() else {
        return false;
    };
    match which % 5 {
        0 => settled::<ActorEvent>(bytes).is_some_and(|event| {
            shown(&event.payload, bytes);
            true
        }),
        1 => settled::<Entry>(bytes).is_some(),
        2 => settled::<Manifest>(bytes).is_some(),
        3 => settled::<EnrolmentProof>(bytes).is_some(),
        _ => settled::<SessionKeyProof>(bytes).is_some(),
    }
}

/// As the API shows it: JSON under its own name, and the same when it is read. What is no number JSON can't say.
fn shown(payload: &Payload, bytes: &[u8]) {
    let text = serde_json::to_string(payload).unwrap();
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["kind"], payload.kind());
    let tree: Value = deterministic::from_slice(bytes).unwrap();
    if !has_odd_number(&tree) {
        let again: Payload = serde_json::from_str(&text).unwrap();
        assert_eq!(again.kind(), payload.kind());
    }
}

/// Whether there is a number that JSON has no word for.
fn has_odd_number(tree: &Value) -> bool {
    match tree {
        Value::Float(number) => !number.is_finite(),
        Value::Array(items) => items.iter().any(has_odd_number),
        Value::Map(pairs) => {
            (pairs.iter()).any(|(key, value)| has_odd_number(key) || has_odd_number(value))
        }
        Value::Tag(_, inner) => has_odd_number(inner),
        _ => false,
    }
}

fn authority(data: &[u8]) -> bool {
    let Some((which, bytes)) = data.split_first() else {
        return false;
    };
    match which % 6 {
        0 => settled::<Roster>(bytes).is_some_and(|roster| roster_is_sound(&roster)),
        1 => settled::<Revocations>(bytes).is_some_and(|list| {
            let lines = [list.keys.len(), list.people.len(), list.grants.len()];
            assert!(!list.is_sound() || lines.iter().all(|lines| *lines <= MAX_REVOKED));
            list.is_sound()
        }),
        2 => settled::<Grant>(bytes).is_some_and(|grant| {
            // What nobody knows may forbid something: there is no second spelling, and nothing is passed over.
            assert_eq!(deterministic::to_vec(&grant).unwrap(), bytes);
            assert!(grant.lasts_s().is_none_or(|lasts| lasts <= 600));
            assert!(grant.renews(&grant));
            true
        }),
        3 => settled::<Assertion>(bytes).is_some(),
        4 => settled::<PersonKeyProof>(bytes).is_some(),
        _ => attenuated(bytes),
    }
}

fn roster_is_sound(roster: &Roster) -> bool {
    if roster.check().is_err() {
        return false;
    }
    assert!(roster.people.len() <= MAX_ROSTERED_PEOPLE);
    assert!(roster.expires_at > roster.issued_at);
    for policy in &roster.policy_keys {
        let name = protocol::roster::name_of(&policy.0);
        assert_eq!(roster.policy_key(name).unwrap().to_bytes(), policy.0);
    }
    for line in &roster.people {
        assert_eq!(roster.person(line.person), Some(line));
        assert!(line.keys.len() <= MAX_KEYS_OF_PERSON);
        for mark in line.marks() {
            assert_eq!(line.mark(mark.key), Some(mark));
        }
    }
    true
}

/// Two grants: what both allow is in each.
fn attenuated(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let (one, two) = (input.block(), input.block());
    let read = |bytes| deterministic::from_slice::<Grant>(bytes).ok();
    let (Some(one), Some(two)) = (read(one), read(two)) else {
        return false;
    };
    let (one, two) = (one.allowance(), two.allowance());
    let robot = RobotId(Uuid::from_u128(input.u64().into()));
    let site = SiteId(Uuid::from_u128(input.u64().into()));
    let site_of = |asked: RobotId| (asked == robot).then_some(site);
    let both = one.intersect(&two, site_of);
    for parent in [&one, &two] {
        assert!(both.is_within(parent, site_of), "more than {parent:?}");
    }
    let at_s = i64::from(input.i32());
    let target = Verb::NavigateTo {
        x_m: input.f64(),
        y_m: input.f64(),
        heading_rad: None,
    };
    for verb in [target, Verb::ArmDrive, Verb::ReleaseStop, Verb::Stop] {
        let allows = |allowance: &Allowance| allowance.allows(robot, site, &verb, at_s);
        assert!(!allows(&both) || (allows(&one) && allows(&two)));
    }
    true
}

fn authority_seeds() -> Vec<Seed> {
    let mut seeds = golden::payloads_of(&[
        Kind::Roster,
        Kind::Revocations,
        Kind::Grant,
        Kind::Assertion,
        Kind::PersonKey,
    ]);
    let grants: Vec<_> = seeds
        .iter()
        .filter(|seed| seed.bytes.first() == Some(&2))
        .map(|seed| block(&seed.bytes[1..]))
        .collect();
    let pairs: Vec<_> = grants
        .iter()
        .zip(grants.iter().rev())
        .map(|(one, two)| [&[5], &one[..], two, &[7; 40]].concat())
        .collect();
    let pairs = pairs.into_iter().enumerate();
    seeds.extend(pairs.map(|(number, bytes)| Seed::new(&format!("two grants {number}"), bytes)));
    seeds
}

fn commands(data: &[u8]) -> bool {
    let Some((which, bytes)) = data.split_first() else {
        return false;
    };
    if which % 2 == 0 {
        settled::<SignedCommand>(bytes).is_some_and(|command| {
            let is_short = command.words.chars().count() <= MAX_NOTE_CHARS;
            is_short || !command.words.is_empty()
        })
    } else {
        settled::<DriveCommand>(bytes).is_some()
    }
}
