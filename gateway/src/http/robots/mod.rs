//! `/api/v1/robots`: the roster, with what is known of each robot just now.

pub(super) mod enrol;
pub(super) mod list;
pub(super) mod read;
pub(super) mod revoke_token;

use identity::{Permission, Robot};
use protocol::{RobotId, views::RobotView};

use crate::{app::App, error::ApiError, http::auth::Caller, reactors::roster::offline_view};

/// The board's view where it has one: it is fresher than the roster.
fn view(app: &App, robot: &Robot) -> RobotView {
    app.live
        .robot(robot.robot)
        .unwrap_or_else(|| offline_view(robot))
}

/// The robot, if the caller has `permission` where it is. One that may not be seen is not found.
pub(super) async fn robot_for(
    app: &App,
    caller: &Caller,
    permission: Permission,
    robot: RobotId,
) -> Result<Robot, ApiError> {
    let sight = caller.sight()?;
    let robot = identity::store::load_robot(&app.pool, robot)
        .await?
        .filter(|robot| sight.covers(robot.organisation, robot.site))
        .ok_or_else(|| ApiError::not_found("robot"))?;
    caller.may_at(permission, robot.site)?;
    Ok(robot)
}
