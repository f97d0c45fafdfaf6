//! After a commit: consoles hear who steers, and the robot hears it before any order under that epoch.

use assist::{notice, store::StoredControl};
use protocol::{RobotId, control::ControlView, robot_socket::ToRobot};

use super::views::view;
use crate::{app::App, error::ApiError};

/// Tells the robot and whoever may steer robots there.
pub fn tell(app: &App, stored: &StoredControl, view: &ControlView) {
    // The robot first: who reads that they steer may click at once.
    tell_robot(app, stored);
    app.live.control(view, stored.organisation, stored.site);
}

/// Tells the robot alone.
pub fn tell_robot(app: &App, stored: &StoredControl) {
    let robot = stored.control.robot;
    let now = app.clock.micros();
    let Some(notice) = notice(&stored.control, app.live.seen_tick(robot), now) else {
        return;
    };
    if app.live.order(robot, ToRobot::Control(notice)).is_err() {
        tracing::debug!(robot.id = %robot, "a robot that is away hears later who steers it");
    }
}

/// Says anew how it stands: for the robot and the consoles of this process, where another one, or a request whose caller went
/// away, changed it. Worth no failure: the next sign of life, or the lack of one, says it too.
pub async fn tell_anew(app: &App, robot: RobotId) {
    let said = async {
        let Some(stored) = assist::store::peek_control(&app.pool, robot).await? else {
            return Ok::<_, ApiError>(());
        };
        let mut connection = app.pool.acquire().await?;
        let now = app.clock.micros();
        let view = view(app, &mut connection, &stored, now).await?;
        drop(connection);
        tell(app, &stored, &view);
        Ok(())
    };
    if let Err(error) = said.await {
        tracing::debug!(robot.id = %robot, code = error.code(), "who steers is told later");
    }
}

/// What a robot that has just come is told: who steers it, if anybody ever did.
pub async fn tell_who_came(app: &App, robot: RobotId) -> Result<(), ApiError> {
    if let Some(stored) = assist::store::peek_control(&app.pool, robot).await? {
        tell_robot(app, &stored);
    }
    Ok(())
}
