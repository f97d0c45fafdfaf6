//! Processor time of processes, as Linux counts it; elsewhere there is none to read.

use std::fs;

use anyhow::{Context as _, Result};

/// Clock ticks a second in /proc: 100 on every Linux that matters (`getconf CLK_TCK`).
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time of a process, in ticks (`proc_pid_stat(5)`, fields 14 and 15).
pub(crate) fn ticks(process: u32) -> Result<u64> {
    let line = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = line.rsplit_once(") ").context("no name in stat")?.1;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let field =
        |index: usize| -> Result<u64> { Ok(fields.get(index).context("short stat")?.parse()?) };
    Ok(field(11)? + field(12)?)
}
