//! Proofs: that a leaf is in a tree, and that a larger tree only added to a smaller one. Made and checked as in RFC 9162.

use std::ops::Range;

use super::tree::{Hash, Node, complete_nodes, join, node_hash};

/// Why there is no proof, or why one does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofFailure {
    /// The tree is smaller.
    #[error("a tree of {size} leaves has no leaf {index}")]
    BeyondTree {
        /// The leaf that was asked for.
        index: u64,
        /// How many leaves there are.
        size: u64,
    },
    /// A tree never shrinks.
    #[error("a tree of {old} leaves does not come before one of {new}")]
    Shrunk {
        /// Leaves of the tree that was said to be the older one.
        old: u64,
        /// Leaves of the other.
        new: u64,
    },
    /// Every tree holds the empty one, so that nothing is proved.
    #[error("nothing is proved of an empty tree")]
    Empty,
    /// A proof has as many hashes as the sizes say.
    #[error("the proof has {found} hashes where {expected} are due")]
    Length {
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to another root than the tree's")]
    Root,
    /// The hashes lead to another root of the older tree.
    #[error("the proof leads to another root than the older tree's")]
    OldRoot,
    /// A hash that the proof needs can't be had.
    #[error("the hash of {0:?} is missing")]
    Missing(Node),
}

/// A tree as a checkpoint names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves.
    pub size: u64,
    /// The hash over all of them.
    pub root: Hash,
}

/// The subtrees whose hashes [`prove_inclusion`] will ask for.
pub fn inclusion_nodes(index: u64, size: u64) -> Result<Vec<Node>, ProofFailure> {
    Ok(nodes_of(&inclusion_path(index, size)?))
}

/// The subtrees whose hashes [`prove_consistency`] will ask for.
pub fn consistency_nodes(old: u64, new: u64) -> Result<Vec<Node>, ProofFailure> {
    Ok(nodes_of(&consistency_path(old, new)?))
}

/// Proof that leaf `index` is in the tree of `size` leaves, from the leaf's sibling up. `read` gives hashes of complete subtrees.
pub fn prove_inclusion(
    index: u64,
    size: u64,
    read: impl FnMut(Node) -> Option<Hash>,
) -> Result<Vec<Hash>, ProofFailure> {
    hashes_of(inclusion_path(index, size)?, read)
}

/// Proof that the tree of `new` leaves begins with the tree of `old` leaves.
pub fn prove_consistency(
    old: u64,
    new: u64,
    read: impl FnMut(Node) -> Option<Hash>,
) -> Result<Vec<Hash>, ProofFailure> {
    hashes_of(consistency_path(old, new)?, read)
}

/// Whether `proof` leads from `leaf` at `index` to the root of `tree`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    tree: &TreeHead,
    proof: &[Hash],
) -> Result<(), ProofFailure> {
    let path = inclusion_path(index, tree.size)?;
    check_length(path.len(), proof)?;
    let mut root = *leaf;
    for (range, hash) in path.iter().zip(proof) {
        root = if range.start > index {
            node_hash(&root, hash)
        } else {
            node_hash(hash, &root)
        };
    }
    (root == tree.root).then_some(()).ok_or(ProofFailure::Root)
}

/// Whether `proof` shows that `new` begins with `old`.
pub fn verify_consistency(
    old: &TreeHead,
    new: &TreeHead,
    proof: &[Hash],
) -> Result<(), ProofFailure> {
    let path = consistency_path(old.size, new.size)?;
    check_length(path.len(), proof)?;
    let mut steps = path.iter().zip(proof);
    // A whole subtree on the left is the old tree itself, which whoever checks knows.
    let starts_with_old = old.size.is_power_of_two() || old.size == new.size;
    let begin = if starts_with_old {
        old.root
    } else {
        *steps
            .next()
            .map(|(_, hash)| hash)
            .ok_or(ProofFailure::Root)?
    };
    let (mut old_root, mut new_root) = (begin, begin);
    for (range, hash) in steps {
        if range.start >= old.size {
            new_root = node_hash(&new_root, hash);
        } else {
            old_root = node_hash(hash, &old_root);
            new_root = node_hash(hash, &new_root);
        }
    }
    if old_root != old.root {
        return Err(ProofFailure::OldRoot);
    }
    (new_root == new.root)
        .then_some(())
        .ok_or(ProofFailure::Root)
}

