//! Commands that no robot answered in time are said to be unanswered.

use assist::{Input, apply, decide, store};
use protocol::views::CommandView;
use spine::Tx;

use super::command_views::views;
use crate::{app::App, error::ApiError};

/// Commands taken in one transaction. What is left is due at the next look.
const BATCH: u32 = 100;

/// Marks what is overdue and returns it as it stands now.
pub async fn time_out_commands(app: &App) -> Result<Vec<CommandView>, ApiError> {
    let now = app.clock.now();
    let mut tx = Tx::begin(&app.pool);
    let mut changed = Vec::new();
    for before in store::claim_overdue(&mut tx, now, BATCH).await? {
        let events = decide(Some(&before), Input::TimeOut, now)?;
        if let Some(after) = events.into_iter().fold(Some(before.clone()), apply)
            && after != before
        {
            store::save(&mut tx, &before, &after).await?;
            changed.push(after);
        }
    }
    let timed_out = u64::try_from(changed.len()).unwrap_or(u64::MAX);
    let changed = views(tx.connection().await?, changed).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    metrics::counter!("nooterra_commands_total", "fate" => "unanswered").increment(timed_out);
    Ok(changed)
}
