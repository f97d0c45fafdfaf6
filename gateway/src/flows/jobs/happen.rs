//! Something happens to a job: the rules are asked, rows and events are written in the caller's transaction, and what to tell
//! whom afterwards is worked out.

use jobs::{Actor, Decision, Job, Work, store::Stored};
use protocol::{
    AssistId, OrganisationId, RobotId, UnixMicros,
    assist::{AssistQuestion, AssistReason},
    event::Payload,
    job::{Assignment, Directive, JobEvent, job_stream},
    robot_socket::ToRobot,
};
use spine::Tx;
use uuid::Uuid;

use super::{
    calls::{self, Asked},
    tell::News,
    views::view_in,
    word::Word,
};
use crate::{app::App, error::ApiError};

/// Consequences of one proposal: what the rules add, and what follows from calls for help. More would be a circle.
const MAX_CONSEQUENCES: usize = 8;

/// What somebody wants to happen.
#[derive(Debug)]
pub struct Proposal {
    /// What.
    pub event: JobEvent,
    /// Who, as the rules know them.
    pub actor: Actor,
    /// How it is recorded.
    pub word: Word,
}

/// What became of a proposal.
#[derive(Debug)]
pub struct Happened {
    /// The job as it stands now.
    pub job: Stored,
    /// Whom to tell what, after the commit.
    pub news: News,
}

/// Lets `proposal` happen to the job, or says why not. The caller commits, and tells. An event that the log holds already
/// changes nothing.
pub async fn happen(
    app: &App,
    tx: &mut Tx,
    organisation: OrganisationId,
    before: Option<Stored>,
    proposal: Proposal,
    now: UnixMicros,
) -> Result<Happened, ApiError> {
    happen_together(app, tx, organisation, before, vec![proposal], now).await
}

/// The same for several, one after the other; what becomes of the job in the end is written and told once.
pub async fn happen_together(
    app: &App,
    tx: &mut Tx,
    organisation: OrganisationId,
    before: Option<Stored>,
    proposals: Vec<Proposal>,
    now: UnixMicros,
) -> Result<Happened, ApiError> {
    let mut unfolding = Unfolding {
        organisation,
        job: before.as_ref().map(|stored| stored.job.clone()),
        queue: Vec::new(),
        news: News::default(),
        now,
    };
    for proposal in proposals {
        unfolding.propose(app, tx, proposal).await?;
        unfolding.follow_up(app, tx).await?;
    }
    unfolding.finish(app, tx, before).await
}

struct Unfolding {
    organisation: OrganisationId,
    job: Option<Job>,
    /// What the cloud does next.
    queue: Vec<JobEvent>,
    news: News,
    now: UnixMicros,
}

impl Unfolding {
    async fn propose(
        &mut self,
        app: &App,
        tx: &mut Tx,
        proposal: Proposal,
    ) -> Result<(), ApiError> {
        let Proposal { event, actor, word } = proposal;
        let decision = jobs::decide(self.job.as_ref(), &event, actor, self.now);
        // Before a refusal is said: an event that was taken before is answered as it was then, not as it would be now.
        if !self.record(tx, &event, word).await? {
            return Ok(());
        }
        match decision? {
            Decision::RecordOnly(reason) => {
                tracing::info!(
                    kind = event.kind(),
                    code = reason.code(),
                    "recorded, moves nothing"
                );
                metrics::counter!("nooterra_job_events_not_applied_total", "code" => reason.code())
                    .increment(1);
            }
            Decision::Apply(events) => {
                for (place, event) in events.into_iter().enumerate() {
                    let actor = if place == 0 { actor } else { Actor::Cloud };
                    let asked = if place == 0 {
                        Asked::Proposed
                    } else {
                        self.record(tx, &event, Word::Cloud).await?;
                        Asked::Consequence
                    };
                    self.apply(app, tx, event, actor, asked).await?;
                }
            }
        }
        Ok(())
    }

    /// Does what the cloud does next, to its end.
    async fn follow_up(&mut self, app: &App, tx: &mut Tx) -> Result<(), ApiError> {
        let mut followed = 0;
        while let Some(event) = self.queue.pop() {
            followed += 1;
            if followed > MAX_CONSEQUENCES {
                tracing::error!(kind = event.kind(), "consequences without an end");
                return Err(ApiError::broken());
            }
            let consequence = Proposal {
                event,
                actor: Actor::Cloud,
                word: Word::Cloud,
            };
            self.propose(app, tx, consequence).await?;
        }
        Ok(())
    }

