//! The second step: who sealed each entry and who each event, and whose the keys are by the bindings in the bundle.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    PersonId, RobotId, UnixMicros,
    event::{Payload, person_stream, robot_stream},
    sealed::KeyId,
    signature::PreparedKey,
};

use super::{
    fan,
    fault::Fault,
    report::{Findings, Outcome, Step, StepName},
    trust::{Keys, verifying_key},
    unpack::{Content, ReadEntry, Unpacked},
};

/// Who caused an event, as far as its signature proves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The gateway, for itself.
    Cloud,
    /// The gateway, on behalf of a person who signed nothing.
    CloudFor(PersonId),
    /// A robot, by its own key.
    Robot(RobotId),
    /// A person, by the key of their browser's session.
    Person(PersonId),
}

/// A key and whose it is.
#[derive(Debug, Clone)]
struct Binding {
    holder: Actor,
    key: PreparedKey,
    leaf_index: u64,
    /// Robots' keys have no end.
    expires_at: Option<UnixMicros>,
}

/// The end of a key.
#[derive(Debug, Clone, Copy)]
struct Ending {
    leaf_index: u64,
    recorded_at: UnixMicros,
}

/// Checks one signature after the other.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    /// The next entry of the first round: what the gateway sealed.
    by_gateway: usize,
    /// Entries whose events others sealed.
    by_others: Vec<usize>,
    next_other: usize,
    bindings: BTreeMap<KeyId, Vec<Binding>>,
    endings: BTreeMap<KeyId, Ending>,
    /// Who caused each entry's event; none where that is not believed.
    actors: Vec<Option<Actor>>,
    findings: Findings,
}

impl Signatures {
    /// Entries checked and entries there are.
    pub(super) fn progress(&self, unpacked: &Unpacked) -> (usize, usize) {
        let waiting = self.by_others.len() - self.next_other;
        (
            self.by_gateway.saturating_sub(waiting),
            unpacked.entries.len(),
        )
    }

    /// Checks at most so many more entries. False at the end.
    pub(super) fn check(
        &mut self,
        unpacked: &Unpacked,
        keys: &Keys,
        most: usize,
        threads: usize,
    ) -> bool {
        let waiting = &unpacked.entries[self.by_gateway..];
        if !waiting.is_empty() {
            let slice = &waiting[..most.min(waiting.len())];
            let checked = fan::map(slice, threads, |entry| gateway_sealed(entry, keys));
            for (entry, sealer) in slice.iter().zip(checked) {
                let actor = self.take_gateway(entry, sealer);
                self.actors.push(actor);
                self.by_gateway += 1;
            }
            return true;
        }
        // By now every binding is known, wherever it stood.
        if self.next_other == 0 {
            self.prepare_keys(unpacked);
        }
        let waiting = &self.by_others[self.next_other..];
        let slice = &waiting[..most.min(waiting.len())];
        let checked = fan::map(slice, threads, |&index| {
            (index, self.check_other(&unpacked.entries[index]))
        });
        self.next_other += checked.len();
        for (index, actor) in checked {
            match actor {
                Ok(actor) => self.actors[index] = Some(actor),
                Err(fault) => self.findings.add(unpacked.entries[index].failure(fault)),
            }
        }
        self.next_other < self.by_others.len()
    }

    /// Makes every key ready for as many signatures as claim to be of it.
    fn prepare_keys(&mut self, unpacked: &Unpacked) {
        let mut signatures: BTreeMap<KeyId, usize> = BTreeMap::new();
        for &index in &self.by_others {
            if let Ok(content) = &unpacked.entries[index].content {
                *signatures.entry(content.event.key).or_default() += 1;
            }
        }
        for (name, bindings) in &mut self.bindings {
            let signatures = signatures.get(name).copied().unwrap_or_default();
            // Bindings of one name are of one key: the first stands for all.
            if let Some(first) = bindings.first_mut() {
                first.key = PreparedKey::new(*first.key.key(), signatures);
            }
        }
    }

    /// The actor, if the gateway is it. Others' events wait for the second round.
    fn take_gateway(
        &mut self,
        entry: &ReadEntry,
        sealer: Result<Sealer<'_>, Fault>,
    ) -> Option<Actor> {
        let taken = sealer.and_then(|sealer| match sealer {
            Sealer::Other => {
                self.by_others.push(self.by_gateway);
                Ok(None)
            }
            Sealer::Gateway(content) => {
                if self.take_binding(entry.leaf_index, content)? {
                    // Whose a key is, the gateway says: nobody asked it to.
                    return Ok(Some(Actor::Cloud));
                }
                let person = content.event.payload.on_behalf_of;
                Ok(Some(person.map_or(Actor::Cloud, Actor::CloudFor)))
            }
        });
        taken.unwrap_or_else(|fault| {
            self.findings.add(entry.failure(fault));
            None
        })
    }

