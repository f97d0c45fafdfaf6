//! The journal's file: records that are whole or not there, whatever the disk does, and one agent at a time.

use std::{
    fmt::Debug,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use protocol::limits::MAX_SEALED_EVENT_BYTES;

use super::JournalFailure;

/// Refused events are a fault of somebody's; a few thousand of them say what there is to say.
const MOST_ASIDE_BYTES: u64 = 1024 * 1024;

/// What is asked of a file.
pub(super) trait Disk: Debug + Send {
    /// Writes on from where the last write or cut ended.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything that was written survives a power cut.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts everything after `length` bytes away; the next write goes there.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Disk for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }
}

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct Records {
    path: PathBuf,
    pub(super) disk: Box<dyn Disk>,
    /// Bytes of whole, synced records.
    length: u64,
    /// Something of a record that failed may stand behind them.
    is_torn: bool,
    /// A file that was just made or put in place has no synced name yet.
    owes_folder_sync: bool,
    /// Held as long as the records are; closing the file gives it back.
    _lock: File,
}

impl Records {
    /// Opens the file at `path` for this agent alone, making it if there is none. The bytes that it holds come with it.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<u8>), JournalFailure> {
        let lock = lock(path)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let records = Self {
            path: path.to_owned(),
            disk: Box::new(file),
            length: bytes.len() as u64,
            is_torn: false,
            owes_folder_sync: true,
            _lock: lock,
        };
        Ok((records, bytes))
    }

    /// Bytes of the file.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Drops what stands behind the first `length` bytes.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.cut(length)?;
        self.length = length;
        Ok(())
    }

    /// Writes a record and syncs it. After a failure the file is as before, or takes nothing until it can be made so.
    pub(super) fn append(&mut self, sealed: &[u8]) -> Result<(), JournalFailure> {
        if self.is_torn {
            self.disk.cut(self.length).map_err(JournalFailure::Torn)?;
            self.is_torn = false;
        }
        if self.owes_folder_sync {
            self.sync_folder()?;
        }
        let record = record(sealed);
        let written = self.disk.write(&record).and_then(|()| self.disk.sync());
        match written {
            Ok(()) => {
                self.length += record.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.is_torn = self.disk.cut(self.length).is_err();
                Err(error.into())
            }
        }
    }

    /// Writes a new file with these records alone and puts it in the old one's place in one step.
    pub(super) fn replace(&mut self, sealed: &[&[u8]]) -> Result<(), JournalFailure> {
        let fresh = self.path.with_extension("fresh");
        let bytes: Vec<u8> = sealed.iter().flat_map(|sealed| record(sealed)).collect();
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        // From here on the fresh file is the journal, whatever else fails.
        self.disk = Box::new(file);
        self.length = bytes.len() as u64;
        self.is_torn = false;
        self.owes_folder_sync = true;
        Ok(self.sync_folder()?)
    }

    /// The whole records that the file holds.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(&self.path)?
            .take(self.length)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes a record into a file beside, for people to look at. The oldest stay: they tell what went wrong first.
    pub(super) fn keep_aside(&self, sealed: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path.with_extension("refused"))?;
        if file.metadata()?.len() < MOST_ASIDE_BYTES {
            file.write_all(&record(sealed))?;
            file.sync_all()?;
        }
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.owes_folder_sync = false;
        Ok(())
    }
}

/// The lock is a file of its own: the journal's is replaced from time to time, and its locks with it.
fn lock(path: &Path) -> Result<File, JournalFailure> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path.with_extension("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalFailure::Locked),
        Err(TryLockError::Error(error)) => Err(error.into()),
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
pub(super) fn split(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
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
