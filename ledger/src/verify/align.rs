//! Comparing the items of a file with those that its manifest lists, so that each difference has one name.

use std::collections::BTreeSet;

use super::{
    fault::Fault,
    report::{EntryName, Failure, Findings, Subject},
    unpack::{ReadEntry, ReadItem, Sort},
};
use crate::{bundle::Manifest, log::Hash};

/// An item that the manifest lists.
pub(super) struct Expected {
    /// Absent for the manifest, which can't have its own hash.
    hash: Option<Hash>,
    subject: Subject,
}

pub(super) fn expected(manifest: &Manifest) -> Vec<Expected> {
    let mut all = vec![
        Expected {
            hash: None,
            subject: Subject::Manifest,
        },
        Expected {
            hash: Some(manifest.checkpoint),
            subject: Subject::Checkpoint,
        },
    ];
    let entries = manifest.entries.iter().enumerate();
    all.extend(entries.map(|(index, entry)| {
        let place = Some(entry.place());
        Expected {
            hash: Some(entry.sha256),
            subject: Subject::Entry(EntryName { index, place }),
        }
    }));
    all.extend(manifest.attachments.iter().map(|attachment| Expected {
        hash: Some(attachment.sha256),
        subject: Subject::Attachment(attachment.name),
    }));
    all
}

/// Walks along what is listed and what was found, and names what is missing, moved, changed or too much.
pub(super) struct Alignment<'read> {
    found: &'read [ReadItem],
    entries: &'read [ReadEntry],
    listed: BTreeSet<Hash>,
    present: BTreeSet<Hash>,
    /// What was walked past.
    met: BTreeSet<Hash>,
    here: usize,
    /// Whether the reading ended at bytes that are no item, and whether those were named yet.
    is_cut: bool,
    is_cut_named: bool,
}

impl<'read> Alignment<'read> {
    pub(super) fn new(
        expected: &[Expected],
        found: &'read [ReadItem],
        entries: &'read [ReadEntry],
        is_cut: bool,
    ) -> Self {
        Self {
            found,
            entries,
            listed: expected.iter().filter_map(|one| one.hash).collect(),
            present: found.iter().map(|item| item.hash).collect(),
            met: BTreeSet::new(),
            here: 0,
            is_cut,
            is_cut_named: false,
        }
    }

    pub(super) fn walk(mut self, expected: Vec<Expected>, findings: &mut Findings) {
        for one in expected {
            let is_due_later = one.hash.is_some_and(|hash| self.present.contains(&hash));
            if is_due_later {
                self.skip_extra(one.hash, findings);
            }
            let item = self.here + 1;
            if let Some(fault) = self.step(one.hash, is_due_later) {
                findings.add(Failure {
                    item: Some(item),
                    subject: one.subject,
                    fault,
                });
            }
        }
        while let Some(item) = self.found.get(self.here) {
            self.pass(item);
            findings.add(self.extra(item));
        }
        if self.is_cut && !self.is_cut_named {
            findings.add(Failure {
                item: Some(self.here + 1),
                subject: Subject::Item,
                fault: Fault::Unreadable,
            });
        }
    }

    /// What the manifest doesn't know or was met already is too much, as long as what is due comes behind it.
    fn skip_extra(&mut self, due: Option<Hash>, findings: &mut Findings) {
        while let Some(item) = self.found.get(self.here)
            && due != Some(item.hash)
            && (!self.listed.contains(&item.hash) || self.met.contains(&item.hash))
        {
            self.pass(item);
            findings.add(self.extra(item));
        }
    }

    /// What is wrong with the item that stands where the one with the hash `due` is expected.
    fn step(&mut self, due: Option<Hash>, is_due_later: bool) -> Option<Fault> {
        let Some(item) = self.found.get(self.here) else {
            return Some(self.beyond_the_end(is_due_later));
        };
        let fault = match due {
            None => (item.sort != Sort::Manifest).then_some(Fault::NoManifest),
            Some(hash) if hash == item.hash => None,
            Some(_) if is_due_later => Some(Fault::Moved),
            // What stands here is due later: only the one that is due here is gone.
            Some(_) if self.listed.contains(&item.hash) => return Some(Fault::Missing),
            Some(_) if item.sort == Sort::Unreadable => Some(Fault::Unreadable),
            Some(listed) => Some(Fault::Changed {
                listed,
                found: item.hash,
            }),
        };
        self.pass(item);
        fault
    }

    fn beyond_the_end(&mut self, is_due_later: bool) -> Fault {
        if is_due_later {
            return Fault::Moved;
        }
        if !self.is_cut {
            return Fault::Missing;
        }
        if std::mem::replace(&mut self.is_cut_named, true) {
            Fault::BehindDamage
        } else {
            Fault::Unreadable
        }
    }

    fn pass(&mut self, item: &ReadItem) {
        self.met.insert(item.hash);
        self.here += 1;
    }

    /// The item that was just passed.
    fn extra(&self, item: &ReadItem) -> Failure {
        Failure {
            item: Some(self.here),
            subject: item.subject(self.entries),
            fault: Fault::Extra,
        }
    }
}

impl ReadItem {
    pub(super) fn subject(&self, entries: &[ReadEntry]) -> Subject {
        match self.sort {
            Sort::Unreadable => Subject::Item,
            Sort::Manifest => Subject::Manifest,
            Sort::Checkpoint => Subject::Checkpoint,
            Sort::Entry(index) => entries
                .get(index)
                .map_or(Subject::Item, |entry| Subject::Entry(entry.name.clone())),
            Sort::Attachment(name) => Subject::Attachment(name),
        }
    }
}
