//! The code of the console, as a gateway says that it serves it.
//!
//! Whoever serves that code could misuse the keys of an open page, and nothing that the page does can prove otherwise. What can be had is
//! that it is seen: the gateway names the code in the log at each start, everybody gets the same list, and standard tools compare.

use std::{collections::BTreeMap, fmt, fmt::Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::sealed::bytes32;

/// SHA-256 of the list of the console's files ([`ConsoleFiles::list`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct ConsoleHash(#[serde(with = "bytes32")] pub [u8; 32]);

impl ConsoleHash {
    /// The hash of a list.
    pub fn of(list: &str) -> Self {
        Self(Sha256::digest(list).into())
    }
}

/// Hex.
impl fmt::Display for ConsoleHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The console's files: the path of each below the gateway's address, and SHA-256 of its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsoleFiles(BTreeMap<String, [u8; 32]>);

impl ConsoleFiles {
    /// Adds a file. Its path has `/` between folders and none before the first.
    pub fn add(&mut self, path: String, content: &[u8]) {
        self.0.insert(path, Sha256::digest(content).into());
    }

    /// One line for each file in the order of their paths' bytes: 64 hexadecimal digits, two spaces, the path. `sha256sum --check` reads it.
    pub fn list(&self) -> String {
        let mut list = String::new();
        for (path, hash) in &self.0 {
            for byte in hash {
                // Nothing that is written to memory fails.
                let _written = write!(list, "{byte:02x}");
            }
            let _written = writeln!(list, "  {path}");
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_one_that_sha256sum_writes_whatever_the_order_of_the_files() {
        let mut files = ConsoleFiles::default();
        files.add("index.html".to_owned(), b"abc");
        files.add("assets/app.css".to_owned(), b"");

        // FIPS 180-2, appendix B.1, and the hash of nothing.
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  assets/app.css\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  index.html\n";
        assert_eq!(files.list(), expected);

        let named = ConsoleHash::of(expected);
        files.add("index.html".to_owned(), b"abd");
        assert_ne!(ConsoleHash::of(&files.list()), named);
    }
}
