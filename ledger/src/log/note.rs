//! Signed notes as C2SP describes them (signed-note): a text and, below it, one line for each key that signed it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use protocol::signature;
use sha2::{Digest as _, Sha256};

/// What stands before a key's name in its line.
const DASH: &str = "— ";

/// The kind of signature that we make and check: Ed25519 over the text.
const ED25519: u8 = 0x01;

/// A key is named by this many bytes besides its name.
const ID_BYTES: usize = 4;

/// Room for the sixteen signatures that everybody must accept, post-quantum ones of 5 kB included, and for a text.
pub const MOST_NOTE_BYTES: usize = 128 * 1024;

/// A key that signs notes: what the outside trusts, as text `name+id+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    id: [u8; ID_BYTES],
    key: VerifyingKey,
}

/// The text is no key of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// A name can be neither empty nor hold spaces, a plus sign or control characters.
    #[error("a note key's name has no spaces and no plus sign, and is not empty")]
    Name,
    /// It reads otherwise than `name+id+key`.
    #[error("a note key looks like name+id+key")]
    Form,
    /// Another kind of key than Ed25519.
    #[error("a note key of another kind than Ed25519")]
    Kind,
    /// The 32 bytes are no point on the curve, or one that anybody can sign for.
    #[error("the note key is no Ed25519 key")]
    Key,
    /// Its id belongs to another key: somebody changed or mixed the text.
    #[error("the note key's id is that of another key")]
    Id,
}

/// Why a note is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// Longer than any note that we read.
    #[error("a note may have {MOST_NOTE_BYTES} bytes at most")]
    TooLong,
    /// Not a text, an empty line and lines of signatures.
    #[error("this is no signed note")]
    Malformed,
    /// A key that is known did not sign this text.
    #[error("a signature in the name of a known key does not match")]
    BadSignature,
    /// Nobody who is known signed it.
    #[error("no known key signed the note")]
    Unsigned,
}

impl NoteKey {
    /// The key under this name.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, KeyFault> {
        if !is_name(name) {
            return Err(KeyFault::Name);
        }
        if key.is_weak() {
            return Err(KeyFault::Key);
        }
        let id = id_of(name, &key);
        let name = name.to_owned();
        Ok(Self { name, id, key })
    }

    /// Whose it says it is; for a log's own key the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    fn is_of(&self, line: &SignatureLine<'_>) -> bool {
        self.name == line.name && line.signature.starts_with(&self.id)
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [[ED25519].as_slice(), self.key.as_bytes()].concat();
        let id = u32::from_be_bytes(self.id);
        write!(
            formatter,
            "{}+{id:08x}+{}",
            self.name,
            BASE64_STANDARD.encode(key)
        )
    }
}

impl FromStr for NoteKey {
    type Err = KeyFault;

    fn from_str(text: &str) -> Result<Self, KeyFault> {
        // The name has no plus sign; base64 may.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyFault::Form);
        };
        let key = BASE64_STANDARD
            .decode(key)
            .map_err(|_not_base64| KeyFault::Form)?;
        let Some((&ED25519, key)) = key.split_first() else {
            return Err(KeyFault::Kind);
        };
        let bytes = <&[u8; 32]>::try_from(key).map_err(|_length| KeyFault::Key)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_no_point| KeyFault::Key)?;
        let known = Self::new(name, key)?;
        (format!("{:08x}", u32::from_be_bytes(known.id)) == id)
            .then_some(known)
            .ok_or(KeyFault::Id)
    }
}

/// SHA-256 over name, newline, kind and key, cut to four bytes.
fn id_of(name: &str, key: &VerifyingKey) -> [u8; ID_BYTES] {
    let [first, second, third, fourth, ..]: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize()
        .into();
    [first, second, third, fourth]
}

fn is_name(name: &str) -> bool {
    let is_banned = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    !name.is_empty() && !name.contains(is_banned)
}

/// One line below the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SignatureLine<'note> {
    name: &'note str,
    /// The key's id, then what its algorithm makes.
    signature: Vec<u8>,
}

impl<'note> SignatureLine<'note> {
    fn parse(line: &'note str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        let signature = BASE64_STANDARD.decode(signature).ok()?;
        (is_name(name) && signature.len() > ID_BYTES).then_some(Self { name, signature })
    }
}

/// A note that was read, believed by nobody yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote<'note> {
    text: &'note str,
    lines: Vec<SignatureLine<'note>>,
}

impl<'note> SignedNote<'note> {
    /// Reads a note: its text, which ends with a newline, an empty line, and a signature at least.
    pub fn parse(note: &'note str) -> Result<Self, NoteFault> {
        if note.len() > MOST_NOTE_BYTES {
            return Err(NoteFault::TooLong);
        }
        if note.chars().any(|letter| letter < ' ' && letter != '\n') {
            return Err(NoteFault::Malformed);
        }
        // The last empty line parts the text, which may have more of them, from the signatures.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteFault::Malformed)?;
        let text = note.get(..=text.len()).ok_or(NoteFault::Malformed)?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(NoteFault::Malformed)?
            .split('\n')
            .map(|line| SignatureLine::parse(line).ok_or(NoteFault::Malformed))
            .collect::<Result<_, _>>()?;
        Ok(Self { text, lines })
    }