    /// False for an event that is not about a key.
    fn take_binding(&mut self, leaf_index: u64, content: &Content) -> Result<bool, Fault> {
        let event = &content.event.payload;
        let (name, public_key, holder, stream, expires_at) = match &event.payload {
            Payload::RobotKeyBound {
                robot,
                key,
                public_key,
            } => {
                let stream = robot_stream(*robot);
                (key, public_key, Actor::Robot(*robot), stream, None)
            }
            Payload::SessionKeyBound {
                person,
                key,
                public_key,
                expires_at,
            } => {
                let stream = person_stream(*person);
                let holder = Actor::Person(*person);
                (key, public_key, holder, stream, Some(*expires_at))
            }
            Payload::SessionKeyEnded { person, key } => {
                if event.stream != person_stream(*person) {
                    return Err(Fault::BadBinding("it stands in another's stream"));
                }
                let recorded_at = content.entry.payload.recorded_at;
                // The first end counts.
                self.endings.entry(*key).or_insert(Ending {
                    leaf_index,
                    recorded_at,
                });
                return Ok(true);
            }
            _any_other => return Ok(false),
        };
        let key = verifying_key(public_key).ok_or(Fault::BadBinding("it is no key"))?;
        if KeyId::of(&key) != *name {
            return Err(Fault::BadBinding("the key's name is another key's"));
        }
        if event.stream != stream {
            return Err(Fault::BadBinding("it stands in another's stream"));
        }
        let known = self.bindings.entry(*name).or_default();
        if known.iter().any(|binding| binding.holder != holder) {
            return Err(Fault::BadBinding("the key is somebody else's already"));
        }
        known.push(Binding {
            holder,
            key: PreparedKey::new(key, 0),
            leaf_index,
            expires_at,
        });
        Ok(true)
    }

    /// The actor of an event that the gateway didn't seal.
    fn check_other(&self, entry: &ReadEntry) -> Result<Actor, Fault> {
        let leaf_index = entry.leaf_index;
        let content = entry.content.as_ref().map_err(Clone::clone)?;
        let key = content.event.key;
        let event = &content.event.payload;
        let recorded_at = content.entry.payload.recorded_at;
        let bindings = self.bindings.get(&key).map_or(&[][..], Vec::as_slice);
        let any = bindings.first().ok_or(Fault::UnboundKey { key })?;
        let signed = content.event.verify_as_named(&any.key);
        signed.map_err(|_mismatch| Fault::BadActorSignature)?;
        let mut earlier = bindings
            .iter()
            .filter(|binding| binding.leaf_index < leaf_index)
            .peekable();
        earlier.peek().ok_or(Fault::BoundLater)?;
        let is_open = |binding: &Binding| binding.expires_at.is_none_or(|end| recorded_at < end);
        if !earlier.any(is_open) {
            return Err(Fault::ExpiredKey);
        }
        let has_ended = self
            .endings
            .get(&key)
            .is_some_and(|end| end.leaf_index < leaf_index && end.recorded_at < recorded_at);
        if has_ended {
            return Err(Fault::EndedKey);
        }
        if event.on_behalf_of.is_some() {
            return Err(Fault::OnBehalf);
        }
        if matches!(any.holder, Actor::Robot(_)) && event.acting_as.is_some() {
            return Err(Fault::RobotInRole);
        }
        Ok(any.holder)
    }

    /// Who caused each event, and the step.
    pub(super) fn finish(self, keys: &Keys) -> (Vec<Option<Actor>>, Step) {
        let believed = self.actors.iter().flatten().count();
        let summary = format!("{believed} of {}", self.actors.len());
        let mut detail = signers(self.actors.iter().flatten().copied());
        let outcome = if keys.is_gateway_trusted {
            Outcome::Passed
        } else {
            detail.push_str(". The gateway's key came inside the bundle, which proves nothing");
            Outcome::Weak
        };
        let step = (self.findings).into_step(StepName::Signatures, outcome, summary, detail);
        (self.actors, step)
    }
}

/// Who sealed the event inside an entry.
enum Sealer<'entry> {
    Gateway(&'entry Content),
    /// Nobody has checked by whom.
    Other,
}

/// Whether the gateway sealed the entry, and the event in it if that is its own.
fn gateway_sealed<'entry>(entry: &'entry ReadEntry, keys: &Keys) -> Result<Sealer<'entry>, Fault> {
    let content = entry.content.as_ref().map_err(Clone::clone)?;
    let key = content.entry.key;
    let gateway = (keys.gateway.get(&key)).ok_or(Fault::UntrustedKey { key })?;
    let sealed = content.entry.verify_as_named(gateway);
    sealed.map_err(|failure| Fault::of_seal(&failure))?;
    let Some(key) = keys.gateway.get(&content.event.key) else {
        return Ok(Sealer::Other);
    };
    let sealed = content.event.verify_as_named(key);
    sealed.map_err(|_mismatch| Fault::BadActorSignature)?;
    Ok(Sealer::Gateway(content))
}

/// "Ed25519, strict. Signed by 1 robot, 2 people, the cloud; 5 recorded by the cloud on behalf of 2 people".
fn signers(actors: impl Iterator<Item = Actor> + Clone) -> String {
    let distinct: BTreeSet<Actor> = actors.clone().collect();
    let count = |is_one: fn(&Actor) -> bool| distinct.iter().filter(|actor| is_one(actor)).count();
    let robots = count(|actor| matches!(actor, Actor::Robot(_)));
    let people = count(|actor| matches!(actor, Actor::Person(_)));
    let mut words = format!(
        "Ed25519, strict. Signed by {}, {}, the cloud",
        counted(robots, "robot", "robots"),
        counted(people, "person", "people")
    );
    let principals = count(|actor| matches!(actor, Actor::CloudFor(_)));
    if principals > 0 {
        let recorded = actors.filter(|actor| matches!(actor, Actor::CloudFor(_)));
        let principals = counted(principals, "person", "people");
        let recorded = counted(recorded.count(), "event", "events");
        words = format!("{words}; {recorded} recorded by the cloud on behalf of {principals}");
    }
    words
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
