//! Robots that hold a job owe beats: their telemetry. Where it stops, the job stalls; where it comes back, it goes on.

use std::collections::{BTreeMap, BTreeSet};

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
use crate::{
    app::App,
    error::ApiError,
    live::{Heard, presence},
};

/// What a robot owes: telemetry comes ten times a second, so three beats of five seconds are not a hiccup of the network.
pub const POLICY: HeartbeatPolicy = HeartbeatPolicy {
    beat_ms: 5_000,
    missed_beats: 3,
};

/// A session that breaks off is noticed within this. What was heard longer before a robot was found absent says nothing: it
/// was at another gateway in between.
const NOTICED_WITHIN_US: i64 = 5_000_000;

/// What this process has seen of robots that it does not hold.
#[derive(Debug, Default)]
pub struct Beats {
    /// Since when nobody holds them.
    absent_since: BTreeMap<RobotId, UnixMicros>,
}

/// Compares every job in a robot's hands with when that robot was last heard, and lets the job stall or go on. A robot that
/// another gateway holds is that one's to judge.
pub async fn watch_beats(app: &App, beats: &mut Beats) -> Result<(), ApiError> {
    let now = app.clock.micros();
    let held = jobs::store::held(&app.pool).await?;
    let heard = app.live.heard();
    let away: Vec<RobotId> = (held.iter())
        .map(|held| held.robot)
        .filter(|robot| !heard.get(robot).is_some_and(|heard| heard.is_attached))
        .collect();
    let elsewhere = presence::held_anywhere(app, &away).await;
    beats.note(&away, elsewhere.as_ref(), now);
    for held in held {
        let heard = heard.get(&held.robot);
        let Some(last_heard) = beats.last_heard(held.robot, heard, elsewhere.is_some()) else {
            continue;
        };
        let is_attached = heard.is_some_and(|heard| heard.is_attached);
        let Some(event) = change(held.phase, is_attached, last_heard, now) else {
            continue;
        };
        // One job that can't be judged keeps no other from it, and is tried again at the next look.
        if let Err(error) = let_happen(app, held, event, now).await {
            tracing::warn!(job.id = %held.job, code = error.code(), "its robot's beats can't be judged now");
        }
    }
    Ok(())
}

impl Beats {
    /// Notes which of the robots that are away nobody holds. What Redis does not say changes nothing.
    fn note(&mut self, away: &[RobotId], elsewhere: Option<&BTreeSet<RobotId>>, now: UnixMicros) {
        self.absent_since.retain(|robot, _| away.contains(robot));
        let Some(elsewhere) = elsewhere else { return };
        for robot in away {
            if elsewhere.contains(robot) {
                self.absent_since.remove(robot);
            } else {
                self.absent_since.entry(*robot).or_insert(now);
            }
        }
    }

    /// When the robot was last heard by anybody, as far as that is known here; absent where it is another's to say.
    fn last_heard(
        &self,
        robot: RobotId,
        heard: Option<&Heard>,
        is_redis_there: bool,
    ) -> Option<UnixMicros> {
        match (heard, self.absent_since.get(&robot)) {
            (Some(heard), _) if heard.is_attached => Some(heard.at),
            (Some(heard), Some(absent_since)) => {
                let is_recent = absent_since.since(heard.at) <= NOTICED_WITHIN_US;
                Some(if is_recent { heard.at } else { *absent_since })
            }
            // It was here last, and who else might have it can't be asked.
            (Some(heard), None) if !is_redis_there => Some(heard.at),
            (None, absent_since) => absent_since.copied(),
            (Some(_), None) => None,
        }
    }
}

/// What its robot's beats change for a job.
fn change(
    phase: PhaseName,
    is_attached: bool,
    last_heard: UnixMicros,
    now: UnixMicros,
) -> Option<JobEvent> {
    let silent_us = i64::from(POLICY.beat_ms) * i64::from(POLICY.missed_beats) * 1_000;
    let is_silent = now.since(last_heard) > silent_us;
    match (is_silent, phase == PhaseName::Stalled) {
        (true, false) if phase.is_active() => Some(JobEvent::HeartbeatMissed {
            policy: POLICY,
            last_heard,
        }),
        (false, true) if is_attached => Some(JobEvent::HeartbeatResumed {}),
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

#[cfg(test)]
impl Beats {
    /// What a process knows that found a robot absent at this moment.
    pub(crate) fn absent(robot: RobotId, since: UnixMicros) -> Self {
        Self {
            absent_since: BTreeMap::from([(robot, since)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const JUNIPER: RobotId = RobotId(Uuid::from_u128(1));
    const SECOND: i64 = 1_000_000;

    fn at(second: i64) -> UnixMicros {
        UnixMicros(second * SECOND)
    }

    fn gone(second: i64) -> Heard {
        Heard {
            at: at(second),
            is_attached: false,
        }
    }

    /// What is known at `second` of a robot that was away all the time, where Redis says so each second from `from` on.
    fn last_heard(heard: Option<Heard>, from: i64, second: i64) -> Option<UnixMicros> {
        let mut beats = Beats::default();
        for second in from..=second {
            beats.note(&[JUNIPER], Some(&BTreeSet::new()), at(second));
        }
        beats.last_heard(JUNIPER, heard.as_ref(), true)
    }

    #[test]
    fn a_robot_whose_session_broke_off_was_last_heard_then_and_not_when_this_process_began() {
        assert_eq!(last_heard(Some(gone(100)), 103, 110), Some(at(100)));
        assert_eq!(
            change(PhaseName::Executing, false, at(100), at(110)),
            None,
            "ten seconds are no silence"
        );
        assert!(matches!(
            change(PhaseName::Executing, false, at(100), at(116)),
            Some(JobEvent::HeartbeatMissed { last_heard, .. }) if last_heard == at(100)
        ));
    }

    #[test]
    fn a_robot_that_was_elsewhere_is_silent_only_once_nobody_held_it_for_long_enough() {
        let heard_long_ago = Some(gone(10));
        let elsewhere = BTreeSet::from([JUNIPER]);
        let mut beats = Beats::default();
        beats.note(&[JUNIPER], Some(&elsewhere), at(100));

        assert_eq!(
            beats.last_heard(JUNIPER, heard_long_ago.as_ref(), true),
            None
        );
        assert_eq!(last_heard(heard_long_ago, 103, 110), Some(at(103)));
        assert_eq!(last_heard(None, 103, 110), Some(at(103)));
    }

    #[test]
    fn without_redis_only_a_robot_that_was_here_last_is_judged() {
        let mut beats = Beats::default();
        beats.note(&[JUNIPER], None, at(100));

        assert_eq!(beats.last_heard(JUNIPER, None, false), None);
        assert_eq!(
            beats.last_heard(JUNIPER, Some(&gone(90)), false),
            Some(at(90))
        );
    }
}
