//! The one signed envelope: `COSE_Sign1` (RFC 9052) with Ed25519 (RFC 8032), verified strictly, its kind in the signed header.
//!
//! We sign bytes, keep those bytes and verify those bytes; nothing is re-serialised to be verified.

mod own_form;

use std::{borrow::Cow, fmt};

use coset::{
    CborSerializable as _, CoseSign1, CoseSign1Builder, HeaderBuilder, RegisteredLabel,
    RegisteredLabelWithPrivate, iana,
};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::{
    deterministic::{self, CborFailure},
    signature::{BadSignature, PreparedKey, verify_strict},
};

/// What an envelope holds. Signed with the rest, so that bytes sealed as one kind never pass as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What an actor says happened.
    Event,
    /// An event with its place in a stream, as the gateway recorded it.
    Entry,
    /// Proof that a robot holds the key that it enrols with.
    Enrolment,
    /// Proof that a browser holds the session key that a person's sign-in binds.
    SessionKey,
    /// What an evidence bundle holds, as the gateway exported it.
    Bundle,
    /// Who may steer an organisation's robots, in the words of its root key.
    Roster,
    /// What is believed no more, in the words of a policy key.
    Revocations,
    /// Leave to steer, for minutes.
    Grant,
    /// A person's rostered key binds a grant to a page and a robot.
    Assertion,
    /// Proof that a browser holds the key that is to go on the roster for a person.
    PersonKey,
    /// A command to a robot, signed by the page that gives it.
    Command,
    /// What a page wants of the wheels now.
    Drive,
    /// What a robot keeps to whatever anybody asks, in the words of its organisation's root key.
    SafetyPolicy,
}

impl Kind {
    /// The content type in the protected header; also the external data of the signature.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Event => "application/vnd.nooterra.event+cbor",
            Self::Entry => "application/vnd.nooterra.entry+cbor",
            Self::Enrolment => "application/vnd.nooterra.enrolment+cbor",
            Self::SessionKey => "application/vnd.nooterra.session-key+cbor",
            Self::Bundle => "application/vnd.nooterra.bundle+cbor",
            Self::Roster => "application/vnd.nooterra.roster+cbor",
            Self::Revocations => "application/vnd.nooterra.revocations+cbor",
            // A CWT (RFC 8392), and which: `application/cwt` alone would let one pass as another.
            Self::Grant => "application/vnd.nooterra.grant+cwt",
            Self::Assertion => "application/vnd.nooterra.assertion+cbor",
            Self::PersonKey => "application/vnd.nooterra.person-key+cbor",
            Self::Command => "application/vnd.nooterra.command+cbor",
            Self::Drive => "application/vnd.nooterra.drive+cbor",
            Self::SafetyPolicy => "application/vnd.nooterra.safety-policy+cbor",
        }
    }
}

/// The name of a key: SHA-256 over its 32 public bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(#[serde(with = "bytes32")] pub [u8; 32]);

impl KeyId {
    /// The name of `key`.
    pub fn of(key: &VerifyingKey) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId({self})")
    }
}

/// Why an envelope was not believed.
#[derive(Debug, thiserror::Error)]
pub enum SealFailure {
    /// Not a `COSE_Sign1` in the one form that we write.
    #[error("not a sealed envelope")]
    Malformed,
    /// Sealed as something else.
    #[error("sealed as another kind")]
    WrongKind,
    /// Sealed by another key.
    #[error("sealed by another key")]
    WrongKey,
    /// The signature does not match the bytes.
    #[error("the signature does not match")]
    BadSignature,
    /// The payload is not of the expected shape.
    #[error("the payload is not readable")]
    Payload(#[from] CborFailure),
}

/// Seals `payload` as `kind` with `key`.
pub fn seal<T: Serialize + ?Sized>(
    kind: Kind,
    payload: &T,
    key: &SigningKey,
) -> Result<Vec<u8>, SealFailure> {
    let unsigned = Unsigned::prepare(kind, payload, KeyId::of(&key.verifying_key()))?;
    let signature = key.sign(unsigned.to_be_signed());
    unsigned.with_signature(signature.to_bytes())
}

/// An envelope that lacks its signature: for keys that never leave where they are kept, such as a browser's.
#[derive(Debug, Clone)]
pub struct Unsigned {
    envelope: CoseSign1,
    to_be_signed: Vec<u8>,
}

impl Unsigned {
    /// Everything but the signature of the key that is named `key`.
    pub fn prepare<T: Serialize + ?Sized>(
        kind: Kind,
        payload: &T,
        key: KeyId,
    ) -> Result<Self, SealFailure> {
        let header = HeaderBuilder::new()
            .algorithm(iana::Algorithm::EdDSA)
            .content_type(kind.content_type().to_owned())
            .key_id(key.0.to_vec())
            .build();
        let envelope = CoseSign1Builder::new()
            .protected(header)
            .payload(deterministic::to_vec(payload)?)
            .build();
        let to_be_signed = envelope.tbs_data(kind.content_type().as_bytes());
        Ok(Self {
            envelope,
            to_be_signed,
        })
    }

