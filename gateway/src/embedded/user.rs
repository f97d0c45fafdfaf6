//! Whom the private servers run as: ourselves, or, since PostgreSQL refuses root, somebody without rights.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::Path,
    process::Stdio,
};

use tokio::process::Command;

use super::{EmbeddedError, files};

/// Tried in this order when we are root.
const UNPRIVILEGED: &[&str] = &["postgres", "nobody"];

/// Where programs are when nobody told us.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whom the private servers run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerUser {
    Ourselves,
    Other { name: String, user: u32, group: u32 },
}

impl ServerUser {
    pub(super) async fn choose() -> Result<Self, EmbeddedError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        for name in UNPRIVILEGED {
            if let (Some(user), Some(group)) = (id("-u", name).await, id("-g", name).await) {
                return Ok(Self::Other {
                    name: (*name).to_owned(),
                    user,
                    group,
                });
            }
        }
        Err(EmbeddedError::NoUser)
    }

    /// Gives a file or folder to the server.
    pub(super) fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { user, group, .. } => {
                chown(path, Some(*user), Some(*group)).map_err(files::failed(path))
            }
        }
    }

    /// A command that runs as the server, with nothing of our environment but where programs are: the rest holds addresses and may hold settings of
    /// another PostgreSQL.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(
                "PATH",
                std::env::var_os("PATH").unwrap_or_else(|| PATH.into()),
            )
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if let Self::Other { user, group, .. } = self {
            command.uid(*user).gid(*group);
        }
        command
    }

    /// Whether the server can get to `folder`.
    pub(super) fn check_way_to(&self, folder: &Path) -> Result<(), EmbeddedError> {
        let Self::Other { name, user, group } = self else {
            return Ok(());
        };
        for step in folder.ancestors().skip(1) {
            let status = fs::metadata(step).map_err(files::failed(step))?;
            let needed = if status.uid() == *user {
                0o100
            } else if status.gid() == *group {
                0o010
            } else {
                0o001
            };
            if status.mode() & needed == 0 {
                return Err(EmbeddedError::Impassable {
                    user: name.clone(),
                    folder: step.to_owned(),
                });
            }
        }
        Ok(())
    }
}

async fn id(option: &str, name: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([option, name])
        .stderr(Stdio::null())
        .output()
        .await
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
