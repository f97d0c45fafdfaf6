//! The first step: reads the items of a file, one after the other, and compares them with what the manifest lists.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    deterministic,
    event::ActorEvent,
    sealed::{self, Kind, Unverified},
};

use super::{
    align::{Alignment, expected},
    fan,
    fault::Fault,
    report::{EntryName, EntryPlace, Failure, Findings, Outcome, Step, StepName, Subject},
    trust::Keys,
};
use crate::{
    bundle::{About, AttachmentName, Item, ListedEntry, MAGIC, Manifest, Part, item_hash, take},
    log::{Entry, Hash, entry_hash, hash_of_actor_bytes},
};

/// What was read of a file.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    pub(super) manifest: Option<Unverified<Manifest>>,
    pub(super) note: Option<String>,
    pub(super) entries: Vec<ReadEntry>,
    pub(super) attachments: Vec<ReadAttachment>,
    items: Vec<ReadItem>,
    /// Whether the reading ended at bytes that are no item.
    is_cut: bool,
}

/// An entry as it stands in the file, believed by nobody yet.
#[derive(Debug)]
pub(super) struct ReadEntry {
    pub(super) item: usize,
    pub(super) name: EntryName,
    pub(super) leaf_index: u64,
    pub(super) proof: Vec<Hash>,
    pub(super) hash: Hash,
    pub(super) content: Result<Content, Fault>,
}

/// What is inside a sealed entry.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) entry: Unverified<Entry>,
    pub(super) event: Unverified<ActorEvent>,
    pub(super) actor_hash: Hash,
}

impl ReadEntry {
    fn is_as_listed(&self, row: &ListedEntry, about: &About) -> bool {
        // What can't be read says nothing of itself, and is named with the signatures.
        self.content.as_ref().ok().is_none_or(|content| {
            row.leaf_index == self.leaf_index
                && row.stream == content.event.payload.stream
                && row.stream_number == content.entry.payload.stream_number
                && Part::of(&content.event.payload, about) == Some(row.part)
        })
    }

    pub(super) fn failure(&self, fault: Fault) -> Failure {
        Failure {
            item: Some(self.item),
            subject: Subject::Entry(self.name.clone()),
            fault,
        }
    }
}

/// An attachment as it stands in the file.
#[derive(Debug)]
pub(super) struct ReadAttachment {
    pub(super) item: usize,
    pub(super) name: AttachmentName,
    pub(super) salt: [u8; 32],
    pub(super) content: Vec<u8>,
}

/// One item behind the first.
#[derive(Debug)]
pub(super) struct ReadItem {
    pub(super) sort: Sort,
    pub(super) hash: Hash,
}

/// What an item turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Unreadable,
    Manifest,
    Checkpoint,
    /// Its place in `entries`.
    Entry(usize),
    Attachment(AttachmentName),
}

/// One item by itself.
#[derive(Debug)]
struct Read {
    hash: Hash,
    what: What,
}

#[derive(Debug)]
enum What {
    Unreadable,
    Manifest(Box<Unverified<Manifest>>),
    Checkpoint(String),
    Entry {
        hash: Hash,
        leaf_index: u64,
        proof: Vec<Hash>,
        content: Box<Result<Content, Fault>>,
    },
    Attachment {
        name: AttachmentName,
        salt: [u8; 32],
        content: Vec<u8>,
    },
}

impl Read {
    fn parse(bytes: &[u8]) -> Self {
        let what = What::parse(bytes).unwrap_or(What::Unreadable);
        let hash = item_hash(bytes);
        Self { hash, what }
    }
}

