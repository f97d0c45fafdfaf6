//! House rules that neither the compiler nor clippy keeps, as a test. Each rule is a function from
//! a path and a text to complaints, so that each is tried on samples too.

#![expect(clippy::unwrap_used, reason = "a check that cannot look has failed")]

use std::path::{Path, PathBuf};

/// A file of this length no longer holds one thing.
const MOST_LINES: usize = 800;

/// Folders that hold no source of ours.
const SKIPPED: &[&str] = &["target", ".git", "node_modules"];

/// Made by tools; holds what they hold.
const GENERATED: &[&str] = &["Cargo.lock"];

/// The only place for fonts and pictures. A binary file elsewhere came by accident, and no rule can read it.
const ASSETS: &str = "assets/";

/// Inputs of fuzz targets: any bytes at all.
const CORPORA: &str = "e2e/fuzz/corpus/";

/// What a test must not do to wait: it is either too short or too long.
const SLEEPS: &[&str] = &["thread::sleep(", "time::sleep(", "sleep_until("];

/// Parts of the workspace that may hold SQL outside of a `store.rs`: the spine is the store of
/// events, and `embedded` makes the roles and the database that everything else lives in.
const SQL_WELCOME: &[&str] = &["gateway/spine/", "gateway/src/embedded", "e2e/"];

/// Where packets are moved. `e2e` may look at anything.
const MEDIA_WELCOME: &[&str] = &["gateway/src/rtc", "agent/src/publish", "e2e/"];

/// Put together here, lest this file complain about itself.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/shared"),
    concat!("/tmp/br", "ief"),
];
const REGISTRY_HOSTS: &[&str] = &[
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("registry.npm", "js.org"),
    concat!("deb.deb", "ian.org"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("proxy.gol", "ang.org"),
];

/// One file, its path relative to the checkout.
struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn is_rust(&self) -> bool {
        Path::new(self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// Files that hold tests alone.
    fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| part == "tests" || part == "tests.rs")
    }

    fn is_under(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }

    /// The text before and after the unit tests begin.
    fn parts(&self) -> (&str, &str) {
        if self.is_test() {
            return ("", self.text);
        }
        // Unit tests in a file of their own are only announced here, wherever that is.
        let inline = self
            .text
            .match_indices("#[cfg(test)]\n")
            .find(|(at, mark)| {
                let next = self.text[at + mark.len()..].lines().next();
                next.is_some_and(|line| line.contains("mod ") && line.ends_with('{'))
            });
        match inline {
            Some((at, _)) => self.text.split_at(at),
            None => (self.text, ""),
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every file below the checkout: its path relative to that, and what is in it.
fn each_file(mut look: impl FnMut(&str, &[u8])) {
    let root = root();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    open.push(path);
                }
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let path = path.strip_prefix(&root).unwrap().to_string_lossy();
            look(&path, &bytes);
        }
    }
}

fn complaints(rule: impl Fn(&Source<'_>) -> Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut files = 0_usize;
    each_file(|path, bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        files += 1;
        let complaints = rule(&Source { path, text });
        found.extend(complaints.iter().map(|words| format!("{path}: {words}")));
    });
    assert!(files > 30, "only {files} files were looked at");
    found.sort();
    found
}

fn is_text_or_an_asset(path: &str, bytes: &[u8]) -> Vec<String> {
    // What begins with a dot is a desktop's or an editor's; git does not get it by accident.
    let is_hidden = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with('.'));
    let is_at_home = is_hidden || path.starts_with(ASSETS) || path.starts_with(CORPORA);
    let is_stray = !is_at_home && std::str::from_utf8(bytes).is_err();
    is_stray
        .then(|| format!("{path}: is not text and not in {ASSETS}"))
        .into_iter()
        .collect()
}

fn says_what_lives_here(source: &Source<'_>) -> Vec<String> {
    let is_silent = source.is_rust() && !source.text.starts_with("//! ");
    is_silent
        .then(|| "does not open with `//!` and what lives here".to_owned())
        .into_iter()
        .collect()
}

