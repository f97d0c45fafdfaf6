//! A disk that fails when a test says so.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom},
    path::Path,
    sync::{Arc, Mutex},
};

use super::{Journal, records::Disk};

/// What the disk does wrong from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It is full: half of what is written finds room.
    Full,
    /// It takes everything and says that nothing is safe.
    Unsynced,
    /// It is full, and does not even cut.
    Stuck,
}

/// Chooses the fault of a disk that is in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Fault>>);

impl Faults {
    pub(crate) fn set(&self, fault: Fault) {
        *self.0.lock().unwrap() = fault;
    }

    fn get(&self) -> Fault {
        *self.0.lock().unwrap()
    }
}

#[derive(Debug)]
struct FailingDisk {
    file: File,
    faults: Faults,
}

impl Disk for FailingDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if matches!(self.faults.get(), Fault::Full | Fault::Stuck) {
            Disk::write(&mut self.file, &bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        Disk::write(&mut self.file, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.faults.get() == Fault::Unsynced {
            return Err(io::Error::other("not synced"));
        }
        Disk::sync(&mut self.file)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.faults.get() == Fault::Stuck {
            return Err(io::Error::other("not cut"));
        }
        Disk::cut(&mut self.file, length)
    }
}

/// Puts `journal`, whose file is at `path`, on a disk that fails as `faults` say.
pub(crate) fn put_on_failing_disk(journal: &mut Journal, path: &Path, faults: &Faults) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    journal.records.disk = Box::new(FailingDisk {
        file,
        faults: faults.clone(),
    });
}
