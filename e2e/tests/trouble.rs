//! What goes wrong around a running installation, seen from the operator's browser: parts that fail, pages that attack.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::{
    browser::DESK, foreign_page::ForeignPage, operator::Operator, stack::Stack, until::until,
};
use protocol::{
    RobotId,
    views::{CommandView, Page},
};
use rustix::process::Signal;

/// The gateway looks at its parts every second.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// A page that a browser keeps for going back says nothing more: its socket ends after 15 seconds of silence.
const HUNG_UP_WITHIN: Duration = Duration::from_secs(30);

async fn operator(stack: &Stack) -> Result<Operator> {
    Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await
}

#[tokio::test]
async fn losing_redis_shows_as_a_banner_and_the_robot_still_obeys() -> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let operator = operator(&stack).await?;
    operator.open_live(&stack.seeded.robots[0].id).await?;

    stack.gateway.signal_part("redis-server", Signal::STOP)?;

    operator
        .browser
        .until_within(
            "a banner that says what is lost",
            TOLD_WITHIN,
            "return /presence store/i.test(document.querySelector('.banners')?.innerText ?? '')",
        )
        .await?;
    operator.browser.picture("live-redis-lost-1440").await?;
    operator.take_control().await?;
    operator.choose_place("Office").await?;
    operator.until_fate("Accepted", TOLD_WITHIN).await?;
    operator.sees_fresh_frames().await?;

    stack.gateway.signal_part("redis-server", Signal::CONT)?;

    operator
        .browser
        .until_within(
            "the banner to go",
            TOLD_WITHIN,
            "return !/presence store/i.test(document.querySelector('.banners')?.innerText ?? '')",
        )
        .await
}

#[tokio::test]
async fn a_redis_that_died_is_said_in_readyz_and_the_gateway_lives() -> Result<()> {
    let mut stack = Stack::start_with(1, &["--people", "0"]).await?;
    let admin = stack.admin()?;

    stack.gateway.signal_part("redis-server", Signal::KILL)?;

    until(
        "readyz to say that redis is down",
        TOLD_WITHIN,
        async || {
            let answer: serde_json::Value = admin.get("/readyz").await?.json().await?;
            let parts = answer["dependencies"].as_array();
            let redis = parts.and_then(|parts| parts.iter().find(|part| part["part"] == "redis"));
            let is_down = redis.is_some_and(|redis| redis["is_up"] == false);
            // Not required: a gateway without it still serves.
            Ok((is_down && answer["is_ready"] == true).then_some(()))
        },
    )
    .await?;
    let robots = stack.operator()?.robots().await?;
    ensure!(robots.len() == 1);
    ensure!(stack.gateway.ended()?.is_none(), "the gateway ended");
    Ok(())
}

/// Opens the console's socket with whatever cookie the browser sends, and says whether it opened.
fn opens_socket(gateway: &str) -> String {
    let url = gateway.replacen("http", "ws", 1) + "/api/v1/console/socket";
    format!(
        "const done = arguments[arguments.length - 1];
         const socket = new WebSocket('{url}');
         socket.onopen = () => done(true);
         socket.onerror = () => done(false);"
    )
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_listen_nor_command() -> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot: RobotId = stack.seeded.robots[0].id.parse()?;
    let gateway = &stack.ready.url;
    let operator = operator(&stack).await?;
    // From our own page the same socket opens: what is refused below is refused for its origin.
    ensure!(
        operator
            .browser
            .eval_async::<bool>(&opens_socket(gateway))
            .await?
    );
    let foreign = ForeignPage::serve().await?;
    operator.browser.goto(&foreign.url).await?;

    let listens: bool = operator.browser.eval_async(&opens_socket(gateway)).await?;
    let reads: bool = operator
        .browser
        .eval_async(&format!(
            "const done = arguments[arguments.length - 1];
             const order = {{
               method: 'POST', credentials: 'include', mode: 'no-cors',
               headers: {{ 'content-type': 'text/plain' }}, body: JSON.stringify({{ verb: 'stop' }}),
             }};
             // As a form would send it, which no preflight stops; then as a script would read.
             fetch('{gateway}/api/v1/robots/{robot}/commands', order)
               .then(() => fetch('{gateway}/api/v1/session', {{ credentials: 'include' }}))
               .then(answer => answer.text()).then(() => done(true), () => done(false));"
        ))
        .await?;

    ensure!(!listens, "a foreign page opened the console's socket");
    ensure!(!reads, "a foreign page read the session");
    let commands: Page<CommandView> = stack
        .operator()?
        .get(&format!("/api/v1/robots/{robot}/commands"))
        .await?
        .json()
        .await?;
    ensure!(
        commands.items.is_empty(),
        "a foreign page commanded the robot: {:?}",
        commands.items
    );
    Ok(())
}

/// The value of a series in the Prometheus text format.
fn value_of(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.parse().ok())?
    })
}

#[tokio::test]
async fn an_on_caller_sees_the_load_in_the_metrics_and_no_secret_in_the_logs() -> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let operator = operator(&stack).await?;
    operator.open_live(&stack.seeded.robots[0].id).await?;

    let admin = stack.admin()?;
    let expected = [
        ("nooterra_robots_online", 1.0),
        // The page that the operator came from hangs up a moment after, or is found silent.
        ("nooterra_consoles", 1.0),
        ("nooterra_rtc_publishers", 1.0),
        ("nooterra_rtc_viewers", 1.0),
        ("nooterra_dependency_up{part=\"postgres\"}", 1.0),
        ("nooterra_dependency_up{part=\"redis\"}", 1.0),
    ];
    until("the metrics to show the load", HUNG_UP_WITHIN, async || {
        let metrics = admin.get("/metrics").await?.text().await?;
        for (series, expected) in expected {
            let found = value_of(&metrics, series);
            ensure!(found == Some(expected), "{series} is {found:?}");
        }
        let forwarded = value_of(&metrics, "nooterra_rtc_packets_forwarded_total");
        ensure!(
            forwarded.is_some_and(|packets| packets > 10.0),
            "forwarded are {forwarded:?}"
        );
        Ok(Some(()))
    })
    .await?;
    let seeded = &stack.seeded;
    let link = &seeded.sign_in.operator;
    let secrets = [
        seeded.robots[0].token.as_str(),
        seeded.tokens.operator.as_str(),
        seeded.tokens.admin.as_str(),
        link.rsplit(['#', '/', '=']).next().unwrap_or(link),
        // Of session descriptions.
        "ice-pwd",
        "fingerprint:sha-256",
        "candidate:",
    ];
    for log in [stack.gateway.log(), stack.agents[0].log()] {
        ensure!(!log.is_empty(), "there is no log");
        for secret in secrets {
            ensure!(!log.contains(secret), "the log tells {secret}:\n{log}");
        }
    }
    Ok(())
}
