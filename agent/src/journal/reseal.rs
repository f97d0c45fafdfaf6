//! Takes an event that the gateway will never record out of the robot's chain, so that those behind it are heard.

use protocol::{
    event::{ActorChain, ActorEvent},
    sealed::{self, Kind},
};
use sha2::{Digest as _, Sha256};

use super::{Contents, Journal, JournalFailure, records};

impl Journal {
    /// Puts the event of this number into a file of its own and seals those behind it anew, each one place further up. To
    /// be used only for one that nobody holds, and no one behind it: to them the chain goes on without a gap. Says
    /// whether there was such an event.
    pub fn set_aside(&mut self, number: u64) -> Result<bool, JournalFailure> {
        // What is in memory has forgotten the record before; the file has it.
        let bytes = self.records.read()?;
        let (sealed_records, _) = records::split(&bytes);
        let mut kept: Vec<Vec<u8>> = Vec::with_capacity(sealed_records.len());
        let mut refused = None;
        let mut next = ActorChain {
            number,
            previous: [0; 32],
        };
        for (index, sealed) in sealed_records.into_iter().enumerate() {
            let mut event: ActorEvent =
                sealed::open(Kind::Event, sealed, &self.key.verifying_key())
                    .map_err(|_foreign| JournalFailure::Foreign { record: index + 1 })?;
            let chain = event.chain.filter(|chain| chain.number >= number);
            match chain {
                None => kept.push(sealed.to_vec()),
                Some(chain) if chain.number == number => {
                    next = chain;
                    refused = Some(sealed);
                }
                Some(_) => {
                    event.chain = Some(next);
                    let sealed = sealed::seal(Kind::Event, &event, &self.key)?;
                    next = ActorChain {
                        number: next.number + 1,
                        previous: Sha256::digest(&sealed).into(),
                    };
                    kept.push(sealed);
                }
            }
        }
        let Some(refused) = refused else {
            return Ok(false);
        };
        self.records.keep_aside(refused)?;
        let kept: Vec<&[u8]> = kept.iter().map(Vec::as_slice).collect();
        self.records.replace(&kept)?;
        let bytes = self.records.read()?;
        (self.contents, _) = Contents::parse(&bytes, &self.key.verifying_key())?;
        self.contents.forget_up_to(number - 1);
        Ok(true)
    }
}
