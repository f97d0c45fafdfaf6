//! Robots that hold a job owe beats: their telemetry. Where it stops, the job stalls; where it comes back, it goes on.

use std::collections::BTreeMap;

use jobs::Actor;
use protocol::{
    RobotId, UnixMicros,
    job::{HeartbeatPolicy, JobEvent, PhaseName},
};
use spine::Tx;

use super::{
    happen::{Proposal, happen},
    word::Word,
};
use crate::{app::App, error::ApiError};

/// What a robot owes: telemetry comes ten times a second, so three beats of five seconds are not a hiccup of the network.
pub const POLICY: HeartbeatPolicy = HeartbeatPolicy {
    beat_ms: 5_000,
    missed_beats: 3,
};

/// Compares every job in a robot's hands with when that robot was last heard, and lets the job stall or go on.
///
/// `since` is when this process began to listen: before that, nobody can have heard anything.
pub async fn watch_beats(app: &App, since: UnixMicros) -> Result<(), ApiError> {
    let now = app.clock.micros();
    let silent_us = i64::from(POLICY.beat_ms) * i64::from(POLICY.missed_beats) * 1_000;
    let heard: BTreeMap<RobotId, UnixMicros> = app.live.heard();
    for held in jobs::store::held(&app.pool).await? {
        let last_heard = heard.get(&held.robot).copied().unwrap_or(since).max(since);
        let is_silent = now.since(last_heard) > silent_us;
        let is_stalled = held.phase == PhaseName::Stalled;
        let event = match (is_silent, is_stalled) {
            (true, false) if held.phase.is_active() => JobEvent::HeartbeatMissed {
                policy: POLICY,
                last_heard,
            },
            (false, true) if heard.contains_key(&held.robot) => JobEvent::HeartbeatResumed {},
            _ => continue,
        };
        let mut tx = Tx::begin(&app.pool).await?;
        let Some(before) = jobs::store::load(&mut tx, held.job).await? else {
            continue;
        };
        let proposal = Proposal {
            event,
            actor: Actor::Cloud,
            word: Word::Cloud,
        };
        let organisation = before.organisation;
        match happen(app, &mut tx, organisation, Some(before), proposal, now).await {
            Ok(happened) => {
                tx.commit(&app.signer, now).await?;
                happened.news.tell(app);
            }
            // It moved on in this moment; the next look sees how it stands.
            Err(error) => tracing::debug!(
                code = error.code(),
                "a job moved while its beats were judged"
            ),
        }
    }
    Ok(())
}
