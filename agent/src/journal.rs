//! The robot's signed memory: every event it ever said, in order, on disk before anybody hears of it.
//!
//! One file of records, each a length (four bytes, big endian) and a sealed event. A record counts once it is synced; a torn
//! tail from a power cut is dropped at the next start. What the gateway holds may be forgotten, but for the last
//! record, which the next event's hash builds on.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use ed25519_dalek::SigningKey;
use protocol::{
    RobotId,
    event::{ActorChain, ActorEvent, Payload, robot_stream},
    limits::MAX_SEALED_EVENT_BYTES,
    sealed::{self, Kind},
};
use sha2::{Digest as _, Sha256};

/// Events kept for a gateway that is away. At one a second that is nearly three hours of work.
const MAX_KEPT: usize = 10_000;

/// Once everything is held by the gateway and the file is larger than this, it is written anew.
const REWRITE_OVER_BYTES: u64 = 4 * 1024 * 1024;

/// Why the journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalFailure {
    /// The disk failed.
    #[error("the journal's file failed")]
    Disk(#[from] io::Error),
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

/// The journal, open.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    key: SigningKey,
    robot: RobotId,
    last_number: u64,
    last_sealed: Vec<u8>,
    kept: VecDeque<Kept>,
}

impl Journal {
    /// Opens the journal at `path`, making it if there is none, and drops a torn tail.
    pub fn open(path: &Path, robot: RobotId, key: SigningKey) -> Result<Self, JournalFailure> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (records, whole_bytes) = split(&bytes);
        let mut journal = Self {
            path: path.to_owned(),
            robot,
            last_number: 0,
            last_sealed: Vec::new(),
            kept: VecDeque::new(),
            file,
            key,
        };
        for (index, sealed) in records.into_iter().enumerate() {
            journal.take_in(index + 1, sealed)?;
        }
        if whole_bytes < bytes.len() {
            tracing::warn!("dropped a torn record at the end of the journal");
            journal.file.set_len(whole_bytes as u64)?;
        }
        journal.file.seek(SeekFrom::End(0))?;
        Ok(journal)
    }

    fn take_in(&mut self, record: usize, sealed: &[u8]) -> Result<(), JournalFailure> {
        let verifying = self.key.verifying_key();
        let event: ActorEvent = sealed::open(Kind::Event, sealed, &verifying)
            .map_err(|_foreign| JournalFailure::Foreign { record })?;
        let number = event.chain.map_or(0, |chain| chain.number);
        self.last_number = number;
        self.last_sealed = sealed.to_vec();
        self.kept.push_back(Kept {
            number,
            sealed: sealed.to_vec(),
        });
        Ok(())
    }

    /// Seals `payload` as the robot's next event and syncs it to disk. Returns its number.
    pub fn append(&mut self, payload: Payload) -> Result<u64, JournalFailure> {
        if self.kept.len() >= MAX_KEPT {
            return Err(JournalFailure::Full);
        }
        let number = self.last_number + 1;
        let previous = if self.last_sealed.is_empty() {
            [0; 32]
        } else {
            Sha256::digest(&self.last_sealed).into()
        };
        let event = ActorEvent {
            stream: robot_stream(self.robot),
            chain: Some(ActorChain { number, previous }),
            on_behalf_of: None,
            payload,
        };
        let sealed = sealed::seal(Kind::Event, &event, &self.key)?;
        self.file.write_all(&record(&sealed))?;
        self.file.sync_data()?;
        self.last_number = number;
        self.last_sealed.clone_from(&sealed);
        self.kept.push_back(Kept { number, sealed });
        Ok(number)
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

    /// The gateway holds everything up to `number`.
    pub fn forget_up_to(&mut self, number: u64) -> Result<(), JournalFailure> {
        while self.kept.front().is_some_and(|kept| kept.number <= number) {
            self.kept.pop_front();
        }
        if self.kept.is_empty() && self.file.metadata()?.len() > REWRITE_OVER_BYTES {
            self.rewrite()?;
        }
        Ok(())
    }

    /// Writes a new file with the last record alone and puts it in the old one's place in one step.
    fn rewrite(&mut self) -> Result<(), JournalFailure> {
        let fresh = self.path.with_extension("fresh");
        let mut file = File::create(&fresh)?;
        file.write_all(&record(&self.last_sealed))?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(())
    }
}

fn record(sealed: &[u8]) -> Vec<u8> {
    // Sealed events are bounded far below 4 GiB.
    let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
    let mut record = Vec::with_capacity(4 + sealed.len());
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(sealed);
    record
}

/// The whole records at the start of `bytes`, and how many bytes they take.
fn split(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > MAX_SEALED_EVENT_BYTES || after.len() < length {
            break;
        }
        let (sealed, next) = after.split_at(length);
        records.push(sealed);
        rest = next;
    }
    (records, bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use protocol::CommandId;
    use uuid::Uuid;

    use super::*;

    const ROBOT: RobotId = RobotId(Uuid::from_u128(5));

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn event(number: u128) -> Payload {
        Payload::CommandUnanswered {
            command: CommandId(Uuid::from_u128(number)),
        }
    }

    fn open(path: &Path) -> Journal {
        Journal::open(path, ROBOT, key()).unwrap()
    }

    #[test]
    fn a_reopened_journal_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = open(&path);
        journal.append(event(1)).unwrap();
        journal.append(event(2)).unwrap();
        let second = journal.after(1, 9)[0].clone();
        drop(journal);

        let mut journal = open(&path);
        assert_eq!(journal.append(event(3)).unwrap(), 3);

        let third = &journal.after(2, 9)[0];
        let opened: ActorEvent =
            sealed::open(Kind::Event, &third.sealed, &key().verifying_key()).unwrap();
        let expected: [u8; 32] = Sha256::digest(&second.sealed).into();
        assert_eq!(opened.chain.unwrap().previous, expected);
        assert_eq!(journal.after(0, 9).len(), 3);
    }

    #[test]
    fn a_power_cut_at_any_byte_loses_only_the_record_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = open(&path);
        journal.append(event(1)).unwrap();
        let first_bytes = std::fs::metadata(&path).unwrap().len();
        journal.append(event(2)).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();

        for length in first_bytes..whole.len() as u64 {
            std::fs::write(&path, &whole[..usize::try_from(length).unwrap()]).unwrap();
            let mut journal = open(&path);
            assert_eq!(journal.last_number(), 1, "cut at {length}");
            assert_eq!(journal.append(event(3)).unwrap(), 2);
            drop(journal);
            assert_eq!(open(&path).last_number(), 2);
        }
    }

    #[test]
    fn an_altered_record_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        open(&path).append(event(1)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();

        let opened = Journal::open(&path, ROBOT, key());

        assert!(matches!(opened, Err(JournalFailure::Foreign { record: 1 })));
    }

    #[test]
    fn what_the_gateway_holds_is_forgotten_and_the_chain_survives_the_rewrite() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = open(&path);
        for number in 1..=3 {
            journal.append(event(number)).unwrap();
        }

        journal.forget_up_to(2).unwrap();
        assert_eq!(journal.after(0, 9).len(), 1);
        journal.forget_up_to(3).unwrap();
        journal.rewrite().unwrap();
        drop(journal);

        let mut journal = open(&path);
        assert_eq!(journal.append(event(4)).unwrap(), 4);
    }
}
