//! Robots hear the latest roster and the latest list of what is believed no more, as they were sealed: whichever is above what the
//! robot itself says that it holds. A frame that was lost is sent again by the next look.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use identity::{StoredRevocations, StoredRoster};
use protocol::{OrganisationId, RobotId, grant::RobotTrust, robot_socket::ToRobot};

use crate::{app::App, error::ApiError};

/// What there is to hear.
struct Latest {
    roster: Option<StoredRoster>,
    list: Option<StoredRevocations>,
}

impl Latest {
    async fn of(app: &App, organisation: OrganisationId) -> Result<Self, ApiError> {
        Ok(Self {
            roster: identity::store::latest_roster(&app.pool, organisation).await?,
            list: identity::store::latest_revocations(&app.pool, organisation).await?,
        })
    }

    /// The roster first: it says whose list is believed.
    fn send(&self, app: &App, robot: RobotId, trust: &RobotTrust) {
        let roster = (self.roster.as_ref()).filter(|stored| stored.roster.number > trust.roster);
        let list =
            (self.list.as_ref()).filter(|stored| stored.revocations.number > trust.revocations);
        let roster = roster.map(|stored| ToRobot::Roster {
            sealed: BASE64_STANDARD.encode(&stored.sealed),
        });
        let list = list.map(|stored| ToRobot::Revocations {
            sealed: BASE64_STANDARD.encode(&stored.sealed),
        });
        for frame in roster.into_iter().chain(list) {
            if app.live.order(robot, frame).is_err() {
                tracing::debug!(robot.id = %robot, "a robot hears later whom to believe");
            }
        }
    }
}

/// A robot says what it holds: it hears what is newer.
pub async fn catch_up(
    app: &App,
    organisation: OrganisationId,
    robot: RobotId,
    trust: &RobotTrust,
) -> Result<(), ApiError> {
    let latest = Latest::of(app, organisation).await?;
    acknowledged(app, robot, trust, &latest);
    latest.send(app, robot, trust);
    Ok(())
}

/// How long a list took to be acknowledged, where that is news.
fn acknowledged(app: &App, robot: RobotId, trust: &RobotTrust, latest: &Latest) {
    /// An older list comes to a robot that was away.
    const NEWS_US: i64 = 60 * 1_000_000;
    let list = (latest.list.as_ref()).filter(|list| list.revocations.number == trust.revocations);
    let Some(list) = list else { return };
    let age_us = app.clock.micros().since(list.revocations.issued_at);
    if (0..NEWS_US).contains(&age_us) {
        let number = list.revocations.number;
        let took_ms = age_us / 1_000;
        tracing::info!(robot.id = %robot, number, took_ms, "a robot holds the list of revocations");
    }
}

/// Tells every robot of an organisation that is connected here what it lacks. Worth no failure: the next look, and each robot's own
/// word, do the same.
pub async fn tell_organisation(app: &App, organisation: OrganisationId) {
    let latest = match Latest::of(app, organisation).await {
        Ok(latest) => latest,
        Err(error) => {
            tracing::warn!(code = error.code(), "whom to believe is told later");
            return;
        }
    };
    for robot in app.live.attached_robots() {
        let is_theirs =
            (app.live.robot(robot)).is_some_and(|view| view.organisation == organisation);
        // One that has not said what it holds does so in a moment.
        if let Some(trust) = app.live.trust_of(robot).filter(|_| is_theirs) {
            latest.send(app, robot, &trust);
        }
    }
}
