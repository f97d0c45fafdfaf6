//! The layering, as a test. To add an arrow, edit `ALLOWED` in the same change that needs it.

#![expect(clippy::unwrap_used, reason = "a check that cannot look has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Who may depend on whom inside the workspace. A crate without a row fails the test.
const ALLOWED: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("ledger", &["protocol"]),
    ("spine", &["protocol", "ledger"]),
    ("identity", &["protocol", "ledger", "spine"]),
    ("assist", &["protocol", "ledger", "spine"]),
    ("jobs", &["protocol", "ledger", "spine"]),
    ("trust", &["protocol", "ledger", "spine"]),
    (
        "gateway",
        &[
            "protocol", "ledger", "spine", "identity", "assist", "jobs", "trust",
        ],
    ),
    ("agent", &["protocol", "assist", "jobs"]),
    (
        "console",
        &["protocol", "ledger", "assist", "jobs", "trust"],
    ),
    (
        "e2e",
        &[
            "protocol", "ledger", "spine", "identity", "assist", "jobs", "trust", "gateway",
            "agent",
        ],
    ),
    (
        "fuzz",
        &[
            "protocol", "ledger", "spine", "identity", "trust", "gateway", "agent",
        ],
    ),
    ("xtask", &[]),
];

/// Outside crates that a layer must never name, in tests and build scripts neither.
const FORBIDDEN: &[(&[&str], &[&str])] = &[
    (
        &["protocol"],
        &["tokio", "sqlx", "axum", "redis", "webrtc", "rtc", "leptos"],
    ),
    (
        &["ledger"],
        &["tokio", "axum", "redis", "webrtc", "rtc", "leptos"],
    ),
    (&["spine"], &["axum", "redis", "webrtc", "rtc", "leptos"]),
    (
        &["identity", "assist", "jobs", "trust"],
        &[
            "axum",
            "redis",
            "webrtc",
            "rtc",
            "tokio-tungstenite",
            "leptos",
        ],
    ),
    (&["gateway"], &["leptos"]),
    (&["agent"], &["sqlx", "axum", "redis", "leptos"]),
    (
        &["console"],
        &["sqlx", "tokio", "axum", "redis", "webrtc", "rtc"],
    ),
    (
        &["xtask"],
        &["tokio", "sqlx", "axum", "webrtc", "rtc", "leptos"],
    ),
];

/// Crates that replay the same rules in the browser, the agent and the verifier: what reaches the
/// database is an optional dependency behind the feature `store`, which is off by default.
const PURE_BY_DEFAULT: &[&str] = &["ledger", "identity", "assist", "jobs", "trust"];

/// What only the feature `store` may bring.
const STORE_ONLY: &[&str] = &["sqlx", "spine"];

/// Whoever wants rules alone must not switch a store on.
const NO_STORE: &[&str] = &["protocol", "agent", "console"];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrow {
    to: String,
    is_for_tests: bool,
    is_optional: bool,
    features: Vec<String>,
}

#[derive(Debug, Default)]
struct Crate {
    arrows: Vec<Arrow>,
    features: BTreeMap<String, Vec<String>>,
}

type Graph = BTreeMap<String, Crate>;

fn graph(metadata: &Value) -> Graph {
    let words = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let arrows = package["dependencies"].as_array().unwrap().iter();
            let arrows = arrows.map(|dependency| Arrow {
                to: dependency["name"].as_str().unwrap().to_owned(),
                is_for_tests: dependency["kind"] == "dev",
                is_optional: dependency["optional"] == true,
                features: words(&dependency["features"]),
            });
            let features = package["features"].as_object().unwrap().iter();
            let one = Crate {
                arrows: arrows.collect(),
                features: features
                    .map(|(name, brings)| (name.clone(), words(brings)))
                    .collect(),
            };
            (package["name"].as_str().unwrap().to_owned(), one)
        })
        .collect()
}

fn workspace() -> Graph {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata failed");
    graph(&serde_json::from_slice(&output.stdout).unwrap())
}

