//! Bytes that were signed once against what is written and read now. Run natively and, by the same code, as wasm.
//!
//! Every check says what is wrong, and of which sample: nothing, if all is well.

mod cbor;
pub(crate) mod fixtures;
pub(crate) mod sample;
pub(crate) mod samples;

use ciborium::Value;
use ed25519_dalek::Signer as _;
use fixtures::Fixtures;
use protocol::{
    deterministic::{self, CborFailure},
    sealed::{KeyId, Kind, SealFailure, claimed_key},
    signature::verify_strict,
};
use sample::{Sample, key};

/// What stands on top of a file of fixtures.
pub(crate) const HEAD: &str = "\
What is signed: its name, what it says as JSON, and the very bytes, sealed with the key of the seed 0101...01.
Words like `Role.Admin` only ever stand inside others and are not sealed. Nothing here ever changes, or logs that
were written could no longer be read. `UPDATE_GOLDEN=1` before the test adds what is new.";

/// What is made of the samples now.
pub(crate) fn made(samples: &[Sample]) -> Fixtures {
    let mut made = Fixtures::new();
    for sample in samples {
        fixtures::add(&mut made, &sample.name, sample.fixture.clone());
    }
    made
}

/// Everything that is wrong.
pub(crate) fn wrong(text: &str, samples: &[Sample]) -> Vec<String> {
    let written = fixtures::read(text);
    let mut found = fixtures::differences(&written, &made(samples));
    for check in [
        reads_back,
        is_deterministic,
        is_refused_otherwise,
        is_of_its_kind_alone,
    ] {
        for sample in samples {
            // What is not in the file was said above.
            if let Some(fixture) = written.get(&sample.name) {
                let words = check(sample, &fixture.bytes).into_iter();
                found.extend(words.map(|words| format!("{}: {words}", sample.name)));
            }
        }
    }
    found
}

/// The bytes in the file are the sample, and what is sealed says by whom.
fn reads_back(sample: &Sample, bytes: &[u8]) -> Option<String> {
    let read = match sample.kind {
        Some(kind) => {
            let named = claimed_key(bytes).ok();
            if named != Some(KeyId::of(&key().verifying_key())) {
                return Some(format!("names the key {named:?}"));
            }
            sample.opens(kind, bytes).map_err(|error| error.to_string())
        }
        None => sample.reads(bytes).map_err(|error| error.to_string()),
    };
    match read {
        Ok(true) => None,
        Ok(false) => Some("is read as something else".to_owned()),
        Err(error) => Some(format!("is not read: {error}")),
    }
}

/// The envelope, its header and its payload have the one form of RFC 8949 §4.2.1, and the signature is the one of
/// RFC 9052 §4.4.
fn is_deterministic(sample: &Sample, bytes: &[u8]) -> Option<String> {
    let check = || -> Result<(), String> {
        cbor::heads(bytes)?;
        let Some(kind) = sample.kind else {
            return Ok(());
        };
        let parts = parts(bytes);
        cbor::heads(&parts.protected)?;
        cbor::heads(&parts.payload)?;
        let signed = to_be_signed(kind, &parts.protected, &parts.payload);
        verify_strict(&key().verifying_key(), &signed, &parts.signature)
            .map_err(|error| error.to_string())
    };
    check().err()
}

/// No other bytes are read as the same, also when the right key sealed them.
fn is_refused_otherwise(sample: &Sample, bytes: &[u8]) -> Option<String> {
    let lengthened = cbor::lengthened_anywhere(bytes);
    let Some(kind) = sample.kind else {
        let taken = lengthened
            .iter()
            .find(|(_, other)| sample.reads(other).is_ok());
        return taken.map(|(form, _)| format!("is taken {form}"));
    };
    if let Some((form, _)) = lengthened
        .iter()
        .find(|(_, other)| sample.opens(kind, other).is_ok())
    {
        return Some(format!("is taken with the envelope {form}"));
    }
    let payload = parts(bytes).payload;
    if seal(kind, header(kind), payload.clone()) != bytes {
        return Some("is sealed otherwise by hand".to_owned());
    }
    for (form, other) in cbor::written_otherwise(&payload) {
        if sample.reads(&other).is_ok() {
            return Some(format!("is taken {form}"));
        }
    }
    let (form, longer) = cbor::written_otherwise(&payload).swap_remove(0);
    let opened = sample.opens(kind, &seal(kind, header(kind), longer));
    let Err(SealFailure::Payload(CborFailure::NotDeterministic)) = opened else {
        return Some(format!("opens {form}: {opened:?}"));
    };
    for (form, other) in cbor::written_otherwise(&header(kind)) {
        if sample
            .opens(kind, &seal(kind, other, payload.clone()))
            .is_ok()
        {
            return Some(format!("opens with the header {form}"));
        }
    }
    None
}

