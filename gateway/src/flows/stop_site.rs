//! A supervisor stops every robot of a site: a stop each, sent and recorded like any other, and latched by the robot like any other.

use futures_util::{StreamExt as _, stream};
use identity::{Permission, Person};
use protocol::{
    CommandId, RobotId, SiteId,
    command::{CommandRequest, Verb},
    views::{NotReachedView, RobotView, SiteStopView},
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::stop_robot::{record, send};
use crate::{app::App, error::ApiError, live::Sight};

/// Stops that are recorded side by side: a site of fifty robots is told within some tens of milliseconds, and other work still finds
/// a connection to the database.
const SIDE_BY_SIDE: usize = 8;

/// Stops them. Under the same key the same robots get the same stop once.
pub async fn stop_site(
    app: &App,
    person: &Person,
    site: SiteId,
    key: Uuid,
) -> Result<SiteStopView, ApiError> {
    if !identity::allows(&person.roles, Permission::SeeFleet, Some(site)) {
        return Err(ApiError::not_found("site"));
    }
    if !identity::allows(&person.roles, Permission::TakeOver, Some(site)) {
        return Err(ApiError::forbidden(
            "role_missing",
            "a supervisor of this site stops all of its robots",
        ));
    }
    let sight = Sight {
        organisation: person.organisation,
        sites: Some([site].into()),
    };
    let robots = app.live.robots(&sight);
    if robots.is_empty() {
        return Err(ApiError::not_found("site"));
    }
    tracing::warn!(site.id = %site, robots = robots.len(), "a site is stopped");
    let mut stop = SiteStopView {
        stopped: Vec::with_capacity(robots.len()),
        not_reached: Vec::new(),
    };
    // All are told before the first is recorded.
    let sent: Vec<_> = robots
        .into_iter()
        .map(|robot| {
            let request = CommandRequest {
                command: stop_of(key, robot.robot),
                robot: robot.robot,
                epoch: None,
                verb: Verb::Stop,
                signed: None,
            };
            let sent = send(app, person, &request);
            (robot, sent)
        })
        .collect();
    let mut stops = stream::iter(sent)
        .map(|(robot, sent)| async move {
            let recorded = match sent {
                Ok(sent) => record(app, person, sent).await,
                Err(refused) => Err(refused),
            };
            (robot, recorded)
        })
        .buffer_unordered(SIDE_BY_SIDE);
    while let Some((robot, issued)) = stops.next().await {
        match issued {
            Ok(command) => stop.stopped.push(command),
            // One that can't be reached keeps nobody from stopping the others.
            Err(error) => stop.not_reached.push(not_reached(robot, &error)),
        }
    }
    stop.stopped.sort_by_key(|command| command.robot);
    stop.not_reached.sort_by_key(|robot| robot.robot);
    Ok(stop)
}

fn not_reached(robot: RobotView, error: &ApiError) -> NotReachedView {
    NotReachedView {
        robot: robot.robot,
        name: robot.name,
        code: error.code().to_owned(),
    }
}

/// The command's name, told apart by the key of the request and by the robot (RFC 9562, version 8).
fn stop_of(key: Uuid, robot: RobotId) -> CommandId {
    let hash = Sha256::new()
        .chain_update(key.as_bytes())
        .chain_update(robot.0.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    CommandId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
