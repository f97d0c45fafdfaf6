//! A proof to keep (C2SP tlog-proof): that something was logged, checkable offline. Files of it end in `.tlog-proof`.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    checkpoint::{Checkpoint, CheckpointFault, Witnessed, decimal, hash},
    note::{MOST_NOTE_BYTES, NoteKey},
    proof::{ProofFailure, verify_inclusion},
    tree::Hash,
};

/// The first line, by which the form is known.
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// What the line of what was added begins with.
const EXTRA: &str = "extra ";

/// A leaf's way to the root of the largest tree that there can be.
const MOST_HASHES: usize = 64;

/// As much beside the checkpoint as it may have itself.
const MOST_BYTES: usize = 2 * MOST_NOTE_BYTES;

/// A leaf's place in a log, the way to the root, and the checkpoint with that root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedProof {
    /// What whoever made it added. Nobody signed this.
    pub extra: Option<Vec<u8>>,
    /// The leaf's place, from 0.
    pub index: u64,
    /// From the leaf's sibling up to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed note, byte for byte.
    pub checkpoint: String,
}

/// Why a proof is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoggedFault {
    /// It reads otherwise than a `.tlog-proof`.
    #[error("this is no .tlog-proof")]
    Malformed,
    /// The checkpoint in it does not hold.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// The hashes don't lead from the leaf to the checkpoint's root.
    #[error(transparent)]
    Proof(#[from] ProofFailure),
}

impl LoggedProof {
    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut lines = vec![FIRST_LINE.to_owned()];
        let extra = self.extra.as_ref();
        lines.extend(extra.map(|extra| format!("{EXTRA}{}", BASE64_STANDARD.encode(extra))));
        lines.push(format!("index {}", self.index));
        lines.extend(self.hashes.iter().map(|hash| BASE64_STANDARD.encode(hash)));
        format!("{}\n\n{}", lines.join("\n"), self.checkpoint)
    }

    /// Reads a file's text. Nothing in it is believed yet.
    pub fn parse(text: &str) -> Result<Self, LoggedFault> {
        if text.len() > MOST_BYTES {
            return Err(LoggedFault::Malformed);
        }
        Self::read(text).ok_or(LoggedFault::Malformed)
    }

    fn read(text: &str) -> Option<Self> {
        // The first empty line ends the proof; what follows is the checkpoint, verbatim.
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n').peekable();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let extra = lines
            .next_if(|line| line.starts_with(EXTRA))
            .map(|line| BASE64_STANDARD.decode(&line[EXTRA.len()..]));
        let index = decimal(lines.next()?.strip_prefix("index ")?)?;
        let hashes = lines.map(hash).collect::<Option<Vec<_>>>()?;
        (hashes.len() <= MOST_HASHES).then_some(Self {
            extra: extra.transpose().ok()?,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// The checkpoint that proves that `leaf` is logged, if a known log signed it.
    pub fn verify(&self, leaf: &Hash, known: &[NoteKey]) -> Result<Witnessed, LoggedFault> {
        let witnessed = Checkpoint::open(&self.checkpoint, known)?;
        verify_inclusion(leaf, self.index, &witnessed.checkpoint.tree, &self.hashes)?;
        Ok(witnessed)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::{
        super::{
            entry::entry_hash,
            proof::{TreeHead, prove_inclusion},
            tree::root_of,
        },
        *,
    };

    fn log_key() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    fn known() -> [NoteKey; 1] {
        [NoteKey::new("log", log_key().verifying_key()).unwrap()]
    }

    /// A log of three, and the proof of the second.
    fn logged(extra: Option<Vec<u8>>) -> (Hash, LoggedProof) {
        let leaves = ["a", "b", "c"].map(|text| entry_hash(text.as_bytes()));
        let hashes = prove_inclusion(1, 3, |node| {
            let start = usize::try_from(node.index << node.level).unwrap();
            leaves.get(start..start + (1 << node.level)).map(root_of)
        });
        let checkpoint = Checkpoint {
            origin: "log".to_owned(),
            tree: TreeHead {
                size: 3,
                root: root_of(&leaves),
            },
        };
        let proof = LoggedProof {
            extra,
            index: 1,
            hashes: hashes.unwrap(),
            checkpoint: checkpoint.sign(&log_key()).unwrap(),
        };
        (leaves[1], proof)
    }

    #[test]
    fn a_proof_reads_back_as_it_was_written_and_holds_for_its_leaf_alone() {
        for extra in [None, Some(b"any bytes\n\n".to_vec()), Some(Vec::new())] {
            let (leaf, proof) = logged(extra);

            let again = LoggedProof::parse(&proof.to_text()).unwrap();

            assert_eq!(again, proof);
            assert_eq!(
                again.verify(&leaf, &known()).unwrap().checkpoint.tree.size,
                3
            );
            assert_eq!(
                again.verify(&[0; 32], &known()),
                Err(LoggedFault::Proof(ProofFailure::Root))
            );
        }
    }

    #[test]
    fn another_index_is_found() {
        let (leaf, mut proof) = logged(None);

        proof.index = 0;

        assert!(proof.verify(&leaf, &known()).is_err());
    }

    #[test]
    fn what_has_not_the_form_of_a_proof_is_refused() {
        let (_, proof) = logged(None);
        let text = proof.to_text();
        for altered in [
            String::new(),
            text.replacen("v1", "v2", 1),
            text.replacen("index 1", "index 01", 1),
            text.replacen("index 1", "place 1", 1),
            text.replacen("index 1", "extra ?\nindex 1", 1),
            text.replacen("index 1", "index 1\nBwc=", 1),
            text.replacen("\n\n", "\n", 2),
        ] {
            assert_eq!(
                LoggedProof::parse(&altered),
                Err(LoggedFault::Malformed),
                "{altered}"
            );
        }
        let endless = text.replacen(
            "index 1\n",
            &format!(
                "index 1\n{}",
                format!("{}\n", BASE64_STANDARD.encode([0; 32])).repeat(65)
            ),
            1,
        );
        assert!(LoggedProof::parse(&endless).is_err());
    }
}
