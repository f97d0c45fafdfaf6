//! A gateway with people and robots in it, as every claim about its edges needs one: the real router on a real Postgres, seen
//! as the application's role, and a Redis that is not there.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::connect_info::MockConnectInfo, http::Request};
use ed25519_dalek::SigningKey;
use identity::{LinkUses, Name, Person, Robot, Secret, SecretKind, store};
use metrics_exporter_prometheus::PrometheusBuilder;
use protocol::robot_socket::{Goodbye, ToRobot};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use spine::{LogKey, Signer, Tx};
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, oneshot},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::answer::Answer;
pub(crate) use super::cast::{
    ELSEWHERE, FOREIGN, JUNIPER, LINDEN, Machine, OTHER, PUBLIC_URL, ROWAN, TICK_MS, WING_A,
    WING_B, Who, advert, telemetry,
};
use crate::{
    app::{App, Clock, EVENT_STREAMS, Parts},
    config::{Config, Overrides},
    console_bundle::ConsoleBundle,
    http::router,
    live::{
        Attachment, Live, NewAttachment, dependencies::Dependencies, event_log::EventLog,
        rate_limit::RateLimit,
    },
    reactors::roster::offline_view,
    rtc::{Rtc, RtcConfig},
};

/// A test that waits for a stream's end waits no longer than it must.
pub(crate) const CHECK_STREAMS_EVERY: Duration = Duration::from_millis(250);

/// Frames that may wait for a robot without a socket.
pub(crate) const ROBOT_OUTBOX: usize = 16;

/// A robot's session on the board, without a socket.
pub(crate) struct Attached {
    pub(crate) attachment: Attachment,
    pub(crate) frames: mpsc::Receiver<ToRobot>,
}

impl Attached {
    /// The frames that wait for the robot.
    pub(crate) fn waiting(&mut self) -> Vec<ToRobot> {
        std::iter::from_fn(|| self.frames.try_recv().ok()).collect()
    }
}

/// The gateway.
pub(crate) struct House {
    pub(crate) app: App,
    /// As the role that may see how things stand beneath.
    pub(crate) owner: PgPool,
    files: TempDir,
    sessions_opened: AtomicU8,
}

/// Ends the server and every session: whoever still held the database would keep it from being dropped.
impl Drop for House {
    fn drop(&mut self) {
        self.app.stopping.cancel();
    }
}

impl House {
    pub(crate) async fn new(owner: &PgPool) -> Self {
        Self::with_redis(owner, "redis+unix:///nowhere/redis.sock").await
    }

    pub(crate) async fn with_redis(owner: &PgPool, redis_url: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(files.path().join("console/assets")).unwrap();
        std::fs::write(files.path().join("console/index.html"), "<html>the page").unwrap();
        std::fs::write(files.path().join("console/assets/app-1f.css"), "a{}").unwrap();
        let config = Config::load(&Overrides {
            listen: Some("127.0.0.1:0".to_owned()),
            media_port: Some("0".to_owned()),
            data: Some(files.path().join("data")),
            console: Some(files.path().join("console")),
            public_url: Some(PUBLIC_URL.to_owned()),
            ..Overrides::default()
        })
        .unwrap();
        let media = RtcConfig::new(config.media.bind, config.media.advertise.clone());
        let redis_config = ConnectionManagerConfig::new().set_number_of_retries(1);
        let redis = redis::Client::open(redis_url).unwrap();
        let clock = Clock::default();
        let app = App::new(Parts {
            pool: as_application(owner).await,
            redis: ConnectionManager::new_lazy_with_config(redis, redis_config).unwrap(),
            signer: Signer::new(SigningKey::from_bytes(&[1; 32])),
            policy: Signer::new(SigningKey::from_bytes(&[0x50; 32])),
            log: EventLog::new(LogKey::new(SigningKey::from_bytes(&[9; 32]), None).unwrap()),
            live: Live::default(),
            rtc: Rtc::bind(media).await.unwrap(),
            dependencies: Dependencies::new(clock.now()),
            clock,
            event_streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
            check_streams_every: CHECK_STREAMS_EVERY,
            limits: RateLimit::default(),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            stopping: CancellationToken::new(),
            sessions: TaskTracker::new(),
            console: config.console_dir.clone().map(ConsoleBundle::at),
            config,
        });
        let house = Self {
            app,
            owner: owner.clone(),
            files,
            sessions_opened: AtomicU8::new(0),
        };
        house.furnish().await;
        house
    }

    async fn furnish(&self) {
        let now = self.now();
        let mut tx = self.begin();
        for (organisation, name) in [(LINDEN, "Linden"), (OTHER, "Other")] {
            store::create_organisation(&mut tx, organisation, &called(name), now)
                .await
                .unwrap();
        }
        for (organisation, site, name) in [
            (LINDEN, WING_A, "Wing A"),
            (LINDEN, WING_B, "Wing B"),
            (OTHER, ELSEWHERE, "Elsewhere"),
        ] {
            store::create_site(&mut tx, organisation, site, &called(name), None, now)
                .await
                .unwrap();
        }
        for who in Who::ALL {
            move_in(&mut tx, who, now).await;
        }
        for machine in Machine::ALL {
            enrol(&mut tx, machine, now).await;
        }
        self.commit(tx).await;
        for machine in Machine::ALL {
            let robot = self.robot(machine).await;
            self.app.live.enlist(vec![offline_view(&robot)]);
        }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.app.clock.now()
    }

    pub(crate) fn begin(&self) -> Tx {
        Tx::begin(&self.app.pool)
    }

    pub(crate) async fn commit(&self, tx: Tx) {
        tx.commit(&self.app.signer, self.app.clock.micros())
            .await
            .unwrap();
    }

