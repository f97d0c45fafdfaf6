//! Whether what was acknowledged outlives sudden ends: people act on jobs, some through the gateway's signature and some under their own,
//! and a robot works, while the gateway and its PostgreSQL are killed again and again. At the end the record is held against what every
//! one of them was answered, and against each one's own chain of events.

mod asking;
mod delivery;
mod foreman;
mod hand;
mod record;
mod signers;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use protocol::{
    JobId, RobotId, SiteId,
    views::{Role, SessionView},
};
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use crate::{
    api::Api,
    stack::{First, Stack},
    until::until,
};

pub use delivery::{Delivered, deliver};
use foreman::Foreman;
use hand::Hand;
use record::{Record, latest_checkpoint};
use writer::{Writer, Written};

/// Acts that are answered before a kill, at least; a few more each time, so that kills fall at different moments of an act.
const ACTS_BEFORE_A_KILL: usize = 60;

/// How many more, in turn. Prime, so that it keeps step with nothing.
const MORE_ACTS: usize = 37;

/// So many acts take a second; a gateway that starts on a busy machine leaves them waiting.
const ACTED_WITHIN: Duration = Duration::from_mins(1);

/// After the last kill every writer ends its act and its job, and the robot its work.
const ENDED_WITHIN: Duration = Duration::from_mins(5);

/// A request without an answer is given up and sent again.
const REQUEST_WITHIN: Duration = Duration::from_secs(20);

/// A robot that is quick at everything but driving.
const AGENT: [&str; 4] = ["--people", "0", "--work-speed", "10"];

/// What PostgreSQL says when it finds itself killed.
const RECOVERED: &str = "was not properly shut down";

/// What became of it all. What is broken in itself (a gap, a chain, a proof, a replay) is an error instead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Findings {
    /// Times that both were killed.
    pub rounds: usize,
    /// Acts that were answered with yes.
    pub acknowledged: usize,
    /// Acts that were answered with no.
    pub refused: usize,
    /// Requests that were sent again, since no answer came.
    pub sent_again: usize,
    /// Events in the log.
    pub events: usize,
    /// Of them, signed under people's own keys.
    pub by_people: u64,
    /// Of them, signed by robots.
    pub by_robots: u64,
    /// Jobs that the robot did from beginning to end.
    pub jobs_done: usize,
    /// Acknowledged acts that are not in the record.
    pub lost: usize,
    /// Acts that are in the record twice, or although they were refused.
    pub doubled: usize,
    /// Acts of one writer that stand before what the same writer did earlier.
    pub reordered: usize,
}

