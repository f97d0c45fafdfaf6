//! Somebody who acts on a job, one act after the other, and asks again with the same key until there is an answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, bail};
use protocol::{
    AccessId, JobId, SiteId, UnixMicros,
    job::{AccessPlan, JobEvent, JobRequest, ParameterValue, TemplateName, Window},
    views::{JobAct, NewJob, Problem, Role},
};
use reqwest::StatusCode;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::{api::Api, until::until};

/// Between the acts of one writer. Two writers of one person at this pace, half of whose acts are counted, stay below what
/// a person may do in a minute.
const ACT_EVERY: Duration = Duration::from_millis(75);

/// A request without an answer is given up and sent again.
const REQUEST_WITHIN: Duration = Duration::from_secs(20);

/// The gateway is away for some seconds at a time, and for a minute when somebody did too much.
const ANSWERED_WITHIN: Duration = Duration::from_mins(2);

/// Longer than any run.
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// What tells an act from every other.
pub(super) type Mark = (JobId, &'static str, Option<AccessId>);

/// The mark of what stands in a job's record; none for what the cloud did.
pub(super) fn mark(job: JobId, event: &JobEvent) -> Option<Mark> {
    let access = if let JobEvent::AccessGranted { plan } = event {
        Some(plan.access)
    } else if let JobEvent::AccessRevoked { access } = event {
        Some(*access)
    } else if matches!(event, JobEvent::Requested { .. } | JobEvent::Cancelled {}) {
        None
    } else {
        return None;
    };
    Some((job, event.kind(), access))
}

/// Who acts.
pub(super) struct Writer {
    /// As whom.
    pub(super) api: Api,
    /// Where the work is asked for.
    pub(super) site: SiteId,
    /// On which job.
    pub(super) job: JobId,
    /// Whether another writer acts on it, too.
    pub(super) is_shared: bool,
}

/// What a writer was answered, in its own order.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Yes.
    pub(super) acknowledged: Vec<Mark>,
    /// No.
    pub(super) refused: Vec<Mark>,
    /// Requests that had to be sent again.
    pub(super) sent_again: usize,
}

impl Writer {
    /// Asks for the job, gives leave to enter and takes it back until it is over, and calls the job off.
    pub(super) async fn write(
        self,
        answered: Arc<AtomicUsize>,
        is_over: Arc<AtomicBool>,
    ) -> Result<Written> {
        let mut written = Written::default();
        let mut beat = tokio::time::interval(ACT_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.request(&mut written).await?;
        while !is_over.load(Ordering::Relaxed) {
            let access = AccessId(Uuid::now_v7());
            let plan = AccessPlan {
                access,
                place: "Room 2".to_owned(),
                window: window(),
                secret: None,
            };
            for event in [
                JobEvent::AccessGranted { plan },
                JobEvent::AccessRevoked { access },
            ] {
                beat.tick().await;
                self.act(event, &mut written).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Of two on one job, the second is told that it is over.
        self.act(JobEvent::Cancelled {}, &mut written).await?;
        Ok(written)
    }

    async fn request(&self, written: &mut Written) -> Result<()> {
        let request = JobRequest {
            job: self.job,
            site: self.site,
            template: TemplateName {
                name: "inspect_room".to_owned(),
                version: 1,
            },
            parameters: [
                ("room", ParameterValue::Text("Room 2".to_owned())),
                ("photograph", ParameterValue::Flag(true)),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            window: window(),
            operator_cover: false,
        };
        let body = serde_json::to_value(NewJob {
            request: Some(request),
            sealed: None,
        })?;
        let mark = (self.job, "job.requested", None);
        self.say(mark, "/api/v1/jobs", &body, written).await
    }

    async fn act(&self, event: JobEvent, written: &mut Written) -> Result<()> {
        let Some(mark) = mark(self.job, &event) else {
            bail!("{} is nothing that a writer does", event.kind());
        };
        let body = serde_json::to_value(JobAct {
            event: Some(event),
            sealed: None,
            acting_as: Some(Role::Requester),
        })?;
        let path = format!("/api/v1/jobs/{}/events", self.job);
        self.say(mark, &path, &body, written).await
    }

    /// Sends until there is an answer, always with the same key.
    async fn say(&self, mark: Mark, path: &str, body: &Value, written: &mut Written) -> Result<()> {
        let key = Uuid::now_v7();
        let sent = AtomicUsize::new(0);
        let answer = until(
            format!("an answer to {mark:?}"),
            ANSWERED_WITHIN,
            async || {
                sent.fetch_add(1, Ordering::Relaxed);
                let sending = self.api.post_once(path, key, body, REQUEST_WITHIN);
                let response = sending.await?;
                let status = response.status();
                if status.is_success() {
                    return Ok(Some(Ok(())));
                }
                if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                    bail!("{status}");
                }
                let problem: Problem = response.json().await?;
                // Somebody else was first; it was not looked at.
                if problem.code == "stale" {
                    bail!("stale");
                }
                Ok(Some(Err((status, problem))))
            },
        )
        .await?;
        written.sent_again += sent.into_inner() - 1;
        match answer {
            Ok(()) => written.acknowledged.push(mark),
            // Only who shares a job can be too late for anything.
            Err((StatusCode::CONFLICT, _)) if self.is_shared => written.refused.push(mark),
            Err((status, problem)) => bail!("{mark:?} was answered {status}: {problem:?}"),
        }
        Ok(())
    }
}

/// From a moment ago, lest two clocks differ.
fn window() -> Window {
    let micros = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
    let now = UnixMicros(i64::try_from(micros).unwrap_or(i64::MAX));
    Window {
        from: now,
        until: now.plus(DAY_MICROS),
    }
}
