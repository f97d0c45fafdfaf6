//! Which robots are connected to which gateway, kept in Redis with a time to live: a gateway that dies is forgotten by itself.

use std::{collections::BTreeSet, time::Duration};

use protocol::RobotId;

use crate::app::App;

/// How often our robots are renewed.
const EVERY: Duration = Duration::from_secs(3);

/// After this long without renewal a robot counts as gone: three missed renewals.
const EXPIRES_AFTER_S: u64 = 10;

/// Renewing is one pipeline; a Redis that takes longer is as good as gone and the next beat tries again.
const WITHIN: Duration = Duration::from_secs(1);

/// The key that says where a robot is.
pub fn key(robot: RobotId) -> String {
    format!("nooterra:presence:{robot}")
}

/// Renews the presence of our robots until the process ends. Without Redis nothing is renewed and nothing breaks.
pub async fn renew(app: App) {
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let robots = app.live.attached_robots();
        if robots.is_empty() {
            continue;
        }
        let mut pipeline = redis::pipe();
        for robot in robots {
            pipeline
                .set_ex(key(robot), &app.config.public_url, EXPIRES_AFTER_S)
                .ignore();
        }
        let mut redis = app.redis.clone();
        // `dependencies` reports a lost Redis once, for everybody; here a failure only means to try at the next beat.
        let _renewed = tokio::time::timeout(WITHIN, pipeline.query_async::<()>(&mut redis)).await;
    }
}

/// Deletes the key only while it names the gateway that asks: the robot may be at another by now.
const FORGET: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// Those of these robots that some gateway holds; absent when Redis does not say.
pub async fn held_anywhere(app: &App, robots: &[RobotId]) -> Option<BTreeSet<RobotId>> {
    if robots.is_empty() {
        return Some(BTreeSet::new());
    }
    let keys: Vec<String> = robots.iter().map(|robot| key(*robot)).collect();
    let mut redis = app.redis.clone();
    let mut ask = redis::cmd("MGET");
    ask.arg(&keys);
    let asked = ask.query_async::<Vec<Option<String>>>(&mut redis);
    let holders = tokio::time::timeout(WITHIN, asked).await.ok()?.ok()?;
    let held = robots
        .iter()
        .zip(holders)
        .filter(|(_, holder)| holder.is_some());
    Some(held.map(|(robot, _)| *robot).collect())
}

/// Removes a robot that left, so that others need not wait for the time to live.
pub async fn forget(app: &App, robot: RobotId) {
    let mut redis = app.redis.clone();
    let mut forget = redis::cmd("EVAL");
    forget
        .arg(FORGET)
        .arg(1)
        .arg(key(robot))
        .arg(&app.config.public_url);
    // The time to live does the same ten seconds later.
    let _forgotten = tokio::time::timeout(WITHIN, forget.query_async::<i64>(&mut redis)).await;
}
