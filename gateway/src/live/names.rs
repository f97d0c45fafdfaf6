//! What people are called: asked for once. Nobody is renamed, and an id is given to nobody else.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use protocol::PersonId;

/// Names that are remembered, some 100 bytes each. When there are more, all are forgotten and asked for once again.
const MOST: usize = 16_384;

/// Names of people that this process has read.
#[derive(Debug, Default)]
pub struct PeopleNames(Mutex<BTreeMap<PersonId, String>>);

impl PeopleNames {
    /// Those of `people` that are known, and who is not.
    pub fn known(&self, people: &[PersonId]) -> (BTreeMap<PersonId, String>, Vec<PersonId>) {
        let names = self.names();
        let (mut known, mut unknown) = (BTreeMap::new(), Vec::new());
        for person in people {
            match names.get(person) {
                Some(name) => drop(known.insert(*person, name.clone())),
                None => unknown.push(*person),
            }
        }
        (known, unknown)
    }

    /// Remembers names that were read.
    pub fn remember(&self, read: &BTreeMap<PersonId, String>) {
        let mut names = self.names();
        if names.len() + read.len() > MOST {
            names.clear();
        }
        names.extend(read.iter().map(|(person, name)| (*person, name.clone())));
    }

    fn names(&self) -> MutexGuard<'_, BTreeMap<PersonId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
