//! Whether what was acknowledged outlives sudden ends: people act on jobs while the gateway and its PostgreSQL are killed
//! again and again, and at the end the record is held against what every one of them was answered.

mod record;
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
    JobId, SiteId,
    views::{Role, SessionView},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    api::Api,
    stack::{First, Stack},
    until::until,
};

use record::{Record, latest_checkpoint};
use writer::{Writer, Written};

/// Acts that are answered before a kill, at least; a few more each time, so that kills fall at different moments of an act.
const ACTS_BEFORE_A_KILL: usize = 60;

/// How many more, in turn. Prime, so that it keeps step with nothing.
const MORE_ACTS: usize = 37;

/// So many acts take a second; a gateway that starts on a busy machine leaves them waiting.
const ACTED_WITHIN: Duration = Duration::from_mins(1);

/// After the last kill every writer ends its act and its job.
const ENDED_WITHIN: Duration = Duration::from_mins(2);

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
    answered: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

/// Kills the gateway and its PostgreSQL `rounds` times under load and looks what is left.
pub async fn survive(rounds: usize) -> Result<Findings> {
    let mut stack = Stack::alone(1).await?;
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
    let written = load.end().await?;
    let record = Record::read(&stack).await?;
    record.continues(&stack, &checkpoints).await?;
    let mut findings = record.judge(&written).await?;
    findings.rounds = rounds;
    Ok(findings)
}

impl Load {
    /// One job for each writer, and one for two. Every person counts against limits of their own.
    async fn start(stack: &Stack) -> Result<Self> {
        let site = site(stack).await?;
        let tokens = &stack.seeded.tokens;
        let mut load = Self {
            writers: JoinSet::new(),
            answered: Arc::default(),
            is_over: Arc::default(),
        };
        for token in [
            &tokens.requester,
            &tokens.operator,
            &tokens.owner,
            &tokens.admin,
        ] {
            let api = Api::new(&stack.ready.url, token)?;
            become_requester(stack, &api).await?;
            // Two for a job of its own each, or both for one.
            let shared = JobId(Uuid::now_v7());
            let jobs = if *token == tokens.requester {
                [shared, shared]
            } else {
                [JobId(Uuid::now_v7()), JobId(Uuid::now_v7())]
            };
            for job in jobs {
                let writer = Writer {
                    api: api.clone(),
                    site,
                    job,
                    is_shared: job == shared,
                };
                let (answered, is_over) = (Arc::clone(&load.answered), Arc::clone(&load.is_over));
                load.writers.spawn(writer.write(answered, is_over));
            }
        }
        Ok(load)
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

    /// Lets every writer come to its end.
    async fn end(mut self) -> Result<Vec<Written>> {
        self.is_over.store(true, Ordering::Relaxed);
        let all = async {
            let mut written = Vec::new();
            while let Some(ended) = self.writers.join_next().await {
                written.push(ended??);
            }
            anyhow::Ok(written)
        };
        tokio::time::timeout(ENDED_WITHIN, all)
            .await
            .context("the writers did not end")?
    }
}

/// Where the installation's robot is.
async fn site(stack: &Stack) -> Result<SiteId> {
    let robots = stack.operator()?.robots().await?;
    Ok(robots.first().context("there is no robot")?.site)
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