fn arrows_that_are_not_allowed(graph: &Graph) -> Vec<String> {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut found = Vec::new();
    for (from, one) in graph {
        let Some(permitted) = allowed.get(from.as_str()) else {
            found.push(format!("{from} has no row in ALLOWED"));
            continue;
        };
        let targets: BTreeSet<_> = one.arrows.iter().map(|arrow| arrow.to.as_str()).collect();
        for to in targets {
            if to != from && graph.contains_key(to) && !permitted.contains(&to) {
                found.push(format!("{from} -> {to}"));
            }
        }
    }
    found
}

fn names_that_are_forbidden(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (layers, banned) in FORBIDDEN {
        for layer in *layers {
            let arrows = graph.get(*layer).into_iter().flat_map(|one| &one.arrows);
            for arrow in arrows.filter(|arrow| banned.contains(&arrow.to.as_str())) {
                found.push(format!("{layer} names {}", arrow.to));
            }
        }
    }
    found
}

fn stores_that_are_on_by_default(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for name in PURE_BY_DEFAULT {
        let Some(one) = graph.get(*name) else {
            continue;
        };
        for arrow in &one.arrows {
            let is_store = STORE_ONLY.contains(&arrow.to.as_str());
            if is_store && !arrow.is_for_tests && !arrow.is_optional {
                found.push(format!("{name} always needs {}", arrow.to));
            }
        }
        let default = one.features.get("default").into_iter().flatten();
        for feature in default {
            found.push(format!("{name} has the default feature {feature}"));
        }
        for (feature, brings) in &one.features {
            for target in STORE_ONLY {
                let brings_it = brings
                    .iter()
                    .any(|brought| brought.trim_start_matches("dep:") == *target);
                if brings_it && feature != "store" {
                    found.push(format!("{name}: the feature {feature} brings {target}"));
                }
            }
        }
    }
    for name in NO_STORE {
        let arrows = graph.get(*name).into_iter().flat_map(|one| &one.arrows);
        for arrow in arrows.filter(|arrow| arrow.features.iter().any(|on| on == "store")) {
            found.push(format!("{name} switches the store of {} on", arrow.to));
        }
    }
    found
}

#[test]
fn every_workspace_arrow_is_allowed() {
    let found = arrows_that_are_not_allowed(&workspace());
    assert!(found.is_empty(), "see ARCHITECTURE.md: {found:#?}");
}

#[test]
fn no_layer_names_a_crate_that_it_must_not_know() {
    let found = names_that_are_forbidden(&workspace());
    assert!(found.is_empty(), "see ARCHITECTURE.md: {found:#?}");
}

#[test]
fn rules_are_pure_unless_a_store_is_asked_for() {
    let found = stores_that_are_on_by_default(&workspace());
    assert!(found.is_empty(), "see ARCHITECTURE.md: {found:#?}");
}

#[test]
fn the_checks_see_what_they_look_for() {
    let metadata = serde_json::json!({"packages": [
        {"name": "assist", "features": {"default": ["fast"], "fast": ["dep:sqlx"], "store": ["dep:spine"]},
         "dependencies": [
            {"name": "identity", "kind": null, "optional": false, "features": []},
            {"name": "axum", "kind": "dev", "optional": false, "features": []},
            {"name": "sqlx", "kind": null, "optional": false, "features": []}]},
        {"name": "identity", "features": {}, "dependencies": []},
        {"name": "agent", "features": {}, "dependencies": [
            {"name": "assist", "kind": null, "optional": false, "features": ["store"]}]},
        {"name": "newcomer", "features": {}, "dependencies": []}
    ]});

    let graph = graph(&metadata);

    assert_eq!(
        arrows_that_are_not_allowed(&graph),
        ["assist -> identity", "newcomer has no row in ALLOWED"]
    );
    assert_eq!(names_that_are_forbidden(&graph), ["assist names axum"]);
    assert_eq!(
        stores_that_are_on_by_default(&graph),
        [
            "assist always needs sqlx",
            "assist has the default feature fast",
            "assist: the feature fast brings sqlx",
            "agent switches the store of assist on",
        ]
    );
}