    pub(crate) async fn robot(&self, machine: Machine) -> Robot {
        store::load_robot(&self.app.pool, machine.id())
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn person(&self, who: Who) -> Person {
        store::load_person(&self.app.pool, who.id())
            .await
            .unwrap()
            .unwrap()
    }

    /// The router, as if every request came from this machine.
    pub(crate) fn router(&self) -> Router {
        router(self.app.clone()).layer(MockConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))))
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router().oneshot(request).await.unwrap()).await
    }

    /// The router behind a port of its own.
    pub(crate) async fn listen(&self) -> SocketAddr {
        self.listen_on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn listen_on(&self, listener: TcpListener) -> SocketAddr {
        let address = listener.local_addr().unwrap();
        let service = router(self.app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let stopping = self.app.stopping.clone();
        tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, service) => served.unwrap(),
                () = stopping.cancelled() => {}
            }
        });
        address
    }

    /// A sign-in link's secret.
    pub(crate) async fn link(&self, who: Who, uses: LinkUses, lasts: time::Duration) -> String {
        let link = Secret::new(SecretKind::Link, &[who.seed(); 32]);
        let expires_at = self.now() + lasts;
        let issued_at = expires_at - time::Duration::HOUR;
        let person = self.person(who).await;
        let mut tx = self.begin();
        store::issue_link(&mut tx, &person, link.hash(), uses, expires_at, issued_at)
            .await
            .unwrap();
        self.commit(tx).await;
        link.expose().to_owned()
    }

    /// A fresh browser session of this person, as the `Cookie` header says it.
    pub(crate) async fn cookie(&self, who: Who) -> String {
        let number = self.sessions_opened.fetch_add(1, Ordering::Relaxed);
        let secret = Secret::new(SecretKind::Session, &[number; 32]);
        let person = self.person(who).await;
        let mut tx = self.begin();
        store::open_session(&mut tx, &person, secret.hash(), None, self.now())
            .await
            .unwrap();
        self.commit(tx).await;
        format!("__Host-nooterra={}", secret.expose())
    }

    /// Puts the robot on the board as connected, heard of just now.
    pub(crate) fn attach(&self, machine: Machine) -> Attached {
        let attached = self.attach_silent(machine);
        let (live, now) = (&self.app.live, self.app.clock.micros());
        live.telemetry(attached.attachment, telemetry(TICK_MS), now);
        attached
    }

    /// The same, before its first telemetry.
    pub(crate) fn attach_silent(&self, machine: Machine) -> Attached {
        let (new, frames, _ended) = new_attachment(machine);
        let attachment = self.app.live.attach(new, self.now());
        Attached { attachment, frames }
    }

    /// Kinds of the events in a stream, in order.
    pub(crate) async fn events(&self, stream: &str) -> Vec<String> {
        sqlx::query_scalar("SELECT kind FROM spine.event WHERE stream = $1 ORDER BY stream_number")
            .bind(stream)
            .fetch_all(&self.owner)
            .await
            .unwrap()
    }

    /// How often something of this kind was recorded.
    pub(crate) async fn recorded(&self, kind: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM spine.event WHERE kind = $1")
            .bind(kind)
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }

    pub(crate) fn console_file(&self, name: &str) -> std::path::PathBuf {
        self.files.path().join("console").join(name)
    }
}

/// A session of this robot that is to go on a board, and its two ends.
pub(crate) fn new_attachment(
    machine: Machine,
) -> (
    NewAttachment,
    mpsc::Receiver<ToRobot>,
    oneshot::Receiver<Goodbye>,
) {
    let (to_robot, frames) = mpsc::channel(ROBOT_OUTBOX);
    let (ending, ended) = oneshot::channel();
    let new = NewAttachment {
        robot: machine.id(),
        name: machine.name.to_owned(),
        organisation: machine.organisation,
        site: machine.site,
        site_name: "Wing".to_owned(),
        token: machine.token_id(),
        advert: advert(),
        to_robot,
        ending,
    };
    (new, frames, ended)
}

/// The database as the application sees it.
async fn as_application(owner: &PgPool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET ROLE nooterra_app").await?;
                Ok(())
            })
        })
        .connect_with(owner.connect_options().as_ref().clone())
        .await
        .unwrap()
}

async fn move_in(tx: &mut Tx, who: Who, now: OffsetDateTime) {
    let (organisation, person) = (who.organisation(), who.id());
    let name = called(&format!("{who:?}"));
    store::create_person(tx, organisation, person, &name, None, now)
        .await
        .unwrap();
    for grant in who.roles() {
        store::grant_role(tx, organisation, person, grant, None, now)
            .await
            .unwrap();
    }
    let known = store::load_person(tx.connection().await.unwrap(), person)
        .await
        .unwrap()
        .unwrap();
    let hash = who.secret().hash();
    store::issue_api_token(tx, &known, who.token_id(), hash, None, now)
        .await
        .unwrap();
}

async fn enrol(tx: &mut Tx, machine: Machine, now: OffsetDateTime) {
    let new = store::NewRobot {
        robot: machine.id(),
        organisation: machine.organisation,
        site: machine.site,
        name: called(machine.name),
    };
    let robot = store::create_robot(tx, &new, None, now).await.unwrap();
    let hash = machine.secret().hash();
    store::issue_robot_token(tx, &robot, machine.token_id(), hash, None, now)
        .await
        .unwrap();
    let public_key = machine.key().verifying_key().to_bytes();
    store::bind_robot_key(tx, &robot, public_key, now)
        .await
        .unwrap();
}

pub(crate) fn called(name: &str) -> Name {
    Name::parse(name).unwrap()
}
