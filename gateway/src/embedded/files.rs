//! Folders and files that only their owner may see, and the end of a log.

use std::{
    fs,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use super::EmbeddedError;

/// As much of a log as a message shows: the last words of a server that failed.
const LAST_WORDS_BYTES: u64 = 1_500;

/// Makes the folder with `mode` unless it is there; what is there keeps its mode.
pub(super) fn folder(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(failed(path))
}

/// Writes a file of mode 0600 in one step: no reader ever sees half of it.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), EmbeddedError> {
    write_in_one_step(path, content).map_err(failed(path))
}

/// The same, for whoever has other words for a failure.
pub(crate) fn write_in_one_step(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let draft = path.with_file_name(name);
    // A draft that a crash left behind may be somebody's with another mode.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

/// A fresh log; the one of the last run is kept beside it, so that logs stay bounded by two runs.
pub(super) fn fresh_log(path: &Path) -> Result<fs::File, EmbeddedError> {
    match fs::rename(path, path.with_extension("log.previous")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed(path)(error));
        }
        Ok(()) | Err(_) => {}
    }
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(failed(path))
}

/// The end of a log, from the start of a line.
pub(super) fn last_words(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS_BYTES)))?;
        let mut end = Vec::new();
        file.take(LAST_WORDS_BYTES).read_to_end(&mut end)?;
        Ok(end)
    };
    match read() {
        Ok(end) => String::from_utf8_lossy(&end).trim_end().to_owned(),
        Err(error) => format!("(the log can't be read: {error})"),
    }
}

/// Names the file in a failure.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    move |source| EmbeddedError::File {
        path: path.to_owned(),
        source,
    }
}
