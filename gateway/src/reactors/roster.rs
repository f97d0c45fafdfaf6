//! Keeps the board's list of robots equal to the roster, so that a robot that never connected shows as offline.

use std::time::Duration;

use protocol::{
    RobotId,
    limits::MAX_PAGE_ROWS,
    views::{Presence, RobotView},
};
use spine::tail::{Filter, Follower, end};

use crate::{app::App, error::ApiError};

/// Events read at once.
const BATCH: u32 = 200;

/// After a failure of the database.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(super) async fn run(app: App) {
    loop {
        // The position is taken before the list is read: a robot that is added in between is seen twice, not never.
        if let Ok(position) = end(&app.pool).await
            && load(&app).await.is_ok()
        {
            let mut follower = Follower::new(app.pool.clone(), position, Filter::default());
            while let Ok(events) = follower.next(BATCH).await {
                let is_changed = events.iter().any(|event| event.kind == "robot.added");
                if is_changed && load(&app).await.is_err() {
                    break;
                }
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn load(app: &App) -> Result<(), ApiError> {
    for organisation in identity::store::list_organisations(&app.pool).await? {
        let mut cursor: Option<RobotId> = None;
        loop {
            let page = identity::store::list_robots(
                &app.pool,
                organisation.organisation,
                None,
                cursor,
                MAX_PAGE_ROWS,
            )
            .await?;
            app.live
                .enlist(page.items.iter().map(offline_view).collect());
            cursor = page.next.and_then(|next| next.parse().ok());
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The robot as the roster alone knows it.
pub fn offline_view(robot: &identity::Robot) -> RobotView {
    RobotView {
        robot: robot.robot,
        name: robot.name.clone(),
        organisation: robot.organisation,
        site: robot.site,
        site_name: robot.site_name.clone(),
        presence: Presence::Offline {
            since: robot.seen_at,
        },
        advert: None,
        telemetry: None,
        link: None,
        trust: None,
    }
}