impl What {
    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(match deterministic::from_slice(bytes).ok()? {
            Item::Manifest { sealed } => {
                let manifest = sealed::unverified(Kind::Bundle, &sealed).ok()?;
                // Of all items only this one is in no list of hashes: nothing around the signed bytes may be spelled
                // otherwise.
                let again = deterministic::to_vec(&Item::Manifest { sealed }).ok()?;
                (again == bytes).then(|| Self::Manifest(Box::new(manifest)))?
            }
            Item::Checkpoint { note } => Self::Checkpoint(note),
            Item::Entry {
                sealed,
                leaf_index,
                proof,
            } => {
                let (hashes, odd_bytes) = proof.as_chunks::<32>();
                odd_bytes.is_empty().then(|| Self::Entry {
                    hash: entry_hash(&sealed),
                    leaf_index,
                    proof: hashes.to_vec(),
                    content: Box::new(content(&sealed)),
                })?
            }
            Item::Attachment {
                name,
                salt,
                content,
            } => Self::Attachment {
                name,
                salt,
                content,
            },
        })
    }
}

/// Reads a file item by item.
#[derive(Debug)]
pub(super) struct Unpacking<'file> {
    rest: &'file [u8],
    length: usize,
    is_bundle: bool,
    unpacked: Unpacked,
}

impl<'file> Unpacking<'file> {
    pub(super) fn new(file: &'file [u8]) -> Self {
        let behind = file.strip_prefix(MAGIC);
        Self {
            rest: behind.unwrap_or_default(),
            length: file.len(),
            is_bundle: behind.is_some(),
            unpacked: Unpacked::default(),
        }
    }

    /// Bytes read and bytes there are.
    pub(super) const fn progress(&self) -> (usize, usize) {
        (self.length - self.rest.len(), self.length)
    }

    /// Reads at most so many more items. False at the end.
    pub(super) fn read(&mut self, most: usize, threads: usize) -> bool {
        let mut items = Vec::new();
        while items.len() < most && !self.rest.is_empty() {
            let Some((item, rest)) = take(self.rest) else {
                self.unpacked.is_cut = true;
                self.rest = &[];
                break;
            };
            self.rest = rest;
            items.push(item);
        }
        for read in fan::map(&items, threads, |item| Read::parse(item)) {
            self.unpacked.add(read);
        }
        !self.rest.is_empty()
    }

    /// What was read, and the step.
    pub(super) fn finish(mut self, choose: impl Fn(Option<&Manifest>) -> Keys) -> (Unpacked, Step) {
        let mut findings = Findings::default();
        if !self.is_bundle {
            findings.add(Failure {
                item: Some(0),
                subject: Subject::Bundle,
                fault: Fault::NotABundle,
            });
            let summary = "No bundle".to_owned();
            let step =
                findings.into_step(StepName::Unpack, Outcome::Failed, summary, String::new());
            return (self.unpacked, step);
        }
        let keys = choose(self.unpacked.claimed_manifest());
        self.unpacked.compare(&keys, &mut findings);
        let step = self.unpacked.step(findings);
        (self.unpacked, step)
    }
}

