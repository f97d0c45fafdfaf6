//! Why the private servers can't run, each with what would mend it.

use std::{io, path::PathBuf, time::Duration};

/// Why the private servers can't run. What it says is meant for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A file or folder can't be used.
    #[error("{path} can't be used")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has the data directory.
    #[error(
        "{data_dir} is in use by process {holder}: stop that gateway, or choose another folder with --data"
    )]
    InUse {
        /// Which folder.
        data_dir: PathBuf,
        /// Its process id, as far as it is known.
        holder: String,
    },
    /// A program is not installed.
    #[error("{what} is not installed: {looked}. {install}, or point {variable} at a running one")]
    NotInstalled {
        /// What is missing.
        what: &'static str,
        /// Where it was looked for.
        looked: String,
        /// How to install it.
        install: &'static str,
        /// What to set instead.
        variable: &'static str,
    },
    /// The cluster was made by another major version.
    #[error(
        "the database in {cluster} was made by PostgreSQL {made_by}, and only {found} is installed: install PostgreSQL \
         {made_by}, or move the data with pg_dump"
    )]
    OtherVersion {
        /// Which cluster.
        cluster: PathBuf,
        /// Its version.
        made_by: String,
        /// What is here.
        found: String,
    },
    /// We are root and there is nobody else to be.
    #[error(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody` to run it as: create one, or \
         start the gateway as an ordinary user"
    )]
    NoUser,
    /// We are root, and the server's user can't get at its files.
    #[error(
        "the user {user}, whom the private servers run as, may not enter {folder}: choose another data directory with \
         --data"
    )]
    Impassable {
        /// The server's user.
        user: String,
        /// The folder in the way.
        folder: PathBuf,
    },
    /// The cluster is there and its passwords are not.
    #[error(
        "{cluster} holds a database whose passwords should be in {passwords}, which {wrong}: bring the file back from \
         a backup, or move the folder away to begin anew"
    )]
    NoPasswords {
        /// Which cluster.
        cluster: PathBuf,
        /// Where they should be.
        passwords: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// The system has no randomness to give.
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
    /// A program can't be started.
    #[error("{program} can't be started")]
    Unstartable {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program failed.
    #[error("{what} failed ({how}); its last words:\n{last_words}\n(all of it: {log})")]
    Failed {
        /// What it did.
        what: &'static str,
        /// How it ended.
        how: String,
        /// The end of its log.
        last_words: String,
        /// The log.
        log: PathBuf,
    },
    /// A server took too long.
    #[error("{what} took longer than {} s; its last words:\n{last_words}\n(all of it: {log})", within.as_secs())]
    TooSlow {
        /// What it did.
        what: &'static str,
        /// The bound.
        within: Duration,
        /// The end of its log.
        last_words: String,
        /// The log.
        log: PathBuf,
    },
    /// A Postgres of an earlier run does not end.
    #[error(
        "PostgreSQL of an earlier run (process {pid}) still uses {cluster} and did not end within {} s: end it with \
         `kill -QUIT {pid}`", within.as_secs()
    )]
    Stale {
        /// Its process id.
        pid: i32,
        /// Which cluster.
        cluster: PathBuf,
        /// The bound.
        within: Duration,
    },
    /// The database is there but could not be made ready.
    #[error("the private database can't be made ready ({what})")]
    Database {
        /// What was done.
        what: &'static str,
        /// Why it failed.
        source: sqlx::Error,
    },
}
