//! Who signed what stands in the log, and whether each one's own events are whole.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use ed25519_dalek::VerifyingKey;
use jobs::Actor;
use ledger::log::{Entry, hash_of_actor_bytes};
use protocol::{
    PersonId, RobotId, UnixMicros,
    event::{ActorChain, ActorEvent, Payload},
    sealed::{self, KeyId, Kind, Unverified},
};

/// An event as its actor signed it, and when the gateway recorded it.
pub(super) struct Signed {
    pub(super) event: Unverified<ActorEvent>,
    pub(super) recorded_at: UnixMicros,
    hash: [u8; 32],
}

impl Signed {
    pub(super) fn read(entry: &Entry) -> Result<Self> {
        Ok(Self {
            event: sealed::unverified(Kind::Event, &entry.actor)?,
            recorded_at: entry.recorded_at,
            hash: hash_of_actor_bytes(&entry.actor),
        })
    }
}

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    Gateway,
    Session(KeyId, PersonId),
    Robot(KeyId, RobotId),
}

/// Every key that the log binds to somebody.
pub(super) struct Signers(BTreeMap<KeyId, (VerifyingKey, Holder)>);

impl Signers {
    /// The gateway's key, and those that it bound.
    pub(super) fn bound<'log>(
        gateway: &VerifyingKey,
        log: impl IntoIterator<Item = &'log Signed>,
    ) -> Self {
        let mut keys = BTreeMap::from([(KeyId::of(gateway), (*gateway, Holder::Gateway))]);
        for signed in log {
            let (key, public_key, holder) = match &signed.event.payload.payload {
                Payload::SessionKeyBound {
                    person,
                    key,
                    public_key,
                    ..
                } => (*key, public_key, Holder::Session(*key, *person)),
                Payload::RobotKeyBound {
                    robot,
                    key,
                    public_key,
                } => (*key, public_key, Holder::Robot(*key, *robot)),
                _ => continue,
            };
            // Only the gateway binds keys.
            if signed.event.verify(gateway).is_ok()
                && let Ok(public_key) = VerifyingKey::from_bytes(public_key)
            {
                keys.insert(key, (public_key, holder));
            }
        }
        Self(keys)
    }

    /// Who signed it; fails when it was nobody of them.
    fn holder_of(&self, signed: &Signed) -> Result<Holder> {
        let (key, holder) = self
            .0
            .get(&signed.event.key)
            .context("an event under a key that nobody bound")?;
        signed.event.verify(key)?;
        Ok(*holder)
    }

    /// As whom the rules take it.
    pub(super) fn actor_of(&self, signed: &Signed) -> Result<Actor> {
        let event = &signed.event.payload;
        Ok(
            match (self.holder_of(signed)?, event.on_behalf_of, event.acting_as) {
                (Holder::Gateway, None, None) => Actor::Cloud,
                (Holder::Gateway, Some(person), Some(role))
                | (Holder::Session(_, person), None, Some(role)) => Actor::person(role, person),
                (Holder::Robot(_, robot), None, None) => Actor::Robot(robot),
                mixed => bail!("signed and acted as {mixed:?}"),
            },
        )
    }
}

/// How many events each person's and each robot's own chain has.
///
/// Fails when an event is signed by nobody, when a number is missing or stands twice, or when an event does not follow the one
/// before it.
pub(super) fn longest_chains<'log>(
    signers: &Signers,
    log: impl IntoIterator<Item = &'log Signed>,
) -> Result<BTreeMap<Holder, u64>> {
    let mut chains: BTreeMap<Holder, BTreeMap<u64, (&ActorChain, [u8; 32])>> = BTreeMap::new();
    for signed in log {
        let holder = signers.holder_of(signed)?;
        let Some(chain) = &signed.event.payload.chain else {
            ensure!(
                holder == Holder::Gateway,
                "{holder:?} signs without a chain"
            );
            continue;
        };
        let own = chains.entry(holder).or_default();
        let twice = own.insert(chain.number, (chain, signed.hash));
        ensure!(
            twice.is_none(),
            "{holder:?} has two events {}",
            chain.number
        );
    }
    let mut lengths = BTreeMap::new();
    for (holder, chain) in chains {
        let (mut number, mut previous) = (0, [0; 32]);
        for (chain, hash) in chain.values() {
            number += 1;
            ensure!(chain.number == number, "{holder:?} has no event {number}");
            ensure!(
                chain.previous == previous,
                "event {number} of {holder:?} follows another one than the log has"
            );
            previous = *hash;
        }
        lengths.insert(holder, number);
    }
    Ok(lengths)
}
