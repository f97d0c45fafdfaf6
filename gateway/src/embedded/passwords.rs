//! The passwords of the two database roles: made once, kept in a file that only its owner reads.
//!
//! The sockets' folder is closed to everybody else, so passwords keep nobody out who could not read this file. What they
//! do is make the two roles two: whoever holds the application's address alone can't turn into the owner by writing
//! another name into it.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::{EmbeddedError, files};

/// As hard to guess as any key of ours.
const PASSWORD_BYTES: usize = 32;

/// The two passwords, in letters and digits that mean nothing special in addresses and in SQL.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Passwords {
    pub(super) owner: String,
    pub(super) app: String,
}

impl Passwords {
    /// Those in the file; fresh ones only when no database needs the old.
    pub(super) fn load_or_create(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let path = data_dir.join("database-passwords.json");
        let cluster = data_dir.join("postgres/cluster");
        let lost = |wrong: String| EmbeddedError::NoPasswords {
            cluster: cluster.clone(),
            passwords: path.clone(),
            wrong,
        };
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice::<Self>(&text)
                .ok()
                .filter(Self::are_plain)
                .ok_or_else(|| lost("holds something else".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !cluster.exists() => {
                let passwords = Self {
                    owner: random()?,
                    app: random()?,
                };
                let text = serde_json::to_vec_pretty(&passwords)
                    .map_err(|error| files::failed(&path)(io::Error::other(error)))?;
                files::write_private(&path, &text)?;
                Ok(passwords)
            }
            Err(error) => Err(lost(format!("can't be read: {error}"))),
        }
    }

    fn are_plain(&self) -> bool {
        [&self.owner, &self.app].iter().all(|password| {
            !password.is_empty() && password.chars().all(|one| one.is_ascii_alphanumeric())
        })
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Passwords(..)")
    }
}

fn random() -> Result<String, EmbeddedError> {
    let mut bytes = [0_u8; PASSWORD_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
