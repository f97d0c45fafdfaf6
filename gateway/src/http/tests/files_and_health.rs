//! Claims about the console's files and about what a load balancer is told.

use axum::http::header;
use protocol::{OrganisationId, console_code::ConsoleHash};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, get},
    house::{House, LINDEN, OTHER, called},
    until::until,
};
use crate::{live::dependencies, reactors};

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_consoles_own_routes_all_open_the_page_and_it_is_always_fresh(owner: PgPool) {
    let house = House::new(&owner).await;

    for path in ["/", "/live/0190", "/sign-in", "/a/b/c"] {
        let page = house.ask(get(path).empty()).await;
        assert_eq!(
            (page.status, page.text()),
            (200, "<html>the page"),
            "{path}"
        );
        assert_eq!(page.header(header::CACHE_CONTROL), "no-cache");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_missing_asset_is_not_found_and_never_the_page(owner: PgPool) {
    let house = House::new(&owner).await;
    std::fs::write(house.console_file("../data.txt"), "not for the web").unwrap();

    let there = house.ask(get("/assets/app-1f.css").empty()).await;
    assert_eq!((there.status, there.text()), (200, "a{}"));
    assert!(there.header(header::CACHE_CONTROL).contains("immutable"));

    for path in [
        "/assets/app-2e.css",
        "/assets/app",
        "/assets/",
        "/missing.js",
        "/favicon.ico",
        "/assets/../../data.txt",
        "/assets/%2e%2e/%2e%2e/data.txt",
        "/..%2fdata.txt",
    ] {
        let missing = house.ask(get(path).empty()).await;
        assert_eq!(missing.problem(), (404, "not_found".to_owned()), "{path}");
        assert!(!missing.headers.contains_key(header::CACHE_CONTROL));
    }
}

/// Which organisation was told what of the console, in the order of their ids.
async fn told(house: &House) -> Vec<(Uuid, String)> {
    let told = sqlx::query_as(
        "SELECT organisation_id, payload ->> 'console' FROM spine.event \
         WHERE kind = 'gateway.started' ORDER BY organisation_id",
    );
    told.fetch_all(&house.owner).await.unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn every_organisation_finds_the_code_of_the_console_in_its_log_once(owner: PgPool) {
    let house = House::new(&owner).await;
    let list = house.ask(get("/console.sha256").empty()).await;
    assert_eq!(list.status, 200);
    assert_eq!(list.header(header::CACHE_CONTROL), "no-cache");
    let names: Vec<_> = list.text().lines().map(|line| &line[66..]).collect();
    assert_eq!(names, ["assets/app-1f.css", "index.html"]);
    let named = ConsoleHash::of(list.text()).to_string();

    reactors::start(&house.app);
    let (told_all, late) = (
        [LINDEN, OTHER].map(|one| (one.0, named.clone())),
        OrganisationId(Uuid::from_u128(u128::MAX)),
    );
    until("both are told", async || {
        (told(&house).await == told_all).then_some(())
    })
    .await;
    let mut tx = house.begin();
    identity::store::create_organisation(&mut tx, late, &called("Late"), house.now())
        .await
        .unwrap();
    house.commit(tx).await;

    let told = until("the new one is told", async || {
        Some(told(&house).await).filter(|told| told.len() > told_all.len())
    })
    .await;
    assert_eq!(told[..2], told_all);
    assert_eq!(told[2], (late.0, named));
    house.app.stopping.cancel();
}

fn part<'readiness>(readiness: &'readiness Value, name: &str) -> &'readiness Value {
    let mut parts = readiness["dependencies"].as_array().unwrap().iter();
    parts.find(|one| one["part"] == name).unwrap()
}

/// Asks until the answer has this status.
async fn ready_with(house: &House, status: u16) -> Answer {
    until("the readiness", async || {
        let answer = house.ask(get("/readyz").empty()).await;
        (answer.status == status).then_some(answer)
    })
    .await
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn readiness_names_every_server_and_falls_only_with_the_one_that_is_needed(owner: PgPool) {
    let house = House::new(&owner).await;
    let before = house.ask(get("/readyz").empty()).await;
    assert_eq!(before.status, 503, "nothing was asked yet");
    let watching = tokio::spawn(dependencies::watch(house.app.clone()));

    let ready = ready_with(&house, 200).await.json();
    house.app.pool.close().await;
    let down = ready_with(&house, 503).await.json();
    watching.abort();

    assert_eq!(ready["is_ready"], true);
    assert_eq!(part(&ready, "postgres")["is_up"], true);
    assert_eq!(part(&ready, "redis")["is_up"], false);
    assert_eq!(part(&ready, "redis")["is_required"], false);
    assert_eq!(down["is_ready"], false);
    assert_eq!(part(&down, "postgres")["is_up"], false);
    let alive = house.ask(get("/healthz").empty()).await;
    assert_eq!((alive.status, alive.text()), (200, "ok"));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_process_that_goes_down_is_not_ready(owner: PgPool) {
    let house = House::new(&owner).await;
    let watching = tokio::spawn(dependencies::watch(house.app.clone()));
    ready_with(&house, 200).await;

    house.app.stopping.cancel();

    assert_eq!(house.ask(get("/readyz").empty()).await.status, 503);
    watching.abort();
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn without_the_database_an_answer_says_so_and_that_nothing_was_changed(owner: PgPool) {
    let house = House::new(&owner).await;
    house.app.pool.close().await;

    let request = get("/api/v1/robots").by(super::house::Who::Operator);
    let answer = house.ask(request.empty()).await;

    assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
    assert_eq!(answer.header(header::RETRY_AFTER), "1");
}
