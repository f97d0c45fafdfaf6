//! What the gateway signed once is written and read the same for ever: entries, manifests, and a whole bundle.

#[path = "../../protocol/tests/golden/checks.rs"]
#[expect(clippy::unwrap_used, reason = "what can't be read has failed")]
#[expect(dead_code, reason = "events are the protocol's own")]
mod golden;
#[path = "bundle/items.rs"]
#[expect(clippy::unwrap_used, reason = "a test's own reading")]
#[expect(dead_code, reason = "nothing is damaged here")]
mod items;
#[path = "golden/samples.rs"]
mod samples;
#[path = "bundle/world.rs"]
#[expect(clippy::unwrap_used, reason = "a test's own log")]
#[expect(dead_code, reason = "tells longer stories too")]
mod world;

use golden::{HEAD, fixtures::add_missing_if_asked, made, wrong};

const SEALED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sealed.txt");
const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/bundle.txt");

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn what_the_gateway_signs_is_written_and_read_as_it_ever_was() {
    let samples = samples::all();
    add_missing_if_asked(SEALED, HEAD, &made(&samples));
    let written = std::fs::read_to_string(SEALED).unwrap();

    assert_eq!(wrong(&written, &samples), nothing());
}

#[test]
fn a_bundle_that_was_written_once_is_written_the_same_and_still_intact() {
    add_missing_if_asked(BUNDLE, samples::BUNDLE_HEAD, &samples::bundle());
    let written = std::fs::read_to_string(BUNDLE).unwrap();

    assert_eq!(samples::wrong_with_bundle(&written), nothing());
}