fn check_length(expected: usize, proof: &[Hash]) -> Result<(), ProofFailure> {
    let found = proof.len();
    (found == expected)
        .then_some(())
        .ok_or(ProofFailure::Length { expected, found })
}

/// The ranges of leaves beside the way from the root down to leaf `index`, lowest first: PATH of RFC 9162, section 2.1.3.1.
fn inclusion_path(index: u64, size: u64) -> Result<Vec<Range<u64>>, ProofFailure> {
    if index >= size {
        return Err(ProofFailure::BeyondTree { index, size });
    }
    let mut path = Vec::new();
    let mut tree = 0..size;
    while tree.end - tree.start > 1 {
        let middle = tree.start + left_half(tree.end - tree.start);
        if index < middle {
            path.push(middle..tree.end);
            tree.end = middle;
        } else {
            path.push(tree.start..middle);
            tree.start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The ranges whose hashes prove consistency, in the proof's order: SUBPROOF of RFC 9162, section 2.1.4.1.
fn consistency_path(old: u64, new: u64) -> Result<Vec<Range<u64>>, ProofFailure> {
    if old > new {
        return Err(ProofFailure::Shrunk { old, new });
    }
    if old == 0 {
        return Err(ProofFailure::Empty);
    }
    let mut path = Vec::new();
    let mut tree = 0..new;
    while tree.end != old {
        let middle = tree.start + left_half(tree.end - tree.start);
        if old <= middle {
            path.push(middle..tree.end);
            tree.end = middle;
        } else {
            path.push(tree.start..middle);
            tree.start = middle;
        }
    }
    // What is left is the old tree's last subtree. From the left edge on it is all of the old tree, whose root is known.
    if tree.start > 0 {
        path.push(tree);
    }
    path.reverse();
    Ok(path)
}

/// The largest power of two below `leaves`, which are two at least: where RFC 6962 parts a tree.
const fn left_half(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

fn nodes_of(path: &[Range<u64>]) -> Vec<Node> {
    path.iter()
        .flat_map(|range| complete_nodes(range.clone()))
        .collect()
}

fn hashes_of(
    path: Vec<Range<u64>>,
    mut read: impl FnMut(Node) -> Option<Hash>,
) -> Result<Vec<Hash>, ProofFailure> {
    let mut hash_of = |node| read(node).ok_or(ProofFailure::Missing(node));
    path.into_iter()
        .map(|range| {
            let peaks = complete_nodes(range)
                .into_iter()
                .map(&mut hash_of)
                .collect::<Result<Vec<_>, _>>()?;
            Ok(join(&peaks))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::{super::tree::root_of, *};

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size)
            .map(|index| crate::log::entry_hash(&index.to_be_bytes()))
            .collect()
    }

    fn head(leaves: &[Hash]) -> TreeHead {
        TreeHead {
            size: u64::try_from(leaves.len()).unwrap(),
            root: root_of(leaves),
        }
    }

    /// The tree over `leaves`, as a store would give it.
    fn read(leaves: &[Hash]) -> impl FnMut(Node) -> Option<Hash> {
        |node| {
            let width = 1_usize << node.level;
            let start = usize::try_from(node.index).unwrap() * width;
            leaves.get(start..start + width).map(root_of)
        }
    }

    /// One bit of one hash.
    fn flip(hash: &mut Hash, bit: Index) {
        let bit = bit.index(256);
        hash[bit / 8] ^= 1 << (bit % 8);
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proved_with_as_few_hashes_as_it_is_deep() {
        for size in 1..=40 {
            let leaves = leaves(size);
            for index in 0..size {
                let proof = prove_inclusion(index, size, read(&leaves)).unwrap();
                let leaf = &leaves[usize::try_from(index).unwrap()];

                assert_eq!(
                    verify_inclusion(leaf, index, &head(&leaves), &proof),
                    Ok(())
                );
                assert!(proof.len() <= usize::try_from(size.next_power_of_two().ilog2()).unwrap());
            }
        }
    }

    #[test]
    fn every_small_tree_is_proved_to_begin_with_every_smaller_one() {
        let leaves = leaves(40);
        for new in 1..=40 {
            for old in 1..=new {
                let proof = prove_consistency(old, new, read(&leaves)).unwrap();
                let [old, new] =
                    [old, new].map(|size| head(&leaves[..usize::try_from(size).unwrap()]));

                assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));
            }
        }
    }

    #[test]
    fn what_cannot_be_proved_says_why() {
        let none = |_node| None;

        assert_eq!(
            prove_inclusion(4, 4, none),
            Err(ProofFailure::BeyondTree { index: 4, size: 4 })
        );
        assert_eq!(
            prove_consistency(5, 4, none),
            Err(ProofFailure::Shrunk { old: 5, new: 4 })
        );
        assert_eq!(prove_consistency(0, 4, none), Err(ProofFailure::Empty));
        let missing = Node { level: 0, index: 1 };
        assert_eq!(
            prove_inclusion(0, 2, none),
            Err(ProofFailure::Missing(missing))
        );
    }

    #[test]
    fn the_largest_tree_there_can_be_is_handled() {
        let all_zeros = |_node| Some([0; 32]);

        let proof = prove_inclusion(u64::MAX - 1, u64::MAX, all_zeros).unwrap();

        assert_eq!(proof.len(), 63);
        assert!(prove_consistency(1 << 63, u64::MAX, all_zeros).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn an_altered_inclusion_never_holds(
            size in 1..200_u64,
            at in any::<Index>(),
            which in any::<Index>(),
            bit in any::<Index>(),
            other in 0..300_u64,
        ) {
            let leaves = leaves(size);
            let index = u64::try_from(at.index(leaves.len())).unwrap();
            let (tree, leaf) = (head(&leaves), leaves[at.index(leaves.len())]);
            let proof = prove_inclusion(index, size, read(&leaves)).unwrap();
            prop_assert_eq!(verify_inclusion(&leaf, index, &tree, &proof), Ok(()));

            let mut altered_leaf = leaf;
            flip(&mut altered_leaf, bit);
            prop_assert!(verify_inclusion(&altered_leaf, index, &tree, &proof).is_err());
            let mut altered_tree = tree;
            flip(&mut altered_tree.root, bit);
            prop_assert!(verify_inclusion(&leaf, index, &altered_tree, &proof).is_err());
            if !proof.is_empty() {
                let mut altered = proof.clone();
                flip(&mut altered[which.index(proof.len())], bit);
                prop_assert!(verify_inclusion(&leaf, index, &tree, &altered).is_err());
                prop_assert!(verify_inclusion(&leaf, index, &tree, &proof[1..]).is_err());
            }
            let longer = [proof.as_slice(), &[[0; 32]]].concat();
            prop_assert!(verify_inclusion(&leaf, index, &tree, &longer).is_err());
            if other != index {
                prop_assert!(verify_inclusion(&leaf, other, &tree, &proof).is_err());
            }
            if other != size {
                // A tree of another size may need the same hashes for this leaf, but then not for all of its leaves: what
                // binds the size is the checkpoint. Where the shape differs, the proof must fail.
                let resized = TreeHead { size: other, ..tree };
                let has_same_shape = inclusion_path(index, other).is_ok_and(|path| {
                    path.iter().map(|range| range.start > index).eq(inclusion_path(index, size)
                        .unwrap()
                        .iter()
                        .map(|range| range.start > index))
                });
                prop_assert_eq!(verify_inclusion(&leaf, index, &resized, &proof).is_ok(), has_same_shape);
            }
        }

        #[test]
        fn an_altered_consistency_never_holds(
            new in 2..200_u64,
            at in any::<Index>(),
            which in any::<Index>(),
            bit in any::<Index>(),
        ) {
            let leaves = leaves(new);
            let old = 1 + at.index(leaves.len() - 1);
            let (old, new) = (head(&leaves[..old]), head(&leaves));
            let proof = prove_consistency(old.size, new.size, read(&leaves)).unwrap();
            prop_assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));

            let mut altered = proof.clone();
            flip(&mut altered[which.index(proof.len())], bit);
            prop_assert!(verify_consistency(&old, &new, &altered).is_err());
            prop_assert!(verify_consistency(&old, &new, &proof[1..]).is_err());
            let mut other_old = old;
            flip(&mut other_old.root, bit);
            prop_assert!(verify_consistency(&other_old, &new, &proof).is_err());
            let mut other_new = new;
            flip(&mut other_new.root, bit);
            prop_assert!(verify_consistency(&old, &other_new, &proof).is_err());
            prop_assert!(verify_consistency(&new, &old, &proof).is_err());
        }
    }
}
