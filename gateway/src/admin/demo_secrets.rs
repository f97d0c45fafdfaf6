//! The demo's secrets: made from one random key in its data directory, so that seeding twice gives the same ones.
//!
//! Everywhere else a secret is random and only its hash is kept; a demo prints its links again at every start.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use identity::{Secret, SecretKind};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::AdminError;

const FILE: &str = "demo-secrets.key";

/// Gives out the demo's secrets.
pub(super) struct DemoSecrets(Zeroizing<[u8; 32]>);

impl DemoSecrets {
    /// The key in the data directory, made if it is missing.
    pub(super) fn load_or_create(data_dir: &Path) -> Result<Self, AdminError> {
        let path = data_dir.join(FILE);
        let failed = |source| AdminError::File {
            path: path.clone(),
            source,
        };
        let made = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(mut file) => {
                let mut key = Zeroizing::new([0; 32]);
                getrandom::fill(key.as_mut())?;
                file.write_all(key.as_ref()).map_err(failed)?;
                Ok(Self(key))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let bytes = Zeroizing::new(fs::read(&path).map_err(failed)?);
                let key = <[u8; 32]>::try_from(bytes.as_slice())
                    .map_err(|_length| failed(io::ErrorKind::InvalidData.into()))?;
                Ok(Self(Zeroizing::new(key)))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The secret for this use. When one was revoked or has expired, the next generation follows it.
    pub(super) fn secret(&self, kind: SecretKind, whose: &str, generation: u32) -> Secret {
        let random = Sha256::new()
            .chain_update(self.0.as_ref())
            .chain_update(format!("{kind:?}/{generation}/{whose}"))
            .finalize();
        Secret::new(kind, &random.into())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secrets_are_the_same_after_a_restart_and_differ_by_use() {
        let folder = tempfile::tempdir().unwrap();
        let first = DemoSecrets::load_or_create(folder.path()).unwrap();
        let again = DemoSecrets::load_or_create(folder.path()).unwrap();
        let text = |secrets: &DemoSecrets, kind, whose, generation| {
            secrets.secret(kind, whose, generation).expose().to_owned()
        };

        let link = text(&first, SecretKind::Link, "Mira", 0);

        assert_eq!(text(&again, SecretKind::Link, "Mira", 0), link);
        assert_ne!(text(&first, SecretKind::Link, "Mira", 1), link);
        assert_ne!(text(&first, SecretKind::Link, "Nora", 0), link);
        let mode = fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn two_demos_share_no_secret() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());

        let one = DemoSecrets::load_or_create(one.path()).unwrap();
        let other = DemoSecrets::load_or_create(other.path()).unwrap();

        assert!(
            one.secret(SecretKind::Api, "Mira", 0).hash()
                != other.secret(SecretKind::Api, "Mira", 0).hash()
        );
    }
}
