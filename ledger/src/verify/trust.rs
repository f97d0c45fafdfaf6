//! What the reader brings along: keys from elsewhere than the bundle, and a checkpoint that they saw before.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use protocol::{sealed::KeyId, signature::PreparedKey, views::ConsistencyView};

use crate::{
    bundle::Manifest,
    log::{Hash, KeyFault, NoteKey},
};

/// What the reader knows from elsewhere than the bundle.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Keys of the gateway, present and former.
    pub gateway: Vec<VerifyingKey>,
    /// Keys of the log.
    pub log: Vec<NoteKey>,
    /// Keys of those who countersign checkpoints.
    pub witnesses: Vec<NoteKey>,
    /// A checkpoint that was seen before.
    pub known: Option<KnownCheckpoint>,
}

/// A checkpoint from elsewhere, to compare with the bundle's.
#[derive(Debug, Clone)]
pub struct KnownCheckpoint {
    /// The signed note.
    pub note: String,
    /// That the larger of the two trees begins with the smaller. Not needed where they have the same size.
    pub proof: Option<KnownProof>,
}

/// A proof (RFC 9162) that one tree begins with another. Who gave it does not matter: it holds or it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProof {
    /// Leaves of the earlier tree.
    pub from: u64,
    /// Leaves of the later tree.
    pub to: u64,
    /// What is hashed together.
    pub hashes: Vec<Hash>,
}

/// The text is not what `/api/v1/log/proof` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proof is 32 bytes in base64 for each of its hashes")]
pub struct NoProof;

impl TryFrom<ConsistencyView> for KnownProof {
    type Error = NoProof;

    fn try_from(view: ConsistencyView) -> Result<Self, NoProof> {
        let hash = |text: &String| {
            let bytes = BASE64_STANDARD.decode(text).ok()?;
            bytes.try_into().ok()
        };
        let hashes = view.hashes.iter().map(hash).collect::<Option<_>>();
        Ok(Self {
            from: view.from,
            to: view.to,
            hashes: hashes.ok_or(NoProof)?,
        })
    }
}

impl From<&KnownProof> for ConsistencyView {
    fn from(proof: &KnownProof) -> Self {
        let hashes = proof.hashes.iter();
        Self {
            from: proof.from,
            to: proof.to,
            hashes: hashes.map(|hash| BASE64_STANDARD.encode(hash)).collect(),
        }
    }
}

/// Why a list of keys can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct BadKeys {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: BadKey,
}

/// What can be wrong with a line of a list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It begins with none of the words.
    #[error("a line is `gateway <64 hex digits>`, `log <name+id+key>` or `witness <name+id+key>`")]
    Form,
    /// The gateway's key isn't one.
    #[error("the gateway's key is not an Ed25519 key in 64 hex digits")]
    Gateway,
    /// The note's key isn't one.
    #[error(transparent)]
    Note(#[from] KeyFault),
}

impl Trust {
    /// Reads keys, one a line: `gateway <hex>`, `log <name+id+key>`, `witness <name+id+key>`. What follows a `#` means nothing.
    pub fn parse(text: &str) -> Result<Self, BadKeys> {
        let mut trust = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                trust.add(line).map_err(|fault| BadKeys {
                    line: index + 1,
                    fault,
                })?;
            }
        }
        Ok(trust)
    }

    fn add(&mut self, line: &str) -> Result<(), BadKey> {
        let (word, key) = line.split_once(char::is_whitespace).ok_or(BadKey::Form)?;
        let key = key.trim();
        match word {
            "gateway" => self.gateway.push(gateway_key(key).ok_or(BadKey::Gateway)?),
            "log" => self.log.push(key.parse()?),
            "witness" => self.witnesses.push(key.parse()?),
            _ => return Err(BadKey::Form),
        }
        Ok(())
    }

    /// Whether it takes nobody's word.
    pub const fn is_complete(&self) -> bool {
        !self.gateway.is_empty() && !self.log.is_empty()
    }
}

fn gateway_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = hex::decode(text).ok()?.try_into().ok()?;
    verifying_key(&bytes)
}

/// The key of these bytes, unless anybody could sign for it.
pub(super) fn verifying_key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes)
        .ok()
        .filter(|key| !key.is_weak())
}

/// Keys that came in a bundle and are made ready for many signatures: a gateway has had a few in its life.
const MOST_PREPARED: usize = 8;

/// The keys to check with: the reader's, or in their absence the bundle's own.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) gateway: BTreeMap<KeyId, PreparedKey>,
    pub(super) is_gateway_trusted: bool,
}

impl Keys {
    pub(super) fn choose(trust: &Trust, manifest: Option<&Manifest>) -> Self {
        let is_gateway_trusted = !trust.gateway.is_empty();
        let keys = if is_gateway_trusted {
            trust.gateway.clone()
        } else {
            let claimed = manifest
                .into_iter()
                .flat_map(|manifest| &manifest.gateway_keys);
            claimed.filter_map(|key| verifying_key(&key.0)).collect()
        };
        // It sealed every entry, and some of the events in them. Keys that nobody vouches for may be any number.
        let signatures = manifest
            .filter(|_| is_gateway_trusted || keys.len() <= MOST_PREPARED)
            .map_or(0, |manifest| manifest.entries.len());
        let prepare = |key| (KeyId::of(&key), PreparedKey::new(key, signatures));
        Self {
            gateway: keys.into_iter().map(prepare).collect(),
            is_gateway_trusted,
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;

    #[test]
    fn a_list_of_keys_may_have_remarks_and_empty_lines() {
        let key = SigningKey::from_bytes(&[1; 32]).verifying_key();
        let note_key = NoteKey::new("log.example", key).unwrap();
        let gateway = hex::encode(key.as_bytes());

        let trust = Trust::parse(&format!(
            "# from the paper\n\n  gateway\t{gateway} # ours\nlog {note_key}\nwitness {note_key}\r\n"
        ))
        .unwrap();

        assert_eq!(trust.gateway, [key]);
        assert_eq!(trust.log, std::slice::from_ref(&note_key));
        assert_eq!(trust.witnesses, [note_key]);
        assert!(trust.is_complete());
        assert!(!Trust::parse("").unwrap().is_complete());
    }

    #[test]
    fn a_line_that_is_no_key_is_named() {
        for (text, fault) in [
            ("nonsense", BadKey::Form),
            ("robot 00", BadKey::Form),
            ("gateway 00", BadKey::Gateway),
            // The neutral point: anybody can sign for it.
            (
                "gateway 0100000000000000000000000000000000000000000000000000000000000000",
                BadKey::Gateway,
            ),
            ("log x", BadKey::Note(KeyFault::Form)),
        ] {
            let refused = Trust::parse(&format!("# keys\n{text}")).unwrap_err();

            assert_eq!(refused, BadKeys { line: 2, fault }, "{text}");
        }
    }
}
