//! An envelope exactly as [`seal`](super::seal) writes it, read where it lies: a log is read by the hundred thousand, and the
//! general parser builds a tree of each.

use super::Kind;

/// `COSE_Sign1` is an array of four (RFC 9052 §4.2).
const ARRAY_OF_FOUR: u8 = 0x84;

/// Nothing is in the unprotected header.
const EMPTY_MAP: u8 = 0xa0;

/// A map of three: algorithm (1) `EdDSA` (-8), content type (3), and then key id (4).
const MAP_OF_THREE_WITH_EDDSA: [u8; 4] = [0xa3, 0x01, 0x27, 0x03];

/// The label of a key's name, and the head of its 32 bytes.
const KEY_ID: [u8; 3] = [0x04, 0x58, 0x20];

/// `Signature1`, as text, in an array of four (RFC 9052 §4.4).
const SIGNATURE_1: &[u8] = b"\x84\x6aSignature1";

/// Major types of CBOR (RFC 8949 §3.1).
const BYTE_STRING: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;

/// The head of a string says its length itself up to 23, or in how many bytes it follows.
const LENGTH_IN_1: u8 = 0x18;
const LENGTH_IN_2: u8 = 0x19;
const LENGTH_IN_4: u8 = 0x1a;
const LENGTH_IN_8: u8 = 0x1b;

/// The parts, where they lie.
pub(super) struct OwnForm<'bytes> {
    protected: &'bytes [u8],
    pub(super) key: &'bytes [u8; 32],
    pub(super) payload: &'bytes [u8],
    pub(super) signature: &'bytes [u8; 64],
}

/// None for everything that is written otherwise, which may be an envelope all the same.
pub(super) fn read(kind: Kind, bytes: &[u8]) -> Option<OwnForm<'_>> {
    let rest = bytes.strip_prefix(&[ARRAY_OF_FOUR])?;
    let (protected, rest) = byte_string(rest)?;
    let rest = rest.strip_prefix(&[EMPTY_MAP])?;
    let (payload, rest) = byte_string(rest)?;
    let (signature, rest) = byte_string(rest)?;
    let content_type = kind.content_type().as_bytes();
    let mut head = Vec::with_capacity(MAP_OF_THREE_WITH_EDDSA.len() + 3 + content_type.len());
    head.extend(MAP_OF_THREE_WITH_EDDSA);
    push_head(&mut head, TEXT, content_type.len());
    head.extend(content_type);
    let key = protected
        .strip_prefix(head.as_slice())?
        .strip_prefix(&KEY_ID)?;
    rest.is_empty().then_some(OwnForm {
        protected,
        key: key.try_into().ok()?,
        payload,
        signature: signature.try_into().ok()?,
    })
}

impl OwnForm<'_> {
    /// `Sig_structure` of RFC 9052 §4.4, with the kind as external data.
    pub(super) fn to_be_signed(&self, kind: Kind) -> Vec<u8> {
        let parts = [self.protected, kind.content_type().as_bytes(), self.payload];
        let length: usize = parts.iter().map(|part| part.len() + 5).sum();
        let mut signed = Vec::with_capacity(SIGNATURE_1.len() + length);
        signed.extend(SIGNATURE_1);
        for part in parts {
            push_head(&mut signed, BYTE_STRING, part.len());
            signed.extend(part);
        }
        signed
    }
}

/// A byte string whose length is written as short as it can be, and what follows it.
fn byte_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (length, rest) = match first.checked_sub(BYTE_STRING)? {
        short @ 0..LENGTH_IN_1 => (usize::from(short), rest),
        LENGTH_IN_1 => {
            let (&length, rest) = rest.split_first()?;
            (usize::from(length), rest)
        }
        LENGTH_IN_2 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        LENGTH_IN_4 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u32::from_be_bytes(*length)).ok()?, rest)
        }
        _ => return None,
    };
    let mut shortest = Vec::with_capacity(5);
    push_head(&mut shortest, BYTE_STRING, length);
    bytes.starts_with(&shortest).then_some(())?;
    rest.split_at_checked(length)
}

/// The head of a string of so many bytes, as short as it can be.
fn push_head(bytes: &mut Vec<u8>, major: u8, length: usize) {
    match (
        u8::try_from(length),
        u16::try_from(length),
        u32::try_from(length),
    ) {
        (Ok(short @ 0..LENGTH_IN_1), ..) => bytes.push(major | short),
        (Ok(length), ..) => bytes.extend([major | LENGTH_IN_1, length]),
        (_, Ok(length), _) => {
            bytes.push(major | LENGTH_IN_2);
            bytes.extend(length.to_be_bytes());
        }
        (_, _, Ok(length)) => {
            bytes.push(major | LENGTH_IN_4);
            bytes.extend(length.to_be_bytes());
        }
        // Longer than anything that is sealed.
        _ => {
            bytes.push(major | LENGTH_IN_8);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    use crate::sealed::{Kind, own_form, parse_as, seal};

    fn sealed(length: usize) -> Vec<u8> {
        let key = SigningKey::from_bytes(&[1; 32]);
        seal(Kind::Event, &"x".repeat(length), &key).unwrap()
    }

    #[test]
    fn what_we_seal_is_read_as_the_general_parser_reads_it() {
        for length in [
            0, 1, 21, 22, 23, 24, 252, 253, 254, 255, 256, 65_532, 65_533, 65_540,
        ] {
            let bytes = sealed(length);

            let own = own_form::read(Kind::Event, &bytes).unwrap();

            let envelope = parse_as(Kind::Event, &bytes).unwrap();
            let aad = Kind::Event.content_type().as_bytes();
            assert_eq!(
                own.to_be_signed(Kind::Event),
                envelope.tbs_data(aad),
                "{length}"
            );
            assert_eq!(Some(own.payload), envelope.payload.as_deref());
            assert_eq!(own.key.as_slice(), envelope.protected.header.key_id);
            assert_eq!(own.signature.as_slice(), envelope.signature);
            assert!(
                own_form::read(Kind::Entry, &bytes).is_none(),
                "another kind"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_is_read_that_the_general_parser_refuses(
            length in 0_usize..300,
            place: prop::sample::Index,
            byte: u8,
            cut: bool,
        ) {
            let mut bytes = sealed(length);
            let place = place.index(bytes.len());
            bytes[place] = byte;
            if cut {
                bytes.truncate(place);
            }

            if let Some(own) = own_form::read(Kind::Event, &bytes) {
                let envelope = parse_as(Kind::Event, &bytes).unwrap();
                let aad = Kind::Event.content_type().as_bytes();
                prop_assert_eq!(own.to_be_signed(Kind::Event), envelope.tbs_data(aad));
                prop_assert_eq!(Some(own.payload), envelope.payload.as_deref());
                prop_assert_eq!(own.signature.as_slice(), envelope.signature);
            }
        }
    }
}
