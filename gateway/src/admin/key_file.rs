//! Key files that people keep: made once and never replaced, read only while nobody else may read them.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use ed25519_dalek::SigningKey;
use spine::SignerError;
use zeroize::Zeroizing;

/// Bits that let anyone but the owner at the file.
const OTHERS: u32 = 0o077;

/// Makes a key and keeps it in a file that was not there before.
pub(super) fn make(path: &Path) -> Result<SigningKey, SignerError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice())?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed(path))?;
    let written = file
        .write_all(seed.as_slice())
        .and_then(|()| file.sync_all());
    if let Err(source) = written {
        // Half a key would stand in the way of a whole one. What went wrong first is what counts.
        let _removed = fs::remove_file(path);
        return Err(failed(path)(source));
    }
    Ok(SigningKey::from_bytes(&seed))
}

/// The key in a file.
pub(super) fn read(path: &Path) -> Result<SigningKey, SignerError> {
    let file = fs::File::open(path).map_err(failed(path))?;
    let mode = file.metadata().map_err(failed(path))?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(SignerError::OpenToOthers(path.to_owned()));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    // One byte more than a key has, so that a longer file shows.
    file.take(33)
        .read_to_end(&mut bytes)
        .map_err(failed(path))?;
    let seed = <&[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_length| SignerError::NotAKey(path.to_owned()))?;
    Ok(SigningKey::from_bytes(seed))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> SignerError {
    move |source| SignerError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_its_owners_alone_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");

        let key = make(&path).unwrap();
        let again = make(&path);

        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(again, Err(SignerError::File { .. })));
        assert_eq!(read(&path).unwrap(), key);
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        make(&path).unwrap();

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let open = read(&path);
        fs::write(&path, [1; 33]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let long = read(&path);

        assert!(matches!(open, Err(SignerError::OpenToOthers(_))));
        assert!(matches!(long, Err(SignerError::NotAKey(_))));
        assert!(read(&folder.path().join("absent")).is_err());
    }
}
