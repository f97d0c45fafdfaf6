//! Somebody lost the right to steer: they are out at once, wherever they steer.

use assist::store::load_controls_held_by;
use identity::Permission;
use protocol::{
    PersonId,
    control::{ControlEnding, ControlEvent},
    sealed::KeyId,
};
use spine::Tx;

use super::lapse_control::{commit, end};
use crate::{app::App, error::ApiError};

/// What somebody lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The sign-in that this key was bound to.
    Key(KeyId),
    /// A bearer token: what a script of theirs steers.
    Token,
    /// A role; where they still have another that lets them steer, nothing is lost.
    Role,
}

/// Ends what `person` steers and may not any more.
pub async fn end_control(app: &App, person: PersonId, loss: Loss) -> Result<(), ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let held = load_controls_held_by(&mut tx, person).await?;
    if held.is_empty() {
        return Ok(());
    }
    let known = identity::store::load_person(tx.connection().await?, person).await?;
    let roles = known.map(|person| person.roles).unwrap_or_default();
    let now = app.clock.micros();
    let mut changed = Vec::new();
    for before in held {
        let Some(holder) = before.control.holder else {
            continue;
        };
        let cause = match loss {
            Loss::Key(key) if holder.seat.key == Some(key) => ControlEnding::SignedOut,
            Loss::Token if holder.seat.key.is_none() => ControlEnding::SignedOut,
            Loss::Role if !identity::allows(&roles, Permission::Command, Some(before.site)) => {
                ControlEnding::RightLost
            }
            Loss::Key(_) | Loss::Token | Loss::Role => continue,
        };
        let epoch = before.control.epoch;
        let ended = ControlEvent::Ended { epoch, cause };
        changed.push(end(&mut tx, &before, ended, now).await?);
    }
    commit(app, tx, changed, now).await
}
