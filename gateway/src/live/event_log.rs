//! How the log of events stands: whether this process leads it, how far it is, and why it may not go on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use spine::{LogKey, log::Progress};
use time::{Duration, OffsetDateTime};

/// Events get their leaves within a second. Where none did for five although some wait, something is wrong.
const STUCK_AFTER: Duration = Duration::seconds(5);

/// The log as this process sees it.
#[derive(Debug)]
pub struct EventLog {
    key: LogKey,
    standing: Mutex<Standing>,
}

#[derive(Debug, Default)]
struct Standing {
    is_led_here: bool,
    fault: Option<String>,
    progress: Option<Progress>,
    /// Since when events wait and the log does not grow.
    stuck_since: Option<OffsetDateTime>,
}

/// What `/metrics` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Whether this process gives events their leaves.
    pub is_led_here: bool,
    /// The latest look at it; absent until the first.
    pub progress: Option<Progress>,
}

impl EventLog {
    /// The log that signs with `key`.
    pub fn new(key: LogKey) -> Self {
        Self {
            key,
            standing: Mutex::default(),
        }
    }

    /// What signs its checkpoints.
    pub const fn key(&self) -> &LogKey {
        &self.key
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process leads, or no longer does.
    pub fn led_here(&self, is_led_here: bool) {
        let mut standing = self.standing();
        standing.is_led_here = is_led_here;
        if is_led_here {
            standing.fault = None;
        }
    }

    /// Another process leads: whatever kept this one from it is no fault of the log.
    pub fn led_elsewhere(&self) {
        self.standing().fault = None;
    }

    /// Notes why the log may not go on; true where this is news.
    pub fn note_fault(&self, fault: &str) -> bool {
        let mut standing = self.standing();
        let is_news = standing.fault.as_deref() != Some(fault);
        standing.fault = Some(fault.to_owned());
        is_news
    }

    /// Notes how far it is.
    pub fn note_progress(&self, progress: Progress, now: OffsetDateTime) {
        let mut standing = self.standing();
        let has_grown = standing
            .progress
            .is_none_or(|before| before.size != progress.size);
        standing.stuck_since = match standing.stuck_since {
            _ if progress.waiting == 0 => None,
            Some(since) if !has_grown => Some(since),
            Some(_) | None => Some(now),
        };
        standing.progress = Some(progress);
    }

    /// What is wrong with it, in words for the log of the process.
    pub fn trouble(&self, now: OffsetDateTime) -> Result<(), String> {
        let standing = self.standing();
        if let Some(fault) = &standing.fault {
            return Err(fault.clone());
        }
        match standing.stuck_since {
            Some(since) if now - since > STUCK_AFTER => Err(format!(
                "events have waited for their leaves for {} s",
                (now - since).whole_seconds()
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// The numbers.
    pub fn numbers(&self) -> Numbers {
        let standing = self.standing();
        Numbers {
            is_led_here: standing.is_led_here,
            progress: standing.progress,
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use time::macros::datetime;

    use super::*;

    fn log() -> EventLog {
        EventLog::new(LogKey::new(SigningKey::from_bytes(&[9; 32]), None).unwrap())
    }

    #[test]
    fn a_log_that_does_not_grow_while_events_wait_is_stuck_and_one_that_grows_is_not() {
        let start = datetime!(2026-01-01 0:00 UTC);
        let progress = |size, waiting| Progress {
            size,
            waiting,
            waiting_since: (waiting > 0).then_some(start),
        };
        let (growing, stuck) = (log(), log());

        for second in 0..10 {
            let now = start + Duration::seconds(second);
            let size = u64::try_from(second).unwrap();
            growing.note_progress(progress(size, 7), now);
            stuck.note_progress(progress(3, 7), now);
        }

        let now = start + Duration::seconds(10);
        assert_eq!(growing.trouble(now), Ok(()));
        assert!(stuck.trouble(now).is_err());
        stuck.note_progress(progress(10, 0), now);
        assert_eq!(stuck.trouble(now), Ok(()));
    }

    #[test]
    fn a_fault_is_news_once_and_gone_when_somebody_leads() {
        let log = log();
        let now = datetime!(2026-01-01 0:00 UTC);

        assert!(log.note_fault("its last checkpoint is damaged"));
        assert!(!log.note_fault("its last checkpoint is damaged"));
        assert!(log.trouble(now).is_err());

        log.led_here(true);
        assert_eq!(log.trouble(now), Ok(()));
    }
}
