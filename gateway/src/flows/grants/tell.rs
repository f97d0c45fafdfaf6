//! Robots hear the latest roster and the latest list of what is believed no more, as they were sealed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{OrganisationId, RobotId, robot_socket::ToRobot};

use crate::{app::App, error::ApiError};

/// Tells one robot, which has just come.
pub async fn tell_who_came(
    app: &App,
    organisation: OrganisationId,
    robot: RobotId,
) -> Result<(), ApiError> {
    for frame in frames(app, organisation).await? {
        if app.live.order(robot, frame).is_err() {
            tracing::debug!(robot.id = %robot, "a robot that is away hears later whom to believe");
        }
    }
    Ok(())
}

/// Tells every robot of an organisation that is connected here. Worth no failure: each hears it at its next session, too.
pub async fn tell_organisation(app: &App, organisation: OrganisationId) {
    let frames = match frames(app, organisation).await {
        Ok(frames) => frames,
        Err(error) => {
            tracing::warn!(code = error.code(), "whom to believe is told later");
            return;
        }
    };
    for robot in app.live.attached_robots() {
        let is_theirs =
            (app.live.robot(robot)).is_some_and(|view| view.organisation == organisation);
        if !is_theirs {
            continue;
        }
        for frame in &frames {
            if app.live.order(robot, frame.clone()).is_err() {
                tracing::debug!(robot.id = %robot, "a robot hears later whom to believe");
            }
        }
    }
}

/// The roster first: it says whose list of revocations is believed.
async fn frames(app: &App, organisation: OrganisationId) -> Result<Vec<ToRobot>, ApiError> {
    let roster = identity::store::latest_roster(&app.pool, organisation).await?;
    let list = identity::store::latest_revocations(&app.pool, organisation).await?;
    let roster = roster.map(|stored| ToRobot::Roster {
        sealed: BASE64_STANDARD.encode(stored.sealed),
    });
    let list = list.map(|stored| ToRobot::Revocations {
        sealed: BASE64_STANDARD.encode(stored.sealed),
    });
    Ok(roster.into_iter().chain(list).collect())
}