    /// The bytes to sign: `Sig_structure` of RFC 9052 §4.4.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// The sealed envelope. A wrong signature makes one that nobody opens.
    pub fn with_signature(mut self, signature: [u8; 64]) -> Result<Vec<u8>, SealFailure> {
        self.envelope.signature = signature.to_vec();
        self.envelope
            .to_vec()
            .map_err(|_unwritable| SealFailure::Malformed)
    }
}

/// Who claims to have sealed `bytes`. Proves nothing; picks the key for [`open`].
pub fn claimed_key(bytes: &[u8]) -> Result<KeyId, SealFailure> {
    key_id(&parse(bytes)?)
}

/// The payload of `bytes` if `key` sealed exactly these bytes as `kind`.
pub fn open<T: DeserializeOwned>(
    kind: Kind,
    bytes: &[u8],
    key: &VerifyingKey,
) -> Result<T, SealFailure> {
    let read = read(kind, bytes)?;
    if read.key != KeyId::of(key) {
        return Err(SealFailure::WrongKey);
    }
    verify_strict(key, &read.signed, &read.signature)
        .map_err(|BadSignature| SealFailure::BadSignature)?;
    Ok(deterministic::from_slice(&read.payload)?)
}

/// What an envelope says before anybody has checked who sealed it: names what is bad, and picks the key to check with.
#[derive(Debug, Clone)]
pub struct Unverified<T> {
    /// Its payload, by nobody's word yet.
    pub payload: T,
    /// Who is said to have sealed it.
    pub key: KeyId,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// Reads `bytes` as `kind` without checking who sealed them.
pub fn unverified<T: DeserializeOwned>(
    kind: Kind,
    bytes: &[u8],
) -> Result<Unverified<T>, SealFailure> {
    let read = read(kind, bytes)?;
    Ok(Unverified {
        payload: deterministic::from_slice(&read.payload)?,
        key: read.key,
        signed: read.signed,
        signature: read.signature,
    })
}

impl<T> Unverified<T> {
    /// Whether `key` sealed exactly the bytes that this was read from.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SealFailure> {
        if self.key != KeyId::of(key) {
            return Err(SealFailure::WrongKey);
        }
        verify_strict(key, &self.signed, &self.signature)
            .map_err(|BadSignature| SealFailure::BadSignature)
    }

    /// The same for whoever looked the key up by its name, [`Self::key`], which is not hashed again.
    pub fn verify_as_named(&self, key: &PreparedKey) -> Result<(), SealFailure> {
        (key.verify_strict(&self.signed, &self.signature))
            .map_err(|BadSignature| SealFailure::BadSignature)
    }
}

/// An envelope's parts.
struct Parts<'bytes> {
    key: KeyId,
    payload: Cow<'bytes, [u8]>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// The parts of an envelope of this kind.
fn read(kind: Kind, bytes: &[u8]) -> Result<Parts<'_>, SealFailure> {
    if let Some(own) = own_form::read(kind, bytes) {
        return Ok(Parts {
            key: KeyId(*own.key),
            payload: Cow::Borrowed(own.payload),
            signed: own.to_be_signed(kind),
            signature: own.signature.to_vec(),
        });
    }
    // Not as we write them: what is wrong, or what else is in the header, the library says.
    let envelope = parse_as(kind, bytes)?;
    Ok(Parts {
        key: key_id(&envelope)?,
        signed: envelope.tbs_data(kind.content_type().as_bytes()),
        payload: Cow::Owned(envelope.payload.ok_or(SealFailure::Malformed)?),
        signature: envelope.signature,
    })
}

/// As [`parse`], and of this kind.
fn parse_as(kind: Kind, bytes: &[u8]) -> Result<CoseSign1, SealFailure> {
    let envelope = parse(bytes)?;
    (envelope.protected.header.content_type
        == Some(RegisteredLabel::Text(kind.content_type().to_owned())))
    .then_some(envelope)
    .ok_or(SealFailure::WrongKind)
}

/// Parses and insists on our own form: `EdDSA`, nothing unsigned in the header, and not one byte that says the same otherwise.
fn parse(bytes: &[u8]) -> Result<CoseSign1, SealFailure> {
    let envelope = CoseSign1::from_slice(bytes).map_err(|_unreadable| SealFailure::Malformed)?;
    let same_bytes = envelope.clone().to_vec().is_ok_and(|again| again == bytes);
    // The header is a byte string in there, which the library keeps as it came.
    let header = envelope.protected.original_data.as_deref();
    let same_header =
        header.is_some_and(|header| deterministic::from_slice::<ciborium::Value>(header).is_ok());
    let is_ours = envelope.unprotected.is_empty()
        && envelope.protected.header.alg
            == Some(RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA))
        && envelope.protected.header.crit.is_empty()
        && same_bytes
        && same_header;
    is_ours.then_some(envelope).ok_or(SealFailure::Malformed)
}

fn key_id(envelope: &CoseSign1) -> Result<KeyId, SealFailure> {
    <[u8; 32]>::try_from(envelope.protected.header.key_id.as_slice())
        .map(KeyId)
        .map_err(|_length| SealFailure::Malformed)
}

