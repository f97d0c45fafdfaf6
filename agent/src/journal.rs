//! The robot's signed memory: every event it ever said, in order, on disk before anybody hears of it.
//!
//! One file of records, each a length (four bytes, big endian) and a sealed event. A record counts once it is synced; a torn
//! tail from a power cut is dropped at the next start. What the gateway holds may be forgotten, but for the last
//! record, which the next event's hash builds on, and what `lasting` names.

#[cfg(test)]
pub(crate) mod failing;
mod lasting;
mod records;
mod reseal;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, io, path::Path, time::Instant};

use ed25519_dalek::{SigningKey, VerifyingKey};
use protocol::{
    CommandId, JobId, RobotId,
    event::{ActorChain, ActorEvent, Payload, robot_stream},
    job::job_stream,
    sealed::{self, Kind},
};
use sha2::{Digest as _, Sha256};

use self::{lasting::Lasting, records::Records};
use crate::work::said::Said;

/// Events kept for a gateway that is away. At one a second that is nearly three hours of work.
const MAX_KEPT: usize = 10_000;

/// Once everything is held by the gateway and the file is larger than this, it is written anew.
const REWRITE_OVER_BYTES: u64 = 4 * 1024 * 1024;

/// Why the journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalFailure {
    /// The disk failed.
    #[error("the journal's file failed: {0}")]
    Disk(#[from] io::Error),
    /// An earlier write failed half-way and what it left could not be cut away: a record behind it would be lost.
    #[error("the journal takes nothing until what a failed write left can be cut away: {0}")]
    Torn(#[source] io::Error),
    /// Two agents in one folder would give the same number to two events.
    #[error("another agent runs on this folder")]
    Locked,
    /// Too much is waiting for the gateway.
    #[error("the journal is full: {MAX_KEPT} events wait for the gateway")]
    Full,
    /// The event can't be sealed.
    #[error("the event can't be sealed")]
    Unsealable(#[from] sealed::SealFailure),
    /// A whole record does not open under the robot's key: the file was altered or belongs to another robot.
    #[error("record {record} of the journal is not this robot's")]
    Foreign {
        /// Which one, from 1.
        record: usize,
    },
}

/// An event that waits for the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The robot's own running number of it.
    pub number: u64,
    /// `COSE_Sign1`.
    pub sealed: Vec<u8>,
}

/// Whose history an event of the robot's belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The robot's.
    Own,
    /// A job's.
    Job(JobId),
}

/// What a journal says, without the file.
#[derive(Debug, Default)]
pub struct Contents {
    last_number: u64,
    last_sealed: Vec<u8>,
    kept: VecDeque<Kept>,
    lasting: Lasting,
}

impl Contents {
    /// Reads the journal at `path` and leaves it as it is, also while an agent writes to it.
    pub fn read(path: &Path, key: &VerifyingKey) -> Result<Self, JournalFailure> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self::parse(&bytes, key)?.0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// The whole records at the start of `bytes`, and how many bytes they take.
    fn parse(bytes: &[u8], key: &VerifyingKey) -> Result<(Self, usize), JournalFailure> {
        let (records, whole_bytes) = records::split(bytes);
        let mut contents = Self::default();
        for (index, sealed) in records.into_iter().enumerate() {
            let event: ActorEvent = sealed::open(Kind::Event, sealed, key)
                .map_err(|_foreign| JournalFailure::Foreign { record: index + 1 })?;
            contents.take_in(&event, sealed.to_vec());
        }
        Ok((contents, whole_bytes))
    }

    fn take_in(&mut self, event: &ActorEvent, sealed: Vec<u8>) {
        let number = event.chain.map_or(0, |chain| chain.number);
        self.lasting.take_in(number, event, &sealed);
        self.last_number = number;
        self.last_sealed.clone_from(&sealed);
        self.kept.push_back(Kept { number, sealed });
    }

    /// Highest number given so far.
    pub const fn last_number(&self) -> u64 {
        self.last_number
    }