/// Bytes of one kind pass as no other: neither as they are, nor with the other's name put into their header.
fn is_of_its_kind_alone(sample: &Sample, bytes: &[u8]) -> Option<String> {
    let own = sample.kind?;
    for other in samples::every_kind()
        .into_iter()
        .filter(|other| *other != own)
    {
        let as_it_is = sample.opens(other, bytes);
        let Err(SealFailure::WrongKind) = as_it_is else {
            return Some(format!("opens as {other:?}: {as_it_is:?}"));
        };
        let parts = parts(bytes);
        let renamed = envelope(header(other), parts.payload, parts.signature);
        let renamed = sample.opens(other, &renamed);
        let Err(SealFailure::BadSignature) = renamed else {
            return Some(format!("opens renamed to {other:?}: {renamed:?}"));
        };
    }
    None
}

/// Numbers of RFC 8949, appendix A, as they are written there.
const INTEGERS: [(i64, &str); 13] = [
    (0, "00"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (1_000, "1903e8"),
    (1_000_000, "1a000f4240"),
    (1_000_000_000_000, "1b000000e8d4a51000"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1_000, "3903e7"),
];
const FLOATS: [(f64, &str); 14] = [
    (0.0, "f90000"),
    (-0.0, "f98000"),
    (1.0, "f93c00"),
    (1.1, "fb3ff199999999999a"),
    (1.5, "f93e00"),
    (65_504.0, "f97bff"),
    (100_000.0, "fa47c35000"),
    (3.402_823_466_385_288_6e38, "fa7f7fffff"),
    (1.0e300, "fb7e37e43c8800759c"),
    (5.960_464_477_539_063e-8, "f90001"),
    (0.000_061_035_156_25, "f90400"),
    (-4.0, "f9c400"),
    (-4.1, "fbc010666666666666"),
    (f64::INFINITY, "f97c00"),
];

/// Each number is written as the standard shows it, and taken in no longer form: by us, and by the reader of these
/// checks.
pub(crate) fn rfc_8949() -> Vec<String> {
    let integers =
        INTEGERS.map(|(number, text)| (number.to_string(), deterministic::to_vec(&number), text));
    let floats =
        FLOATS.map(|(number, text)| (number.to_string(), deterministic::to_vec(&number), text));
    let mut found = Vec::new();
    for (number, written, text) in integers.into_iter().chain(floats) {
        let shown = hex::decode(text).unwrap();
        if written.unwrap() != shown || cbor::heads(&shown).is_err() {
            found.push(format!("{number} is not {text}"));
        }
        for (form, longer) in cbor::lengthened_anywhere(&shown) {
            if deterministic::from_slice::<Value>(&longer).is_ok() || cbor::heads(&longer).is_ok() {
                found.push(format!("{number} is taken {form}"));
            }
        }
    }
    found
}

/// What an envelope is made of.
struct Parts {
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

fn parts(sealed: &[u8]) -> Parts {
    let envelope: Vec<Value> = ciborium::from_reader(sealed).unwrap();
    let mut bytes = envelope
        .into_iter()
        .filter_map(|part| part.into_bytes().ok());
    let mut next = || bytes.next().unwrap();
    Parts {
        protected: next(),
        payload: next(),
        signature: next(),
    }
}

/// `Sig_structure` of RFC 9052 §4.4, with the kind as external data. Put together by hand here, as is all that
/// follows.
fn to_be_signed(kind: Kind, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    encoded(&Value::Array(vec![
        Value::Text("Signature1".to_owned()),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(kind.content_type().into()),
        Value::Bytes(payload.to_vec()),
    ]))
}

/// The protected header: algorithm (1) `EdDSA` (-8), content type (3), key id (4).
fn header(kind: Kind) -> Vec<u8> {
    let key = KeyId::of(&key().verifying_key());
    encoded(&Value::Map(vec![
        (Value::from(1), Value::from(-8)),
        (Value::from(3), Value::from(kind.content_type())),
        (Value::from(4), Value::Bytes(key.0.to_vec())),
    ]))
}

fn envelope(protected: Vec<u8>, payload: Vec<u8>, signature: Vec<u8>) -> Vec<u8> {
    encoded(&Value::Array(vec![
        Value::Bytes(protected),
        Value::Map(Vec::new()),
        Value::Bytes(payload),
        Value::Bytes(signature),
    ]))
}

/// An envelope around exactly these bytes, by the key of all samples.
fn seal(kind: Kind, protected: Vec<u8>, payload: Vec<u8>) -> Vec<u8> {
    let signed = to_be_signed(kind, &protected, &payload);
    envelope(protected, payload, key().sign(&signed).to_bytes().into())
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}
