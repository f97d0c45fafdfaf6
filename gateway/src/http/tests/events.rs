//! Claims about the event log as others read it: in pages and as a stream that resumes, inside one organisation only.

use std::time::Duration;

use identity::store;
use protocol::{
    SiteId,
    views::{EventView, Page},
};
use spine::Tx;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Asking as _, get},
    house::{ELSEWHERE, FOREIGN, House, JUNIPER, LINDEN, OTHER, ROWAN, WING_B, Who, called},
    sse::{Sent, Stream, streaming},
    until::{soon, until},
};

const EVENTS: &str = "/api/v1/events";

async fn open(house: &House, who: Who, last_event_id: Option<&str>) -> Stream {
    Stream::open(house, streaming(get(EVENTS).by(who), last_event_id)).await
}

/// The next event, whose id is its position.
async fn next(stream: &mut Stream) -> EventView {
    let Sent { id, event } = stream.next().await;
    assert_eq!(id, event.position);
    event
}

async fn take(stream: &mut Stream, count: usize) -> Vec<EventView> {
    let mut events = Vec::new();
    while events.len() < count {
        events.push(next(stream).await);
    }
    events
}

/// All events that this person may read, as one page.
async fn page(house: &House, who: Who, after: &str) -> Vec<EventView> {
    let request = get(&format!("{EVENTS}?limit=200&cursor={after}")).by(who);
    let answer = house.ask(request.empty()).await;
    let page: Page<EventView> = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(page.next, None);
    page.items
}

/// Waits until everything that was committed stands before the gate: other tests' transactions share the server.
async fn settled(house: &House, who: Who, count: usize) -> Vec<EventView> {
    until("the whole log", async || {
        let events = page(house, who, "0-0").await;
        (events.len() >= count).then_some(events)
    })
    .await
}

async fn add_site(tx: &mut Tx, house: &House, number: u128) {
    let name = called(&format!("Site {number}"));
    let site = SiteId(Uuid::from_u128(number));
    store::create_site(tx, LINDEN, site, &name, None, house.now())
        .await
        .unwrap();
}

async fn record_site(house: &House, number: u128) {
    let mut tx = house.begin();
    add_site(&mut tx, house, number).await;
    house.commit(tx).await;
}