fn is_not_too_long(source: &Source<'_>) -> Vec<String> {
    let lines = source.text.lines().count();
    let is_too_long = source.is_rust() && lines > MOST_LINES;
    is_too_long
        .then(|| format!("has {lines} lines, more than {MOST_LINES}"))
        .into_iter()
        .collect()
}

fn hides_nothing(source: &Source<'_>) -> Vec<String> {
    if !source.is_rust() {
        return Vec::new();
    }
    [
        (concat!("#[al", "low("), "use #[expect(.., reason = ..)]"),
        (concat!("#![al", "low("), "use #[expect(.., reason = ..)]"),
        (concat!("to", "do!("), "finish it or leave it out"),
        (concat!("unimple", "mented!("), "finish it or leave it out"),
        (
            concat!("#[ign", "ore"),
            "a test that does not run is no test",
        ),
    ]
    .iter()
    .filter(|(banned, _)| source.text.contains(banned))
    .map(|(banned, why)| format!("has {banned}..: {why}"))
    .collect()
}

fn tests_do_not_sleep(source: &Source<'_>) -> Vec<String> {
    if !source.is_rust() || source.path.starts_with("xtask/tests/tidy") {
        return Vec::new();
    }
    let (_, tests) = source.parts();
    SLEEPS
        .iter()
        .filter(|sleep| tests.contains(**sleep))
        .map(|sleep| format!("a test waits with {sleep}..)"))
        .collect()
}

fn sql_lives_in_stores(source: &Source<'_>) -> Vec<String> {
    let is_store = source.path.ends_with("/store.rs") || source.path.contains("/store/");
    if !source.is_rust() || is_store || source.is_under(SQL_WELCOME) || source.is_test() {
        return Vec::new();
    }
    let (code, _) = source.parts();
    [
        "query!(",
        "query_as!(",
        "query_scalar!(",
        "sqlx::query",
        "sqlx::raw_sql",
    ]
    .iter()
    .filter(|call| code.contains(**call) && !source.path.starts_with("xtask/"))
    .map(|call| format!("asks the database ({call}..) outside of a store.rs"))
    .collect()
}

fn stores_name_their_own_schema(source: &Source<'_>, schemas: &[String]) -> Vec<String> {
    let Some(rest) = source.path.strip_prefix("gateway/modules/") else {
        return Vec::new();
    };
    let own = rest.split('/').next().unwrap_or_default();
    let (code, _) = source.parts();
    let mut found = Vec::new();
    for text in string_literals(code) {
        if !is_sql(&text) {
            continue;
        }
        for schema in schemas.iter().filter(|schema| *schema != own) {
            if names_schema(&text, schema) {
                found.push(format!(
                    "names the schema {schema} in: {}",
                    first_words(&text)
                ));
            }
        }
    }
    found
}

fn media_stays_in_its_place(source: &Source<'_>) -> Vec<String> {
    if !source.is_rust() || source.is_under(MEDIA_WELCOME) || source.path.starts_with("xtask/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let line = line.trim();
        let is_comment = line.starts_with("//");
        let names_it = line.contains("webrtc::")
            || line.starts_with("use webrtc")
            || line.starts_with("use rtc::")
            || line.starts_with("use ::rtc")
            || line.contains(" ::rtc::");
        if names_it && !is_comment {
            found.push(format!("names webrtc in line {}", number + 1));
        }
    }
    found
}

fn migration_is_well_named(source: &Source<'_>, schemas: &[String]) -> Vec<String> {
    let Some(name) = source.path.strip_prefix("migrations/") else {
        return Vec::new();
    };
    let mut parts = name.trim_end_matches(".sql").splitn(3, '_');
    let stamp = parts.next().unwrap_or_default();
    let module = parts.next().unwrap_or_default();
    let what = parts.next().unwrap_or_default();
    let is_well_named = Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "sql")
        && stamp.len() == 14
        && stamp.bytes().all(|byte| byte.is_ascii_digit())
        && schemas.iter().any(|schema| schema == module)
        && !what.is_empty()
        && what
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (!is_well_named)
        .then(|| "is not named <utc stamp>_<module>_<what>.sql".to_owned())
        .into_iter()
        .collect()
}

