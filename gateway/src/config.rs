//! Settings, read once: the command line overrides the environment, which overrides a TOML file, which overrides defaults.

mod layers;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use layers::Layers;

/// Where people look first.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

/// Beside it, so that one rule of a firewall covers both.
const MEDIA_PORT: u16 = 8421;

/// Acts on jobs and cases, of one person in a minute: a busy hand does one a second, a script for a whole site ten.
const ACTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(1_200).expect("it is not zero");

/// What we say ourselves; the media stack speaks of peers' addresses below a warning.
const LOG_FILTER: &str = "info,webrtc=off,rtc=off,sqlx=warn";

/// What the command line may say.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Overrides {
    /// Settings in TOML form
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address and port for people and robots; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// UDP port for video; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    pub media_port: Option<String>,
    /// The console's built files
    #[arg(long, value_name = "DIR")]
    pub console: Option<PathBuf>,
    /// The address that people type, when it is another than `--listen`
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Keep a demo's data: only there may demo users be made
    #[arg(long)]
    pub demo: bool,
    /// Written when everything answers, removed at the end
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
}

/// All settings of the process.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where people and robots connect.
    pub listen: SocketAddr,
    /// Keys, certificates, the private database.
    pub data_dir: PathBuf,
    /// The console's files; without them only the API is served.
    pub console_dir: Option<PathBuf>,
    /// The base address that people use, without a slash at the end. Final once [`Config::listening_on`] was told.
    pub public_url: String,
    /// Absent: plain HTTP, on a loopback address only.
    pub tls: Option<Tls>,
    /// Video.
    pub media: Media,
    /// The application role's database; absent: a private one.
    pub database_url: Option<SecretUrl>,
    /// The role that migrates.
    pub database_owner_url: Option<SecretUrl>,
    /// Presence and limits; absent: a private one.
    pub redis_url: Option<SecretUrl>,
    /// The name that the log of events is signed under; absent: one after its key.
    pub events_origin: Option<String>,
    /// How often a person may act on jobs and cases in a minute.
    pub acts_per_minute: NonZeroU32,
    /// What is logged and how.
    pub log: Log,
    /// Whether demo users may be made in this data directory.
    pub is_demo: bool,
    /// Written when everything answers.
    pub ready_file: Option<PathBuf>,
    is_public_url_given: bool,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// PEM files, read again from time to time so that a renewal is noticed.
    Files {
        /// The chain, our own certificate first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// Made by us and kept in the data directory; robots and browsers must be told to trust it.
    Generated,
}

/// Where video goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The one UDP port.
    pub bind: SocketAddr,
    /// What peers are told.
    pub advertise: Vec<IpAddr>,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// Directives as `tracing` reads them; known to be well-formed.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// An object per line.
    Json,
}

/// An address that may hold a password and is therefore never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Keeps `url` out of every log.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The address itself, for whoever connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretUrl(..)")
    }
}

/// Why there are no settings. Every message names the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the settings file {path} can't be read: {error}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is no TOML.
    #[error("the settings file {path} is not TOML: {error}")]
    NotToml {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// A key that means nothing to us.
    #[error("{origin} has the unknown key `{key}`; known are: {known}")]
    UnknownKey {
        /// The file or the environment.
        origin: String,
        /// The key.
        key: String,
        /// All keys.
        known: String,
    },
    /// A value that can't be understood.
    #[error("`{key}` ({origin}) is {wrong}; expected {expected}")]
    IllFormed {
        /// The key.
        key: &'static str,
        /// Who said so.
        origin: String,
        /// The value in quotation marks, or what it is when it may not be shown.
        wrong: String,
        /// What would do.
        expected: String,
    },
    /// Two keys that don't go together.
    #[error("{0}")]
    Contradiction(String),
}

