//! What a robot costs: processor time per camera that somebody watches, and bytes a second while nobody does.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result};
use e2e::{browser::DESK, operator::Operator, stack::Stack};
use tokio::time::Instant;

use crate::{
    Row,
    processor::{TICKS_PER_SECOND, ticks},
};

/// Long enough to even out key frames and keep-alives.
const SPAN: Duration = Duration::from_secs(15);

/// Cameras of a simulated robot.
const CAMERAS: f64 = 2.0;

/// IPv4 and TCP with time stamps, per segment.
const HEADER_BYTES: u64 = 52;

pub(crate) async fn measure() -> Result<Vec<Row>> {
    if !cfg!(target_os = "linux") {
        eprintln!("what a robot costs is left out: it is read from Linux's /proc and by its ss");
        return Ok(Vec::new());
    }
    let stack = Stack::start_with(1, &["--wander"]).await?;
    let agent = stack.agents[0].id();
    let port = stack
        .ready
        .url
        .rsplit_once(':')
        .context("no port in the address")?
        .1
        .to_owned();

    let idle = span(agent, &port).await?;
    let operator =
        Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await?;
    operator.sees_stills().await?;
    let listed = span(agent, &port).await?;
    operator.open_live(&stack.seeded.robots[0].id).await?;
    let watched = span(agent, &port).await?;

    let per_camera = (watched.processor - idle.processor) / CAMERAS * 100.0;
    Ok(vec![
        Row::new("agent_processor_per_camera", "% of a core", per_camera),
        Row::new(
            "agent_processor_idle",
            "% of a core",
            idle.processor * 100.0,
        ),
        // Both on the socket; the peer connection's keep-alives come on top, some hundred bytes every few seconds.
        Row::new("idle_uplink", "kbit/s", idle.kilobits),
        Row::new("fleet_uplink", "kbit/s", listed.kilobits),
    ])
}

struct Span {
    /// Share of one core.
    processor: f64,
    /// Sent on the robot's socket, a second.
    kilobits: f64,
}

async fn span(agent: u32, port: &str) -> Result<Span> {
    let (ticks, bytes) = (ticks(agent)?, sent_bytes(agent, port)?);
    let began = Instant::now();
    tokio::time::sleep(SPAN).await;
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (ticks, bytes) = (
        (self::ticks(agent)? - ticks) as f64,
        (sent_bytes(agent, port)?.saturating_sub(bytes)) as f64,
    );
    Ok(Span {
        processor: ticks / TICKS_PER_SECOND / seconds,
        kilobits: bytes * 8.0 / 1_000.0 / seconds,
    })
}

/// What the kernel counted as sent on the agent's connections to the gateway, headers included.
fn sent_bytes(process: u32, port: &str) -> Result<u64> {
    let output = Command::new("ss")
        .args(["-tinpH", "dport", "=", &format!(":{port}")])
        .output()
        .context("ss can't be run; it comes with iproute2")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let owner = format!("pid={process},");
    let mut total = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let details = lines.next().unwrap_or_default();
        if !line.contains(&owner) {
            continue;
        }
        let number = |name: &str| {
            details
                .split_whitespace()
                .find_map(|word| word.strip_prefix(name)?.parse::<u64>().ok())
                .unwrap_or(0)
        };
        total += number("bytes_sent:") + number("segs_out:") * HEADER_BYTES;
    }
    Ok(total)
}
