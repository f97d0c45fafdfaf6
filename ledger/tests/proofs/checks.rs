//! Public Merkle proofs, good and broken, against our own check. Run natively and, by the same code, as wasm.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ledger::log::{Hash, TreeHead, entry_hash, verify_consistency, verify_inclusion};
use serde::Deserialize;

/// How a set went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Proofs that held.
    pub(crate) held: usize,
    /// Proofs that did not.
    pub(crate) refused: usize,
    /// Where we disagree with the set.
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: String, is_good: bool, holds: bool) {
        *(if holds {
            &mut self.held
        } else {
            &mut self.refused
        }) += 1;
        if is_good != holds {
            self.wrong.push(name);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    file: String,
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// The inclusion set of transparency-dev/merkle.
pub(crate) fn inclusion(text: &str) -> Tally {
    let cases: Vec<Inclusion> = serde_json::from_str(text).unwrap();
    let mut tally = Tally::default();
    for case in cases {
        let holds = || {
            let root = hash(&case.root)?;
            let tree = TreeHead {
                size: case.tree_size,
                root,
            };
            let proof = hashes(case.proof.as_deref())?;
            let leaf = hash(&case.leaf_hash)?;
            verify_inclusion(&leaf, case.leaf_idx, &tree, &proof).ok()
        };
        let holds = holds().is_some();
        tally.count(case.file, !case.want_err, holds);
    }
    tally
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    file: String,
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// The consistency set of transparency-dev/merkle.
pub(crate) fn consistency(text: &str) -> Tally {
    let cases: Vec<Consistency> = serde_json::from_str(text).unwrap();
    let mut tally = Tally::default();
    for case in cases {
        let holds = || {
            let old = TreeHead {
                size: case.size1,
                root: root(&case.root1)?,
            };
            let new = TreeHead {
                size: case.size2,
                root: root(&case.root2)?,
            };
            verify_consistency(&old, &new, &hashes(case.proof.as_deref())?).ok()
        };
        let holds = holds().is_some();
        tally.count(case.file, !case.want_err, holds);
    }
    tally
}

/// Where a root does not matter, the set has words in its place: other words stay another root.
fn root(text: &str) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    Some(hash(text).unwrap_or_else(|| entry_hash(&bytes)))
}

/// Texts of another length are among the broken ones: to us they are no hashes.
fn hash(text: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

fn hashes(texts: Option<&[String]>) -> Option<Vec<Hash>> {
    texts
        .unwrap_or_default()
        .iter()
        .map(|text| hash(text))
        .collect()
}
