//! Somebody who gives a robot one job after the other, so that a real agent is at work while everything else ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use protocol::{
    JobId, RobotId, SiteId,
    job::{JobEvent, PhaseName},
    views::{JobAct, JobView, NewJob, Role},
};
use reqwest::StatusCode;
use uuid::Uuid;

use super::{
    asking::ask,
    writer::{Written, leave, mark, order},
};
use crate::{api::Api, until::until};

/// A robot that has just lost its gateway is back within this.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);

/// The robot drives across the site and looks around, and its gateway ends some times meanwhile.
const DONE_WITHIN: Duration = Duration::from_mins(4);

/// Who asks for the work, who gives it to the robot, and the robot.
pub(super) struct Foreman {
    /// Books the work.
    pub(super) requester: Api,
    /// Assigns it.
    pub(super) operator: Api,
    /// Where.
    pub(super) site: SiteId,
    /// Which robot.
    pub(super) robot: RobotId,
}

impl Foreman {
    /// Has one job done after the other until it is over, and gives what was answered for each.
    pub(super) async fn work(self, is_over: Arc<AtomicBool>) -> Result<Vec<Written>> {
        let mut done = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            done.push(self.job(JobId(Uuid::now_v7())).await?);
        }
        Ok(done)
    }

    /// Has this job asked for, done and accepted.
    pub(super) async fn job(&self, job: JobId) -> Result<Written> {
        let mut written = Written::default();
        let body = serde_json::to_value(NewJob {
            request: Some(order(job, self.site, false)),
            sealed: None,
        })?;
        let asked = ask(&self.requester, "the foreman's job", "/api/v1/jobs", &body).await?;
        if let Err(refused) = asked.said {
            bail!("the foreman's job was refused: {refused:?}");
        }
        written.acknowledged.push((job, "job.requested", None));
        let granted = JobEvent::AccessGranted { plan: leave() };
        self.act(job, Role::Requester, &granted).await?;
        written.acknowledged.extend(mark(job, &granted));
        let assigned = JobEvent::Assigned { robot: self.robot };
        self.act(job, Role::Operator, &assigned).await?;
        self.until(job, PhaseName::Verifying).await?;
        self.act(job, Role::Requester, &JobEvent::WorkAccepted {})
            .await?;
        self.until(job, PhaseName::Completed).await?;
        Ok(written)
    }

    /// Acts until it is taken: a robot that is not back yet is given nothing.
    async fn act(&self, job: JobId, acting_as: Role, event: &JobEvent) -> Result<()> {
        let api = if acting_as == Role::Operator {
            &self.operator
        } else {
            &self.requester
        };
        let kind = event.kind();
        let body = serde_json::to_value(JobAct {
            event: Some(event.clone()),
            sealed: None,
            acting_as: Some(acting_as),
        })?;
        let path = format!("/api/v1/jobs/{job}/events");
        let taken = until(
            format!("{kind} to be taken"),
            TAKEN_WITHIN,
            async || match ask(api, kind, &path, &body).await?.said {
                Err((StatusCode::CONFLICT, problem)) => bail!("{}", problem.code),
                said => Ok(Some(said)),
            },
        )
        .await?;
        if let Err(refused) = taken {
            bail!("{kind} was refused: {refused:?}");
        }
        Ok(())
    }

    async fn until(&self, job: JobId, phase: PhaseName) -> Result<()> {
        let path = format!("/api/v1/jobs/{job}");
        let reached = until(format!("{job} to be {phase:?}"), DONE_WITHIN, async || {
            let answer = self.requester.get(&path).await?.error_for_status()?;
            let view: JobView = answer.json().await?;
            let is_over = matches!(
                view.phase,
                PhaseName::Completed | PhaseName::Aborted | PhaseName::Cancelled
            );
            Ok((view.phase == phase || is_over).then_some(view.phase))
        })
        .await?;
        (reached == phase)
            .then_some(())
            .with_context(|| format!("{job} ended as {reached:?}"))
    }
}
