//! Where the machine keeps the binaries of PostgreSQL and Redis.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::EmbeddedError;

/// Older ones miss what our migrations use.
const OLDEST_POSTGRES: u32 = 14;

/// Folders with one version of PostgreSQL each, by the version's place in the path: Debian, Red Hat, Homebrew (both
/// processors), Postgres.app.
const POSTGRES_PLACES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// Where servers are that an ordinary `PATH` leaves out.
const MORE_PLACES: &[&str] = &[
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/opt/homebrew/bin",
];

const HOW_POSTGRES: &str =
    "Install it (Debian: `apt-get install postgresql`; macOS: `brew install postgresql@17`)";
const HOW_REDIS: &str =
    "Install it (Debian: `apt-get install redis-server`; macOS: `brew install redis`)";

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PostgresPrograms {
    /// Its major version.
    pub(super) version: u32,
    folder: PathBuf,
}

impl PostgresPrograms {
    /// The newest one, or the one that made `cluster`.
    pub(super) async fn find(cluster: &Path) -> Result<Self, EmbeddedError> {
        let mut found = Vec::new();
        for folder in postgres_folders() {
            if let Some(version) = version(&folder).await
                && version >= OLDEST_POSTGRES
            {
                found.push(Self { version, folder });
            }
        }
        let made_by = fs::read_to_string(cluster.join("PG_VERSION")).ok();
        choose(found, made_by.as_deref().map(str::trim), cluster)
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

fn choose(
    mut found: Vec<PostgresPrograms>,
    made_by: Option<&str>,
    cluster: &Path,
) -> Result<PostgresPrograms, EmbeddedError> {
    // The first of a version wins: `PATH` was asked first.
    found.sort_by_key(|programs| std::cmp::Reverse(programs.version));
    let newest = found.first().ok_or_else(|| EmbeddedError::NotInstalled {
        what: "PostgreSQL",
        looked: format!(
            "`initdb` and `postgres` of version {OLDEST_POSTGRES} or newer are neither in PATH nor in \
             /usr/lib/postgresql/*/bin or Homebrew's folders"
        ),
        install: HOW_POSTGRES,
        variable: "DATABASE_URL and DATABASE_OWNER_URL",
    })?;
    let Some(made_by) = made_by else {
        return Ok(newest.clone());
    };
    let same = found
        .iter()
        .find(|programs| programs.version.to_string() == made_by);
    same.cloned().ok_or_else(|| EmbeddedError::OtherVersion {
        cluster: cluster.to_owned(),
        made_by: made_by.to_owned(),
        found: found
            .iter()
            .map(|programs| programs.version.to_string())
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// The Redis server, or Valkey, which speaks the same.
pub(super) fn redis() -> Result<PathBuf, EmbeddedError> {
    ["redis-server", "valkey-server"]
        .into_iter()
        .find_map(|name| {
            search_path()
                .map(|folder| folder.join(name))
                .find(|program| program.is_file())
        })
        .ok_or_else(|| EmbeddedError::NotInstalled {
            what: "Redis",
            looked: "neither `redis-server` nor `valkey-server` is in PATH or in Homebrew's folder"
                .to_owned(),
            install: HOW_REDIS,
            variable: "REDIS_URL",
        })
}

/// Looks where `PATH` says and where servers usually are.
fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path: Vec<_> = std::env::split_paths(&path).collect();
    in_path
        .into_iter()
        .chain(MORE_PLACES.iter().map(PathBuf::from))
}

fn postgres_folders() -> Vec<PathBuf> {
    let mut folders: Vec<_> = search_path()
        .filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok())
        .filter_map(|program| program.parent().map(Path::to_owned))
        .collect();
    for (place, prefix, inner) in POSTGRES_PLACES {
        let Ok(entries) = fs::read_dir(place) else {
            continue;
        };
        folders.extend(
            entries
                .flatten()
                .filter(|entry| starts_with(&entry.file_name(), prefix))
                .map(|entry| entry.path().join(inner)),
        );
    }
    folders.retain(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    let mut seen = std::collections::BTreeSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

fn starts_with(name: &OsStr, prefix: &str) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(prefix))
}

/// From `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
async fn version(folder: &Path) -> Option<u32> {
    let output = tokio::process::Command::new(folder.join("postgres"))
        .arg("--version")
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    major(&String::from_utf8(output.stdout).ok()?)
}

fn major(words: &str) -> Option<u32> {
    let number = words.split_whitespace().nth(2)?;
    number
        .split(|one: char| !one.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        for (words, version) in [
            (
                "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18beta2\n", Some(18)),
            ("postgres", None),
            ("", None),
        ] {
            assert_eq!(major(words), version, "{words:?}");
        }
    }

    #[test]
    fn a_cluster_is_opened_by_the_version_that_made_it_and_by_no_other() {
        let installed = |versions: &[u32]| {
            versions
                .iter()
                .map(|version| PostgresPrograms {
                    version: *version,
                    folder: PathBuf::from("/x"),
                })
                .collect::<Vec<_>>()
        };
        let cluster = Path::new("/cluster");

        let newest = choose(installed(&[15, 17, 16]), None, cluster).unwrap();
        let old = choose(installed(&[15, 17]), Some("15"), cluster).unwrap();
        let other = choose(installed(&[17]), Some("15"), cluster).unwrap_err();
        let none = choose(Vec::new(), None, cluster).unwrap_err();

        assert_eq!((newest.version, old.version), (17, 15));
        assert!(
            other.to_string().contains("made by PostgreSQL 15"),
            "{other}"
        );
        assert!(
            none.to_string().contains("apt-get install postgresql"),
            "{none}"
        );
    }
}
