//! Who steers is still there: they have the full time again, at the gateway and at the robot.

use identity::Person;
use protocol::{
    RobotId,
    control::{ControlNotice, ControlSpan},
    limits::CONTROL_LASTS_MS,
    robot_socket::ToRobot,
};
use spine::Tx;
use time::Duration;

use super::act_on_control::refused;
use crate::{app::App, error::ApiError};

/// Takes a sign of life of who steers `robot` under `epoch`. No event: nothing changed.
pub async fn present(
    app: &App,
    person: &Person,
    robot: RobotId,
    epoch: u64,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    let until = now + Duration::milliseconds(i64::from(CONTROL_LASTS_MS));
    let is_theirs =
        assist::store::renew(&app.pool, robot, person.person, epoch, now, until).await?;
    if !is_theirs {
        return Err(why_not(app, person, robot, epoch).await);
    }
    if let Some(seen_tick_ms) = app.live.seen_tick(robot) {
        let notice = ControlNotice {
            epoch,
            held: Some(ControlSpan {
                seen_tick_ms,
                lasts_ms: CONTROL_LASTS_MS,
            }),
            is_let_go: false,
        };
        // One that leaves in this moment hears it when it is back.
        let _away = app.live.order(robot, ToRobot::Control(notice));
    }
    Ok(())
}

async fn why_not(app: &App, person: &Person, robot: RobotId, epoch: u64) -> ApiError {
    let stored = match assist::store::peek_control(&app.pool, robot).await {
        Ok(stored) => stored,
        Err(error) => return error.into(),
    };
    let control = stored.map_or(assist::Control::never(robot), |stored| stored.control);
    let now = app.clock.micros();
    match assist::may_steer(&control, person.person, Some(epoch), now) {
        Err(refusal) => refused(app, &mut Tx::begin(&app.pool), refusal).await,
        // It became theirs between the two looks; the next sign of life says so.
        Ok(()) => ApiError::refused("stale", "control is just changing hands"),
    }
}
