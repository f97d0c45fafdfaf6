//! What a check of a bundle found, in the words of its page; and the keys that a person trusts, as text.

use std::iter;

use ledger::{
    log::{Checkpoint, NoteKey, TreeHead},
    verify::{
        BadKeys, Failure, KnownCheckpoint, KnownProof, Outcome, Report, Step, StepName, Trust,
        Verdict,
    },
};
use protocol::views::ConsistencyView;

use crate::{grade::Tone, words};

/// Larger files are for the command: a tab would fill its memory. A job with all its pictures has a few megabytes.
pub const MOST_BYTES: f64 = 256.0 * 1024.0 * 1024.0;

/// A step and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    /// What was found.
    pub step: Step,
    /// How long it took.
    pub ms: f64,
}

/// What stands above the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// How it is meant.
    pub tone: Tone,
    /// The verdict.
    pub title: String,
    /// Why, or what is to be done.
    pub detail: String,
}

/// The verdict in words.
pub fn headline(report: &Report) -> Headline {
    let failed = |step: &&Step| step.outcome == Outcome::Failed;
    let (tone, title, detail) = match report.verdict {
        Verdict::Intact => {
            let entries = report.facts.as_ref().map_or(0, |facts| facts.entries);
            let mut detail = format!("{entries} entries verify under keys you trust.");
            if report.is_uncompared() {
                detail.push_str(" Not compared with the checkpoint you kept: see step 6.");
            }
            (Tone::Ok, "Intact".to_owned(), detail)
        }
        Verdict::KeysUnchecked => {
            let detail = "The bundle agrees with itself, and anybody can make one that does. Add keys that you have from \
                          elsewhere.";
            (
                Tone::Caution,
                "Keys unchecked".to_owned(),
                detail.to_owned(),
            )
        }
        Verdict::NotIntact => {
            let first = report.first_failure();
            let why = first.map_or_else(String::new, |(_, failure)| sentence(failure));
            let others = report.steps.iter().filter(failed).count();
            let rest = match others {
                0 | 1 => "Everything else verifies.".to_owned(),
                2 => "One more step fails after it.".to_owned(),
                many => format!("{} more steps fail after it.", many - 1),
            };
            let title = first.map_or_else(
                || "Not intact".to_owned(),
                |(step, _)| format!("Not intact: {}", step.name.title().to_lowercase()),
            );
            (Tone::Alarm, title, format!("{why}. {rest}"))
        }
    };
    Headline {
        tone,
        title,
        detail,
    }
}

/// A failure with a capital letter in front.
pub fn sentence(failure: &Failure) -> String {
    words::capitalised(&failure.to_string())
}

/// How far a check is: "Step 2 of 10".
pub fn progress(step: StepName) -> String {
    format!("Step {} of {}", step.number(), StepName::ALL.len())
}

/// How long a step took. Browsers tell time in steps of up to a millisecond.
pub fn took(ms: f64) -> String {
    if ms < 1.0 {
        "< 1\u{a0}ms".to_owned()
    } else {
        words::delay(ms)
    }
}

/// "186.4 MB".
pub fn size(bytes: f64) -> String {
    if bytes < 1_000.0 {
        words::measure(bytes, 0, "B")
    } else if bytes < 999_950.0 {
        words::measure(bytes / 1_000.0, 1, "kB")
    } else {
        words::measure(bytes / 1_000_000.0, 1, "MB")
    }
}

/// 32 bytes in hex, in groups of four digits, eight to a line.
pub fn hash_lines(hash: &[u8; 32]) -> String {
    let digits = hex::encode(hash);
    let groups: Vec<&str> = (0..16).map(|at| &digits[at * 4..at * 4 + 4]).collect();
    format!("{}\n{}", groups[..8].join(" "), groups[8..].join(" "))
}

/// What the check at a terminal is given besides the bundle, each from a file that the page saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// Keys.
    pub keys: bool,
    /// A checkpoint that was kept.
    pub checkpoint: bool,
    /// A proof that leads from the one tree to the other.
    pub proof: bool,
}

