//! Lists of what is believed no more, replaced before they end: a robot without one in its time lets nobody begin.

use std::time::Duration;

use crate::{
    app::App,
    flows::grants::{revoke::revoke_now, tell::tell_organisation},
};

/// What was missed for whatever reason is said within a minute.
const EVERY: Duration = Duration::from_mins(1);

pub(super) async fn run(app: App) {
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let organisations = match identity::store::list_organisations(&app.pool).await {
            Ok(organisations) => organisations,
            // A lost database is reported once, by `live::dependencies`.
            Err(error) => {
                tracing::debug!(%error, "what is revoked is looked at later");
                continue;
            }
        };
        for organisation in organisations {
            if let Err(error) = revoke_now(&app, organisation.organisation).await {
                tracing::debug!(code = error.code(), "what is revoked is said later");
            }
            // And whatever a robot missed.
            tell_organisation(&app, organisation.organisation).await;
        }
    }
}
