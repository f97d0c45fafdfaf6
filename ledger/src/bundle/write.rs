//! Writing a bundle: puts the entries in order, takes every item's hash into the manifest and seals that.

use ed25519_dalek::{SigningKey, VerifyingKey};
use protocol::{
    UnixMicros,
    deterministic::{self, CborFailure},
    sealed::{self, Kind, SealFailure},
};

use super::{
    About, AttachmentName, Item, ListedAttachment, ListedEntry, MAGIC, Manifest, Part, PublicKey,
    item_hash, put,
};
use crate::log::{Hash, entry_hash};

/// What goes into a bundle.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What it is about.
    pub about: About,
    /// The gateway's clock.
    pub exported_at: UnixMicros,
    /// Keys that the gateway signed with before its present one.
    pub older_gateway_keys: Vec<VerifyingKey>,
    /// The log's key, as text.
    pub log_key: String,
    /// The signed note that the proofs lead to.
    pub checkpoint: String,
    /// The entries, in any order.
    pub entries: Vec<ProvedEntry>,
    /// What the salted hashes stand for, as far as it is kept and may be handed out.
    pub attachments: Vec<Attachment>,
}

/// A sealed entry and the proof that the log holds it. Nobody looks inside here: an entry that was tampered with is
/// exported as it is, so that whoever verifies the bundle finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedEntry {
    /// Why it is in the bundle.
    pub part: Part,
    /// Its stream.
    pub stream: String,
    /// Its place there.
    pub stream_number: u64,
    /// The bytes that the gateway signed.
    pub sealed: Vec<u8>,
    /// Its place in the log's tree.
    pub leaf_index: u64,
    /// From the leaf's sibling up.
    pub proof: Vec<Hash>,
}

/// Something that the log holds the salted hash of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is.
    pub name: AttachmentName,
    /// "text/plain", "image/jpeg".
    pub media_type: String,
    /// What was hashed before the content.
    pub salt: [u8; 32],
    /// The thing itself.
    pub content: Vec<u8>,
}

/// Why no bundle was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteFailure {
    /// The manifest can't be sealed.
    #[error("the bundle's manifest can't be sealed")]
    Seal(#[from] SealFailure),
    /// An item can't be written.
    #[error("an item of the bundle can't be written")]
    Cbor(#[from] CborFailure),
}

/// The file, its manifest sealed with `gateway`.
pub fn write(parts: Parts, gateway: &SigningKey) -> Result<Vec<u8>, WriteFailure> {
    let mut items = Vec::with_capacity(parts.entries.len() + parts.attachments.len() + 1);
    let checkpoint = deterministic::to_vec(&Item::Checkpoint {
        note: parts.checkpoint,
    })?;
    let mut manifest = Manifest {
        about: parts.about,
        exported_at: parts.exported_at,
        gateway_keys: gateway_keys(gateway, &parts.older_gateway_keys),
        log_key: parts.log_key,
        checkpoint: item_hash(&checkpoint),
        entries: Vec::with_capacity(parts.entries.len()),
        attachments: Vec::with_capacity(parts.attachments.len()),
    };
    items.push(checkpoint);
    let mut entries = parts
        .entries
        .into_iter()
        .map(listed)
        .collect::<Result<Vec<_>, _>>()?;
    entries.sort_by(|(left, _), (right, _)| place(left).cmp(&place(right)));
    for (entry, item) in entries {
        manifest.entries.push(entry);
        items.push(item);
    }
    for attachment in parts.attachments {
        let item = deterministic::to_vec(&Item::Attachment {
            name: attachment.name,
            salt: attachment.salt,
            content: attachment.content,
        })?;
        manifest.attachments.push(ListedAttachment {
            name: attachment.name,
            media_type: attachment.media_type,
            sha256: item_hash(&item),
        });
        items.push(item);
    }
    let sealed = sealed::seal(Kind::Bundle, &manifest, gateway)?;
    let manifest = deterministic::to_vec(&Item::Manifest { sealed })?;
    let mut file = MAGIC.to_vec();
    put(&manifest, &mut file);
    for item in &items {
        put(item, &mut file);
    }
    Ok(file)
}

/// The job's entries first, then its cases', then the keys'; each in the order in which it happened.
fn place(entry: &ListedEntry) -> (Part, &str, u64) {
    (entry.part, &entry.stream, entry.stream_number)
}

fn gateway_keys(present: &SigningKey, older: &[VerifyingKey]) -> Vec<PublicKey> {
    let mut keys = vec![PublicKey(present.verifying_key().to_bytes())];
    keys.extend(older.iter().map(|key| PublicKey(key.to_bytes())));
    keys
}

fn listed(proved: ProvedEntry) -> Result<(ListedEntry, Vec<u8>), WriteFailure> {
    let entry_hash = entry_hash(&proved.sealed);
    let item = deterministic::to_vec(&Item::Entry {
        sealed: proved.sealed,
        leaf_index: proved.leaf_index,
        proof: proved.proof.concat(),
    })?;
    let listed = ListedEntry {
        part: proved.part,
        stream: proved.stream,
        stream_number: proved.stream_number,
        leaf_index: proved.leaf_index,
        entry_hash,
        sha256: item_hash(&item),
    };
    Ok((listed, item))
}