fn sites(events: &[EventView]) -> Vec<String> {
    let named = |event: &EventView| event.payload["name"].as_str().map(ToOwned::to_owned);
    events.iter().filter_map(named).collect()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_stream_resumes_behind_the_last_event_without_loss_or_double(owner: PgPool) {
    let house = House::new(&owner).await;
    for number in 0..6 {
        record_site(&house, 900 + number).await;
    }
    let count = usize::try_from(linden_events(&house).await).unwrap();
    let all = settled(&house, Who::Admin, count).await;

    let first = take(&mut open(&house, Who::Admin, Some("0-0")).await, 5).await;
    let last = &first.last().unwrap().position;
    let mut resumed = open(&house, Who::Admin, Some(last)).await;
    let rest = take(&mut resumed, all.len() - 5).await;
    record_site(&house, 999).await;
    let newest = next(&mut resumed).await;

    assert_eq!([first, rest].concat(), all);
    assert_eq!(newest.payload["name"], "Site 999");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn pages_give_every_event_once_and_in_order(owner: PgPool) {
    let house = House::new(&owner).await;
    let count = usize::try_from(linden_events(&house).await).unwrap();
    let all = settled(&house, Who::Admin, count).await;

    let mut pages: Vec<Vec<EventView>> = Vec::new();
    let mut cursor = Some("0-0".to_owned());
    while let Some(after) = cursor {
        let request = get(&format!("{EVENTS}?limit=4&cursor={after}")).by(Who::Admin);
        let answer = house.ask(request.empty()).await;
        let page: Page<EventView> = serde_json::from_slice(&answer.body).unwrap();
        cursor = page.next;
        pages.push(page.items);
    }

    assert!(pages.len() > 3);
    assert_eq!(pages.concat(), all);
}

async fn linden_events(house: &House) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM spine.event WHERE organisation_id = $1")
        .bind(LINDEN.0)
        .fetch_one(&house.owner)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_slow_transaction_is_waited_for_and_nothing_behind_it_is_lost_or_doubled(owner: PgPool) {
    let house = House::new(&owner).await;
    record_site(&house, 900).await;
    let mut stream = open(&house, Who::Admin, Some("0-0")).await;
    let before = loop {
        let event = next(&mut stream).await;
        if event.payload["name"] == "Site 900" {
            break event.position;
        }
    };

    let mut slow = house.begin();
    add_site(&mut slow, &house, 901).await;
    record_site(&house, 902).await;
    let held_back = page(&house, Who::Admin, &before).await;
    let mut resumed = open(&house, Who::Admin, Some(&before)).await;
    house.commit(slow).await;
    let (on, again) = (take(&mut stream, 2).await, take(&mut resumed, 2).await);

    assert_eq!(held_back, [], "an event overtook an older transaction");
    assert_eq!(sites(&on), ["Site 901", "Site 902"]);
    assert_eq!(on, again);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_fresh_stream_begins_with_what_comes_next(owner: PgPool) {
    let house = House::new(&owner).await;
    let count = usize::try_from(linden_events(&house).await).unwrap();
    settled(&house, Who::Admin, count).await;

    let mut stream = open(&house, Who::Admin, None).await;
    record_site(&house, 903).await;

    assert_eq!(next(&mut stream).await.payload["name"], "Site 903");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_stream_never_shows_another_organisations_events(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut tx = house.begin();
    let foreign = house.robot(FOREIGN).await;
    let token = FOREIGN.token_id();
    store::revoke_robot_token(&mut tx, &foreign, token, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;
    record_site(&house, 904).await;

    let mut stream = open(&house, Who::Admin, Some("0-0")).await;
    let mut seen = Vec::new();
    while sites(&seen).last().is_none_or(|last| last != "Site 904") {
        seen.push(next(&mut stream).await);
    }
    let strangers = settled(&house, Who::Stranger, 5).await;

    assert!(!strangers.is_empty());
    for event in &seen {
        let text = serde_json::to_string(event).unwrap();
        for theirs in [
            OTHER.to_string(),
            ELSEWHERE.to_string(),
            FOREIGN.id().to_string(),
            Who::Stranger.id().to_string(),
        ] {
            assert!(!text.contains(&theirs), "{text}");
        }
        assert!(!strangers.contains(event));
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_reads_for_one_site_reads_what_happened_there_and_nothing_else(owner: PgPool) {
    let house = House::new(&owner).await;

    let expected = [
        "site.created",
        // Of the two people whose roles hold there.
        "role.granted",
        "role.granted",
        "robot.added",
        "robot.token_issued",
        "robot.key_bound",
    ];
    let events = settled(&house, Who::WingAAdmin, expected.len()).await;

    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, expected);
    let text = serde_json::to_string(&events).unwrap();
    assert!(text.contains(&JUNIPER.id().to_string()));
    for elsewhere in [ROWAN.id().to_string(), WING_B.to_string()] {
        assert!(!text.contains(&elsewhere), "{text}");
    }
}

/// More often than a stream looks whether its reader may still read.
const BUSY: Duration = Duration::from_millis(20);

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_stream_ends_when_its_readers_right_is_taken_away_however_busy_the_log_is(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut stream = open(&house, Who::Admin, None).await;
    let mut tx = house.begin();
    let grant = Who::Admin.roles()[0];
    store::revoke_role(&mut tx, LINDEN, Who::Admin.id(), grant, None)
        .await
        .unwrap();
    house.commit(tx).await;

    let busy = async {
        let mut beat = tokio::time::interval(BUSY);
        for number in 1_000.. {
            beat.tick().await;
            record_site(&house, number).await;
        }
    };
    let is_ended = soon(
        "the stream's end",
        Box::pin(async {
            tokio::select! {
                () = stream.end() => true,
                () = busy => false,
            }
        }),
    );

    assert!(is_ended.await);
}
