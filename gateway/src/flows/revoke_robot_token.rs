//! A robot's token stops working, at once, also for a session that stands on it.

use identity::Robot;
use protocol::{PersonId, TokenId};
use spine::Tx;

use crate::{app::App, error::ApiError};

/// Revokes `token` of `robot`.
pub async fn revoke_robot_token(
    app: &App,
    by: PersonId,
    robot: &Robot,
    token: TokenId,
) -> Result<(), ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let now = app.clock.now();
    identity::store::revoke_robot_token(&mut tx, robot, token, Some(by), now).await?;
    tx.commit(&app.signer, app.clock.micros()).await?;
    app.live.end_robot_with(robot.robot, token);
    Ok(())
}