impl Config {
    /// Reads the file, the environment and the command line.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::from(overrides, std::env::vars_os())
    }

    fn from(
        overrides: &Overrides,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::default();
        let (named, rest) = layers::split_environment(environment)?;
        if let Some(path) = overrides.config.as_ref().or(named.as_ref()) {
            let text = fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                path: path.clone(),
                error,
            })?;
            layers.add_file(path, &text)?;
        }
        layers.add_environment(rest)?;
        layers.add_command_line(overrides)?;
        Self::understand(&layers, overrides)
    }

    fn understand(layers: &Layers, overrides: &Overrides) -> Result<Self, ConfigError> {
        let listen = layers
            .parse("listen", "an address with a port, such as 127.0.0.1:8420")?
            .unwrap_or(LISTEN);
        let tls = tls(layers)?;
        if tls.is_none() && !listen.ip().is_loopback() {
            return Err(ConfigError::Contradiction(format!(
                "`listen` is {listen}, which others can reach, and plain HTTP is for loopback addresses only: give \
                 `tls.certificate` and `tls.key`, or set `tls.generated = true`"
            )));
        }
        let given_url = public_url(layers)?;
        let mut config = Self {
            listen,
            data_dir: match layers.path("data_dir")? {
                Some(path) => path,
                None => default_data_dir()?,
            },
            console_dir: layers.path("console_dir")?.or_else(console_beside_us),
            is_public_url_given: given_url.is_some(),
            public_url: given_url.unwrap_or_default(),
            tls,
            media: media(layers, listen)?,
            database_url: layers.server("database_url", &["postgres", "postgresql"])?,
            database_owner_url: layers.server("database_owner_url", &["postgres", "postgresql"])?,
            redis_url: layers.server("redis_url", &["redis", "redis+unix", "unix"])?,
            events_origin: layers.text("events.origin").map(str::to_owned),
            acts_per_minute: layers
                .parse("limits.acts_per_minute", "a whole number from 1 on")?
                .unwrap_or(ACTS_PER_MINUTE),
            log: log(layers)?,
            is_demo: overrides.demo,
            ready_file: overrides.ready_file.clone(),
        };
        config.listening_on(listen);
        Ok(config)
    }

    /// Whether people and robots speak TLS with us.
    pub const fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Fills in the port that was really taken.
    pub fn listening_on(&mut self, address: SocketAddr) {
        self.listen = address;
        if self.is_public_url_given {
            return;
        }
        let scheme = if self.is_tls() { "https" } else { "http" };
        let host = match address.ip() {
            ip if ip.is_loopback() => "localhost".to_owned(),
            ip if ip.is_unspecified() => self
                .media
                .advertise
                .first()
                .map_or_else(|| "localhost".to_owned(), |ip| in_url(*ip)),
            ip => in_url(ip),
        };
        self.public_url = format!("{scheme}://{host}:{}", address.port());
    }

    /// Names that a certificate of ours must carry.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![
            "localhost".to_owned(),
            Ipv4Addr::LOCALHOST.to_string(),
            Ipv6Addr::LOCALHOST.to_string(),
        ];
        let listen = Some(self.listen.ip()).filter(|ip| !ip.is_unspecified());
        let public = Url::parse(&self.public_url).ok().and_then(|url| {
            url.host_str()
                .map(|host| host.trim_matches(['[', ']']).to_owned())
        });
        names.extend(listen.map(|ip| ip.to_string()));
        names.extend(self.media.advertise.iter().map(IpAddr::to_string));
        names.extend(public);
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Where data is kept unless told otherwise. As root outside `/root`, which the database's user can't enter.
pub fn default_data_dir() -> Result<PathBuf, ConfigError> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/nooterra/gateway"));
    }
    std::env::home_dir()
        .filter(|home| home.is_absolute())
        .map(|home| home.join(".local/share/nooterra/gateway"))
        .ok_or_else(|| {
            ConfigError::Contradiction(
                "this user has no home folder: say where data is kept with `data_dir` or --data"
                    .to_owned(),
            )
        })
}

