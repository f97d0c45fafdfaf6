//! What kind of machine this is: its package manager, and how root is reached.

use std::process::{Command, Stdio};

use crate::processes::find_program;

/// How system packages are installed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packaging {
    /// Debian and its children.
    Apt,
    /// Homebrew.
    Brew,
    /// Something we do not drive: the person is told what to install.
    Other,
}

/// How a command runs as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// We are root.
    Already,
    /// `sudo` works without asking for a password.
    Sudo,
    /// The person has to do it.
    OutOfReach,
}

/// The machine we run on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) packaging: Packaging,
    pub(crate) root: Root,
}

impl Machine {
    /// Looks, and changes nothing.
    pub(crate) fn look() -> Self {
        let packaging = if find_program("apt-get").is_some() {
            Packaging::Apt
        } else if find_program("brew").is_some() {
            Packaging::Brew
        } else {
            Packaging::Other
        };
        Self {
            packaging,
            root: Root::look(),
        }
    }
}

impl Root {
    fn look() -> Self {
        if is_root() {
            return Self::Already;
        }
        let sudo = Command::new("sudo")
            .args(["-n", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if sudo.is_ok_and(|status| status.success()) {
            Self::Sudo
        } else {
            Self::OutOfReach
        }
    }

    /// Whether we are root ourselves.
    pub(crate) fn is_ours() -> bool {
        is_root()
    }

    /// The command that runs `program` as root, where that is possible without a question.
    pub(crate) fn command(self, program: &str) -> Option<Command> {
        match self {
            Self::Already => Some(Command::new(program)),
            Self::Sudo => {
                let mut command = Command::new("sudo");
                command.args(["-n", program]);
                Some(command)
            }
            Self::OutOfReach => None,
        }
    }
}

/// Whether we run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