fn names_no_machine(source: &Source<'_>) -> Vec<String> {
    if GENERATED.contains(&source.path) {
        return Vec::new();
    }
    MACHINE_PATHS
        .iter()
        .chain(REGISTRY_HOSTS)
        .filter(|words| source.text.contains(**words))
        .map(|words| format!("names {words}"))
        .collect()
}

/// Contents of the string literals of Rust source: plain and raw ones, comments left out.
fn string_literals(code: &str) -> Vec<String> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &code.as_bytes()[at..];
        if rest.starts_with(b"//") {
            at += length_to(rest, b"\n");
        } else if rest.starts_with(b"'\"'") || rest.starts_with(b"'\\\"'") {
            at += 3;
        } else if let Some(hashes) = raw_string_hashes(rest) {
            let start = 2 + hashes;
            let end = format!("\"{}", "#".repeat(hashes));
            let length = length_to(&rest[start..], end.as_bytes());
            found.push(String::from_utf8_lossy(&rest[start..start + length]).into_owned());
            at += start + length + end.len();
        } else if rest[0] == b'"' {
            let length = plain_string_length(&rest[1..]);
            found.push(String::from_utf8_lossy(&rest[1..=length]).into_owned());
            at += length + 2;
        } else {
            at += 1;
        }
    }
    found
}

fn raw_string_hashes(rest: &[u8]) -> Option<usize> {
    let after = rest.strip_prefix(b"r")?;
    let hashes = after.iter().take_while(|byte| **byte == b'#').count();
    (after.get(hashes) == Some(&b'"')).then_some(hashes)
}

fn plain_string_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at.min(rest.len())
}

fn length_to(rest: &[u8], end: &[u8]) -> usize {
    rest.windows(end.len())
        .position(|window| window == end)
        .unwrap_or(rest.len())
}

fn is_sql(text: &str) -> bool {
    [
        "SELECT ",
        "INSERT INTO ",
        "UPDATE ",
        "DELETE FROM ",
        "WITH ",
    ]
    .iter()
    .any(|keyword| text.trim_start().starts_with(keyword))
}

fn names_schema(text: &str, schema: &str) -> bool {
    let needle = format!("{schema}.");
    text.match_indices(&needle).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == '.')
    })
}

fn first_words(text: &str) -> String {
    text.split_whitespace()
        .take(6)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The spine's and one for each module.
fn schemas() -> Vec<String> {
    let modules = std::fs::read_dir(root().join("gateway/modules")).unwrap();
    let modules = modules
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    modules.chain(["spine".to_owned()]).collect()
}

#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn what_is_not_text_is_an_asset() {
    let mut found = Vec::new();
    each_file(|path, bytes| found.extend(is_text_or_an_asset(path, bytes)));
    assert_none(&found);
}

#[test]
fn every_source_file_says_what_lives_in_it() {
    assert_none(&complaints(says_what_lives_here));
}

#[test]
fn no_source_file_is_too_long() {
    assert_none(&complaints(is_not_too_long));
}

#[test]
fn nothing_is_silenced_unfinished_or_skipped() {
    assert_none(&complaints(hides_nothing));
}

#[test]
fn no_test_sleeps() {
    assert_none(&complaints(tests_do_not_sleep));
}

#[test]
fn sql_is_in_stores_only() {
    assert_none(&complaints(sql_lives_in_stores));
}

#[test]
fn a_module_names_no_schema_but_its_own() {
    let schemas = schemas();
    assert_none(&complaints(|source| {
        stores_name_their_own_schema(source, &schemas)
    }));
}

#[test]
fn media_is_named_only_where_it_is_moved() {
    assert_none(&complaints(media_stays_in_its_place));
}

#[test]
fn migrations_say_when_whose_and_what() {
    let schemas = schemas();
    assert_none(&complaints(|source| {
        migration_is_well_named(source, &schemas)
    }));
}

#[test]
fn nothing_names_a_machine_or_a_registry_host() {
    assert_none(&complaints(names_no_machine));
}

#[path = "tidy/samples.rs"]
mod samples;
