//! The log's own key: it signs checkpoints and nothing else, so that the log can outlive a gateway's key.

use std::path::Path;

use ed25519_dalek::SigningKey;
use ledger::log::{Checkpoint, KeyFault, NoteKey, TreeHead};

use crate::{Signer, SignerError};

/// Hex digits of the key's id in a log's name: enough that no two logs have the same by chance.
const DIGITS: usize = 16;

/// Signs for the log, under the log's name.
#[derive(Debug, Clone)]
pub struct LogKey {
    signer: Signer,
    public: NoteKey,
}

/// Why the log has no key.
#[derive(Debug, thiserror::Error)]
pub enum LogKeyError {
    /// The file.
    #[error(transparent)]
    File(#[from] SignerError),
    /// The name.
    #[error("the log can't have the name {origin:?}: {fault}")]
    Origin {
        /// What it was to be called.
        origin: String,
        /// What is wrong with it.
        fault: KeyFault,
    },
}

impl LogKey {
    /// What the key's file is called in a data directory.
    pub const FILE_NAME: &str = "log.key";

    /// The key in the file, or a fresh one that is then kept there. Without an `origin` the log is named after its key.
    pub fn load_or_create(path: &Path, origin: Option<&str>) -> Result<Self, LogKeyError> {
        Self::named(Signer::load_or_create(path)?, origin)
    }

    /// A log that signs with this key.
    pub fn new(key: SigningKey, origin: Option<&str>) -> Result<Self, LogKeyError> {
        Self::named(Signer::new(key), origin)
    }

    fn named(signer: Signer, origin: Option<&str>) -> Result<Self, LogKeyError> {
        let digits: String = signer.id().to_string().chars().take(DIGITS).collect();
        let origin = origin.map_or_else(|| format!("nooterra-log-{digits}"), str::to_owned);
        let public = NoteKey::new(&origin, signer.verifying_key())
            .map_err(|fault| LogKeyError::Origin { origin, fault })?;
        Ok(Self { signer, public })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        self.public.name()
    }

    /// What others verify checkpoints with. Written as text it is `name+id+key`.
    pub const fn public(&self) -> &NoteKey {
        &self.public
    }

    /// The note that says that the log has this tree.
    pub(crate) fn sign(&self, tree: TreeHead) -> Result<String, KeyFault> {
        let origin = self.origin().to_owned();
        Checkpoint { origin, tree }.sign(self.signer.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_named_after_its_key_unless_it_is_given_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LogKey::FILE_NAME);

        let first = LogKey::load_or_create(&path, None).unwrap();
        let again = LogKey::load_or_create(&path, None).unwrap();
        let named = LogKey::load_or_create(&path, Some("log.example/linden")).unwrap();
        let misnamed = LogKey::load_or_create(&path, Some("the log"));

        let id = first.signer.id().to_string();
        assert_eq!(first.origin(), format!("nooterra-log-{}", &id[..16]));
        assert_eq!(first.public(), again.public());
        assert_eq!(named.origin(), "log.example/linden");
        assert!(matches!(misnamed, Err(LogKeyError::Origin { .. })));
    }
}
