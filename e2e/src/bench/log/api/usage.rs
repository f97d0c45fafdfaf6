//! Who used the processors meanwhile: without that, no figure says what would make it better.

use std::time::Instant;

use anyhow::Result;
use e2e::{process::descendants, stack::Stack};

use crate::processor::{TICKS_PER_SECOND, ticks};

/// Processor time that everybody has used so far, in ticks.
pub(super) struct Usage {
    at: Instant,
    gateway: u64,
    database: u64,
    here: u64,
}

impl Usage {
    /// None where it can't be read.
    pub(super) fn of(stack: &Stack) -> Result<Option<Self>> {
        if !cfg!(target_os = "linux") {
            return Ok(None);
        }
        let postgres = u32::try_from(stack.gateway.part("postgres")?.as_raw_nonzero().get())?;
        let mut database = ticks(postgres)?;
        for backend in descendants(postgres)? {
            // One that ended in this moment has used nothing worth knowing.
            database += ticks(backend).unwrap_or(0);
        }
        Ok(Some(Self {
            at: Instant::now(),
            gateway: ticks(stack.gateway.id())?,
            database,
            here: ticks(std::process::id())?,
        }))
    }

    /// What was used since `before`, in words.
    pub(super) fn since(before: Option<Self>, stack: &Stack) -> Result<String> {
        let (Some(before), Some(now)) = (before, Self::of(stack)?) else {
            return Ok("nobody counts processor time here".to_owned());
        };
        let seconds = (now.at - before.at).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let cores =
            |now: u64, before: u64| now.saturating_sub(before) as f64 / TICKS_PER_SECOND / seconds;
        Ok(format!(
            "cores used: gateway {:.2}, PostgreSQL {:.2}, clients {:.2}",
            cores(now.gateway, before.gateway),
            cores(now.database, before.database),
            cores(now.here, before.here)
        ))
    }

    /// Whether gateway and database have next to nothing to do any more.
    pub(super) fn is_rest(&self, before: &Self) -> bool {
        let used = (self.gateway + self.database).saturating_sub(before.gateway + before.database);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let cores = used as f64 / TICKS_PER_SECOND / (self.at - before.at).as_secs_f64();
        cores < REST
    }
}

/// Cores that an installation uses in which nothing happens: reactors that look around, a sequencer that finds nothing.
const REST: f64 = 0.15;