/// Writers at work.
struct Load {
    writers: JoinSet<Result<Written>>,
    foreman: JoinHandle<Result<Vec<Written>>>,
    answered: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

/// Kills the gateway and its PostgreSQL `rounds` times under load and looks what is left.
pub async fn survive(rounds: usize) -> Result<Findings> {
    let mut stack = Stack::start_with(1, &AGENT).await?;
    let mut load = Load::start(&stack).await?;
    let mut checkpoints = Vec::new();
    for round in 0..rounds {
        load.run(ACTS_BEFORE_A_KILL + round * MORE_ACTS % ACTS_BEFORE_A_KILL)
            .await?;
        checkpoints.push(latest_checkpoint(&stack.operator()?).await?);
        let first = if round % 2 == 0 {
            First::Gateway
        } else {
            First::Database
        };
        stack.kill_gateway_and_database(first)?;
        stack.start_gateway_again().await?;
        ensure!(
            stack.database_log()?.contains(RECOVERED),
            "PostgreSQL ended in good order: nothing was tried"
        );
    }
    load.run(ACTS_BEFORE_A_KILL).await?;
    let (mut written, done) = load.end().await?;
    written.extend(done);
    // A robot at rest says nothing that is still on its way.
    let record = Record::read(&stack).await?;
    record.continues(&stack, &checkpoints).await?;
    let mut findings = record.judge(&written).await?;
    findings.rounds = rounds;
    Ok(findings)
}

impl Load {
    /// One job for each writer, and one for two. Every person counts against limits of their own; of two who are one person, the second
    /// signs with a key of their own, unless they share a job.
    async fn start(stack: &Stack) -> Result<Self> {
        let (site, robot) = place(stack).await?;
        let is_over = Arc::new(AtomicBool::new(false));
        let foreman = Foreman {
            requester: stack.requester()?,
            operator: stack.operator()?,
            site,
            robot,
        };
        let mut load = Self {
            writers: JoinSet::new(),
            foreman: tokio::spawn(foreman.work(Arc::clone(&is_over))),
            answered: Arc::default(),
            is_over,
        };
        let tokens = &stack.seeded.tokens;
        let shared = JobId(Uuid::now_v7());
        for _ in 0..2 {
            load.spawn(Writer {
                api: stack.requester()?,
                site,
                job: shared,
                is_shared: true,
                hand: None,
            });
        }
        let links = &stack.seeded.sign_in;
        for (token, link) in [
            (&tokens.operator, &links.operator),
            (&tokens.owner, &links.owner),
            (&tokens.admin, &links.admin),
        ] {
            let api = Api::new(&stack.ready.url, token)?;
            become_requester(stack, &api).await?;
            let signed_in = Api::sign_in(&stack.ready.url, link).await?;
            let hand = Hand::bind(&signed_in).await?;
            for (api, hand) in [(api, None), (signed_in, Some(hand))] {
                load.spawn(Writer {
                    api,
                    site,
                    job: JobId(Uuid::now_v7()),
                    is_shared: false,
                    hand,
                });
            }
        }
        Ok(load)
    }

    fn spawn(&mut self, writer: Writer) {
        let (answered, is_over) = (Arc::clone(&self.answered), Arc::clone(&self.is_over));
        self.writers.spawn(writer.write(answered, is_over));
    }

    /// Waits until so many more acts were answered.
    async fn run(&mut self, acts: usize) -> Result<()> {
        let wanted = self.answered.load(Ordering::Relaxed) + acts;
        until(
            format!("{acts} acts to be answered"),
            ACTED_WITHIN,
            async || {
                let answered = self.answered.load(Ordering::Relaxed);
                // None ends before it is told to, except by a failure that says more than the wait.
                Ok((answered >= wanted || self.writers.is_empty()).then_some(()))
            },
        )
        .await?;
        if let Some(ended) = self.writers.try_join_next() {
            ended??;
        }
        Ok(())
    }

    /// Lets every writer and the robot come to their end.
    async fn end(mut self) -> Result<(Vec<Written>, Vec<Written>)> {
        self.is_over.store(true, Ordering::Relaxed);
        let all = async {
            let mut written = Vec::new();
            while let Some(ended) = self.writers.join_next().await {
                written.push(ended??);
            }
            let done = (&mut self.foreman).await??;
            anyhow::Ok((written, done))
        };
        tokio::time::timeout(ENDED_WITHIN, all)
            .await
            .context("the writers and the robot did not end")?
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.foreman.abort();
    }
}

/// Where the installation's robot is, and which one.
async fn place(stack: &Stack) -> Result<(SiteId, RobotId)> {
    let robots = stack.operator()?.robots().await?;
    let robot = robots.first().context("there is no robot")?;
    Ok((robot.site, robot.robot))
}

/// Lets the person ask for work, too.
async fn become_requester(stack: &Stack, api: &Api) -> Result<()> {
    let session: SessionView = api
        .get("/api/v1/session")
        .await?
        .error_for_status()?
        .json()
        .await?;
    if session
        .roles
        .iter()
        .any(|grant| grant.role == Role::Requester)
    {
        return Ok(());
    }
    let person = session.person.to_string();
    stack.admin_command(&["person", "grant", &person, "requester"])?;
    Ok(())
}
