//! The signed envelope: raw bytes, a payload that is sealed here, and a header that is signed here whatever is in it.

use std::sync::LazyLock;

use ciborium::Value;
use ed25519_dalek::{Signer as _, SigningKey};
use protocol::{
    deterministic,
    sealed::{self, KeyId, Kind},
    signature::PreparedKey,
};

use crate::{
    Seed, Target, golden,
    input::{Input, block},
};

pub(crate) const TARGET: Target = Target {
    name: "sealed",
    run,
    seeds,
    longest: 4_096,
};

/// The key that sealed the golden bytes.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[1; 32]));

/// As whoever checks many keeps it.
static PREPARED: LazyLock<PreparedKey> =
    LazyLock::new(|| PreparedKey::new(KEY.verifying_key(), 1_000_000));

fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => read(input.rest()),
        1 => seal(&mut input),
        _ => sign(&mut input),
    }
}

/// Bytes as they come: at most one kind, one key, and one answer whichever way they are asked.
fn read(bytes: &[u8]) -> bool {
    let readings: Vec<Kind> = golden::KINDS
        .into_iter()
        .filter(|kind| read_as(*kind, bytes))
        .collect();
    assert!(readings.len() <= 1, "read as {readings:?}");
    !readings.is_empty()
}

fn read_as(kind: Kind, bytes: &[u8]) -> bool {
    let key = KEY.verifying_key();
    let opened = sealed::open::<Value>(kind, bytes, &key);
    let Ok(read) = sealed::unverified::<Value>(kind, bytes) else {
        assert!(opened.is_err(), "opened, and not readable");
        return false;
    };
    assert_eq!(sealed::claimed_key(bytes).ok(), Some(read.key));
    let verified = read.verify(&key);
    assert_eq!(opened.is_ok(), verified.is_ok());
    if read.key == KeyId::of(&key) {
        let prepared = read.verify_as_named(&PREPARED);
        assert_eq!(prepared.is_ok(), verified.is_ok());
    }
    true
}

/// A payload, sealed: it opens, as what it was sealed as, and a changed byte is found.
fn seal(input: &mut Input<'_>) -> bool {
    let kind = golden::KINDS[usize::from(input.byte()) % golden::KINDS.len()];
    let (place, flip) = (usize::from(input.u16()), input.byte());
    let Ok(payload) = deterministic::from_slice::<Value>(input.rest()) else {
        return false;
    };
    let mut bytes = sealed::seal(kind, &payload, &KEY).unwrap();
    let opened: Value = sealed::open(kind, &bytes, &KEY.verifying_key()).unwrap();
    assert_eq!(deterministic::to_vec(&opened).unwrap(), input.rest());
    assert!(read(&bytes));
    if flip != 0 {
        let place = place % bytes.len();
        bytes[place] ^= flip;
        let altered = sealed::open::<Value>(kind, &bytes, &KEY.verifying_key());
        assert!(altered.is_err(), "byte {place} can be changed by {flip}");
    }
    true
}

/// Whatever stands in the header, truly signed: it opens only under the name of the key and as the kind that are in there.
fn sign(input: &mut Input<'_>) -> bool {
    let kind = golden::KINDS[usize::from(input.byte()) % golden::KINDS.len()];
    let (header, payload) = (input.block(), input.block());
    let aad = kind.content_type().as_bytes();
    let to_be_signed = Value::Array(vec![
        "Signature1".into(),
        Value::Bytes(header.to_vec()),
        Value::Bytes(aad.to_vec()),
        Value::Bytes(payload.to_vec()),
    ]);
    let signature = KEY.sign(&written(&to_be_signed)).to_bytes();
    let bytes = written(&Value::Array(vec![
        Value::Bytes(header.to_vec()),
        Value::Map(Vec::new()),
        Value::Bytes(payload.to_vec()),
        Value::Bytes(signature.to_vec()),
    ]));
    let is_read = read(&bytes);
    if let Ok(opened) = sealed::open::<Value>(kind, &bytes, &KEY.verifying_key()) {
        assert_eq!(deterministic::to_vec(&opened).unwrap(), payload);
        let header: Value = deterministic::from_slice(header).unwrap();
        let claims = header.as_map().unwrap();
        let says = |label: i64, value: &Value| {
            let mut found = claims.iter().filter(|(key, _)| *key == Value::from(label));
            found.next().is_some_and(|(_, said)| said == value) && found.next().is_none()
        };
        assert!(says(1, &Value::from(-8)), "not EdDSA");
        assert!(says(3, &kind.content_type().into()), "another kind");
        let key = KeyId::of(&KEY.verifying_key());
        assert!(says(4, &Value::Bytes(key.0.to_vec())), "another key");
    }
    is_read
}

fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, kind, bytes) in golden::sealed_as() {
        seeds.push(Seed::new(&name, [&[0], &bytes[..]].concat()));
        let place = golden::KINDS.iter().position(|known| *known == kind);
        let place = u8::try_from(place.unwrap()).unwrap();
        let Some(payload) = golden::payload(kind, &bytes) else {
            continue;
        };
        if name.starts_with("sealed as") {
            let own = [&[1, place, 7, 0, 1], &payload[..]].concat();
            seeds.push(Seed::new(&format!("{name} here"), own));
            let header = written(&header(kind, Vec::new()));
            let signed = [&[2, place], &block(&header)[..], &block(&payload)].concat();
            seeds.push(Seed::new(&format!("{name} by its header"), signed));
        }
    }
    for (name, more) in [
        ("critical", (Value::from(2), Value::Array(vec![1.into()]))),
        ("iv", (Value::from(5), Value::Bytes(vec![1; 12]))),
        ("two keys", (Value::from(4), Value::Bytes(vec![1; 32]))),
        ("unknown label", (Value::from("x"), Value::from(1))),
    ] {
        let header = written(&header(Kind::Command, vec![more]));
        let signed = [&[2, 10], &block(&header)[..], &block(&[0xa0])].concat();
        seeds.push(Seed::new(&format!("a header with {name}"), signed));
    }
    seeds
}

fn header(kind: Kind, more: Vec<(Value, Value)>) -> Value {
    let key = KeyId::of(&KEY.verifying_key());
    let mut claims = vec![
        (Value::from(1), Value::from(-8)),
        (Value::from(3), kind.content_type().into()),
        (Value::from(4), Value::Bytes(key.0.to_vec())),
    ];
    claims.extend(more);
    Value::Map(claims)
}
