//! `nooterra serve`: from settings to a process that answers, and down again in good order.

mod announce;
mod error;
mod signals;
mod store;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::serve::ListenerExt as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use protocol::robot_socket::Goodbye;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use rustix::process::{Resource, getrlimit, setrlimit};
use spine::{LogKey, Signer};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    admin::{mark_demo, policy_key},
    app::{App, CHECK_STREAMS_EVERY, Clock, EVENT_STREAMS, Parts},
    config::{Config, SecretUrl},
    console_bundle::ConsoleBundle,
    embedded::{Embedded, Wanted, make_data_dir},
    http,
    listen::{Door, Port},
    live::{self, Live, dependencies::Dependencies, event_log::EventLog, rate_limit::RateLimit},
    reactors,
    rtc::{Rtc, RtcConfig},
};

pub use error::ServeError;
pub use store::migrate;

use signals::Signals;

/// Redis on the same machine answers in under a millisecond; callers have bounds of their own below this.
const REDIS_WITHIN: Duration = Duration::from_secs(1);

/// A lost Redis is tried again at least this often.
const REDIS_AGAIN_WITHIN: Duration = Duration::from_millis(500);

/// Sessions get this long to take their last word, and requests to be answered.
const FAREWELL_WITHIN: Duration = Duration::from_secs(3);

/// Connections to the database are given back within this, or closed by the server's own stop.
const RETURN_WITHIN: Duration = Duration::from_secs(2);

/// Connections, files and the servers' sockets together stay far below; systems that allow fewer say so themselves.
const OPEN_FILES: u64 = 16_384;

/// Where the servers are, ours or given ones.
struct Urls {
    app: SecretUrl,
    owner: Option<SecretUrl>,
    redis: SecretUrl,
}

/// Runs the gateway until it is told to stop.
pub async fn serve(config: Config) -> Result<(), ServeError> {
    let mut signals = Signals::listen()?;
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .map_err(ServeError::Metrics)?;
    crate::metrics::describe();
    allow_many_files();
    if config.database_owner_url.is_some() && config.database_url.is_none() {
        return Err(ServeError::OwnerAlone);
    }
    make_data_dir(&config.data_dir)?;
    if config.is_demo {
        mark_demo(&config.data_dir)?;
    }
    let embedded = tokio::select! {
        started = Box::pin(start_servers(&config)) => started?,
        () = signals.next() => return Ok(()),
    };
    let served = Box::pin(serve_on(&embedded, config, metrics, &mut signals)).await;
    if matches!(served, Err(ServeError::ToldTwice)) {
        return served;
    }
    // Also when serving failed: nobody else knows that these servers are there.
    let stopped = tokio::select! {
        stopped = step("stopping the private servers", embedded.stop()) => stopped.map_err(ServeError::from),
        () = signals.next() => Err(ServeError::ToldTwice),
    };
    served.and(stopped)?;
    tracing::info!("stopped");
    Ok(())
}

async fn start_servers(config: &Config) -> Result<Embedded, ServeError> {
    let wanted = Wanted {
        postgres: config.database_url.is_none(),
        redis: config.redis_url.is_none(),
    };
    let what = match wanted {
        Wanted::BOTH => "starting a private PostgreSQL and a private Redis",
        Wanted::POSTGRES => "starting a private PostgreSQL",
        Wanted {
            postgres: false,
            redis: true,
        } => "starting a private Redis",
        Wanted {
            postgres: false,
            redis: false,
        } => "taking the data directory",
    };
    Ok(step(what, Embedded::start(&config.data_dir, wanted)).await?)
}

async fn serve_on(
    embedded: &Embedded,
    config: Config,
    metrics: PrometheusHandle,
    signals: &mut Signals,
) -> Result<(), ServeError> {
    let urls = Urls::of(&config, embedded)?;
    let (app, door) = tokio::select! {
        opened = Box::pin(open(&urls, config, metrics)) => opened?,
        () = signals.next() => return Ok(()),
    };
    start_background(&app);
    let stopping = app.stopping.clone();
    // The door's own type stays out of what handlers ask for: they know an address.
    let door = door.tap_io(|_connection| {});
    let service = http::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(door, service)
        .with_graceful_shutdown(async move { stopping.cancelled().await });
    let mut server = tokio::spawn(server.into_future());
    let announced = announce::announce(&app.config, &urls)?;
    tracing::info!("serving {}", app.config.public_url);
    tokio::select! {
        () = signals.next() => {}
        ended = &mut server => return Err(ServeError::broken(ended)),
    }
    tokio::select! {
        () = go_down(&app, server) => {}
        () = signals.next() => return Err(ServeError::ToldTwice),
    }
    drop(announced);
    Ok(())
}

