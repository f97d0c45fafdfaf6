//! Claims about the log as anyone may check it: with nothing but what the edge says, and without signing in.

use axum::http::header;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ledger::log::{Checkpoint, Hash, NoteKey, TreeHead, root_of, verify_consistency};
use protocol::views::{ConsistencyView, LogKeysView};
use spine::sequencer::{Leader, lead};
use sqlx::PgPool;

use super::{
    answer::{Asking as _, get},
    house::{House, Who},
    until::until,
};
use crate::reactors;

async fn leader(house: &House) -> Leader {
    lead(&house.app.pool, house.app.log.key())
        .await
        .unwrap()
        .unwrap()
}

/// Gives every event that there is its leaf.
async fn sequence(house: &House, leader: &mut Leader) -> u64 {
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM spine.event")
        .fetch_one(&house.owner)
        .await
        .unwrap();
    let all = u64::try_from(all).unwrap();
    while leader.size() < all {
        leader.next().await.unwrap();
    }
    all
}

async fn keys(house: &House) -> LogKeysView {
    let answer = house.ask(get("/api/v1/log/keys").empty()).await;
    serde_json::from_slice(&answer.body).unwrap()
}

/// The tree of the latest checkpoint, believed as any client would.
async fn tree(house: &House) -> TreeHead {
    let answer = house.ask(get("/api/v1/log/checkpoint").empty()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header(header::CONTENT_TYPE),
        "text/plain; charset=utf-8"
    );
    let key: NoteKey = keys(house).await.log.parse().unwrap();
    let opened = Checkpoint::open(answer.text(), &[key]).unwrap();
    opened.checkpoint.tree
}

fn hashes(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.to_vec()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_stranger_checks_that_the_log_only_grows(owner: PgPool) {
    let house = House::new(&owner).await;
    let empty = house.ask(get("/api/v1/log/checkpoint").empty()).await;
    assert_eq!(empty.problem(), (404, "not_found".to_owned()));
    let mut leader = leader(&house).await;
    let size = sequence(&house, &mut leader).await;
    let old = tree(&house).await;
    house.cookie(Who::Operator).await;
    sequence(&house, &mut leader).await;

    let new = tree(&house).await;
    let path = format!("/api/v1/log/proof?from={}&to={}", old.size, new.size);
    let answer = house.ask(get(&path).empty()).await;

    let proof: ConsistencyView = serde_json::from_slice(&answer.body).unwrap();
    let proved: Vec<u8> = proof
        .hashes
        .iter()
        .flat_map(|hash| BASE64_STANDARD.decode(hash).unwrap())
        .collect();
    assert_eq!(old.size, size);
    assert_eq!((proof.from, proof.to), (old.size, new.size));
    assert_eq!(verify_consistency(&old, &new, &hashes(&proved)), Ok(()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_tree_is_rebuilt_from_its_tiles(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut leader = leader(&house).await;
    let size = sequence(&house, &mut leader).await;

    let path = format!("/api/v1/log/tile/0/000.p/{size}");
    let tile = house.ask(get(&path).empty()).await;

    assert_eq!(
        tile.header(header::CONTENT_TYPE),
        "application/octet-stream"
    );
    assert!(tile.header(header::CACHE_CONTROL).contains("immutable"));
    assert_eq!(root_of(&hashes(&tile.body)), tree(&house).await.root);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_the_log_does_not_have_is_refused_with_its_code(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut leader = leader(&house).await;
    sequence(&house, &mut leader).await;

    for (path, status, code) in [
        ("tile/entries/000", 403, "entries_not_served"),
        ("tile/0/1", 400, "tile_malformed"),
        ("tile/0/000.p/0", 400, "tile_malformed"),
        ("tile/0/000", 404, "not_found"),
        ("tile/7/x999/999", 404, "not_found"),
        ("proof?from=0&to=2", 409, "log_empty"),
        ("proof?from=2&to=1", 409, "log_shrunk"),
        ("proof?from=1&to=9000", 404, "not_found"),
        ("proof?from=1", 400, "query_malformed"),
        ("proof?from=1&to=2&at=3", 400, "query_malformed"),
    ] {
        let answer = house.ask(get(&format!("/api/v1/log/{path}")).empty()).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{path}");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_running_gateway_sequences_by_itself_and_says_how_far_it_is(owner: PgPool) {
    let house = House::new(&owner).await;
    reactors::start(&house.app);

    until("a checkpoint", async || {
        let answer = house.ask(get("/api/v1/log/checkpoint").empty()).await;
        (answer.status == 200).then_some(())
    })
    .await;

    assert!(house.app.log.numbers().is_led_here);
    let progress = spine::log::progress(&house.app.pool).await.unwrap();
    assert!(progress.size > 0);
}
