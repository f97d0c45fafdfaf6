//! A network of its own for some processes. It has no name that could be left behind: it is gone with the last process in it.

use std::{
    fs::File,
    os::fd::AsFd as _,
    path::Path,
    process::{Command, id},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where iproute2 keeps the names.
const NAMED: &str = "/run/netns";

/// A network namespace.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    /// An empty one. It takes the rights of root.
    pub fn new(of_what: &str) -> Result<Self> {
        let name = format!("nooterra-{}-{of_what}", id());
        ip(&["netns", "add", &name])?;
        let opened = File::open(Path::new(NAMED).join(&name));
        // The open file keeps it from here on, and the kernel takes it away with us, however we end.
        ip(&["netns", "delete", &name])?;
        Ok(Self(
            opened.context("a namespace that was just made is not there")?,
        ))
    }

    /// Moves this thread into it, and with it whatever it starts.
    pub fn enter(&self) -> Result<()> {
        move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
            .context("the namespace can't be entered")
    }

    /// Does something in it; this thread stays where it is.
    pub fn within<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.enter()?;
                act()
            });
            inside
                .join()
                .map_err(|_panic| anyhow!("what was done in the namespace panicked"))?
        })
    }
}

/// Runs `ip`, in the namespace of this thread.
pub(super) fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .context("ip can't be run; it comes with iproute2")?;
    ensure!(
        output.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