fn in_url(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn tls(layers: &Layers) -> Result<Option<Tls>, ConfigError> {
    let generated = layers
        .parse("tls.generated", "true or false")?
        .unwrap_or(false);
    match (
        layers.path("tls.certificate")?,
        layers.path("tls.key")?,
        generated,
    ) {
        (None, None, false) => Ok(None),
        (None, None, true) => Ok(Some(Tls::Generated)),
        (Some(certificate), Some(key), false) => Ok(Some(Tls::Files { certificate, key })),
        (Some(_), None, _) => Err(ConfigError::Contradiction(
            "`tls.certificate` is given without `tls.key`".to_owned(),
        )),
        (None, Some(_), _) => Err(ConfigError::Contradiction(
            "`tls.key` is given without `tls.certificate`".to_owned(),
        )),
        (Some(_), Some(_), true) => Err(ConfigError::Contradiction(
            "`tls.generated` is true although `tls.certificate` is given: leave one out".to_owned(),
        )),
    }
}

fn public_url(layers: &Layers) -> Result<Option<String>, ConfigError> {
    const EXPECTED: &str = "an address without a path, such as https://fleet.example";
    let Some(url) = layers.parse::<Url>("public_url", EXPECTED)? else {
        return Ok(None);
    };
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" | "http" if !is_bare => Err(layers.ill_formed("public_url", EXPECTED)),
        "https" => Ok(Some(url.as_str().trim_end_matches('/').to_owned())),
        "http" if is_local => Ok(Some(url.as_str().trim_end_matches('/').to_owned())),
        // Browsers keep our cookie on https and on this machine's own names only.
        _ => Err(layers.ill_formed("public_url", "https, or http on localhost")),
    }
}

fn media(layers: &Layers, listen: SocketAddr) -> Result<Media, ConfigError> {
    let ip = layers
        .parse("media.bind", "an IP address")?
        .unwrap_or(listen.ip());
    let port = layers
        .parse("media.port", "a port, or 0 for a free one")?
        .unwrap_or(MEDIA_PORT);
    let advertise = layers.list::<IpAddr>("media.advertise", "IP addresses")?;
    let advertise = match (advertise, ip) {
        (Some(given), _) => given,
        (None, ip) if !ip.is_unspecified() => vec![ip],
        (None, ip) => own_addresses(ip),
    };
    if advertise.is_empty() {
        return Err(ConfigError::Contradiction(
            "no address of this machine was found that peers could send video to: set `media.advertise`"
                .to_owned(),
        ));
    }
    Ok(Media {
        bind: SocketAddr::new(ip, port),
        advertise,
    })
}

/// The addresses that this machine would use towards others. Nothing is sent: connecting a datagram socket only asks
/// the routing table. The targets are reserved for documentation.
fn own_addresses(bind: IpAddr) -> Vec<IpAddr> {
    let v4 = || source_address("0.0.0.0:0", "192.0.2.1:9");
    let v6 = || source_address("[::]:0", "[2001:db8::1]:9");
    match bind {
        IpAddr::V4(_) => v4().into_iter().collect(),
        IpAddr::V6(_) => v4().into_iter().chain(v6()).collect(),
    }
}

fn source_address(from: &str, towards: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(towards).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

fn log(layers: &Layers) -> Result<Log, ConfigError> {
    let format = match layers.text("log.format") {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(_) => return Err(layers.ill_formed("log.format", "text or json")),
    };
    let filter = layers.text("log.filter").unwrap_or(LOG_FILTER);
    if EnvFilter::try_new(filter).is_err() {
        return Err(layers.ill_formed("log.filter", "directives such as info,gateway=debug"));
    }
    Ok(Log {
        format,
        filter: filter.to_owned(),
    })
}

/// The console's files where our own build leaves them, and where a package would put them.
fn console_beside_us() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?;
    ["console-bundle", "share/nooterra/console"]
        .iter()
        .map(|place| folder.join(place))
        .find(|place| place.join("index.html").is_file())
}

/// A path on the command line or in a file, whatever the current folder becomes later.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}
