//! One process per data directory, kept by the kernel: the lock ends with the process, however it ends.

use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{EmbeddedError, files};

/// A process that was killed has its lock taken away within milliseconds; one that asks whether we run holds it for
/// microseconds.
const WITHIN: Duration = Duration::from_secs(1);

/// How often it is tried.
const EVERY: Duration = Duration::from_millis(20);

/// Others pass through the folder on the way to the database's own one; nothing else in it is theirs to read.
const MODE: u32 = 0o711;

/// Makes the folder, and those on the way to it, unless they are there.
pub fn make_data_dir(data_dir: &Path) -> Result<(), EmbeddedError> {
    files::folder(data_dir, MODE)
}

/// The right to use a data directory.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Makes the folder if there is none and takes it for this process alone.
    pub async fn take(data_dir: &Path) -> Result<Self, EmbeddedError> {
        make_data_dir(data_dir)?;
        let path = path(data_dir);
        let mut file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(files::failed(&path))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if began.elapsed() > WITHIN => {
                    return Err(EmbeddedError::InUse {
                        data_dir: data_dir.to_owned(),
                        holder: holder(&mut file),
                    });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(EVERY).await,
                Err(TryLockError::Error(error)) => return Err(files::failed(&path)(error)),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(files::failed(&path))?;
        Ok(Self { _file: file })
    }

    /// Whether a process has the folder just now.
    pub fn is_held(data_dir: &Path) -> bool {
        let Ok(file) = File::open(path(data_dir)) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("gateway.lock")
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.rewind().and_then(|()| file.read_to_string(&mut text)) {
        Ok(length) if length > 0 => text,
        Ok(_) | Err(_) => "of an unknown id".to_owned(),
    }
}
