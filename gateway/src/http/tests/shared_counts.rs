//! Claims about what Redis is for: limits and presence that several gateways share. Everything else works without it.

use std::{path::Path, process::Stdio, time::Duration};

use protocol::job::PhaseName;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{
    house::{House, JUNIPER, PUBLIC_URL},
    until::until,
    work::{job, under_way},
};
use crate::{
    flows::jobs::watch_beats::{Beats, watch_beats},
    live::{
        presence,
        rate_limit::{Limit, RateLimit},
    },
};

const THREE: Limit = Limit {
    name: "three",
    tries: 3,
    window_s: 60,
};

/// A real Redis on a socket of its own, gone with this value.
struct Redis {
    _server: Child,
    folder: TempDir,
}

impl Redis {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(folder.path())
            .arg("--unixsocket")
            .arg(socket(folder.path()))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is needed for this test");
        let redis = Self {
            _server: server,
            folder,
        };
        redis
            .until("PING", &[], |answer: Option<String>| answer.is_some())
            .await;
        redis
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", socket(self.folder.path()))
    }

    /// Asks until the answer is as it should be.
    async fn until<T: redis::FromRedisValue>(
        &self,
        command: &str,
        arguments: &[&str],
        is_it: impl Fn(Option<T>) -> bool,
    ) {
        let client = redis::Client::open(self.url()).unwrap();
        until(command, async || {
            let answer = async {
                let mut connection = client.get_multiplexed_async_connection().await.ok()?;
                let mut asked = redis::cmd(command);
                asked.arg(arguments);
                asked.query_async::<T>(&mut connection).await.ok()
            };
            is_it(answer.await).then_some(())
        })
        .await;
    }
}

fn socket(folder: &Path) -> String {
    folder.join("redis.sock").display().to_string()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn gateways_share_their_limits_and_say_where_a_robot_is(owner: PgPool) {
    let redis = Redis::start().await;
    let house = House::with_redis(&owner, &redis.url()).await;
    let (here, there) = (RateLimit::default(), RateLimit::default());
    let connection = &house.app.redis;

    let mut answers = Vec::new();
    for limits in [&here, &there, &here, &there, &here] {
        answers.push(limits.try_once(connection, THREE, "mira", 60).await);
    }
    let next_window = here.try_once(connection, THREE, "mira", 120).await;
    let somebody_else = there.try_once(connection, THREE, "ada", 60).await;

    assert_eq!(answers, [true, true, true, false, false]);
    assert!(next_window && somebody_else);

    let _juniper = house.attach(JUNIPER);
    let renewing = tokio::spawn(presence::renew(house.app.clone()));
    let key = presence::key(JUNIPER.id());
    let is_here = |at: Option<String>| at.as_deref() == Some(PUBLIC_URL);
    redis.until("GET", &[&key], is_here).await;
    let expires = |left_s: Option<i64>| left_s.is_some_and(|left_s| (1..=10).contains(&left_s));
    redis.until("TTL", &[&key], expires).await;
    renewing.abort();
    presence::forget(&house.app, JUNIPER.id()).await;
    let is_gone = |count: Option<i64>| count == Some(0);
    redis.until("EXISTS", &[&key], is_gone).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_redis_that_is_away_holds_up_one_request_in_a_while_and_not_each(owner: PgPool) {
    let house = House::new(&owner).await;
    let limits = RateLimit::default();

    let counting = async {
        for _ in 0..100 {
            limits.try_once(&house.app.redis, THREE, "mira", 60).await;
        }
    };

    // Each on its own would wait for up to 200 ms.
    tokio::time::timeout(Duration::from_secs(5), counting)
        .await
        .expect("every single try waited for a Redis that is away");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_job_stalls_when_no_gateway_hears_its_robot_and_not_while_another_one_does(
    owner: PgPool,
) {
    let redis = Redis::start().await;
    let house = House::with_redis(&owner, &redis.url()).await;
    let _juniper = under_way(&house).await;
    let long_ago = house.app.clock.micros().plus(-60_000_000);
    let key = presence::key(JUNIPER.id());

    redis
        .until("SET", &[&key, "elsewhere"], |set: Option<String>| {
            set.is_some()
        })
        .await;
    let absent = || Beats::absent(JUNIPER.id(), long_ago);
    watch_beats(&house.app, &mut absent()).await.unwrap();
    let while_elsewhere = job(&house).await.phase;
    redis
        .until("DEL", &[&key], |gone: Option<i64>| gone == Some(1))
        .await;
    watch_beats(&house.app, &mut absent()).await.unwrap();
    let while_nowhere = job(&house).await;

    assert!(while_elsewhere.is_active() && while_elsewhere != PhaseName::Stalled);
    assert_eq!(while_nowhere.phase, PhaseName::Stalled);
    assert!(while_nowhere.assist.is_some(), "nobody is called");
}