/// The same check at a terminal. A name that a shell would read otherwise is quoted.
pub fn command(file: &str, given: Given) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let file = if file.chars().all(is_plain) && !file.starts_with('-') {
        file.to_owned()
    } else {
        format!("'./{}'", file.replace('\'', r"'\''"))
    };
    let options = [
        (given.keys, "--trust trusted-keys.txt"),
        (given.checkpoint, "--checkpoint checkpoint.txt"),
        (given.proof, "--consistency proof.json"),
    ];
    let options = options.into_iter().filter(|(is_given, _)| *is_given);
    let words: Vec<&str> = iter::once("nooterra verify")
        .chain(options.map(|(_, option)| option))
        .chain(iter::once(file.as_str()))
        .collect();
    words.join(" \\\n  ")
}

/// A checkpoint that the person kept, to see whether the log has told everybody the same since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// As it was signed.
    pub note: String,
    /// Which log's.
    pub origin: String,
    /// Its tree.
    pub tree: TreeHead,
    /// That the larger of its tree and a bundle's begins with the smaller.
    pub proof: Option<KnownProof>,
}

impl Kept {
    /// Reads a signed note. Who signed it is looked at when it is compared with a bundle's.
    pub fn read(note: &str) -> Result<Self, String> {
        // A note ends with a new line, which does not survive every way of copying it.
        let note = format!("{}\n", note.trim());
        let checkpoint = Checkpoint::claimed(&note).map_err(|fault| fault.to_string())?;
        Ok(Self {
            note,
            origin: checkpoint.origin,
            tree: checkpoint.tree,
            proof: None,
        })
    }

    /// What the verifier compares the bundle's checkpoint with.
    pub fn known(&self) -> KnownCheckpoint {
        KnownCheckpoint {
            note: self.note.clone(),
            proof: self.proof.clone(),
        }
    }

    /// From which tree to which a proof must lead for a bundle whose tree has this many entries, if one is needed.
    pub fn way_to(&self, size: u64) -> Option<(u64, u64)> {
        let way = (self.tree.size.min(size), self.tree.size.max(size));
        (way.0 > 0 && way.0 < way.1).then_some(way)
    }

    /// Whether its proof leads there.
    pub fn is_proved_to(&self, size: u64) -> bool {
        let leads = |proof: &KnownProof| (proof.from, proof.to);
        self.way_to(size) == self.proof.as_ref().map(leads)
    }
}

/// Reads a proof as the log gives it.
pub fn proof(text: &str) -> Result<KnownProof, String> {
    let view: ConsistencyView = serde_json::from_str(text)
        .map_err(|_other_json| "This is not what /api/v1/log/proof answers.".to_owned())?;
    KnownProof::try_from(view)
        .map_err(|fault| format!("{}.", words::capitalised(&fault.to_string())))
}

/// The same as a file for the check at a terminal.
pub fn proof_text(proof: &KnownProof) -> Option<String> {
    serde_json::to_string(&ConsistencyView::from(proof)).ok()
}

/// A key that the person trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// "Gateway key", "Log key", "Witness".
    pub sort: &'static str,
    /// Whose, where the key says so.
    pub name: String,
    /// Its first and last digits: what is compared with paper.
    pub short: String,
    /// The line that stands for it.
    pub line: String,
}

