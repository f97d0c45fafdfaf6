//! A readable file of bytes that never change: each under its name and with what it says as JSON, an empty line
//! between them.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

/// What is known of one type's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixture {
    /// What it says, for who reads the file. In the log are the bytes alone.
    pub(crate) json: String,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Fixture {
    pub(crate) fn new<T: Serialize + ?Sized>(content: &T, bytes: Vec<u8>) -> Self {
        Self {
            json: serde_json::to_string(content).unwrap(),
            bytes,
        }
    }
}

/// By name. Names are of letters, digits, and what separates them.
pub(crate) type Fixtures = BTreeMap<String, Fixture>;

/// Adds one under a name of its own.
pub(crate) fn add(fixtures: &mut Fixtures, name: &str, fixture: Fixture) {
    let before = fixtures.insert(name.to_owned(), fixture);
    assert!(before.is_none(), "two are called {name}");
}

/// The fixtures in a file's text.
pub(crate) fn read(text: &str) -> Fixtures {
    let mut fixtures = Fixtures::new();
    for block in text.trim_end().split("\n\n") {
        let lines: Vec<&str> = block
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        match lines.as_slice() {
            [] => {}
            [name, json, bytes] => {
                let fixture = Fixture {
                    json: (*json).to_owned(),
                    bytes: hex::decode(bytes).unwrap(),
                };
                add(&mut fixtures, name, fixture);
            }
            _ => panic!("not a name, JSON and bytes: {block}"),
        }
    }
    fixtures
}

/// The file's text, with what `head` says on top.
pub(crate) fn write(head: &str, fixtures: &Fixtures) -> String {
    let mut text = String::new();
    for line in head.lines() {
        writeln!(text, "# {line}").unwrap();
    }
    for (name, Fixture { json, bytes }) in fixtures {
        writeln!(text, "\n{name}\n{json}\n{}", hex::encode(bytes)).unwrap();
    }
    text
}

/// Where the file and what is made now disagree: in the bytes, in the JSON, in a name that only one of them has.
pub(crate) fn differences(written: &Fixtures, made: &Fixtures) -> Vec<String> {
    let mut found = Vec::new();
    for (name, fixture) in made {
        match written.get(name) {
            None => found.push(format!("{name} is not in the file")),
            Some(known) if known.bytes != fixture.bytes => {
                let now = hex::encode(&fixture.bytes);
                found.push(format!(
                    "{name} is no longer written as it was, but as {now}"
                ));
            }
            Some(known) if known.json != fixture.json => {
                found.push(format!(
                    "{name} is no longer shown as it was, but as {}",
                    fixture.json
                ));
            }
            Some(_) => {}
        }
    }
    let lost = written.keys().filter(|name| !made.contains_key(*name));
    found.extend(lost.map(|name| format!("{name} is made by nothing")));
    found
}

/// Writes the file anew with those that are missing in it, if `UPDATE_GOLDEN` asks for it. What is in it stays as it
/// is: bytes that somebody signed once must be readable for ever.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn add_missing_if_asked(path: &str, head: &str, made: &Fixtures) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut fixtures = read(&std::fs::read_to_string(path).unwrap_or_default());
        for (name, fixture) in made {
            fixtures
                .entry(name.clone())
                .or_insert_with(|| fixture.clone());
        }
        std::fs::write(path, write(head, &fixtures)).unwrap();
    }
}
