//! Checkpoints (C2SP tlog-checkpoint): which tree a log has, as a note that the log signed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;

use super::{
    note::{KeyFault, NoteFault, NoteKey, SignedNote, signature_line},
    proof::TreeHead,
    tree::Hash,
};

/// What a log says of itself at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log. Its own key has the same name.
    pub origin: String,
    /// The tree.
    pub tree: TreeHead,
}

/// A checkpoint that was believed, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// What they signed.
    pub checkpoint: Checkpoint,
    /// Names of the known keys that signed it; the log's own is among them.
    pub signers: Vec<String>,
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// It is no note, or nobody known signed it.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// The note's text is not origin, size and root.
    #[error("the note is no checkpoint")]
    Malformed,
    /// Known keys signed it, but not the log's own.
    #[error("the log itself did not sign the checkpoint")]
    NotByItsLog,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let root = BASE64_STANDARD.encode(self.tree.root);
        format!("{}\n{}\n{root}\n", self.origin, self.tree.size)
    }

    /// The note, signed with the log's own key.
    pub fn sign(&self, key: &SigningKey) -> Result<String, KeyFault> {
        let text = self.text();
        let line = signature_line(&text, &self.origin, key)?;
        Ok(format!("{text}\n{line}"))
    }

    /// The checkpoint in `note` if its own log signed it; `known` has the keys of logs and of those who countersign.
    pub fn open(note: &str, known: &[NoteKey]) -> Result<Witnessed, CheckpointFault> {
        let note = SignedNote::parse(note)?;
        let signers = note.verify(known)?;
        let checkpoint = Self::parse(note.text()).ok_or(CheckpointFault::Malformed)?;
        let signers: Vec<String> = signers.iter().map(|key| key.name().to_owned()).collect();
        signers
            .contains(&checkpoint.origin)
            .then_some(Witnessed {
                checkpoint,
                signers,
            })
            .ok_or(CheckpointFault::NotByItsLog)
    }

    /// What a note claims before anybody has checked it: picks the key to check it with, and proves nothing.
    pub fn claimed(note: &str) -> Result<Self, CheckpointFault> {
        Self::parse(SignedNote::parse(note)?.text()).ok_or(CheckpointFault::Malformed)
    }

    /// Three lines, and more that mean nothing to us and are signed with the rest.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        if origin.is_empty() || lines.any(str::is_empty) {
            return None;
        }
        let size = decimal(size)?;
        let root = hash(root)?;
        let tree = TreeHead { size, root };
        let origin = origin.to_owned();
        Some(Self { origin, tree })
    }
}

/// A number as it is written: no sign, no leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in base64.
pub(super) fn hash(text: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signing(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn known(name: &str, seed: u8) -> NoteKey {
        NoteKey::new(name, signing(seed).verifying_key()).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "log.example/linden".to_owned(),
            tree: TreeHead {
                size: 20_852_163,
                root: [7; 32],
            },
        }
    }

    #[test]
    fn the_bytes_of_a_checkpoint_never_change() {
        let note = checkpoint().sign(&signing(1)).unwrap();

        assert_eq!(note, GOLDEN);
    }

    #[test]
    fn a_checkpoint_opens_under_the_key_of_its_log_and_names_who_signed() {
        let key = known("log.example/linden", 1);
        let witness = known("witness.example", 2);
        let note = checkpoint().sign(&signing(1)).unwrap();
        let line = signature_line(&checkpoint().text(), "witness.example", &signing(2)).unwrap();
        let countersigned = format!("{note}{line}");

        let alone = Checkpoint::open(&countersigned, std::slice::from_ref(&key)).unwrap();
        let both = Checkpoint::open(&countersigned, &[key, witness.clone()]).unwrap();
        let without_log = Checkpoint::open(&countersigned, &[witness]);

        assert_eq!(alone.checkpoint, checkpoint());
        assert_eq!(both.signers, ["log.example/linden", "witness.example"]);
        assert_eq!(without_log, Err(CheckpointFault::NotByItsLog));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_of_a_checkpoint_is_found() {
        let key = [known("log.example/linden", 1)];
        let note = checkpoint().sign(&signing(1)).unwrap();

        for bit in 0..note.len() * 8 {
            let mut altered = note.clone().into_bytes();
            altered[bit / 8] ^= 1 << (bit % 8);
            let opened = String::from_utf8(altered).map(|altered| Checkpoint::open(&altered, &key));
            assert!(
                !matches!(opened, Ok(Ok(_))),
                "bit {bit} can be flipped unseen"
            );
        }
        for length in (0..note.len()).filter(|length| note.is_char_boundary(*length)) {
            assert!(Checkpoint::open(&note[..length], &key).is_err());
        }
    }

    #[test]
    fn a_signed_text_that_is_no_checkpoint_is_refused() {
        let root = BASE64_STANDARD.encode([7; 32]);
        for (text, is_checkpoint) in [
            (format!("log\n5\n{root}\n"), true),
            (format!("log\n0\n{root}\nan extension\n"), true),
            (format!("log\n05\n{root}\n"), false),
            (format!("log\n+5\n{root}\n"), false),
            (format!("log\n-5\n{root}\n"), false),
            (format!("log\n18446744073709551616\n{root}\n"), false),
            ("log\n5\n".to_owned(), false),
            ("log\n5\nBwc=\n".to_owned(), false),
            (format!("log\n5\n{}\n", root.trim_end_matches('=')), false),
            (format!("log\n5\n{root}\n\nafter a gap\n"), false),
        ] {
            let line = signature_line(&text, "log", &signing(1)).unwrap();
            let opened = Checkpoint::open(&format!("{text}\n{line}"), &[known("log", 1)]);

            assert_eq!(opened.is_ok(), is_checkpoint, "{text}");
        }
    }

    /// Made once from the seed 0101…01; a difference means that old checkpoints would no longer verify.
    const GOLDEN: &str = "log.example/linden\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— log.example/linden lU5WnMg6J6I3FI6KxkQp3WCnymEhpSVQ8VKl6vdrEjVDdxfdqUANaXXQHoTbyN394Kp3N45LeQL315GRVxQcTmqfNAA=\n";
}
