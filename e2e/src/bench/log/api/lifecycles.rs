//! Whole jobs over the API, from the wish to the requester's yes: each client asks, assigns and has a robot of its own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::{api::Api, until::until};
use ed25519_dalek::SigningKey;
use futures_util::future::try_join_all;
use protocol::{
    JobId, RobotId, SiteId,
    job::{JobEvent, PhaseName},
    views::{JobAct, JobView, Role},
};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Installation, leave, order_form, post, robot::Robot, said_yes, usage::Usage};
use crate::{count, per_second, progress};

/// Not measured: connections are opened and what is read often comes into memory.
const WARM_UP: Duration = Duration::from_secs(2);

/// The sequencer signs every second.
const COVERED_WITHIN: Duration = Duration::from_secs(30);

/// How long is measured.
const TURN: Duration = Duration::from_secs(8);

/// Everybody who lives jobs.
pub(super) struct Lifecycles(Vec<Client>);

/// What came of a turn.
pub(super) struct Lived {
    /// Jobs a second.
    pub(super) rate: f64,
    /// Events that one job has in its record.
    pub(super) events: f64,
    /// The longest that one of them waited for a checkpoint, seconds.
    pub(super) checkpoint_lag: f64,
}

impl Lifecycles {
    /// So many clients, whose robots enrol and connect.
    pub(super) async fn start(installation: &Installation, clients: usize) -> Result<Self> {
        let mut all = Vec::new();
        for (index, seeded) in installation
            .stack
            .seeded
            .robots
            .iter()
            .take(clients)
            .enumerate()
        {
            let key = SigningKey::from_bytes(&[u8::try_from(100 + index)?; 32]);
            let url = &installation.stack.ready.url;
            all.push(Client {
                requester: installation.stack.requester()?,
                operator: installation.stack.operator()?,
                site: installation.site,
                robot_id: seeded.id.parse()?,
                robot: Robot::enrol(url, &seeded.token, key).await?,
            });
        }
        Ok(Self(all))
    }

    /// Jobs a second that this many clients live at once; every one of them is looked at afterwards.
    pub(super) async fn measure(
        &mut self,
        installation: &Installation,
        clients: usize,
    ) -> Result<Lived> {
        self.turn(clients, WARM_UP).await?;
        let before = Usage::of(&installation.stack)?;
        let (began, began_at) = (Instant::now(), OffsetDateTime::now_utc());
        let jobs = self.turn(clients, TURN).await?;
        let took = began.elapsed();
        let usage = Usage::since(before, &installation.stack)?;
        let events = self.events_of(&jobs).await?;
        let checkpoint_lag = checkpoint_lag(installation, began_at).await?;
        progress(&format!(
            "{clients} clients lived {} jobs in {:.1} s; {usage}",
            jobs.len(),
            took.as_secs_f64()
        ));
        Ok(Lived {
            rate: per_second(jobs.len(), took),
            events: count(events) / count(jobs.len()),
            checkpoint_lag,
        })
    }

    async fn turn(&mut self, clients: usize, turn: Duration) -> Result<Vec<JobId>> {
        let until = Instant::now() + turn;
        let mut at_work = JoinSet::new();
        let others = self.0.split_off(clients.min(self.0.len()));
        for client in std::mem::replace(&mut self.0, others) {
            at_work.spawn(client.live_until(until));
        }
        let mut jobs = Vec::new();
        while let Some(ended) = at_work.join_next().await {
            let (client, lived) = ended??;
            self.0.push(client);
            jobs.extend(lived);
        }
        Ok(jobs)
    }

    /// Events of these jobs together. Fails unless every one of them is completed.
    async fn events_of(&self, jobs: &[JobId]) -> Result<usize> {
        let share = jobs.len().div_ceil(self.0.len()).max(1);
        let readers = self.0.iter().zip(jobs.chunks(share));
        let sums = try_join_all(readers.map(|(client, jobs)| client.events_of(jobs))).await?;
        Ok(sums.into_iter().sum())
    }
}

/// The longest that an event recorded since then waited until a checkpoint was signed that covers it. Waits for the last of them itself.
async fn checkpoint_lag(installation: &Installation, since: OffsetDateTime) -> Result<f64> {
    until("every event to have its checkpoint", COVERED_WITHIN, async || {
        let is_covered = sqlx::query_scalar!(
            r#"SELECT (SELECT max(size) FROM spine.checkpoint) >= (SELECT count(*) FROM spine.event) AS "is_covered!""#
        );
        let is_covered = is_covered.fetch_one(&installation.app).await?;
        Ok(is_covered.then_some(()))
    })
    .await?;
    Ok(sqlx::query_scalar!(
        r#"SELECT max(extract(epoch FROM covering.signed_at - event.recorded_at))::float8 AS "lag!"
           FROM spine.event
           JOIN spine.leaf USING (sequence)
           CROSS JOIN LATERAL (
               SELECT signed_at FROM spine.checkpoint
               WHERE size > leaf.leaf_index
               ORDER BY size
               LIMIT 1
           ) covering
           WHERE event.recorded_at >= $1"#,
        since
    )
    .fetch_one(&installation.app)
    .await?)
}

/// A requester, an operator and a robot.
struct Client {
    requester: Api,
    operator: Api,
    site: SiteId,
    robot_id: RobotId,
    robot: Robot,
}

impl Client {
    async fn live_until(mut self, until: Instant) -> Result<(Self, Vec<JobId>)> {
        let mut jobs = Vec::new();
        while Instant::now() < until {
            jobs.push(self.live().await?);
        }
        Ok((self, jobs))
    }

    /// One job, from the wish to the yes.
    async fn live(&mut self) -> Result<JobId> {
        let job = JobId(Uuid::now_v7());
        let form = order_form(job, self.site)?;
        let asked = post(&self.requester, "/api/v1/jobs", &form).await?;
        said_yes(asked).await?.bytes().await?;
        let granted = JobEvent::AccessGranted { plan: leave() };
        act(&self.requester, Role::Requester, job, granted).await?;
        let assigned = JobEvent::Assigned {
            robot: self.robot_id,
        };
        act(&self.operator, Role::Operator, job, assigned).await?;
        self.robot.finishes(job).await?;
        act(
            &self.requester,
            Role::Requester,
            job,
            JobEvent::WorkAccepted {},
        )
        .await?;
        Ok(job)
    }

    async fn events_of(&self, jobs: &[JobId]) -> Result<usize> {
        let mut events = 0;
        for job in jobs {
            let path = format!("/api/v1/jobs/{job}");
            let view: JobView = said_yes(self.requester.get(&path).await?)
                .await?
                .json()
                .await?;
            ensure!(
                view.phase == PhaseName::Completed,
                "{job} is {:?}",
                view.phase
            );
            events += usize::try_from(view.version).context("a job without an end")?;
        }
        Ok(events)
    }
}

async fn act(api: &Api, role: Role, job: JobId, event: JobEvent) -> Result<()> {
    let kind = event.kind();
    let body = serde_json::to_value(JobAct {
        event: Some(event),
        sealed: None,
        acting_as: Some(role),
    })?;
    let answer = post(api, &format!("/api/v1/jobs/{job}/events"), &body).await?;
    said_yes(answer).await.context(kind)?.bytes().await?;
    Ok(())
}
