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
    views::{JobAct, NewJob, Role},
};
use reqwest::StatusCode;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::{asking::ask, hand::Hand};
use crate::api::Api;

/// Between the acts of one writer. Two writers of one person at this pace, half of whose acts are counted, stay below what
/// a person may do in a minute.
const ACT_EVERY: Duration = Duration::from_millis(75);

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
    /// What the person signs with; without one the gateway signs for them.
    pub(super) hand: Option<Hand>,
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
        mut self,
        answered: Arc<AtomicUsize>,
        is_over: Arc<AtomicBool>,
    ) -> Result<Written> {
        let mut written = Written::default();
        let mut beat = tokio::time::interval(ACT_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.request(&mut written).await?;
        while !is_over.load(Ordering::Relaxed) {
            let plan = leave();
            let access = plan.access;
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

    async fn request(&mut self, written: &mut Written) -> Result<()> {
        let request = order(self.job, self.site, true);
        let mark = (self.job, "job.requested", None);
        let sealed = match &mut self.hand {
            Some(hand) => {
                let requested = JobEvent::Requested {
                    plan: jobs::template::plan(&request)?,
                    request: request.clone(),
                    requester: hand.person,
                };
                Some(hand.sign(self.job, &requested)?)
            }
            None => None,
        };
        let request = sealed.is_none().then_some(request);
        let body = NewJob { request, sealed };
        let body = serde_json::to_value(body)?;
        self.say(mark, "/api/v1/jobs", &body, written).await
    }

    async fn act(&mut self, event: JobEvent, written: &mut Written) -> Result<()> {
        let Some(mark) = mark(self.job, &event) else {
            bail!("{} is nothing that a writer does", event.kind());
        };
        let body = match &mut self.hand {
            Some(hand) => JobAct {
                event: None,
                sealed: Some(hand.sign(self.job, &event)?),
                acting_as: None,
            },
            None => JobAct {
                event: Some(event),
                sealed: None,
                acting_as: Some(Role::Requester),
            },
        };
        let body = serde_json::to_value(body)?;
        let path = format!("/api/v1/jobs/{}/events", self.job);
        self.say(mark, &path, &body, written).await
    }

    async fn say(&self, mark: Mark, path: &str, body: &Value, written: &mut Written) -> Result<()> {
        let answer = ask(&self.api, &format!("{mark:?}"), path, body).await?;
        written.sent_again += answer.sent_again;
        match answer.said {
            Ok(()) => written.acknowledged.push(mark),
            // Only who shares a job can be too late for anything.
            Err((StatusCode::CONFLICT, _)) if self.is_shared => written.refused.push(mark),
            Err((status, problem)) => bail!("{mark:?} was answered {status}: {problem:?}"),
        }
        Ok(())
    }
}

/// What `inspect_room` asks for, nothing of it photographed unless it is said.
pub(super) fn order(job: JobId, site: SiteId, photograph: bool) -> JobRequest {
    JobRequest {
        job,
        site,
        template: TemplateName {
            name: "inspect_room".to_owned(),
            version: 1,
        },
        parameters: [
            ("room", ParameterValue::Text("Room 2".to_owned())),
            ("photograph", ParameterValue::Flag(photograph)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        window: window(),
        operator_cover: false,
    }
}

/// Leave to enter under a name of its own.
pub(super) fn leave() -> AccessPlan {
    AccessPlan {
        access: AccessId(Uuid::now_v7()),
        place: "Room 2".to_owned(),
        window: window(),
        secret: None,
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
