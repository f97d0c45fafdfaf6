//! Robots that hold a job owe beats: their telemetry. Where it stops, the job stalls; where it comes back, it goes on.

use std::collections::BTreeMap;

use jobs::{Actor, store::Held};
use protocol::{
    RobotId, UnixMicros,
    job::{HeartbeatPolicy, JobEvent, PhaseName},
};
use spine::Tx;

use super::{
    happen::{Proposal, happen},
    word::Word,
};
use crate::{app::App, error::ApiError, live::presence};

/// What a robot owes: telemetry comes ten times a second, so three beats of five seconds are not a hiccup of the network.
pub const POLICY: HeartbeatPolicy = HeartbeatPolicy {
    beat_ms: 5_000,
    missed_beats: 3,
};

/// Compares every job in a robot's hands with when that robot was last heard, and lets the job stall or go on. A robot that
/// another gateway holds is that one's to judge.
///
/// `since` is when this process began to listen: before that, nobody can have heard anything.
pub async fn watch_beats(app: &App, since: UnixMicros) -> Result<(), ApiError> {
    let now = app.clock.micros();
    let heard: BTreeMap<RobotId, UnixMicros> = app.live.heard();
    let held = jobs::store::held(&app.pool).await?;
    let changed: Vec<(Held, JobEvent)> = (held.into_iter())
        .filter_map(|held| Some((held, change(held, heard.get(&held.robot), since, now)?)))
        .collect();
    let unheard: Vec<RobotId> = (changed.iter())
        .map(|(held, _)| held.robot)
        .filter(|robot| !heard.contains_key(robot))
        .collect();
    let elsewhere = presence::held_anywhere(app, &unheard).await;
    for (held, event) in changed {
        if !elsewhere.contains(&held.robot) {
            let_happen(app, held, event, now).await?;
        }
    }
    Ok(())
}

/// What its robot's beats change for a job.
fn change(
    held: Held,
    heard: Option<&UnixMicros>,
    since: UnixMicros,
    now: UnixMicros,
) -> Option<JobEvent> {
    let silent_us = i64::from(POLICY.beat_ms) * i64::from(POLICY.missed_beats) * 1_000;
    let last_heard = heard.copied().unwrap_or(since).max(since);
    let is_silent = now.since(last_heard) > silent_us;
    match (is_silent, held.phase == PhaseName::Stalled) {
        (true, false) if held.phase.is_active() => Some(JobEvent::HeartbeatMissed {
            policy: POLICY,
            last_heard,
        }),
        (false, true) => heard.map(|_| JobEvent::HeartbeatResumed {}),
        (true | false, true | false) => None,
    }
}

async fn let_happen(
    app: &App,
    held: Held,
    event: JobEvent,
    now: UnixMicros,
) -> Result<(), ApiError> {
    let mut tx = Tx::begin(&app.pool);
    // The job may have gone to another robot since: what is known of this one says nothing of that one.
    let before = jobs::store::load(&mut tx, held.job)
        .await?
        .filter(|stored| stored.job.robot() == Some(held.robot));
    let Some(before) = before else {
        return Ok(());
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
    Ok(())
}
