//! Which processes live on this machine. One that has ended and that nobody took notice of (a zombie) does not.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::processes::read;

/// A process that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Living {
    pub(crate) pid: u32,
    pub(crate) group: u32,
    /// The file name of its program; Linux keeps the first 15 characters.
    pub(crate) program: String,
}

/// All of them. Linux is asked without `ps`, which slim installations lack.
pub(crate) fn living() -> Result<Vec<Living>> {
    if cfg!(target_os = "linux") {
        return in_proc();
    }
    let mut command = Command::new("ps");
    command.args(["-axo", "pid=,pgid=,stat=,comm="]);
    Ok(read(&mut command)?.lines().filter_map(of_ps).collect())
}

/// Whether `pid` runs that program: ids are reused.
pub(crate) fn runs(pid: u32, program: &str) -> Result<bool> {
    Ok(living()?
        .iter()
        .any(|process| process.pid == pid && process.program == program))
}

fn in_proc() -> Result<Vec<Living>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").context("cannot read /proc")? {
        let path = entry?.path();
        let is_process = path
            .file_name()
            .and_then(|name| name.to_str()?.parse::<u32>().ok())
            .is_some();
        // A process that ended in this moment has no line any more.
        if is_process && let Ok(line) = std::fs::read(path.join("stat")) {
            found.extend(of_stat(&String::from_utf8_lossy(&line)));
        }
    }
    Ok(found)
}

/// `proc_pid_stat(5)`: id, name in parentheses (which may hold any character), state, parent, group.
fn of_stat(line: &str) -> Option<Living> {
    let (pid, rest) = line.split_once(" (")?;
    let (program, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    let group = fields.nth(1)?;
    alive(pid, group, state, program)
}

fn of_ps(line: &str) -> Option<Living> {
    let (pid, rest) = line.trim_start().split_once(char::is_whitespace)?;
    let (group, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let (state, program) = rest.trim_start().split_once(char::is_whitespace)?;
    alive(pid, group, state, program.trim().rsplit('/').next()?)
}

fn alive(pid: &str, group: &str, state: &str, program: &str) -> Option<Living> {
    if state.starts_with(['Z', 'X']) {
        return None;
    }
    Some(Living {
        pid: pid.parse().ok()?,
        group: group.parse().ok()?,
        program: program.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kettle() -> Living {
        Living {
            pid: 41,
            group: 40,
            program: "kettle".to_owned(),
        }
    }

    #[test]
    fn a_process_is_read_from_proc_whatever_its_name_holds() {
        assert_eq!(
            of_stat("41 (kettle) S 1 40 40 0 -1 4194560"),
            Some(kettle())
        );
        let odd = of_stat("41 (a) S (b) R 1 40 40 0 -1 4194560").unwrap();
        assert_eq!((odd.program.as_str(), odd.group), ("a) S (b", 40));
        assert_eq!(of_stat("cpu  1 2 3"), None);
    }

    #[test]
    fn a_process_is_read_from_ps_by_the_file_name_of_its_program() {
        assert_eq!(
            of_ps("   41    40 Ss+  /opt/tea pot/kettle"),
            Some(kettle())
        );
        assert_eq!(of_ps(""), None);
    }

    #[test]
    fn a_zombie_does_not_live() {
        assert_eq!(of_stat("41 (kettle) Z 1 40 40 0 -1 4194560"), None);
        assert_eq!(of_ps("41 40 Z+ (kettle)"), None);
    }

    #[test]
    fn a_child_lives_until_it_has_ended_though_nobody_waited_for_it() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        while !runs(pid, "sleep").unwrap() {
            std::thread::yield_now();
        }

        child.kill().unwrap();
        while runs(pid, "sleep").unwrap() {
            std::thread::yield_now();
        }

        // Still there for `kill`, which is why that is not asked.
        let id = rustix::process::Pid::from_child(&child);
        assert!(rustix::process::test_kill_process(id).is_ok());
        child.wait().unwrap();
    }
}
