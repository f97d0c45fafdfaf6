//! The Merkle tree of RFC 6962 and 9162: how hashes are joined, and the few that a tree is grown from.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

/// SHA-256, of a leaf or of an inner node.
pub type Hash = [u8; 32];

/// RFC 6962 puts this byte before an inner node and another before a leaf, so that neither passes as the other.
const NODE_PREFIX: [u8; 1] = [0x01];

/// The hash over two subtrees.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update(NODE_PREFIX)
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The root of the tree over these leaf hashes.
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

/// A complete subtree: the `index`-th from the left of those with `2^level` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 for a leaf.
    pub level: u8,
    /// Its place among the nodes of its level, from 0.
    pub index: u64,
}

/// The complete subtrees that cover `leaves`, largest first. The range begins where a subtree of its size may begin, as
/// every range in a tree or a proof does.
pub(crate) fn complete_nodes(leaves: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = leaves.start;
    while start < leaves.end {
        let level = (leaves.end - start).ilog2();
        nodes.push(Node {
            level: u8::try_from(level).unwrap_or(u8::MAX),
            index: start >> level,
        });
        start += 1 << level;
    }
    nodes
}

/// Joins the hashes of complete subtrees, largest first, to one; none of them is the empty tree.
pub(crate) fn join(peaks: &[Hash]) -> Hash {
    peaks
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(empty_root)
}

/// The right edge of a tree: the hashes of its complete subtrees, largest first. All that is needed to grow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// A tree of this size has another number of complete subtrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves has not {peaks} complete subtrees")]
pub struct WrongPeaks {
    /// How many leaves.
    pub size: u64,
    /// How many hashes were given.
    pub peaks: usize,
}

impl Frontier {
    /// The frontier that these hashes are.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Result<Self, WrongPeaks> {
        let is_whole = usize::try_from(size.count_ones()) == Ok(peaks.len());
        let peaks_given = peaks.len();
        is_whole.then_some(Self { size, peaks }).ok_or(WrongPeaks {
            size,
            peaks: peaks_given,
        })
    }

    /// Adds a leaf.
    pub fn append(&mut self, leaf: Hash) {
        // One subtree closes for every one bit at the end of the size.
        let closes = usize::try_from(self.size.trailing_ones()).unwrap_or(usize::MAX);
        let mut hash = leaf;
        for left in self
            .peaks
            .drain(self.peaks.len().saturating_sub(closes)..)
            .rev()
        {
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        join(&self.peaks)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6962, section 2.1, word for word.
    fn root_by_the_book(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            more => {
                let half = more.len().next_power_of_two() / 2;
                let (left, right) = more.split_at(half);
                node_hash(&root_by_the_book(left), &root_by_the_book(right))
            }
        }
    }

    #[test]
    fn the_root_of_nothing_is_the_hash_of_nothing() {
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

        assert_eq!(hex::encode(Frontier::default().root()), of_nothing);
    }

    #[test]
    fn a_frontier_with_a_hash_too_many_is_refused() {
        let refused = Frontier::from_peaks(6, vec![[0; 32]; 3]);

        assert_eq!(refused, Err(WrongPeaks { size: 6, peaks: 3 }));
    }

    #[test]
    fn a_range_is_covered_by_its_largest_subtrees() {
        let node = |level, index| Node { level, index };

        assert_eq!(complete_nodes(0..7), [node(2, 0), node(1, 2), node(0, 6)]);
        assert_eq!(complete_nodes(8..11), [node(1, 4), node(0, 10)]);
        assert!(complete_nodes(5..5).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_grown_tree_has_the_root_of_the_book_at_every_size(leaves in prop::collection::vec(any::<Hash>(), 0..70)) {
            let mut frontier = Frontier::default();
            for (index, leaf) in leaves.iter().enumerate() {
                prop_assert_eq!(frontier.root(), root_by_the_book(&leaves[..index]));
                frontier.append(*leaf);
                let again = Frontier::from_peaks(frontier.size(), frontier.peaks().to_vec());
                prop_assert_eq!(again.as_ref(), Ok(&frontier));
            }
            prop_assert_eq!(root_of(&leaves), root_by_the_book(&leaves));
        }
    }
}
