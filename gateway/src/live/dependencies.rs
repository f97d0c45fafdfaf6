//! Whether the servers that we stand on answer, asked once a second, and what it means for people when one does not.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use protocol::views::Degradation;
use redis::aio::ConnectionManager;
use serde::Serialize;
use sqlx::PgPool;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;

/// How often each server is asked.
const EVERY: Duration = Duration::from_secs(1);

/// A server that has not answered by then counts as gone: a local one answers in under a millisecond.
const WITHIN: Duration = Duration::from_millis(800);

/// What happens without Redis, for people.
const WITHOUT_REDIS: &str = "Live work, video and stop are not affected. Limits on tries are kept per process until it is back.";

/// What happens without Postgres, for people.
const WITHOUT_POSTGRES: &str = "Video and positions stay live, and a stop still goes out from pages that are open. All else is refused until it is back.";

/// What happens while events get no leaves, for people.
const WITHOUT_LOG: &str = "Live work, video and stop are not affected. Events are recorded and signed, but can't be proved by the log until it goes on.";

/// A dependency as `/readyz` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dependency {
    /// "postgres", "redis", "log".
    pub part: &'static str,
    /// Whether it answers.
    pub is_up: bool,
    /// Whether nothing can be served without it.
    pub is_required: bool,
    /// What is wrong, in words; empty when nothing is.
    pub words: &'static str,
    /// Since when it is as it is.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// The latest answers.
#[derive(Debug)]
pub struct Dependencies {
    latest: Mutex<Vec<Dependency>>,
}

impl Dependencies {
    /// All unknown, which counts as down until the first answer.
    pub fn new(now: OffsetDateTime) -> Self {
        let unknown = |part, is_required| Dependency {
            part,
            is_up: false,
            is_required,
            words: "not asked yet",
            since: now,
        };
        Self {
            latest: Mutex::new(vec![
                unknown("postgres", true),
                unknown("redis", false),
                // No server: nothing is wrong with it until something is.
                Dependency {
                    is_up: true,
                    words: "",
                    ..unknown("log", false)
                },
            ]),
        }
    }

    /// The latest answers.
    pub fn latest(&self) -> Vec<Dependency> {
        self.latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, part: &'static str, answer: &Result<(), String>, now: OffsetDateTime) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = latest.iter_mut().find(|known| known.part == part) else {
            return;
        };
        let is_up = answer.is_ok();
        if known.is_up != is_up {
            if is_up {
                tracing::info!(part, "{part} is well");
            } else {
                let words = answer.as_ref().err().map_or("", String::as_str);
                tracing::warn!(part, words, "{part} is not well: {words}");
            }
            known.since = now;
        }
        known.is_up = is_up;
        // Anybody may ask whether we are ready; how the server is reached is for the log alone.
        known.words = match part {
            _ if is_up => "",
            "log" => "does not go on",
            _ => "does not answer",
        };
    }

    fn degraded(&self) -> Vec<Degradation> {
        self.latest()
            .into_iter()
            .filter(|dependency| !dependency.is_up)
            .map(|dependency| Degradation {
                words: match dependency.part {
                    "postgres" => WITHOUT_POSTGRES,
                    "log" => WITHOUT_LOG,
                    _ => WITHOUT_REDIS,
                }
                .to_owned(),
                part: dependency.part.to_owned(),
                since: dependency.since,
            })
            .collect()
    }
}

/// Asks each server until the process ends.
pub async fn watch(app: App) {
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let (postgres, redis, ()) = tokio::join!(
            ask_postgres(&app.pool),
            ask_redis(&app.redis),
            look_at_log(&app)
        );
        let now = app.clock.now();
        app.dependencies.note("log", &app.log.trouble(now), now);
        app.dependencies.note("postgres", &postgres, now);
        app.dependencies.note("redis", &redis, now);
        app.live.degrade(app.dependencies.degraded());
    }
}

async fn ask_postgres(pool: &PgPool) -> Result<(), String> {
    match tokio::time::timeout(WITHIN, spine::ping(pool)).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {} ms", WITHIN.as_millis())),
    }
}

/// How far the log is. A database that does not answer is reported as such and says nothing about the log.
async fn look_at_log(app: &App) {
    if let Ok(Ok(progress)) = tokio::time::timeout(WITHIN, spine::log::progress(&app.pool)).await {
        app.log.note_progress(progress, app.clock.now());
    }
}

async fn ask_redis(redis: &ConnectionManager) -> Result<(), String> {
    let mut redis = redis.clone();
    let ping = redis::cmd("PING");
    match tokio::time::timeout(WITHIN, ping.query_async::<String>(&mut redis)).await {
        Ok(answer) => answer.map(drop).map_err(|error| error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {} ms", WITHIN.as_millis())),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_lost_server_is_named_with_what_still_works_and_cleared_when_it_is_back() {
        let (t0, t1) = (
            datetime!(2026-01-01 0:00 UTC),
            datetime!(2026-01-01 0:01 UTC),
        );
        let dependencies = Dependencies::new(t0);
        dependencies.note("postgres", &Ok(()), t0);
        dependencies.note("redis", &Ok(()), t0);
        assert!(dependencies.degraded().is_empty());

        dependencies.note("redis", &Err("refused".to_owned()), t1);
        let degraded = dependencies.degraded();

        assert_eq!(degraded.len(), 1);
        assert_eq!(degraded[0].part, "redis");
        assert_eq!(degraded[0].since, t1);
        assert!(degraded[0].words.contains("not affected"));
        dependencies.note("redis", &Ok(()), t1);
        assert!(dependencies.degraded().is_empty());
    }
}
