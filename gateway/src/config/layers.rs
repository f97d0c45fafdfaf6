//! The flat list of keys and who said what about them last.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    str::FromStr,
};

use toml::{Table, Value};
use url::Url;

use super::{ConfigError, Overrides, SecretUrl, absolute};

/// Every key as a file writes it, and its name in the environment.
const KEYS: &[(&str, &str)] = &[
    ("listen", "NOOTERRA_LISTEN"),
    ("data_dir", "NOOTERRA_DATA_DIR"),
    ("console_dir", "NOOTERRA_CONSOLE_DIR"),
    ("public_url", "NOOTERRA_PUBLIC_URL"),
    ("tls.certificate", "NOOTERRA_TLS_CERTIFICATE"),
    ("tls.key", "NOOTERRA_TLS_KEY"),
    ("tls.generated", "NOOTERRA_TLS_GENERATED"),
    ("media.bind", "NOOTERRA_MEDIA_BIND"),
    ("media.port", "NOOTERRA_MEDIA_PORT"),
    ("media.advertise", "NOOTERRA_MEDIA_ADVERTISE"),
    ("database_url", "DATABASE_URL"),
    ("database_owner_url", "DATABASE_OWNER_URL"),
    ("redis_url", "REDIS_URL"),
    ("events.origin", "NOOTERRA_EVENTS_ORIGIN"),
    ("limits.acts_per_minute", "NOOTERRA_LIMITS_ACTS_PER_MINUTE"),
    ("log.format", "NOOTERRA_LOG_FORMAT"),
    ("log.filter", "NOOTERRA_LOG_FILTER"),
];

/// Keys whose value may hold a password.
const SECRET: &[&str] = &["database_url", "database_owner_url", "redis_url"];

/// The one key that takes several values.
const LISTS: &[&str] = &["media.advertise"];

/// Says where the file is, so it can't be in the file.
const FILE_VARIABLE: &str = "NOOTERRA_CONFIG";

const PREFIX: &str = "NOOTERRA_";

/// Settings of our other programs, which may run in the same environment: of the agent and of `cargo xtask`.
const OF_OTHERS: &[&str] = &[
    "NOOTERRA_AGENT_DATA",
    "NOOTERRA_LOG",
    "NOOTERRA_ROBOT_TOKEN",
    "NOOTERRA_WASM",
];

#[derive(Debug)]
struct Said {
    text: String,
    origin: String,
}

/// Later layers replace what earlier ones said.
#[derive(Debug, Default)]
pub(super) struct Layers {
    said: BTreeMap<&'static str, Said>,
}

type Variables = Vec<(String, OsString)>;

/// The settings file that the environment names, and the variables that are settings.
pub(super) fn split_environment(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Option<PathBuf>, Variables), ConfigError> {
    let mut file = None;
    let mut variables = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str() else { continue };
        if name == FILE_VARIABLE {
            file = Some(PathBuf::from(value));
        } else if KEYS.iter().any(|(_, variable)| *variable == name) {
            variables.push((name.to_owned(), value));
        } else if name.starts_with(PREFIX) && !OF_OTHERS.contains(&name) {
            return Err(ConfigError::UnknownKey {
                origin: "the environment".to_owned(),
                key: name.to_owned(),
                known: list(KEYS.iter().map(|(_, variable)| *variable)),
            });
        }
    }
    Ok((file, variables))
}

impl Layers {
    /// Keys of a TOML file. Relative paths in it are relative to the file.
    pub(super) fn add_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: Table = text.parse().map_err(|error| ConfigError::NotToml {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        self.add_table("", &table, path)
    }

    fn add_table(&mut self, prefix: &str, table: &Table, path: &Path) -> Result<(), ConfigError> {
        let origin = format!("in {}", path.display());
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            if let (Value::Table(inner), "") = (value, prefix) {
                self.add_table(&format!("{key}."), inner, path)?;
                continue;
            }
            let Some((key, _)) = KEYS.iter().find(|(known, _)| *known == key) else {
                return Err(ConfigError::UnknownKey {
                    origin: format!("the settings file {}", path.display()),
                    key,
                    known: list(KEYS.iter().map(|(known, _)| *known)),
                });
            };
            let text = plain(value, LISTS.contains(key)).ok_or_else(|| ConfigError::IllFormed {
                key,
                origin: origin.clone(),
                wrong: format!("a TOML {}", value.type_str()),
                expected: "a single value".to_owned(),
            })?;
            let text = if is_path(key) {
                let beside = path.parent().unwrap_or(Path::new(""));
                beside.join(text).to_string_lossy().into_owned()
            } else {
                text
            };
            self.say(key, text, origin.clone());
        }
        Ok(())
    }