    /// Events after `number` that still wait, oldest first, at most `limit`.
    pub fn after(&self, number: u64, limit: usize) -> Vec<Kept> {
        let waiting = self.kept.iter().filter(|kept| kept.number > number);
        waiting.take(limit).cloned().collect()
    }

    /// Orders that were accepted and whose end was not told, oldest first.
    pub fn open_orders(&self) -> Vec<CommandId> {
        self.lasting.open_orders()
    }

    fn forget_up_to(&mut self, number: u64) {
        while self.kept.front().is_some_and(|kept| kept.number <= number) {
            self.kept.pop_front();
        }
    }

    /// What has to stay in the file, whatever the gateway holds. The last record stands last.
    fn lasting(&self) -> Vec<&[u8]> {
        let records = self.lasting.records().into_iter();
        records
            .filter(|sealed| *sealed != self.last_sealed)
            .chain([self.last_sealed.as_slice()])
            .collect()
    }
}

/// The journal, open.
#[derive(Debug)]
pub struct Journal {
    records: Records,
    key: SigningKey,
    robot: RobotId,
    contents: Contents,
}

impl Journal {
    /// Opens the journal at `path` for this agent alone, making it if there is none, and drops a torn tail.
    pub fn open(path: &Path, robot: RobotId, key: SigningKey) -> Result<Self, JournalFailure> {
        let (mut records, bytes) = Records::open(path)?;
        let (contents, whole_bytes) = Contents::parse(&bytes, &key.verifying_key())?;
        if whole_bytes < bytes.len() {
            tracing::warn!("dropped a torn record at the end of the journal");
            records.cut(whole_bytes as u64)?;
        }
        Ok(Self {
            records,
            key,
            robot,
            contents,
        })
    }

    /// Seals `payload` as the robot's next event, for that history, and syncs it to disk. Returns its number.
    pub fn append(&mut self, stream: Stream, payload: Payload) -> Result<u64, JournalFailure> {
        if self.contents.kept.len() >= MAX_KEPT {
            return Err(JournalFailure::Full);
        }
        let number = self.contents.last_number + 1;
        let previous = if self.contents.last_sealed.is_empty() {
            [0; 32]
        } else {
            Sha256::digest(&self.contents.last_sealed).into()
        };
        let event = ActorEvent {
            stream: match stream {
                Stream::Own => robot_stream(self.robot),
                Stream::Job(job) => job_stream(job),
            },
            chain: Some(ActorChain { number, previous }),
            on_behalf_of: None,
            acting_as: None,
            payload,
        };
        let began = Instant::now();
        let sealed = sealed::seal(Kind::Event, &event, &self.key)?;
        let sealed_us = began.elapsed().as_micros();
        self.records.append(&sealed)?;
        let written_us = began.elapsed().as_micros();
        let kind = event.payload.kind();
        tracing::debug!(kind, sealed_us, written_us, "wrote an event down");
        self.contents.take_in(&event, sealed);
        Ok(number)
    }

    /// Highest number given so far.
    pub const fn last_number(&self) -> u64 {
        self.contents.last_number()
    }

    /// Events after `number` that still wait, oldest first, at most `limit`.
    pub fn after(&self, number: u64, limit: usize) -> Vec<Kept> {
        self.contents.after(number, limit)
    }

    /// Orders that were accepted and whose end was not told, oldest first.
    pub fn open_orders(&self) -> Vec<CommandId> {
        self.contents.open_orders()
    }

    /// What the robot has said of its latest job.
    pub fn said(&self) -> Option<Said> {
        self.contents.lasting.said()
    }

    /// The gateway holds everything up to `number`.
    pub fn forget_up_to(&mut self, number: u64) -> Result<(), JournalFailure> {
        self.contents.forget_up_to(number);
        if self.contents.kept.is_empty() && self.records.length() > REWRITE_OVER_BYTES {
            self.rewrite()?;
        }
        Ok(())
    }

    fn rewrite(&mut self) -> Result<(), JournalFailure> {
        self.records.replace(&self.contents.lasting())
    }
}
