//! `nooterra serve`: from settings to a process that answers, and down again in good order.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use axum::serve::ListenerExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use protocol::robot_socket::Goodbye;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use spine::Signer;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    admin::mark_demo,
    app::{App, Clock, Parts},
    config::{Config, SecretUrl},
    embedded::{Embedded, RunFile, Running, Wanted},
    http,
    live::{self, Live, dependencies::Dependencies, rate_limit::RateLimit},
    reactors,
    rtc::{Rtc, RtcConfig},
};

/// Connections of one process to Postgres: more than there are cores on a database server only queue there instead of here.
const CONNECTIONS: u32 = 16;

/// A request waits this long for a connection; then the database counts as not answering.
const CONNECTION_WITHIN: Duration = Duration::from_secs(2);

/// No statement of ours takes a second; one that takes ten holds locks for nothing.
const STATEMENT_WITHIN_MS: &str = "10000";

/// Redis on the same machine answers in under a millisecond; callers have bounds of their own below this.
const REDIS_WITHIN: Duration = Duration::from_secs(1);

/// A lost Redis is tried again at least this often.
const REDIS_AGAIN_WITHIN: Duration = Duration::from_millis(500);

/// Sessions get this long to take their last word.
const FAREWELL_WITHIN: Duration = Duration::from_secs(3);

/// Runs the gateway until it is told to stop.
pub async fn serve(config: Config) -> Result<()> {
    let mut signals = Signals::listen()?;
    serve_until_told(config, &mut signals).await
}

async fn serve_until_told(mut config: Config, signals: &mut Signals) -> Result<()> {
    let began = Instant::now();
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("{} can't be made", config.data_dir.display()))?;
    if config.is_demo {
        mark_demo(&config.data_dir)?;
    }
    let embedded = tokio::select! {
        started = start_servers(&config) => started?,
        () = signals.next() => return Ok(()),
    };
    let urls = Urls::of(&config, &embedded)?;
    let pool = open_database(&urls).await?;
    tracing::info!(took_ms = millis(began), "database ready");

    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("{} can't be listened on", config.listen))?;
    config.listening_on(listener.local_addr()?);
    let media = RtcConfig::new(config.media.bind, config.media.advertise.clone());
    let rtc = Rtc::bind(media)
        .await
        .with_context(|| format!("the media port {} can't be opened", config.media.bind))?;
    let metrics = PrometheusBuilder::new().install_recorder()?;
    crate::metrics::describe();
    let app = App::new(Parts {
        pool,
        redis: open_redis(&urls.redis)?,
        signer: Signer::load_or_create(&config.data_dir.join(Signer::FILE_NAME))?,
        clock: Clock,
        live: Live::default(),
        rtc,
        dependencies: Dependencies::new(Clock.now()),
        limits: RateLimit::default(),
        metrics,
        stopping: CancellationToken::new(),
        sessions: TaskTracker::new(),
        config,
    });
    tokio::spawn(live::dependencies::watch(app.clone()));
    tokio::spawn(live::presence::renew(app.clone()));
    reactors::start(&app);

    let running = announce(&app, &urls)?;
    tracing::info!(took_ms = millis(began), "serving {}", app.config.public_url);
    let stopping = app.stopping.clone();
    let service = http::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    // Small frames leave at once: a command must not wait for the acknowledgement of the frame before it.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection could not be made prompt");
        }
    });
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(async move { stopping.cancelled().await });
    let mut server = tokio::spawn(std::future::IntoFuture::into_future(server));
    tokio::select! {
        () = signals.next() => {}
        ended = &mut server => ended.context("the server broke")??,
    }
    tokio::select! {
        () = go_down(&app, server) => {}
        () = signals.next() => tracing::warn!("told twice: stopping at once"),
    }
    drop(running);
    app.pool.close().await;
    embedded.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

async fn start_servers(config: &Config) -> Result<Embedded> {
    let wanted = Wanted {
        postgres: config.database_url.is_none(),
        redis: config.redis_url.is_none(),
    };
    Ok(Embedded::start(&config.data_dir, wanted).await?)
}

