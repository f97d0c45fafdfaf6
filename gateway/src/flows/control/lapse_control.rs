//! Who steers and was not heard for too long is gone.

use assist::{
    ControlActor, decide_control,
    store::{StoredControl, claim_lapsed_controls, save_control},
};
use protocol::control::{ControlEvent, ControlView};
use spine::Tx;

use super::{act_on_control::by_cloud, tell::tell, views::views};
use crate::{app::App, error::ApiError};

/// Robots taken in one transaction. What is left is due at the next look.
const BATCH: u32 = 100;

/// Says it of everybody of whom it is true, and tells whom it concerns.
pub async fn lapse_controls(app: &App) -> Result<(), ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let mut changed = Vec::new();
    let now = app.clock.micros();
    for before in claim_lapsed_controls(&mut tx, app.clock.now(), BATCH).await? {
        if let Some(ended) = assist::lapse_control(&before.control, now) {
            changed.push(end(&mut tx, &before, ended, now).await?);
        }
    }
    commit(app, tx, changed, now).await
}

/// Records that nobody steers any more, and why.
pub(super) async fn end(
    tx: &mut Tx,
    before: &StoredControl,
    ended: ControlEvent,
    now: protocol::UnixMicros,
) -> Result<StoredControl, ApiError> {
    decide_control(&before.control, &ended, ControlActor::Cloud, now)?;
    let after = by_cloud(tx, before.clone(), ended, now);
    save_control(tx, Some(before), &after).await?;
    Ok(after)
}

/// Commits what changed and tells whom it concerns.
pub(super) async fn commit(
    app: &App,
    mut tx: Tx,
    changed: Vec<StoredControl>,
    now: protocol::UnixMicros,
) -> Result<(), ApiError> {
    if changed.is_empty() {
        return Ok(());
    }
    let shown: Vec<ControlView> = views(app, tx.connection().await?, &changed, now).await?;
    tx.commit(&app.signer, now).await?;
    for (stored, view) in changed.iter().zip(&shown) {
        tracing::info!(robot.id = %view.robot, epoch = view.epoch, "control ended");
        tell(app, stored, view);
    }
    Ok(())
}
