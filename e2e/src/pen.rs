//! Somebody who signs with a key of their own, each event behind the one before.

use anyhow::Result;
use ed25519_dalek::SigningKey;
use ledger::log::hash_of_actor_bytes;
use protocol::{
    event::{ActorChain, ActorEvent, Payload},
    sealed::{self, KeyId, Kind},
    views::Role,
};

/// A key and where its events stand.
#[derive(Debug)]
pub struct Pen {
    key: SigningKey,
    number: u64,
    previous: [u8; 32],
}

impl Pen {
    /// A key that has sealed nothing.
    pub const fn new(key: SigningKey) -> Self {
        Self {
            key,
            number: 0,
            previous: [0; 32],
        }
    }

    /// The key.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.key.verifying_key())
    }

    /// The number of the event that was sealed last.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The next event, sealed.
    pub fn seal(
        &mut self,
        stream: String,
        acting_as: Option<Role>,
        payload: Payload,
    ) -> Result<Vec<u8>> {
        let event = ActorEvent {
            stream,
            chain: Some(ActorChain {
                number: self.number + 1,
                previous: self.previous,
            }),
            on_behalf_of: None,
            acting_as,
            payload,
        };
        let sealed = sealed::seal(Kind::Event, &event, &self.key)?;
        self.number += 1;
        self.previous = hash_of_actor_bytes(&sealed);
        Ok(sealed)
    }
}
