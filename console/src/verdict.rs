//! What a check of a bundle found, in the words of its page; and the keys that a person trusts, as text.

use ledger::{
    log::NoteKey,
    verify::{BadKeys, Failure, Outcome, Report, Step, StepName, Trust, Verdict},
};

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
            let detail = format!("{entries} entries verify under keys you trust.");
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

/// The same check at a terminal. A name that a shell would read otherwise is quoted.
pub fn command(file: &str, has_keys: bool) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let file = if file.chars().all(is_plain) && !file.starts_with('-') {
        file.to_owned()
    } else {
        format!("'./{}'", file.replace('\'', r"'\''"))
    };
    let trust = if has_keys {
        "--trust trusted-keys.txt \\\n  "
    } else {
        ""
    };
    format!("nooterra verify \\\n  {trust}{file}")
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

    #[test]
    fn the_command_survives_any_file_name() {
        assert_eq!(
            command("J-48210.nooterra", true),
            "nooterra verify \\\n  --trust trusted-keys.txt \\\n  J-48210.nooterra"
        );
        for (name, quoted) in [
            ("a b", "'./a b'"),
            ("-x", "'./-x'"),
            ("it's", r"'./it'\''s'"),
        ] {
            let expected = format!("nooterra verify \\\n  {quoted}");
            assert_eq!(command(name, false), expected);
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
