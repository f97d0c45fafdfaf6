//! Whether a robot's words arrive, each once, over a link that is cut and loses what the gateway says, to a gateway that ends.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use protocol::{
    JobId,
    views::{EventView, Page},
};
use uuid::Uuid;

use super::{AGENT, foreman::Foreman, place, record::Record};
use crate::{
    api::Api,
    evidence::{self, Said},
    link::Link,
    stack::Stack,
    until::until,
};

/// How long a robot is deaf at a time: it gives a silent link up after five seconds, the gateway after half of that.
const DEAF_FOR: Duration = Duration::from_secs(2);

/// And how long it hears in between: it connects anew within a second.
const HEARS_FOR: Duration = Duration::from_millis(1_500);

/// The robot drives across the site.
const HEARD_WITHIN: Duration = Duration::from_mins(2);

/// What became of it. What is broken in itself (a gap, something twice, a chain, a replay) is an error instead.
#[derive(Debug)]
pub struct Delivered {
    /// Events that the robot signed, each once in the log and each behind the one before.
    pub by_robot: u64,
    /// Of them, recorded while the robot was told nothing.
    pub unconfirmed: usize,
    /// What `nooterra verify` says of the job's bundle.
    pub verified: Said,
}

/// Has a robot do a job. On the way its gateway ends as by a power cut, and its link is pulled; at work it is told nothing of what is
/// recorded until the link is pulled again.
pub async fn deliver() -> Result<Delivered> {
    let mut stack = Stack::alone(1).await?;
    let link = Link::to(&stack.ready.url).await?;
    stack.enrol_at(0, &link.url)?;
    let agent = stack.start_agent(0, &AGENT)?;
    stack.agents.push(agent);
    stack.all_online().await?;
    let (site, robot) = place(&stack).await?;
    let foreman = Foreman {
        requester: stack.requester()?,
        operator: stack.operator()?,
        site,
        robot,
    };
    let (api, job) = (stack.requester()?, JobId(Uuid::now_v7()));
    let work = tokio::spawn(async move { foreman.job(job).await });

    heard(&api, job, "robot.departed").await?;
    stack.restart_gateway(true).await?;
    stack.all_online().await?;
    link.cut();
    heard(&api, job, "access.verified").await?;
    // A robot gives up a link on which it hears nothing, and finds no gateway over one: it is deaf for moments, until one of them
    // has a word in it.
    let state = Cell::new((false, 0_usize, Instant::now()));
    let unconfirmed = until("words that nobody confirms", HEARD_WITHIN, async || {
        let said = said_by_robot(&api, job).await?;
        let (is_deaf, told, since) = state.get();
        if is_deaf && said > told {
            return Ok(Some(said - told));
        }
        if since.elapsed() >= if is_deaf { DEAF_FOR } else { HEARS_FOR } {
            if is_deaf {
                link.cut();
            } else {
                link.deafen();
            }
            state.set((!is_deaf, said, Instant::now()));
        }
        Ok(None)
    })
    .await?;
    link.cut();
    let written = work.await?.with_context(|| stack.agents[0].log())?;

    let log = Record::read(&stack).await?;
    let found = log.judge(&[written]).await?;
    ensure!(
        (found.lost, found.doubled, found.jobs_done) == (0, 0, 1),
        "{found:?}"
    );
    let bundle = evidence::download(&api, job, stack.folder()).await?;
    let keys = evidence::log_keys(&api).await?;
    let trust = evidence::trust_file(&keys, stack.folder())?;
    Ok(Delivered {
        by_robot: log.words_of(robot),
        unconfirmed,
        verified: evidence::verify(&bundle, &trust)?,
    })
}

/// Waits until a job's record has such an event.
async fn heard(api: &Api, job: JobId, kind: &str) -> Result<()> {
    until(format!("{kind} in the record"), HEARD_WITHIN, async || {
        let events = record(api, job).await?;
        Ok(events.iter().any(|event| event.kind == kind).then_some(()))
    })
    .await
}

/// How many events in a job's record the robot signed that departed for it.
async fn said_by_robot(api: &Api, job: JobId) -> Result<usize> {
    let events = record(api, job).await?;
    let departed = events.iter().find(|event| event.kind == "robot.departed");
    let robot = &departed.context("no robot departed")?.actor_key;
    Ok(events
        .iter()
        .filter(|event| event.actor_key == *robot)
        .count())
}

/// A job's record, which is not long.
async fn record(api: &Api, job: JobId) -> Result<Vec<EventView>> {
    let answer = api
        .get(&format!("/api/v1/jobs/{job}/events?limit=200"))
        .await?;
    let page: Page<EventView> = answer.error_for_status()?.json().await?;
    ensure!(
        page.next.is_none(),
        "the record of {job} is longer than a page"
    );
    Ok(page.items)
}
