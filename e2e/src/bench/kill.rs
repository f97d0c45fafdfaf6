//! Gateway and database killed under load, again and again: what was lost, doubled or reordered.

use anyhow::Result;
use e2e::durability::survive;

use crate::{Row, count};

pub(crate) async fn measure(rounds: usize) -> Result<Vec<Row>> {
    let found = survive(rounds).await?;
    Ok(vec![
        Row::new("rounds", "kills", count(found.rounds)),
        Row::new("acknowledged", "acts", count(found.acknowledged)),
        Row::new("refused", "acts", count(found.refused)),
        Row::new("sent_again", "requests", count(found.sent_again)),
        Row::new("events", "events", count(found.events)),
        Row::new(
            "by_people",
            "events",
            count(usize::try_from(found.by_people)?),
        ),
        Row::new(
            "by_robots",
            "events",
            count(usize::try_from(found.by_robots)?),
        ),
        Row::new("jobs_done", "jobs", count(found.jobs_done)),
        Row::new("lost", "acts", count(found.lost)),
        Row::new("doubled", "acts", count(found.doubled)),
        Row::new("reordered", "acts", count(found.reordered)),
    ])
}
