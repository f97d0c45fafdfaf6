//! Deterministic CBOR (RFC 8949 §4.2.1): one value, one byte string, so that equal meanings hash equally.

use std::io;

use ciborium::Value;
use serde::{Serialize, de::DeserializeOwned};

/// Depth of nested values that we read. Our own types nest six deep.
const MAX_DEPTH: usize = 32;

/// Why bytes are not a value of ours.
#[derive(Debug, thiserror::Error)]
pub enum CborFailure {
    /// The value has a shape that CBOR can't carry.
    #[error("the value can't be written as CBOR: {0}")]
    Unwritable(String),
    /// The bytes are not CBOR, or not of the expected shape.
    #[error("not readable as CBOR: {0}")]
    Unreadable(String),
    /// The bytes are CBOR, but not the one form that §4.2.1 allows.
    #[error("not in deterministic form")]
    NotDeterministic,
}

/// Writes `value` in the one deterministic form.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CborFailure> {
    let mut tree =
        Value::serialized(value).map_err(|error| CborFailure::Unwritable(error.to_string()))?;
    sort(&mut tree)?;
    encode(&tree)
}

/// Reads a value and refuses every form but the deterministic one: no trailing bytes, no unsorted or doubled keys,
/// no lengths or numbers written longer than needed, no tags.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborFailure> {
    let tree: Value = ciborium::de::from_reader_with_recursion_limit(bytes, MAX_DEPTH)
        .map_err(|error| CborFailure::Unreadable(error.to_string()))?;
    if !(is_sorted(&tree)? && is_encoded_as(&tree, bytes)) {
        return Err(CborFailure::NotDeterministic);
    }
    tree.deserialized()
        .map_err(|error| CborFailure::Unreadable(error.to_string()))
}

fn encode(tree: &Value) -> Result<Vec<u8>, CborFailure> {
    let mut bytes = Vec::new();
    ciborium::into_writer(tree, &mut bytes).map_err(|error: ciborium::ser::Error<io::Error>| {
        CborFailure::Unwritable(error.to_string())
    })?;
    Ok(bytes)
}

/// Whether the keys of every map rise by their encoded bytes, and nothing is tagged: types pass over tags, so that one meaning
/// would have many forms.
fn is_sorted(value: &Value) -> Result<bool, CborFailure> {
    match value {
        Value::Map(pairs) => {
            let mut last = Vec::new();
            for (key, inner) in pairs {
                let encoded = encode(key)?;
                // No key is encoded as nothing, so that the first one comes after that.
                if encoded <= last || !is_sorted(key)? || !is_sorted(inner)? {
                    return Ok(false);
                }
                last = encoded;
            }
            Ok(true)
        }
        Value::Array(items) => {
            for item in items {
                if !is_sorted(item)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Value::Tag(..) => Ok(false),
        _ => Ok(true),
    }
}

/// Whether these are the very bytes that the tree is written as.
fn is_encoded_as(tree: &Value, bytes: &[u8]) -> bool {
    let mut expected = Expected(bytes);
    ciborium::into_writer(tree, &mut expected).is_ok() && expected.0.is_empty()
}

/// Takes nothing but these bytes: compares without a copy of what is written.
struct Expected<'bytes>(&'bytes [u8]);

impl io::Write for Expected<'_> {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .strip_prefix(written)
            .ok_or(io::ErrorKind::InvalidData)?;
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sorts every map by the bytes of its encoded keys and refuses a key that stands twice, and a tag, which nobody would read.
fn sort(value: &mut Value) -> Result<(), CborFailure> {
    match value {
        Value::Map(pairs) => {
            let mut keyed = Vec::with_capacity(pairs.len());
            for (mut key, mut inner) in std::mem::take(pairs) {
                sort(&mut key)?;
                sort(&mut inner)?;
                keyed.push((encode(&key)?, key, inner));
            }
            keyed.sort_by(|left, right| left.0.cmp(&right.0));
            if keyed.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return Err(CborFailure::NotDeterministic);
            }
            pairs.extend(keyed.into_iter().map(|(_, key, inner)| (key, inner)));
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(sort),
        Value::Tag(..) => Err(CborFailure::NotDeterministic),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn map_keys_are_sorted_by_their_encoded_bytes() {
        // "b" (1 byte) sorts before "aa" (2 bytes): the length is part of the encoded key.
        let map = BTreeMap::from([("aa", 1), ("b", 2)]);

        let bytes = to_vec(&map).unwrap();

        assert_eq!(hex::encode(bytes), "a261620262616101");
    }

    #[test]
    fn unsorted_doubled_long_or_trailing_bytes_are_refused() {
        for (case, text) in [
            ("unsorted", "a262616101616202"),
            ("doubled", "a2616201616202"),
            ("number too long", "a161621801"),
            ("indefinite length", "bf616201ff"),
            ("trailing", "a16162010 0"),
            ("a tag that our types pass over", "a16162c401"),
            ("a tag around all", "c4a1616201"),
            ("empty", ""),
        ] {
            let bytes = hex::decode(text.replace(' ', "")).unwrap();

            let read = from_slice::<BTreeMap<String, u32>>(&bytes);

            assert!(read.is_err(), "{case} was accepted");
        }
    }
}
