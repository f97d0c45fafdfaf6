//! How often somebody may try: counted in Redis for all gateways together, in this process alone while Redis is away.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::aio::ConnectionManager;

/// Counting must not hold a sign-in up; after this the process counts by itself.
const WITHIN: Duration = Duration::from_millis(200);

/// After Redis did not answer, the process counts by itself for so long: not every request may wait to find out again.
const REST_S: u64 = 2;

/// Keys that the process remembers while Redis is away; past that the oldest window is dropped whole.
const MAX_KEYS: usize = 10_000;

/// A limit: so many within a window.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// For the key: `sign_in`.
    pub name: &'static str,
    /// Tries in a window.
    pub tries: u32,
    /// The window's length, seconds.
    pub window_s: u64,
}

/// Sign-in tries and wrong tokens per address: a person mistypes a few times, a guesser needs 2^255.
pub const SIGN_IN: Limit = Limit {
    name: "sign_in",
    tries: 30,
    window_s: 60,
};

/// Commands per person: ten a second is beyond any hand, and one runaway script must not fill a robot's queue.
pub const COMMANDS: Limit = Limit {
    name: "command",
    tries: 600,
    window_s: 60,
};

/// Acts on jobs and cases per person: as many as the settings allow.
pub const fn acts(per_minute: NonZeroU32) -> Limit {
    Limit {
        name: "act",
        tries: per_minute.get(),
        window_s: 60,
    }
}

/// The counters.
#[derive(Debug, Default)]
pub struct RateLimit {
    local: Mutex<Local>,
    ask_again_at_s: AtomicU64,
}

#[derive(Debug, Default)]
struct Local {
    window: u64,
    counts: HashMap<String, u32>,
}

impl RateLimit {
    /// Counts one try of `who` and says whether it still is within `limit`. `now_s` is seconds since 1970.
    pub async fn try_once(
        &self,
        redis: &ConnectionManager,
        limit: Limit,
        who: &str,
        now_s: u64,
    ) -> bool {
        let window = now_s / limit.window_s;
        let key = format!("nooterra:limit:{}:{who}:{window}", limit.name);
        let mut counted = None;
        if now_s >= self.ask_again_at_s.load(Ordering::Relaxed) {
            counted = self.count_in_redis(redis, &key, limit).await;
            if counted.is_none() {
                self.ask_again_at_s.store(now_s + REST_S, Ordering::Relaxed);
            }
        }
        let count = counted.unwrap_or_else(|| self.count_here(key, window));
        if count > limit.tries {
            metrics::counter!("nooterra_rate_limited_total", "limit" => limit.name).increment(1);
        }
        count <= limit.tries
    }

    async fn count_in_redis(
        &self,
        redis: &ConnectionManager,
        key: &str,
        limit: Limit,
    ) -> Option<u32> {
        let mut redis = redis.clone();
        let mut pipeline = redis::pipe();
        pipeline.incr(key, 1);
        pipeline
            .expire(key, i64::try_from(limit.window_s).unwrap_or(i64::MAX))
            .ignore();
        let counted = tokio::time::timeout(WITHIN, pipeline.query_async::<(u32,)>(&mut redis));
        counted.await.ok()?.ok().map(|(count,)| count)
    }

    fn count_here(&self, key: String, window: u64) -> u32 {
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if local.window != window || local.counts.len() >= MAX_KEYS {
            local.window = window;
            local.counts.clear();
        }
        let count = local.counts.entry(key).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_redis_the_process_counts_by_itself_and_forgets_old_windows() {
        let limits = RateLimit::default();

        let counts: Vec<_> = (0..3)
            .map(|_| limits.count_here("a".to_owned(), 1))
            .collect();

        assert_eq!(counts, [1, 2, 3]);
        assert_eq!(limits.count_here("b".to_owned(), 1), 1);
        assert_eq!(limits.count_here("a".to_owned(), 2), 1);
    }
}
