//! What every part of the process shares: its settings, its servers, its clock and the live board.

#[cfg(test)]
use std::sync::atomic::{AtomicI64, Ordering};
use std::{ops::Deref, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use protocol::UnixMicros;
use redis::aio::ConnectionManager;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Config,
    console_bundle::ConsoleBundle,
    live::{Live, dependencies::Dependencies, event_log::EventLog, rate_limit::RateLimit},
    rtc::Rtc,
};

/// The one place in the process that reads the wall clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Where a test had it stop, in microseconds since 1970; it goes on while that is nothing.
    #[cfg(test)]
    stopped_at: Arc<AtomicI64>,
}

impl Clock {
    /// Now, as precisely as Postgres keeps it: what is answered is what is read back.
    pub fn now(&self) -> OffsetDateTime {
        #[cfg(test)]
        if let Some(at) = self.stopped() {
            return at;
        }
        OffsetDateTime::now_utc().truncate_to_microsecond()
    }

    /// Now, as it crosses wires.
    pub fn micros(&self) -> UnixMicros {
        let nanos = self.now().unix_timestamp_nanos();
        UnixMicros(i64::try_from(nanos / 1_000).unwrap_or(i64::MAX))
    }

    /// From here on it is `at`, for everybody who asks this clock or a clone of it.
    #[cfg(test)]
    pub(crate) fn stop_at(&self, at: UnixMicros) {
        self.stopped_at.store(at.0, Ordering::Relaxed);
    }

    #[cfg(test)]
    fn stopped(&self) -> Option<OffsetDateTime> {
        let micros = self.stopped_at.load(Ordering::Relaxed);
        let nanos = (micros > 0).then_some(i128::from(micros) * 1_000)?;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
    }
}

/// Event streams of one process at a time. Each reads the log after every commit.
pub const EVENT_STREAMS: usize = 64;

/// Whether the reader of an event stream may still read is asked again this often. All streams together ask the
/// database some six times a second.
pub const CHECK_STREAMS_EVERY: Duration = Duration::from_secs(10);

/// Shared by every request, session and reactor. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What is shared.
pub struct Parts {
    /// Settings, read once.
    pub config: Config,
    /// The console's files; absent for a gateway that serves none.
    pub console: Option<ConsoleBundle>,
    /// The truth, as the role that owns nothing.
    pub pool: PgPool,
    /// Presence and limits.
    pub redis: ConnectionManager,
    /// Signs entries, and events for people who hold no key.
    pub signer: spine::Signer,
    /// Issues grants and revokes: the key that the organisation's root names on its roster.
    pub policy: spine::Signer,
    /// The log of events and the key that signs its checkpoints.
    pub log: EventLog,
    /// Wall clock.
    pub clock: Clock,
    /// What is true just now.
    pub live: Live,
    /// The forwarding unit.
    pub rtc: Rtc,
    /// Whether our servers answer.
    pub dependencies: Dependencies,
    /// Event streams that may still be opened.
    pub event_streams: Arc<Semaphore>,
    /// How often it is asked whether their readers may still read.
    pub check_streams_every: Duration,
    /// Limits of tries.
    pub limits: RateLimit,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// Fired when the process goes down in good order.
    pub stopping: CancellationToken,
    /// Sessions that the shutdown waits for.
    pub sessions: TaskTracker,
}

impl App {
    /// Shares `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
