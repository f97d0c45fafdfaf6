//! Bytes that were signed once are written and read the same for ever: one fixture of each type of event, of each kind of
//! envelope, and of each word that stands in them.

#[path = "golden/checks.rs"]
#[expect(clippy::unwrap_used, reason = "what can't be read has failed")]
mod checks;

use checks::{
    HEAD,
    fixtures::{add_missing_if_asked, differences},
    made, rfc_8949,
    samples::all,
    wrong,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sealed.txt");

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn everything_that_is_signed_is_written_and_read_as_it_ever_was() {
    let samples = all();
    add_missing_if_asked(FILE, HEAD, &made(&samples));
    let written = std::fs::read_to_string(FILE).unwrap();

    assert_eq!(wrong(&written, &samples), nothing());
}

#[test]
fn numbers_are_written_as_rfc_8949_shows_them_and_no_longer() {
    assert_eq!(rfc_8949(), nothing());
}

#[test]
fn a_fixture_that_is_changed_missing_or_made_by_nothing_is_named() {
    let made = made(&all());
    let mut written = made.clone();
    written.get_mut("job.paused").unwrap().bytes[90] ^= 1;
    written.get_mut("job.resumed").unwrap().json.push(' ');
    let unknown = written.remove("Role.Admin").unwrap();
    written.insert("Role.King".to_owned(), unknown);

    let found = differences(&written, &made);

    let names: Vec<_> = found
        .iter()
        .map(|words| words.split(" is ").next().unwrap())
        .collect();
    assert_eq!(
        names,
        ["Role.Admin", "job.paused", "job.resumed", "Role.King"]
    );
}
