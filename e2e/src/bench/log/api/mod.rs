//! How fast a whole installation records what is said to it over HTTP and sockets, and whether that stays so as its log grows.

mod acts;
mod grow;
mod lifecycles;
mod robot;
mod usage;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use e2e::{api::Api, stack::Stack};
use protocol::{
    AccessId, JobId, SiteId,
    job::{AccessPlan, JobRequest, ParameterValue, TemplateName, Window},
    views::{NewJob, Problem},
};
use reqwest::Response;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::{now, plain, pool};
use crate::{Row, print, progress};
use acts::{Kind, Writers};
use lifecycles::Lifecycles;

/// Clients of the figure that is aimed at, each with a robot of its own.
const CLIENTS: usize = 8;

/// What is measured is how fast the gateway is, not how many acts it allows one person.
const SETTINGS: &[(&str, &str)] = &[("NOOTERRA_LIMITS_ACTS_PER_MINUTE", "100000000")];

/// Events in the log when it is measured first.
const SMALL: i64 = 1_000;

/// No answer takes this long unless it never comes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Longer than any run.
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

pub(super) async fn measure(grown: i64) -> Result<()> {
    progress("an installation starts");
    let stack = Stack::alone_with(CLIENTS, SETTINGS).await?;
    let owner = pool(&stack.owner_database_url()?).await?;
    plain::make_table(&owner).await?;
    let installation = Installation::of(stack).await?;
    let mut lifecycles = Lifecycles::start(&installation, CLIENTS).await?;
    grow::to(&installation, &owner, SMALL).await?;

    let small = lifecycles.measure(&installation, CLIENTS).await?;
    let alone = lifecycles.measure(&installation, 1).await?;
    print(&[
        Row::new("lifecycles_per_second", "jobs/s", small.rate),
        Row::new("lifecycles_per_second_by_1", "jobs/s", alone.rate),
        Row::new("events_per_lifecycle", "events", small.events),
        Row::new("checkpoint_lag", "s", small.checkpoint_lag),
    ])?;
    let mut different_streams = 0.0;
    for (writers, metric) in [
        (1, "api_append_by_1"),
        (CLIENTS, "api_append"),
        (32, "api_append_by_32"),
    ] {
        let kinds = [Kind::Plain, Kind::DifferentStreams, Kind::OneStream];
        let mut at_work = Writers::start(&installation, writers).await?;
        let [plain, different, one] = at_work.rates(&installation, kinds).await?;
        let row = |case, rate| Row::new(metric, "events/s", rate).of(case).beside(plain);
        print(&[row("different_streams", different), row("one_stream", one)])?;
        if writers == CLIENTS {
            different_streams = different;
        }
    }

    grow::to(&installation, &owner, grown).await?;
    let large = lifecycles.measure(&installation, CLIENTS).await?;
    let mut at_work = Writers::start(&installation, CLIENTS).await?;
    let [different] = at_work
        .rates(&installation, [Kind::DifferentStreams])
        .await?;
    print(&[
        Row::new("lifecycles_at_1m", "jobs/s", large.rate).beside(small.rate),
        Row::new("checkpoint_lag_at_1m", "s", large.checkpoint_lag).beside(small.checkpoint_lag),
        Row::new("api_append_at_1m", "events/s", different)
            .of("different_streams")
            .beside(different_streams),
    ])
}

/// What everybody needs who talks to the installation.
struct Installation {
    stack: Stack,
    site: SiteId,
    /// Its database, as the gateway works on it.
    app: PgPool,
}

impl Installation {
    async fn of(stack: Stack) -> Result<Self> {
        let app = pool(&stack.ready.database_url).await?;
        let robots = stack.operator()?.robots().await?;
        let site = robots.first().context("there is no robot")?.site;
        Ok(Self { stack, site, app })
    }
}

/// The order form with the fewest steps.
fn order_form(job: JobId, site: SiteId) -> Result<Value> {
    let request = JobRequest {
        job,
        site,
        template: TemplateName {
            name: "inspect_room".to_owned(),
            version: 1,
        },
        parameters: [
            ("room", ParameterValue::Text("Room 2".to_owned())),
            ("photograph", ParameterValue::Flag(false)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        window: day(),
        operator_cover: false,
    };
    Ok(serde_json::to_value(NewJob {
        request: Some(request),
        sealed: None,
    })?)
}

/// Leave to enter under a name of its own.
fn leave() -> AccessPlan {
    AccessPlan {
        access: AccessId(Uuid::now_v7()),
        place: "Room 2".to_owned(),
        window: day(),
        secret: None,
    }
}

/// From now on; both clocks are this machine's.
fn day() -> Window {
    let now = now();
    Window {
        from: now,
        until: now.plus(DAY_MICROS),
    }
}

/// Says it once.
async fn post(api: &Api, path: &str, body: &Value) -> Result<Response> {
    let key = Uuid::now_v7();
    api.post_once(path, key, body, ANSWERED_WITHIN).await
}

/// The answer, if it is yes.
async fn said_yes(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem: Problem = response.json().await?;
    bail!("{status}: {problem:?}")
}