impl Unpacked {
    pub(super) fn claimed_manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref().map(|manifest| &manifest.payload)
    }

    fn add(&mut self, Read { hash, what }: Read) {
        // The first item stands before those that are counted here.
        let item = self.items.len() + 1;
        let sort = match what {
            What::Unreadable => Sort::Unreadable,
            What::Manifest(manifest) => {
                self.manifest.get_or_insert(*manifest);
                Sort::Manifest
            }
            What::Checkpoint(note) => {
                self.note.get_or_insert(note);
                Sort::Checkpoint
            }
            What::Entry {
                hash,
                leaf_index,
                proof,
                content,
            } => {
                let content = *content;
                let place = content.as_ref().ok().map(|content| EntryPlace {
                    stream: content.event.payload.stream.clone(),
                    stream_number: content.entry.payload.stream_number,
                    leaf_index,
                    kind: Some(content.event.payload.payload.kind()),
                });
                // Behind the first item, the manifest and the checkpoint.
                let index = item.saturating_sub(3);
                self.entries.push(ReadEntry {
                    item,
                    name: EntryName { index, place },
                    leaf_index,
                    proof,
                    hash,
                    content,
                });
                Sort::Entry(self.entries.len() - 1)
            }
            What::Attachment {
                name,
                salt,
                content,
            } => {
                self.attachments.push(ReadAttachment {
                    item,
                    name,
                    salt,
                    content,
                });
                Sort::Attachment(name)
            }
        };
        self.items.push(ReadItem { sort, hash });
    }

    /// Compares the items with the manifest, one by one.
    fn compare(&mut self, keys: &Keys, findings: &mut Findings) {
        let Some(manifest) = &self.manifest else {
            findings.add(Failure {
                item: Some(1),
                subject: Subject::Manifest,
                fault: Fault::NoManifest,
            });
            return;
        };
        let signed = match keys.gateway.get(&manifest.key) {
            None => Err(Fault::UntrustedKey { key: manifest.key }),
            Some(key) => manifest
                .verify(key.key())
                .map_err(|error| Fault::of_seal(&error)),
        };
        if let Err(fault) = signed {
            findings.add(Failure {
                item: Some(1),
                subject: Subject::Manifest,
                fault,
            });
        }
        let manifest = &manifest.payload;
        let mislabelled = label(manifest, &mut self.entries);
        let expected = expected(manifest);
        let alignment = Alignment::new(&expected, &self.items, &self.entries, self.is_cut);
        alignment.walk(expected, findings);
        for failure in mislabelled {
            findings.add(failure);
        }
    }

    fn step(&self, findings: Findings) -> Step {
        let (entries, attachments) = (self.entries.len(), self.attachments.len());
        let summary = if findings.is_empty() {
            "Passed".to_owned()
        } else {
            format!("{} wrong", findings.count())
        };
        let detail = format!(
            "The manifest lists {entries} entries and {attachments} attachments: all are here, nothing else is"
        );
        findings.into_step(StepName::Unpack, Outcome::Passed, summary, detail)
    }
}

/// Gives the entries the names that the manifest has for them. What it says of some and they don't comes back.
fn label(manifest: &Manifest, entries: &mut [ReadEntry]) -> Vec<Failure> {
    let mut mislabelled = Vec::new();
    let listed: BTreeMap<Hash, usize> = (manifest.entries.iter().enumerate())
        .map(|(index, entry)| (entry.entry_hash, index))
        .collect();
    let present: BTreeSet<Hash> = entries.iter().map(|entry| entry.hash).collect();
    for entry in entries {
        if let Some((&index, row)) = listed
            .get(&entry.hash)
            .and_then(|index| Some((index, manifest.entries.get(*index)?)))
        {
            entry.name.index = index;
            entry.name.place.get_or_insert_with(|| row.place());
            if !entry.is_as_listed(row, &manifest.about) {
                mislabelled.push(entry.failure(Fault::Mislabelled));
            }
            continue;
        }
        // Changed: it goes by the name of the one whose place it has, unless that one is somewhere else.
        let ousted = manifest.entries.get(entry.name.index);
        if let Some(row) = ousted.filter(|row| !present.contains(&row.entry_hash)) {
            let kind = entry.name.place.as_ref().and_then(|place| place.kind);
            entry.name.place = Some(EntryPlace {
                kind,
                ..row.place()
            });
        }
    }
    mislabelled
}

fn content(sealed: &[u8]) -> Result<Content, Fault> {
    let entry = sealed::unverified::<Entry>(Kind::Entry, sealed)
        .map_err(|failure| Fault::of_seal(&failure))?;
    let actor = &entry.payload.actor;
    let event = sealed::unverified(Kind::Event, actor)
        .map_err(|failure| Fault::Malformed(format!("its event: {failure}")))?;
    let actor_hash = hash_of_actor_bytes(actor);
    Ok(Content {
        entry,
        event,
        actor_hash,
    })
}

impl ListedEntry {
    pub(super) fn place(&self) -> EntryPlace {
        EntryPlace {
            stream: self.stream.clone(),
            stream_number: self.stream_number,
            leaf_index: self.leaf_index,
            kind: None,
        }
    }
}