    async fn apply(
        &mut self,
        app: &App,
        tx: &mut Tx,
        event: JobEvent,
        actor: Actor,
        asked: Asked,
    ) -> Result<(), ApiError> {
        let had_help = self
            .job
            .as_ref()
            .is_some_and(|job| job.open_help().is_some());
        self.job = jobs::apply(self.job.take(), &event, actor, self.now);
        let job = self.job.as_ref().ok_or_else(ApiError::broken)?;
        // A call is open only while its job wants help: nearly all events need not look for one.
        let moved = if had_help || assist::call_of(&event).is_some() {
            calls::follow(tx, self.organisation, job, (&event, actor, asked), self.now).await?
        } else {
            None
        };
        if let Some(call) = moved {
            let title = job.plan.title.clone();
            let view = calls::view(app, tx.connection().await?, &call, title).await?;
            self.news.calls.push(view);
        }
        self.queue.extend(follow_ups(job, &event));
        metrics::counter!("nooterra_job_events_total", "kind" => event.kind()).increment(1);
        Ok(())
    }

    /// False when the log holds exactly this already.
    async fn record(&self, tx: &mut Tx, event: &JobEvent, word: Word) -> Result<bool, ApiError> {
        let (job, site) = match (&self.job, event) {
            (Some(job), _) => (job.id(), job.request.site),
            (None, JobEvent::Requested { request, .. }) => (request.job, request.site),
            (None, _) => return Err(ApiError::not_found("job")),
        };
        word.record(
            tx,
            job_stream(job),
            self.organisation,
            Some(site),
            Payload::Job(event.clone()),
            self.now,
        )
        .await
    }

    async fn finish(
        mut self,
        app: &App,
        tx: &mut Tx,
        before: Option<Stored>,
    ) -> Result<Happened, ApiError> {
        let job = self.job.take().ok_or_else(ApiError::broken)?;
        match &before {
            // Also when nothing changed: what was only recorded was judged by a job that must still be the same.
            Some(before) => jobs::store::save(tx, &before.job, &job).await?,
            None => jobs::store::insert(tx, self.organisation, &job).await?,
        }
        let stored = Stored {
            job,
            organisation: self.organisation,
        };
        self.news.robots = orders(before.as_ref().map(|before| &before.job), &stored.job);
        self.news.jobs.push(view_in(app, tx, &stored).await?);
        Ok(Happened {
            job: stored,
            news: self.news,
        })
    }
}

/// What the cloud adds because of an event, beyond the job's own rules: a call rings, and a robot that fell silent gets a
/// person's attention where the requester wanted that.
fn follow_ups(job: &Job, event: &JobEvent) -> Option<JobEvent> {
    match event {
        JobEvent::AssistRequested { assist, .. } => Some(JobEvent::AssistOffered {
            assist: *assist,
            people: Vec::new(),
        }),
        JobEvent::HeartbeatMissed { .. } if jobs::wants_cover(job) => {
            Some(JobEvent::AssistRequested {
                assist: AssistId(Uuid::now_v7()),
                epoch: None,
                question: AssistQuestion {
                    reason: AssistReason::Stalled,
                    words: "Nothing is heard of the robot.".to_owned(),
                    options: Vec::new(),
                    camera: String::new(),
                },
            })
        }
        _ => None,
    }
}

/// What the robots of before and after are to do. One that lost the job, or is done with it, is told so.
fn orders(before: Option<&Job>, after: &Job) -> Vec<(RobotId, ToRobot)> {
    let was = before.and_then(task);
    let is = task(after);
    let released = match (&was, &is) {
        (Some((robot, was)), is)
            if is
                .as_ref()
                .is_none_or(|(now, is)| now != robot || is.epoch != was.epoch) =>
        {
            let released = Assignment {
                directive: Directive::Release,
                ..was.clone()
            };
            Some((*robot, released))
        }
        (Some(_) | None, _) => None,
    };
    let changed = is.filter(|is| was.as_ref() != Some(is));
    let order = |(robot, assignment)| (robot, ToRobot::Assignment(Box::new(assignment)));
    released.into_iter().chain(changed).map(order).collect()
}

/// What a robot has to do for the job. Nothing any more once every step is done: it is free while the requester looks.
pub fn task(job: &Job) -> Option<(RobotId, Assignment)> {
    let is_done = job
        .phase
        .engaged()
        .is_some_and(|engaged| matches!(engaged.work, Work::Verifying { .. }));
    jobs::assignment(job).filter(|_| !is_done)
}
