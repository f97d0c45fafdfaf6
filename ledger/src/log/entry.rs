//! One entry: an actor's sealed bytes, unchanged, and the place in a stream that the gateway gave them.

use ed25519_dalek::{SigningKey, VerifyingKey};
use protocol::{
    OrganisationId, SiteId, UnixMicros,
    sealed::{self, Kind, SealFailure, byte_string, bytes32},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// RFC 6962 puts this byte before a leaf and another before an inner node, so that neither passes as the other.
const LEAF_PREFIX: [u8; 1] = [0x00];

/// What the gateway signs when it records an event. The stream's name is inside the actor's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose event it is.
    pub organisation: OrganisationId,
    /// Where it happened; absent for what concerns the whole organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Its place in the stream, from 1.
    pub stream_number: u64,
    /// [`entry_hash`] of the stream's entry before; zeros before the first.
    #[serde(with = "bytes32")]
    pub previous: [u8; 32],
    /// The gateway's clock when it recorded the event.
    pub recorded_at: UnixMicros,
    /// The actor's sealed event, byte for byte as it came.
    #[serde(with = "byte_string")]
    pub actor: Vec<u8>,
}

impl Entry {
    /// The signed bytes: what is stored, hashed and verified from now on.
    pub fn seal(&self, gateway: &SigningKey) -> Result<Vec<u8>, SealFailure> {
        sealed::seal(Kind::Entry, self, gateway)
    }

    /// The entry in `bytes` if `gateway` signed exactly these.
    pub fn open(bytes: &[u8], gateway: &VerifyingKey) -> Result<Self, SealFailure> {
        sealed::open(Kind::Entry, bytes, gateway)
    }
}

/// The name of a sealed entry: its RFC 6962 leaf hash.
pub fn entry_hash(sealed_entry: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(LEAF_PREFIX)
        .chain_update(sealed_entry)
        .finalize()
        .into()
}

/// What the next event of the same actor names as its predecessor.
pub fn hash_of_actor_bytes(sealed_event: &[u8]) -> [u8; 32] {
    Sha256::digest(sealed_event).into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn entry() -> Entry {
        Entry {
            organisation: OrganisationId(Uuid::from_u128(1)),
            site: Some(SiteId(Uuid::from_u128(2))),
            stream_number: 7,
            previous: [9; 32],
            recorded_at: UnixMicros(1_700_000_000_000_000),
            actor: vec![1, 2, 3],
        }
    }

    #[test]
    fn an_entry_opens_as_it_was_sealed_and_only_under_its_gateway() {
        let gateway = SigningKey::from_bytes(&[1; 32]);
        let other = SigningKey::from_bytes(&[2; 32]);

        let bytes = entry().seal(&gateway).unwrap();

        assert_eq!(
            Entry::open(&bytes, &gateway.verifying_key()).unwrap(),
            entry()
        );
        assert!(Entry::open(&bytes, &other.verifying_key()).is_err());
    }

    #[test]
    fn the_hash_of_an_empty_leaf_is_the_one_of_rfc_6962() {
        let expected = [
            0x6e, 0x34, 0x0b, 0x9c, 0xff, 0xb3, 0x7a, 0x98, 0x9c, 0xa5, 0x44, 0xe6, 0xbb, 0x78,
            0x0a, 0x2c, 0x78, 0x90, 0x1d, 0x3f, 0xb3, 0x37, 0x38, 0x76, 0x85, 0x11, 0xa3, 0x06,
            0x17, 0xaf, 0xa0, 0x1d,
        ];

        assert_eq!(entry_hash(b""), expected);
    }
}