    /// Variables that are settings. An empty one counts as absent, as scripts expect.
    pub(super) fn add_environment(&mut self, variables: Variables) -> Result<(), ConfigError> {
        for (name, value) in variables {
            let Some((key, _)) = KEYS.iter().find(|(_, variable)| *variable == name) else {
                continue;
            };
            let text = utf8(key, &name, &value)?;
            if !text.is_empty() {
                self.say(key, text, name);
            }
        }
        Ok(())
    }

    /// Options of the command line.
    pub(super) fn add_command_line(&mut self, overrides: &Overrides) -> Result<(), ConfigError> {
        let texts = [
            ("listen", "--listen", &overrides.listen),
            ("media.port", "--media-port", &overrides.media_port),
            ("public_url", "--public-url", &overrides.public_url),
        ];
        for (key, option, text) in texts {
            if let Some(text) = text {
                self.say(key, text.clone(), option.to_owned());
            }
        }
        let paths = [
            ("data_dir", "--data", &overrides.data),
            ("console_dir", "--console", &overrides.console),
        ];
        for (key, option, path) in paths {
            if let Some(path) = path {
                let text = utf8(key, option, path.as_os_str())?;
                self.say(key, text, option.to_owned());
            }
        }
        Ok(())
    }

    fn say(&mut self, key: &'static str, text: String, origin: String) {
        self.said.insert(key, Said { text, origin });
    }

    /// The value as it was written.
    pub(super) fn text(&self, key: &'static str) -> Option<&str> {
        self.said.get(key).map(|said| said.text.as_str())
    }

    /// The value, understood.
    pub(super) fn parse<T: FromStr>(
        &self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<T>, ConfigError> {
        self.text(key)
            .map(|text| {
                text.parse()
                    .map_err(|_wrong| self.ill_formed(key, expected))
            })
            .transpose()
    }

    /// Values with commas between them.
    pub(super) fn list<T: FromStr>(
        &self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        text.split(',')
            .map(|one| {
                one.trim()
                    .parse()
                    .map_err(|_wrong| self.ill_formed(key, expected))
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A path, made absolute.
    pub(super) fn path(&self, key: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        self.text(key)
            .map(|text| absolute(Path::new(text)).map_err(|_empty| self.ill_formed(key, "a path")))
            .transpose()
    }

    /// The address of a server, of one of these schemes.
    pub(super) fn server(
        &self,
        key: &'static str,
        schemes: &[&str],
    ) -> Result<Option<SecretUrl>, ConfigError> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let expected = || {
            format!(
                "an address that begins with {}",
                list(schemes.iter().copied())
            )
        };
        match Url::parse(text) {
            Ok(url) if schemes.contains(&url.scheme()) => Ok(Some(SecretUrl::new(text))),
            Ok(_) | Err(_) => Err(self.ill_formed(key, &expected())),
        }
    }

    /// The refusal of what was said about `key`.
    pub(super) fn ill_formed(&self, key: &'static str, expected: &str) -> ConfigError {
        let said = self.said.get(key);
        ConfigError::IllFormed {
            key,
            origin: said.map_or_else(|| "default".to_owned(), |said| said.origin.clone()),
            wrong: match said {
                Some(_) if SECRET.contains(&key) => "a value that is not shown here".to_owned(),
                Some(said) => format!("\"{}\"", said.text),
                None => "missing".to_owned(),
            },
            expected: expected.to_owned(),
        }
    }
}

fn is_path(key: &str) -> bool {
    key.ends_with("_dir") || matches!(key, "tls.certificate" | "tls.key")
}

fn plain(value: &Value, is_list: bool) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(is_so) => Some(is_so.to_string()),
        Value::Array(values) if is_list => {
            let texts: Option<Vec<_>> = values.iter().map(|value| plain(value, false)).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Array(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn utf8(key: &'static str, origin: &str, value: &OsStr) -> Result<String, ConfigError> {
    value
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| ConfigError::IllFormed {
            key,
            origin: origin.to_owned(),
            wrong: "not UTF-8".to_owned(),
            expected: "text".to_owned(),
        })
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
