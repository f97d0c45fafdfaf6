//! What every part of the process shares: its settings, its servers, its clock and the live board.

use std::{ops::Deref, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;
use protocol::UnixMicros;
use redis::aio::ConnectionManager;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Config,
    live::{Live, dependencies::Dependencies, event_log::EventLog, rate_limit::RateLimit},
    rtc::Rtc,
};

/// The one place in the process that reads the wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// Now, as precisely as Postgres keeps it: what is answered is what is read back.
    pub fn now(self) -> OffsetDateTime {
        OffsetDateTime::now_utc().truncate_to_microsecond()
    }

    /// Now, as it crosses wires.
    pub fn micros(self) -> UnixMicros {
        let nanos = self.now().unix_timestamp_nanos();
        UnixMicros(i64::try_from(nanos / 1_000).unwrap_or(i64::MAX))
    }
}

/// Event streams of one process at a time. Each reads the log after every commit.
pub const EVENT_STREAMS: usize = 64;

/// Shared by every request, session and reactor. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What is shared.
pub struct Parts {
    /// Settings, read once.
    pub config: Config,
    /// The truth, as the role that owns nothing.
    pub pool: PgPool,
    /// Presence and limits.
    pub redis: ConnectionManager,
    /// Signs entries, and events for people who hold no key.
    pub signer: spine::Signer,
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