/// Thirty-two bytes: a byte string in CBOR, hex in JSON.
pub mod bytes32 {
    use serde::{Deserializer, Serializer, de::Error as _};

    /// Writes them.
    pub fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        super::byte_string::serialize(bytes, serializer)
    }

    /// Reads exactly 32 bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let bytes = super::byte_string::deserialize(deserializer)?;
        <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_length| D::Error::invalid_length(bytes.len(), &"32 bytes"))
    }
}

/// A known number of bytes: a byte string in CBOR, hex in JSON.
pub mod byte_array {
    use serde::{Deserializer, Serializer, de::Error as _};

    /// Writes them.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::byte_string::serialize(bytes, serializer)
    }

    /// Reads exactly as many.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let bytes = super::byte_string::deserialize(deserializer)?;
        <[u8; N]>::try_from(bytes.as_slice())
            .map_err(|_length| D::Error::invalid_length(bytes.len(), &"another number of bytes"))
    }
}

/// Any length of bytes: a byte string in CBOR, hex in JSON.
pub mod byte_string {
    use std::fmt;

    use serde::{
        Deserializer, Serializer,
        de::{Error, Visitor},
    };

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a byte string, or hex")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
            hex::decode(text).map_err(E::custom)
        }
    }

    /// Writes them.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(bytes))
        } else {
            serializer.serialize_bytes(bytes)
        }
    }

    /// Reads them. Which form it is shows in the input itself: serde's buffers forget whether a format is readable.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_any(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn what_was_sealed_opens_with_its_key() {
        let sealed = seal(Kind::Event, &("departed", 7), &key(1)).unwrap();

        let opened: (String, u32) = open(Kind::Event, &sealed, &key(1).verifying_key()).unwrap();

        assert_eq!(opened, ("departed".to_owned(), 7));
        assert_eq!(
            claimed_key(&sealed).unwrap(),
            KeyId::of(&key(1).verifying_key())
        );
    }

    #[test]
    fn another_kind_or_key_is_refused() {
        let sealed = seal(Kind::Event, &1, &key(1)).unwrap();

        let as_entry = open::<u32>(Kind::Entry, &sealed, &key(1).verifying_key());
        let by_other = open::<u32>(Kind::Event, &sealed, &key(2).verifying_key());

        assert!(matches!(as_entry, Err(SealFailure::WrongKind)));
        assert!(matches!(by_other, Err(SealFailure::WrongKey)));
    }

    #[test]
    fn what_is_read_unchecked_is_believed_only_once_its_key_is_checked() {
        let sealed = seal(Kind::Event, &("departed", 7), &key(1)).unwrap();
        let mut altered = sealed.clone();
        *altered.last_mut().unwrap() ^= 1;

        let read = unverified::<(String, u32)>(Kind::Event, &sealed).unwrap();
        let forged = unverified::<(String, u32)>(Kind::Event, &altered).unwrap();

        assert_eq!(read.payload, ("departed".to_owned(), 7));
        assert!(read.verify(&key(1).verifying_key()).is_ok());
        assert!(matches!(
            read.verify(&key(2).verifying_key()),
            Err(SealFailure::WrongKey)
        ));
        assert!(matches!(
            forged.verify(&key(1).verifying_key()),
            Err(SealFailure::BadSignature)
        ));
        assert!(matches!(
            unverified::<(String, u32)>(Kind::Entry, &sealed),
            Err(SealFailure::WrongKind)
        ));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let sealed = seal(Kind::Event, &("arrived", 3), &key(1)).unwrap();
        let verifying = key(1).verifying_key();

        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(
                open::<(String, u32)>(Kind::Event, &altered, &verifying).is_err(),
                "bit {bit} can be flipped unseen"
            );
            let read = unverified::<(String, u32)>(Kind::Event, &altered);
            assert!(
                read.is_err() || read.is_ok_and(|read| read.verify(&verifying).is_err()),
                "bit {bit} can be flipped unseen by who reads first"
            );
        }
        for length in 0..sealed.len() {
            assert!(open::<(String, u32)>(Kind::Event, &sealed[..length], &verifying).is_err());
        }
    }

    #[test]
    fn the_bytes_of_an_envelope_never_change() {
        let sealed = seal(Kind::Event, &("arrived", 3), &key(1)).unwrap();

        assert_eq!(hex::encode(sealed), GOLDEN);
    }

    /// Made once from the seed 0101…01; a difference means that old logs would no longer verify.
    const GOLDEN: &str = "84584ca301270378236170706c69636174696f6e2f766e642e6e6f6f74657272612e6576656e742b63626f7204582034750f98bd59fcfc946da45aaabe933be154a4b5094e1c4abf42866505f3c97ea04a82676172726976656403584032abe74a9420aea5ce8ab2f489d7102cd65358eb7681c3aee8b5df39216c5ea1169ccca2c5c2b66835ff1a8a6dbc5b26c1785f24effc904edfdaecb9e50ae60b";
}
