//! The engine around one target: `FUZZ_TARGET` says which. `FUZZ_SEEDS` names a folder for what the code itself knows to try.

#![no_main]

use std::{path::PathBuf, sync::OnceLock};

use fuzz::{TARGETS, Target};
use libfuzzer_sys::{Corpus, fuzz_target};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|target| target.name == name);
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        found.unwrap_or_else(|| panic!("FUZZ_TARGET is {name:?}, and has to be one of {names:?}"))
    })
}

/// What the code knows to try: made anew each time, so that it is of the types as they are.
fn write_seeds() {
    let Some(folder) = std::env::var_os("FUZZ_SEEDS").map(PathBuf::from) else {
        return;
    };
    for seed in (target().seeds)() {
        let written = std::fs::write(folder.join(&seed.name), &seed.bytes);
        written.unwrap_or_else(|error| panic!("cannot write {}: {error}", seed.name));
    }
}

fuzz_target!(init: write_seeds(), |data: &[u8]| -> Corpus {
    // The engine does not know what a target is given at most.
    if data.len() > target().longest {
        return Corpus::Reject;
    }
    (target().run)(data);
    Corpus::Keep
});