/// Everything between a database that runs and a door that can be opened.
async fn open(
    urls: &Urls,
    mut config: Config,
    metrics: PrometheusHandle,
) -> Result<(App, Door), ServeError> {
    match &urls.owner {
        Some(owner) => step("bringing the database up to date", migrate(owner)).await?,
        None => {
            tracing::info!("the database is not migrated here: no DATABASE_OWNER_URL was given");
        }
    }
    let pool = step("connecting to the database", store::connect(&urls.app)).await?;
    let port = Port::open(config.listen).await?;
    config.listening_on(port.address());
    let media = RtcConfig::new(config.media.bind, config.media.advertise.clone());
    let rtc = step("opening the media port", Rtc::bind(media))
        .await
        .map_err(|source| ServeError::Media {
            bind: config.media.bind,
            source,
        })?;
    let door = port.serve(&config)?;
    let log_key = LogKey::load_or_create(
        &config.data_dir.join(LogKey::FILE_NAME),
        config.events_origin.as_deref(),
    )?;
    let clock = Clock::default();
    let console = match config.console_dir.clone() {
        Some(folder) => step("reading the console's files", read_console(folder)).await?,
        None => None,
    };
    let app = App::new(Parts {
        pool,
        redis: open_redis(&urls.redis)?,
        signer: Signer::load_or_create(&config.data_dir.join(Signer::FILE_NAME))?,
        policy: policy_key(&config.data_dir)?,
        log: EventLog::new(log_key),
        live: Live::default(),
        rtc,
        dependencies: Dependencies::new(clock.now()),
        clock,
        event_streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
        check_streams_every: CHECK_STREAMS_EVERY,
        limits: RateLimit::default(),
        metrics,
        stopping: CancellationToken::new(),
        sessions: TaskTracker::new(),
        console,
        config,
    });
    Ok((app, door))
}

/// Ended before the servers are stopped, lest it complain that nobody answers.
fn start_background(app: &App) {
    reactors::keep("dependencies", app, live::dependencies::watch);
    reactors::keep("presence", app, live::presence::renew);
    reactors::start(app);
}

async fn go_down(app: &App, mut server: tokio::task::JoinHandle<std::io::Result<()>>) {
    tracing::info!("going down");
    app.live.end_all(Goodbye::Restarting);
    app.stopping.cancel();
    app.sessions.close();
    let farewell = async { tokio::join!(app.sessions.wait(), &mut server) };
    if tokio::time::timeout(FAREWELL_WITHIN, farewell)
        .await
        .is_err()
    {
        tracing::warn!("some sessions did not take their last word in time");
        server.abort();
    }
    if tokio::time::timeout(RETURN_WITHIN, app.pool.close())
        .await
        .is_err()
    {
        tracing::warn!("some work on the database was cut off");
    }
}

impl Urls {
    fn of(config: &Config, embedded: &Embedded) -> Result<Self, ServeError> {
        let private = embedded.database();
        let app = config
            .database_url
            .clone()
            .or_else(|| private.map(|urls| urls.app.clone()))
            .ok_or(ServeError::NoServer("a database"))?;
        let owner = config
            .database_owner_url
            .clone()
            .or_else(|| private.map(|urls| urls.owner.clone()));
        let redis = config
            .redis_url
            .clone()
            .or_else(|| embedded.redis_url().cloned())
            .ok_or(ServeError::NoServer("Redis"))?;
        Ok(Self { app, owner, redis })
    }
}

/// Never waits for Redis: without it everything starts and works, degraded.
fn open_redis(url: &SecretUrl) -> Result<ConnectionManager, ServeError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(REDIS_WITHIN))
        .set_response_timeout(Some(REDIS_WITHIN))
        .set_max_delay(REDIS_AGAIN_WITHIN)
        .set_number_of_retries(1);
    redis::Client::open(url.expose())
        .and_then(|client| ConnectionManager::new_lazy_with_config(client, config))
        .map_err(ServeError::Redis)
}

/// Off the runtime's threads: it is some megabytes.
async fn read_console(folder: PathBuf) -> Result<Option<ConsoleBundle>, ServeError> {
    let read = tokio::task::spawn_blocking(move || ConsoleBundle::at(folder)).await;
    Ok(read.ok())
}

/// Says what is being done, and how long it took.
async fn step<T, E>(what: &'static str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    tracing::info!("{what}");
    let began = Instant::now();
    let done = work.await?;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(took_ms, "{what}: done in {took_ms} ms");
    Ok(done)
}

/// Many systems allow a thousand open files unless asked, and more when asked.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    limit.current = Some(wanted);
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
