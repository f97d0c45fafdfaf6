//! The chain of one stream: each entry names the one before it, so a gap, a swap or a change shows without the database.

use ed25519_dalek::VerifyingKey;
use protocol::sealed::SealFailure;

use super::entry::{Entry, entry_hash};

/// The latest entry of a stream: its number and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Place in the stream; 0 before the first.
    pub stream_number: u64,
    /// What the next entry must name; zeros before the first.
    pub hash: [u8; 32],
}

impl Head {
    /// Before a stream's first entry.
    pub const START: Self = Self {
        stream_number: 0,
        hash: [0; 32],
    };
}

/// The first entry of a stream that doesn't hold.
#[derive(Debug, thiserror::Error)]
#[error("entry {index} of the chain is bad: {fault}")]
pub struct BrokenChain {
    /// Position among the entries that were given, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub fault: ChainFault,
}

/// What can be wrong with an entry of a chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainFault {
    /// Not what the gateway signed.
    #[error("it can't be believed: {0}")]
    Seal(#[from] SealFailure),
    /// An entry is missing, doubled or out of order.
    #[error("it is number {found} where {expected} was due")]
    Number {
        /// The number that was due.
        expected: u64,
        /// The number that stands there.
        found: u64,
    },
    /// It follows another entry than the one before it.
    #[error("it follows another entry than the one before it")]
    Previous,
    /// It belongs to another organisation than the entry before it.
    #[error("it belongs to another organisation")]
    Organisation,
}

/// Follows the sealed `entries` of one stream from `from` and returns its new head, or the first entry that doesn't hold.
///
/// A cut tail is no fault of the entries that are left: compare the head that comes back with the one that is known.
pub fn check_chain<'bytes>(
    from: Head,
    entries: impl IntoIterator<Item = &'bytes [u8]>,
    gateway: &VerifyingKey,
) -> Result<Head, BrokenChain> {
    let mut head = from;
    let mut organisation = None;
    for (index, bytes) in entries.into_iter().enumerate() {
        let entry = follow(head, bytes, gateway).map_err(|fault| BrokenChain { index, fault })?;
        if *organisation.get_or_insert(entry.organisation) != entry.organisation {
            let fault = ChainFault::Organisation;
            return Err(BrokenChain { index, fault });
        }
        head = Head {
            stream_number: entry.stream_number,
            hash: entry_hash(bytes),
        };
    }
    Ok(head)
}

fn follow(head: Head, bytes: &[u8], gateway: &VerifyingKey) -> Result<Entry, ChainFault> {
    let entry = Entry::open(bytes, gateway)?;
    let expected = head.stream_number + 1;
    if entry.stream_number != expected {
        let found = entry.stream_number;
        return Err(ChainFault::Number { expected, found });
    }
    if entry.previous != head.hash {
        return Err(ChainFault::Previous);
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;
    use protocol::{OrganisationId, UnixMicros};
    use uuid::Uuid;

    use super::*;

    fn gateway() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    fn chain_of(length: u8) -> Vec<Vec<u8>> {
        let mut head = Head::START;
        (0..length)
            .map(|index| {
                let entry = Entry {
                    organisation: OrganisationId(Uuid::from_u128(1)),
                    site: None,
                    stream_number: head.stream_number + 1,
                    previous: head.hash,
                    recorded_at: UnixMicros(i64::from(index)),
                    actor: vec![index; 8],
                };
                let bytes = entry.seal(&gateway()).unwrap();
                head = Head {
                    stream_number: entry.stream_number,
                    hash: entry_hash(&bytes),
                };
                bytes
            })
            .collect()
    }

    fn check(entries: &[Vec<u8>]) -> Result<Head, BrokenChain> {
        let entries = entries.iter().map(Vec::as_slice);
        check_chain(Head::START, entries, &gateway().verifying_key())
    }

    #[test]
    fn a_whole_chain_holds_and_can_be_followed_in_parts() {
        let entries = chain_of(5);
        let key = gateway().verifying_key();

        let at_once = check(&entries).unwrap();
        let half = check(&entries[..2]).unwrap();
        let rest = check_chain(half, entries[2..].iter().map(Vec::as_slice), &key).unwrap();

        assert_eq!(at_once.stream_number, 5);
        assert_eq!(rest, at_once);
    }

    #[test]
    fn an_entry_of_another_organisation_is_found() {
        let mut entries = chain_of(2);
        let mut second = Entry::open(&entries[1], &gateway().verifying_key()).unwrap();
        second.organisation = OrganisationId(Uuid::from_u128(2));
        entries[1] = second.seal(&gateway()).unwrap();

        let broken = check(&entries).unwrap_err();

        assert_eq!(broken.index, 1);
        assert!(matches!(broken.fault, ChainFault::Organisation));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_dropped_entry_is_found_at_its_place(length in 2..12_u8, at in any::<prop::sample::Index>()) {
            let mut entries = chain_of(length);
            let whole = check(&entries).unwrap();
            let dropped = at.index(entries.len());
            entries.remove(dropped);

            match check(&entries) {
                Err(broken) => prop_assert_eq!(broken.index, dropped),
                // Only a cut tail leaves a sound chain, and then its head is another.
                Ok(head) => {
                    prop_assert_eq!(dropped, entries.len());
                    prop_assert_ne!(head, whole);
                }
            }
        }

        #[test]
        fn a_swap_is_found_at_the_earlier_place(
            length in 2..12_u8,
            one in any::<prop::sample::Index>(),
            other in any::<prop::sample::Index>(),
        ) {
            let mut entries = chain_of(length);
            let (one, other) = (one.index(entries.len()), other.index(entries.len()));
            prop_assume!(one != other);
            entries.swap(one, other);

            prop_assert_eq!(check(&entries).unwrap_err().index, one.min(other));
        }

        #[test]
        fn a_flipped_bit_is_found_at_its_place(
            length in 1..12_u8,
            entry in any::<prop::sample::Index>(),
            byte in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let mut entries = chain_of(length);
            let entry = entry.index(entries.len());
            let byte = byte.index(entries[entry].len());
            entries[entry][byte] ^= 1 << bit;

            prop_assert_eq!(check(&entries).unwrap_err().index, entry);
        }
    }
}
