//! From lens to screen, and from a click to the first picture.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    browser::DESK,
    operator::{Frames, Operator},
    stack::Stack,
};
use serde_json::json;

use crate::{Row, quantile};

/// Ten seconds at 30 frames a second.
const FRAMES: usize = 300;

/// Twice what they take.
const WITHIN: Duration = Duration::from_secs(25);

/// Page loads that the first-frame figure is the median of.
const LOADS: usize = 5;

pub(crate) async fn measure() -> Result<Vec<Row>> {
    let stack = Stack::start_with(1, &["--test-stamp", "--wander"]).await?;
    let operator =
        Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await?;
    let robot = &stack.seeded.robots[0].id;

    let mut first_frames = Vec::new();
    let mut first_paints = Vec::new();
    for _ in 0..LOADS {
        operator
            .browser
            .goto(&format!("{}/", stack.ready.url))
            .await?;
        let began = Instant::now();
        operator.open_live(robot).await?;
        first_frames.push(began.elapsed().as_secs_f64() * 1_000.0);
        first_paints.push(
            operator
                .browser
                .eval("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
                .await?,
        );
    }
    let ours = operator.measure_frames(FRAMES, WITHIN).await?;
    ensure!(ours.samples.len() >= FRAMES / 2, "too few frames: {ours:?}");
    operator
        .browser
        .goto(&format!("{}/", stack.ready.url))
        .await?;
    let reference = reference(&operator).await?;

    Ok(vec![
        Row::new("glass_p50", "ms", quantile(&ours.samples, 0.5))
            .beside(quantile(&reference.samples, 0.5)),
        Row::new("glass_p95", "ms", quantile(&ours.samples, 0.95))
            .beside(quantile(&reference.samples, 0.95)),
        Row::new("frame_rate", "fps", ours.rate()).beside(reference.rate()),
        Row::new("first_frame", "ms", quantile(&first_frames, 0.5))
            .beside(quantile(&first_paints, 0.5)),
        Row::new("first_paint", "ms", quantile(&first_paints, 0.5)),
    ])
}

/// The same browser talking to itself.
async fn reference(operator: &Operator) -> Result<Frames> {
    let window = &operator.browser.window;
    window.set_script_timeout(WITHIN * 2).await?;
    let value = window
        .execute_async(
            include_str!("loopback.js"),
            vec![json!(FRAMES), json!(WITHIN.as_millis())],
        )
        .await?;
    serde_json::from_value(value.json().clone()).context("the reference was not measured")
}
