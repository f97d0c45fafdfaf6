//! Each rule on a text that breaks it and one that keeps it.

use super::*;

fn source<'a>(path: &'a str, text: &'a str) -> Source<'a> {
    Source { path, text }
}

#[test]
fn a_file_that_is_not_text_is_found_outside_of_the_assets() {
    let wheel = b"PK\x03\x04\xff";
    assert_eq!(is_text_or_an_asset("wheel.whl", wheel).len(), 1);
    assert_eq!(is_text_or_an_asset("docs/assets/a.png", wheel).len(), 1);
    assert!(is_text_or_an_asset("assets/fonts/a.woff2", wheel).is_empty());
    assert!(is_text_or_an_asset("docs/.DS_Store", wheel).is_empty());
    assert!(is_text_or_an_asset("e2e/fuzz/corpus/cbor/nan", wheel).is_empty());
    assert!(is_text_or_an_asset("e2e/film.sdp", b"v=0\r\n").is_empty());
}

#[test]
fn a_file_without_its_sentence_is_found() {
    assert_eq!(says_what_lives_here(&source("a.rs", "use std;")).len(), 1);
    assert!(says_what_lives_here(&source("a.rs", "//! Leases.")).is_empty());
    assert!(says_what_lives_here(&source("a.sql", "SELECT 1")).is_empty());
}

#[test]
fn a_file_that_is_too_long_is_found() {
    assert!(is_not_too_long(&source("a.rs", &"x\n".repeat(MOST_LINES))).is_empty());
    assert_eq!(
        is_not_too_long(&source("a.rs", &"x\n".repeat(MOST_LINES + 1))).len(),
        1
    );
}

#[test]
fn a_silenced_lint_and_an_ignored_test_are_found() {
    let text = [concat!("#[al", "low(x)]"), concat!("#[ign", "ore]")].join("\n");
    assert_eq!(hides_nothing(&source("a.rs", &text)).len(), 2);
    assert!(hides_nothing(&source("a.rs", "#[expect(x, reason = \"y\")]")).is_empty());
}

#[test]
fn a_sleep_is_found_in_tests_and_welcome_elsewhere() {
    let code = "std::thread::sleep(x);";
    let unit = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{code}\n}}");
    let announced = format!("#[cfg(test)]\nmod tests;\n\nfn a() {{ {code} }}");
    assert!(tests_do_not_sleep(&source("agent/src/link.rs", &announced)).is_empty());
    assert!(tests_do_not_sleep(&source("agent/src/link.rs", code)).is_empty());
    assert_eq!(
        tests_do_not_sleep(&source("agent/src/link.rs", &unit)).len(),
        1
    );
    assert_eq!(
        tests_do_not_sleep(&source("e2e/tests/tour.rs", code)).len(),
        1
    );
}

#[test]
fn sql_outside_of_a_store_is_found() {
    let code = "sqlx::query_scalar!(\"SELECT 1\")";
    let unit = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{code}\n}}");
    assert!(!sql_lives_in_stores(&source("gateway/src/http/robots/list.rs", code)).is_empty());
    assert!(sql_lives_in_stores(&source("gateway/src/http/robots/list.rs", &unit)).is_empty());
    assert!(sql_lives_in_stores(&source("gateway/modules/assist/src/store.rs", code)).is_empty());
    assert!(sql_lives_in_stores(&source("gateway/spine/src/tail.rs", code)).is_empty());
}

#[test]
fn another_modules_schema_is_found_in_sql_only() {
    let schemas = [
        "assist".to_owned(),
        "identity".to_owned(),
        "spine".to_owned(),
    ];
    let look = |text: &str| {
        let path = "gateway/modules/assist/src/store.rs";
        stores_name_their_own_schema(&source(path, text), &schemas)
    };
    assert_eq!(look("query!(\"SELECT 1 FROM identity.person\")").len(), 1);
    assert_eq!(
        look("query!(r#\"UPDATE assist.command SET a = (SELECT b FROM spine.event)\"#)").len(),
        1
    );
    assert!(look("query!(\"SELECT 1 FROM assist.command\")").is_empty());
    assert!(look("let x = spine.pool; // SELECT identity.person").is_empty());
    assert!(look("f('\"'); let x = identity.x; g(\"SELECT 1\")").is_empty());
}

#[test]
fn media_out_of_its_place_is_found() {
    let code = "//! A.\nuse webrtc::peer::Peer;\nuse rtc::media::io;\nuse crate::rtc::Session;\n";
    assert_eq!(
        media_stays_in_its_place(&source("gateway/src/app.rs", code)).len(),
        2
    );
    assert!(media_stays_in_its_place(&source("gateway/src/rtc/peer.rs", code)).is_empty());
}

#[test]
fn a_badly_named_migration_is_found() {
    let schemas = ["assist".to_owned()];
    for (name, complaints) in [
        ("migrations/20261122090000_assist_command.sql", 0),
        ("migrations/20261122_assist_command.sql", 1),
        ("migrations/20261122090000_payroll_command.sql", 1),
        ("migrations/20261122090000_assist.sql", 1),
        ("migrations/notes.md", 1),
    ] {
        let found = migration_is_well_named(&source(name, ""), &schemas);
        assert_eq!(found.len(), complaints, "{name}");
    }
}

#[test]
fn a_machine_and_a_registry_host_are_found_but_not_in_the_lock_file() {
    let text = [MACHINE_PATHS[0], REGISTRY_HOSTS[0]].join(" ");
    assert_eq!(names_no_machine(&source("docs/a.md", &text)).len(), 2);
    assert!(names_no_machine(&source("Cargo.lock", &text)).is_empty());
}
