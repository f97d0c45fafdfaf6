//! Tells every organisation once that this gateway works for it: those that are there, and those that come.

use std::{collections::BTreeSet, time::Duration};

use protocol::OrganisationId;
use spine::tail::{Filter, Follower, end};

use crate::{app::App, error::ApiError, flows::say_started::say_started};

/// Events read at once.
const BATCH: u32 = 200;

/// After a failure of the database.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(super) async fn run(app: App) {
    let mut told = BTreeSet::new();
    loop {
        // The position is taken before they are listed: one that comes in between is told once, not never.
        if let Ok(position) = end(&app.pool).await
            && tell(&app, &mut told).await.is_ok()
        {
            let mut follower = Follower::new(app.pool.clone(), position, Filter::default());
            while let Ok(events) = follower.next(BATCH).await {
                let is_new = (events.iter()).any(|event| event.kind == "organisation.created");
                if is_new && tell(&app, &mut told).await.is_err() {
                    break;
                }
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn tell(app: &App, told: &mut BTreeSet<OrganisationId>) -> Result<(), ApiError> {
    for known in identity::store::list_organisations(&app.pool).await? {
        if !told.contains(&known.organisation) {
            say_started(app, known.organisation).await?;
            told.insert(known.organisation);
        }
    }
    Ok(())
}
