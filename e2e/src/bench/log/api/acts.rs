//! People's acts on jobs, one event each: on a job of everybody's own, or all on one.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use e2e::api::Api;
use protocol::{
    AccessId, JobId,
    event::Payload,
    job::{JobEvent, job_stream},
    views::{JobAct, Problem, Role},
};
use sqlx::PgPool;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Installation, leave, order_form, plain, post, said_yes, usage::Usage};
use crate::{per_second, progress};

/// Turns of each kind, so that a server that warms up or a busy neighbour falls on all alike.
const TURNS: usize = 2;

/// How long one turn is.
const TURN: Duration = Duration::from_secs(2);

/// What a turn writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    DifferentStreams,
    OneStream,
}

/// People who write at once, each over a connection of their own.
pub(super) struct Writers(Vec<Writer>);

impl Writers {
    /// So many, with a job of their own each and one that is everybody's.
    pub(super) async fn start(installation: &Installation, count: usize) -> Result<Self> {
        let requester = installation.stack.requester()?;
        let ask = async || {
            let job = JobId(Uuid::now_v7());
            let form = order_form(job, installation.site)?;
            said_yes(post(&requester, "/api/v1/jobs", &form).await?).await?;
            anyhow::Ok(job)
        };
        let shared = ask().await?;
        let mut writers = Vec::new();
        for _ in 0..count {
            writers.push(Writer {
                api: installation.stack.requester()?,
                app: installation.app.clone(),
                own: ask().await?,
                shared,
                given: None,
                again: 0,
            });
        }
        Ok(Self(writers))
    }

    /// Events a second of each kind, measured turn by turn.
    pub(super) async fn rates<const KINDS: usize>(
        &mut self,
        installation: &Installation,
        kinds: [Kind; KINDS],
    ) -> Result<[f64; KINDS]> {
        let mut written = [0; KINDS];
        let mut took = [Duration::ZERO; KINDS];
        for _ in 0..TURNS {
            for (index, kind) in kinds.into_iter().enumerate() {
                let before = Usage::of(&installation.stack)?;
                let began = Instant::now();
                let (events, again) = self.turn(kind).await?;
                written[index] += events;
                took[index] += began.elapsed();
                progress(&format!(
                    "{} at once, {kind:?}: {events} events, {again} sent again; {}",
                    self.0.len(),
                    Usage::since(before, &installation.stack)?
                ));
            }
        }
        Ok(std::array::from_fn(|index| {
            per_second(written[index], took[index])
        }))
    }

    /// Events written while all write at once, and how often one had to be sent again.
    async fn turn(&mut self, kind: Kind) -> Result<(usize, usize)> {
        let until = Instant::now() + TURN;
        let mut at_work = JoinSet::new();
        for writer in self.0.drain(..) {
            at_work.spawn(writer.write(kind, until));
        }
        let (mut written, mut again) = (0, 0);
        while let Some(ended) = at_work.join_next().await {
            let (mut writer, events) = ended??;
            written += events;
            again += std::mem::take(&mut writer.again);
            self.0.push(writer);
        }
        Ok((written, again))
    }
}

/// Somebody who gives leave to enter, and takes it back where nobody else gives any.
struct Writer {
    api: Api,
    app: PgPool,
    own: JobId,
    shared: JobId,
    /// Leave that is in force on their own job.
    given: Option<AccessId>,
    /// Acts that were sent again, since somebody else was first.
    again: usize,
}

impl Writer {
    async fn write(mut self, kind: Kind, until: Instant) -> Result<(Self, usize)> {
        let mut written = 0;
        while Instant::now() < until {
            match kind {
                Kind::Plain => {
                    let payload = Payload::Job(JobEvent::AccessGranted { plan: leave() });
                    plain::insert(&self.app, job_stream(self.own), &payload).await?;
                }
                Kind::DifferentStreams => {
                    let event = if let Some(access) = self.given.take() {
                        JobEvent::AccessRevoked { access }
                    } else {
                        let plan = leave();
                        self.given = Some(plan.access);
                        JobEvent::AccessGranted { plan }
                    };
                    self.act(self.own, event).await?;
                }
                Kind::OneStream => {
                    let plan = leave();
                    self.act(self.shared, JobEvent::AccessGranted { plan })
                        .await?;
                }
            }
            written += 1;
        }
        Ok((self, written))
    }

    /// Says it until nobody else was first.
    async fn act(&mut self, job: JobId, event: JobEvent) -> Result<()> {
        let path = format!("/api/v1/jobs/{job}/events");
        let body = serde_json::to_value(JobAct {
            event: Some(event),
            sealed: None,
            acting_as: Some(Role::Requester),
        })?;
        loop {
            let response = post(&self.api, &path, &body).await?;
            let status = response.status();
            if status.is_success() {
                // Read to its end, so that the connection is free for the next.
                response.bytes().await?;
                return Ok(());
            }
            let problem: Problem = response.json().await?;
            if problem.code != "stale" {
                bail!("{status}: {problem:?}");
            }
            self.again += 1;
        }
    }
}