/// Where the servers are, ours or given ones.
struct Urls {
    app: SecretUrl,
    owner: Option<SecretUrl>,
    redis: SecretUrl,
}

impl Urls {
    fn of(config: &Config, embedded: &Embedded) -> Result<Self> {
        let private = embedded.database();
        let app = config
            .database_url
            .clone()
            .or_else(|| private.map(|urls| urls.app.clone()))
            .context("there is no database")?;
        let owner = config
            .database_owner_url
            .clone()
            .or_else(|| private.map(|urls| urls.owner.clone()));
        let redis = config
            .redis_url
            .clone()
            .or_else(|| embedded.redis_url().cloned())
            .context("there is no Redis")?;
        Ok(Self { app, owner, redis })
    }
}

/// Migrates as the owner, then works as the role that owns nothing.
async fn open_database(urls: &Urls) -> Result<PgPool> {
    if let Some(owner) = &urls.owner {
        migrate(owner).await?;
    }
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECTION_WITHIN)
        .connect_with(
            owner_options(&urls.app)?.options([("statement_timeout", STATEMENT_WITHIN_MS)]),
        )
        .await
        .context("the database does not answer; check DATABASE_URL")
}

fn owner_options(url: &SecretUrl) -> Result<sqlx::postgres::PgConnectOptions> {
    url.expose()
        .parse()
        .context("the database's address can't be read")
}

/// Brings the schemas up to date as their owner.
pub async fn migrate(owner: &SecretUrl) -> Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(owner_options(owner)?)
        .await
        .context("the database does not answer to its owner; check DATABASE_OWNER_URL")?;
    spine::MIGRATOR
        .run(&pool)
        .await
        .context("the database could not be migrated")?;
    pool.close().await;
    Ok(())
}

/// Never waits for Redis: without it everything starts and works, degraded.
fn open_redis(url: &SecretUrl) -> Result<ConnectionManager> {
    let client = redis::Client::open(url.expose()).context("the address of Redis can't be read")?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(REDIS_WITHIN))
        .set_response_timeout(Some(REDIS_WITHIN))
        .set_max_delay(REDIS_AGAIN_WITHIN)
        .set_number_of_retries(1);
    ConnectionManager::new_lazy_with_config(client, config)
        .context("Redis can't be prepared for")
}

/// What tells others on this machine that we serve; gone when dropped.
struct Announced {
    _running: Running,
    ready_file: Option<PathBuf>,
}

impl Drop for Announced {
    fn drop(&mut self) {
        if let Some(path) = &self.ready_file
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::debug!(%error, "the ready file was gone already");
        }
    }
}

fn announce(app: &App, urls: &Urls) -> Result<Announced> {
    let config = &app.config;
    let run_file = RunFile {
        pid: std::process::id(),
        url: config.public_url.clone(),
        database_url: urls.app.expose().to_owned(),
        database_owner_url: urls.owner.as_ref().map(|url| url.expose().to_owned()),
        redis_url: urls.redis.expose().to_owned(),
    };
    let running = run_file.write(&config.data_dir)?;
    if let Some(path) = &config.ready_file {
        let ready = serde_json::json!({
            "url": config.public_url,
            "agents_url": config.public_url,
            "pid": run_file.pid,
            "database_url": run_file.database_url,
            "redis_url": run_file.redis_url,
        });
        write_private(path, ready.to_string().as_bytes())
            .with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(Announced {
        _running: running,
        ready_file: config.ready_file.clone(),
    })
}

/// Whole or not at all, for the owner's eyes only: it holds a password.
fn write_private(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let draft = path.with_extension("draft");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(bytes)?;
    std::fs::rename(draft, path)
}

async fn go_down(app: &App, server: tokio::task::JoinHandle<std::io::Result<()>>) {
    tracing::info!("going down");
    app.live.end_all(Goodbye::Restarting);
    app.stopping.cancel();
    app.sessions.close();
    let farewell = tokio::time::timeout(FAREWELL_WITHIN, app.sessions.wait());
    if farewell.await.is_err() {
        tracing::warn!("some sessions did not take their last word");
    }
    // Idle connections of browsers would keep the server up; they are cut.
    server.abort();
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