/// The keys in `text`, each once.
pub fn trusted_keys(text: &str) -> Result<Vec<TrustedKey>, BadKeys> {
    let trust = Trust::parse(text)?;
    let gateway = trust.gateway.iter().map(|key| {
        let digits = hex::encode(key.as_bytes());
        TrustedKey {
            sort: "Gateway key",
            name: String::new(),
            short: short(&digits),
            line: format!("gateway {digits}"),
        }
    });
    let note = |sort, word: &str, key: &NoteKey| {
        let text = key.to_string();
        let digits = text.rsplit('+').next().unwrap_or_default().to_owned();
        TrustedKey {
            sort,
            name: key.name().to_owned(),
            short: short(&digits),
            line: format!("{word} {text}"),
        }
    };
    let log = trust.log.iter().map(|key| note("Log key", "log", key));
    let witnesses = trust.witnesses.iter();
    let witnesses = witnesses.map(|key| note("Witness", "witness", key));
    let mut keys: Vec<TrustedKey> = Vec::new();
    for key in gateway.chain(log).chain(witnesses) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// The text that stands for `keys`.
pub fn keys_text(keys: &[TrustedKey]) -> String {
    keys.iter().map(|key| key.line.clone() + "\n").collect()
}

/// ASCII only: hex or base64.
fn short(digits: &str) -> String {
    let tail = digits.len().saturating_sub(4);
    match (digits.get(..4), digits.get(tail..)) {
        (Some(head), Some(tail)) if digits.len() > 8 => format!("{head}…{tail}"),
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use ledger::verify::verify;

    use super::*;

    #[test]
    fn a_file_that_is_no_bundle_is_said_to_be_none() {
        let report = verify(b"a picture", &Trust::default(), &mut []);

        let headline = headline(&report);

        assert_eq!(headline.tone, Tone::Alarm);
        assert_eq!(headline.title, "Not intact: unpack");
        let words = "The bundle: this is no evidence bundle, or one of another version. ";
        assert!(headline.detail.starts_with(words), "{}", headline.detail);
    }

    #[test]
    fn keys_are_listed_once_and_read_back_as_they_were_written() {
        let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
        let note = NoteKey::new("log.example", key).unwrap();
        let gateway = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
        let text =
            format!("gateway {gateway} # paper\nlog {note}\nwitness {note}\ngateway {gateway}\n");

        let keys = trusted_keys(&text).unwrap();

        let sorts: Vec<&str> = keys.iter().map(|key| key.sort).collect();
        assert_eq!(sorts, ["Gateway key", "Log key", "Witness"]);
        assert_eq!(keys[0].short, "8a88…6f5c");
        assert_eq!(keys[1].name, "log.example");
        assert_eq!(trusted_keys(&keys_text(&keys)).unwrap(), keys);
        assert_eq!(trusted_keys("gateway 12").unwrap_err().line, 1);
    }

    const ALL: Given = Given {
        keys: true,
        checkpoint: true,
        proof: true,
    };

    #[test]
    fn a_kept_checkpoint_says_which_proof_it_needs() {
        let checkpoint = Checkpoint {
            origin: "log.example".to_owned(),
            tree: TreeHead {
                size: 10,
                root: [7; 32],
            },
        };
        let note = checkpoint.sign(&SigningKey::from_bytes(&[1; 32])).unwrap();

        let mut kept = Kept::read(note.trim_end()).unwrap();

        assert_eq!((kept.tree, &kept.note), (checkpoint.tree, &note));
        let ways = [0, 4, 10, 30].map(|size| kept.way_to(size));
        assert_eq!(ways, [None, Some((4, 10)), None, Some((10, 30))]);
        assert!(!kept.is_proved_to(30));
        kept.proof = Some(proof(r#"{"from":10,"to":30,"hashes":[]}"#).unwrap());
        assert!(kept.is_proved_to(30) && !kept.is_proved_to(4));
        assert!(Kept::read("a shopping list").is_err());
        for text in ["{}", r#"{"from":1,"to":2,"hashes":["AA=="]}"#] {
            assert!(proof(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_command_survives_any_file_name() {
        assert_eq!(
            command("J-48210.nooterra", ALL),
            "nooterra verify \\\n  --trust trusted-keys.txt \\\n  --checkpoint checkpoint.txt \\\n  \
             --consistency proof.json \\\n  J-48210.nooterra"
        );
        for (name, quoted) in [
            ("a b", "'./a b'"),
            ("-x", "'./-x'"),
            ("it's", r"'./it'\''s'"),
        ] {
            let expected = format!("nooterra verify \\\n  {quoted}");
            assert_eq!(command(name, Given::default()), expected);
        }
    }

    #[test]
    fn sizes_and_hashes_are_in_groups_that_can_be_compared() {
        assert_eq!(size(12.0), "12\u{a0}B");
        assert_eq!(size(999_960.0), "1.0\u{a0}MB");
        let lines = hash_lines(&[0xab; 32]);
        assert_eq!(lines.len(), 79);
        assert!(lines.starts_with("abab abab "));
    }
}