    /// What was signed. Worth nothing before [`SignedNote::verify`].
    pub const fn text(&self) -> &'note str {
        self.text
    }

    /// Those of `known` who signed the text: one at least. Lines of keys that are not known are passed over; a line in the
    /// name of a known key that does not match spoils the note.
    pub fn verify<'key>(&self, known: &'key [NoteKey]) -> Result<Vec<&'key NoteKey>, NoteFault> {
        let mut signers = Vec::new();
        for key in known {
            let mut has_signed = false;
            for line in self.lines.iter().filter(|line| key.is_of(line)) {
                let signature = line.signature.get(ID_BYTES..).unwrap_or_default();
                signature::verify_strict(&key.key, self.text.as_bytes(), signature)
                    .map_err(|_mismatch| NoteFault::BadSignature)?;
                has_signed = true;
            }
            signers.extend(has_signed.then_some(key));
        }
        (!signers.is_empty())
            .then_some(signers)
            .ok_or(NoteFault::Unsigned)
    }
}

/// The line that `key` adds below `text` under `name`, newline included.
pub fn signature_line(text: &str, name: &str, key: &SigningKey) -> Result<String, KeyFault> {
    let known = NoteKey::new(name, key.verifying_key())?;
    let signature = key.sign(text.as_bytes()).to_bytes();
    let bytes = [known.id.as_slice(), &signature].concat();
    Ok(format!("{DASH}{name} {}\n", BASE64_STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Ognuno sta solo sul cuor della terra\n\ned è subito sera.\n";

    fn signing(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn known(name: &str, seed: u8) -> NoteKey {
        NoteKey::new(name, signing(seed).verifying_key()).unwrap()
    }

    fn line(name: &str, seed: u8) -> String {
        signature_line(TEXT, name, &signing(seed)).unwrap()
    }

    fn verify(note: &str, keys: &[NoteKey]) -> Result<Vec<String>, NoteFault> {
        let signers = SignedNote::parse(note)?.verify(keys)?;
        Ok(signers.iter().map(|key| key.name().to_owned()).collect())
    }

    #[test]
    fn a_note_of_the_go_implementation_verifies_under_its_published_key() {
        // From the documentation of golang.org/x/mod/sumdb/note.
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\
                    \n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let key: NoteKey = key.parse().unwrap();

        assert_eq!(verify(note, &[key]), Ok(vec!["PeterNeumann".to_owned()]));
    }

    #[test]
    fn a_key_reads_back_as_it_was_written_and_another_text_is_no_key() {
        let key = known("log.example/1", 1);
        let text = key.to_string();
        let (name_and_id, bytes) = text.rsplit_once('+').unwrap();

        assert_eq!(text.parse(), Ok(key));
        for (text, fault) in [
            (String::new(), KeyFault::Form),
            (name_and_id.to_owned(), KeyFault::Form),
            (format!("{text}="), KeyFault::Form),
            (text.replacen("log", "lot", 1), KeyFault::Id),
            (text.replacen("log", "l g", 1), KeyFault::Name),
            (text.replacen("log.example/1", "", 1), KeyFault::Name),
            (format!("{name_and_id}+Ag=="), KeyFault::Kind),
            (format!("{name_and_id}+AQ=="), KeyFault::Key),
            (format!("{name_and_id}+{}", &bytes[..40]), KeyFault::Key),
        ] {
            assert_eq!(text.parse::<NoteKey>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_key_that_anybody_can_sign_for_is_refused() {
        let identity = VerifyingKey::from_bytes(&{
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        })
        .unwrap();

        assert_eq!(NoteKey::new("log", identity), Err(KeyFault::Key));
    }

    #[test]
    fn signatures_of_strangers_are_passed_over_whatever_their_kind() {
        let post_quantum = format!("— log {}\n", BASE64_STANDARD.encode([7; 2_424]));
        let note = format!(
            "{TEXT}\n{post_quantum}{}{}",
            line("log", 1),
            line("other", 2)
        );

        let by_log = verify(&note, &[known("log", 1)]);
        let by_both = verify(
            &note,
            &[known("log", 1), known("other", 2), known("third", 3)],
        );
        let by_strangers = verify(&note, &[known("log", 2)]);

        assert_eq!(by_log, Ok(vec!["log".to_owned()]));
        assert_eq!(by_both, Ok(vec!["log".to_owned(), "other".to_owned()]));
        assert_eq!(by_strangers, Err(NoteFault::Unsigned));
    }

    #[test]
    fn a_signature_in_a_known_name_that_does_not_match_spoils_the_note() {
        let of_another_text = signature_line("another text\n", "log", &signing(1)).unwrap();
        let note = format!("{TEXT}\n{}{of_another_text}", line("log", 1));

        let spoilt = verify(&note, &[known("log", 1)]);

        assert_eq!(spoilt, Err(NoteFault::BadSignature));
    }

    #[test]
    fn what_has_not_the_form_of_a_note_is_refused() {
        let line = line("log", 1);
        for note in [
            String::new(),
            TEXT.to_owned(),
            format!("{TEXT}\n"),
            format!("{TEXT}{line}"),
            format!("{TEXT}\n{}", line.trim_end()),
            format!("{TEXT}\n{line}\n"),
            format!("{TEXT}\n{line}more\n"),
            format!("{TEXT}\n{}", line.replacen('—', "-", 1)),
            format!("{TEXT}\n{}", line.replacen("log", "l+g", 1)),
            format!("{TEXT}\n— log AAAAAA==\n"),
            format!("{TEXT}\r\n\n{line}"),
        ] {
            assert_eq!(
                SignedNote::parse(&note),
                Err(NoteFault::Malformed),
                "{note}"
            );
        }
        let long = format!("{}\n\n{line}", "a".repeat(MOST_NOTE_BYTES));
        assert_eq!(SignedNote::parse(&long), Err(NoteFault::TooLong));
    }
}
