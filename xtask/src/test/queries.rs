//! The committed query data of sqlx: made against a migrated database, and compared with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};

use super::database::{Database, Durability};
use crate::processes;
use crate::progress::{Outcome, Progress};
use crate::workspace::Workspace;

/// `cargo xtask prepare`: writes `.sqlx` anew.
pub(crate) fn prepare(workspace: &Workspace, progress: &mut Progress) -> Result<()> {
    let mut started = None;
    progress.step("test database", || {
        started = Some(Database::start(workspace, Durability::Waived)?);
        Ok(Outcome::Done)
    })?;
    let database = started.context("the test database started and was lost")?;

    let fresh = tempfile::tempdir_in(&workspace.target)?;
    progress.loud_step("queries: ask the database", || {
        make_macros_run_again(workspace)?;
        let mut command = workspace.cargo();
        command
            .args(["check", "--workspace", "--all-targets"])
            .env("DATABASE_URL", database.url())
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", fresh.path());
        processes::run(&mut command)?;
        Ok(Outcome::Done)
    })?;
    progress.step("queries: write .sqlx", || {
        let made = files(fresh.path())?;
        let folder = committed(workspace);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir(&folder)?;
        for (name, text) in &made {
            std::fs::write(folder.join(name), text)?;
        }
        Ok(Outcome::Noted(format!("{} queries", made.len())))
    })
}

/// Fails unless `.sqlx` is what the database just answered.
pub(super) fn compare(workspace: &Workspace, fresh: &Path) -> Result<Outcome> {
    let made = files(fresh)?;
    let committed = files(&committed(workspace))?;
    let differences = differences(&committed, &made);
    if !differences.is_empty() {
        bail!(
            "the committed query data is not what the database says (mend it with: cargo xtask \
             prepare)\n{}",
            differences.join("\n")
        );
    }
    Ok(Outcome::Noted(format!("{} queries", made.len())))
}

/// Cargo cannot see that the database changed: the files that ask it are touched.
pub(super) fn make_macros_run_again(workspace: &Workspace) -> Result<()> {
    for file in sources_with_queries(&workspace.root.join("gateway"))? {
        std::fs::File::options()
            .append(true)
            .open(&file)?
            .set_modified(SystemTime::now())
            .with_context(|| format!("cannot touch {}", file.display()))?;
    }
    Ok(())
}

fn committed(workspace: &Workspace) -> PathBuf {
    workspace.root.join(".sqlx")
}

fn files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.starts_with("query-") {
            files.insert(name.to_owned(), std::fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

fn differences(
    committed: &BTreeMap<String, String>,
    made: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in made {
        match committed.get(name) {
            None => found.push(format!("missing: {name} ({})", query_of(text))),
            Some(other) if other != text => {
                found.push(format!("changed: {name} ({})", query_of(text)));
            }
            Some(_) => {}
        }
    }
    for (name, text) in committed {
        if !made.contains_key(name) {
            found.push(format!("no longer used: {name} ({})", query_of(text)));
        }
    }
    found
}

/// The beginning of the query, for a person to recognise it.
fn query_of(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let query = value["query"].as_str().unwrap_or("unreadable");
    let words: Vec<_> = query.split_whitespace().take(8).collect();
    words.join(" ")
}

fn sources_with_queries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && asks_the_database(&std::fs::read_to_string(&path)?)
            {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn asks_the_database(source: &str) -> bool {
    ["query!(", "query_as!(", "query_scalar!(", "query_file!("]
        .iter()
        .any(|name| source.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
        rows.iter()
            .map(|(name, query)| {
                let text = serde_json::json!({ "query": query }).to_string();
                ((*name).to_owned(), text)
            })
            .collect()
    }

    #[test]
    fn every_way_to_be_out_of_date_is_told() {
        let committed = data(&[("query-1.json", "SELECT 1"), ("query-2.json", "SELECT 2")]);
        let made = data(&[("query-2.json", "SELECT two"), ("query-3.json", "SELECT 3")]);

        let told = differences(&committed, &made);

        assert_eq!(
            told,
            [
                "changed: query-2.json (SELECT two)",
                "missing: query-3.json (SELECT 3)",
                "no longer used: query-1.json (SELECT 1)",
            ]
        );
        assert!(differences(&made, &made).is_empty());
    }

    #[test]
    fn only_sources_that_ask_the_database_are_touched() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("jobs/store.rs");
        std::fs::create_dir(folder.path().join("jobs")).unwrap();
        std::fs::write(&store, "sqlx::query!(\"SELECT 1\")").unwrap();
        std::fs::write(folder.path().join("jobs/lib.rs"), "mod store;").unwrap();

        assert_eq!(sources_with_queries(folder.path()).unwrap(), [store]);
    }
}
