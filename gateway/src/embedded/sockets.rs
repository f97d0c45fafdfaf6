//! The folder of the servers' sockets: short, because a socket's path may have 107 bytes, and closed to everybody else.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, path::Path};

use tempfile::TempDir;

use super::{EmbeddedError, files, user::ServerUser};

/// Not the system's temporary folder: that may be long, or another user's alone.
const PLACE: &str = "/tmp";

/// The folder; removed when dropped, and by the servers' supervisors when we could not.
#[derive(Debug)]
pub(super) struct Sockets {
    folder: TempDir,
}

impl Sockets {
    /// A new folder of mode 0700 that belongs to the servers' user.
    pub(super) fn make(user: &ServerUser) -> Result<Self, EmbeddedError> {
        let folder = tempfile::Builder::new()
            .prefix("nooterra-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(PLACE)
            .map_err(files::failed(Path::new(PLACE)))?;
        user.give(folder.path())?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}
