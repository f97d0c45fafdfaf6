//! A key of our own: made once, kept in a file that only its owner reads, never shown.

use std::{
    fmt, fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use ed25519_dalek::{SigningKey, VerifyingKey};
use protocol::sealed::KeyId;
use zeroize::Zeroizing;

/// Bits that let anyone but the owner at the file.
const OTHERS: u32 = 0o077;

/// Signs for the gateway, and for people who hold no key yet.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    id: KeyId,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The file can't be read or written.
    #[error("the key file {path} can't be read or written")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no key.
    #[error("the key file {0} does not hold a key of 32 bytes")]
    NotAKey(PathBuf),
    /// Others may read the file.
    #[error("the key file {0} is open to others: chmod 600 it, and consider the key lost")]
    OpenToOthers(PathBuf),
    /// The system has no randomness to give.
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
}

impl Signer {
    /// What the file of the gateway's own key is called in a data directory.
    pub const FILE_NAME: &str = "gateway.key";

    /// A signer with this key.
    pub fn new(key: SigningKey) -> Self {
        let id = KeyId::of(&key.verifying_key());
        Self { key, id }
    }

    /// The key in the file, or a fresh one that is then kept there.
    pub fn load_or_create(path: &Path) -> Result<Self, SignerError> {
        match Self::load(path) {
            Err(SignerError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::create(path)?;
                Self::load(path)
            }
            loaded_or_failed => loaded_or_failed,
        }
    }

    fn load(path: &Path) -> Result<Self, SignerError> {
        let failed = |source| SignerError::File {
            path: path.to_owned(),
            source,
        };
        let file = fs::File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & OTHERS != 0 {
            return Err(SignerError::OpenToOthers(path.to_owned()));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(33));
        // One byte more than a key has, so that a longer file shows.
        file.take(33).read_to_end(&mut bytes).map_err(failed)?;
        let seed = <&[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_length| SignerError::NotAKey(path.to_owned()))?;
        Ok(Self::new(SigningKey::from_bytes(seed)))
    }

    /// Writes beside the place and links into it, so that no crash leaves half a key and no second process replaces one.
    fn create(path: &Path) -> Result<(), SignerError> {
        let failed = |source| SignerError::File {
            path: path.to_owned(),
            source,
        };
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(seed.as_mut_slice())?;
        let draft = path.with_extension(format!("new-{}", std::process::id()));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .map_err(failed)?;
        file.write_all(seed.as_slice()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft).map_err(failed)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What to seal with.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// What others verify with.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// The key's name.
    pub const fn id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Signer::FILE_NAME);

        let first = Signer::load_or_create(&path).unwrap();
        let again = Signer::load_or_create(&path).unwrap();

        assert_eq!(first.id(), again.id());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Signer::FILE_NAME);
        Signer::load_or_create(&path).unwrap();

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let open = Signer::load_or_create(&path);
        fs::write(&path, [1; 33]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let long = Signer::load_or_create(&path);

        assert!(matches!(open, Err(SignerError::OpenToOthers(_))));
        assert!(matches!(long, Err(SignerError::NotAKey(_))));
    }

    #[test]
    fn a_signer_never_shows_its_key() {
        let signer = Signer::new(SigningKey::from_bytes(&[7; 32]));

        let shown = format!("{signer:?}");

        assert!(!shown.contains(&"07".repeat(32)));
        assert!(!shown.contains("7, 7"));
    }
}
