//! Claims about one job's record as it is read: in pages, and as a stream that resumes and ends with the right to it.

use std::sync::Arc;

use axum::http::{header, request::Builder};
use identity::store;
use protocol::{
    job::job_stream,
    views::{EventView, Page},
};
use sqlx::PgPool;

use super::{
    answer::{Asking as _, delete, get},
    house::{House, JUNIPER, LINDEN, Who},
    sse::{Sent, Stream, streaming},
    until::soon,
    work::{JOB, ask_for_work, assign, does, grant},
};
use crate::app::EVENT_STREAMS;

fn path(query: &str) -> String {
    format!("/api/v1/jobs/{JOB}/events{query}")
}

async fn open(house: &House, asking: Builder, last_event_id: Option<&str>) -> Stream {
    Stream::open(house, streaming(asking, last_event_id)).await
}

async fn page(house: &House, query: &str) -> Page<EventView> {
    let answer = house
        .ask(get(&path(query)).by(Who::Requester).empty())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn said(sent: &[Sent]) -> Vec<(&str, &str)> {
    let said = sent.iter();
    said.map(|sent| (sent.id.as_str(), sent.event.kind.as_str()))
        .collect()
}

/// A job with a record of four events.
async fn under_way(house: &House) {
    ask_for_work(house).await;
    does(house, Who::Requester, grant(house)).await;
    does(house, Who::Operator, assign(JUNIPER)).await;
    assert_eq!(house.events(&job_stream(JOB)).await.len(), 4);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_jobs_stream_begins_with_its_first_event_and_goes_on_as_they_are_recorded(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;

    let mut stream = open(&house, get(&path("")).by(Who::Requester), None).await;
    let first = stream.next().await;
    does(&house, Who::Requester, grant(&house)).await;
    does(&house, Who::Operator, assign(JUNIPER)).await;
    let more = stream.take(3).await;

    assert_eq!(said(&[first]), [("1", "job.requested")]);
    assert_eq!(
        said(&more),
        [
            ("2", "access.granted"),
            ("3", "job.assigned"),
            ("4", "reservation.proposed")
        ]
    );
    let recorded = page(&house, "?cursor=1").await.items;
    let sent: Vec<_> = more.into_iter().map(|sent| sent.event).collect();
    assert_eq!(sent, recorded);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_jobs_stream_resumes_behind_the_event_that_is_named(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;

    for (query, last_event_id, wanted) in [
        ("", None, "1"),
        ("", Some("3"), "4"),
        ("?cursor=2", None, "3"),
        // What a browser has seen since it was sent to the address.
        ("?cursor=1", Some("3"), "4"),
        ("", Some("0"), "1"),
    ] {
        let asking = get(&path(query)).by(Who::Requester);
        let mut stream = open(&house, asking, last_event_id).await;
        let first = stream.next().await;
        assert_eq!(first.id, wanted, "{query} {last_event_id:?}");
        assert_eq!(first.id, first.event.stream_number.to_string());
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_place_that_is_none_is_refused_and_is_not_the_beginning(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;

    for id in ["0-0", "-1", "four", ""] {
        let asking = streaming(get(&path("")).by(Who::Requester), Some(id));
        let refused = house.ask(asking).await;
        assert_eq!(
            refused.problem(),
            (400, "position_malformed".to_owned()),
            "{id}"
        );
    }
    let refused = get(&path("?cursor=0-0")).by(Who::Requester).empty();
    let refused = house.ask(refused).await;
    assert_eq!(refused.problem(), (400, "query_malformed".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn pages_of_a_jobs_record_give_every_event_once_and_in_order(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;

    let mut pages = Vec::new();
    let mut cursor = Some("0".to_owned());
    while let Some(after) = cursor {
        let page = page(&house, &format!("?limit=3&cursor={after}")).await;
        cursor = page.next;
        pages.push(page.items);
    }

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(pages.concat(), page(&house, "").await.items);
    let numbers: Vec<_> = pages.concat().iter().map(|one| one.stream_number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_may_not_see_a_job_finds_no_stream_of_it_either(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;

    for who in [Who::Stranger, Who::Roleless] {
        let hidden = streaming(get(&path("")).by(who), Some("3"));
        let hidden = house.ask(hidden).await;
        assert_eq!(hidden.problem(), (404, "not_found".to_owned()), "{who:?}");
    }
    let signed_out = house.ask(streaming(get(&path("")), None)).await;
    assert_eq!(signed_out.problem(), (401, "signed_out".to_owned()));
}

/// What takes the right to a job away.
#[derive(Debug, Clone, Copy)]
enum Loss {
    SignOut,
    Token,
    Role,
}

async fn lose(house: &House, who: Who, cookie: &str, loss: Loss) {
    let mut tx = house.begin();
    match loss {
        Loss::SignOut => {
            let out = delete("/api/v1/session").on_page(cookie).empty();
            assert_eq!(house.ask(out).await.status, 204);
        }
        Loss::Token => {
            let person = house.person(who).await;
            let (token, now) = (who.token_id(), house.now());
            let revoked = store::revoke_api_token(&mut tx, &person, token, None, now).await;
            assert!(revoked.unwrap());
        }
        Loss::Role => {
            let role = who.roles()[0];
            let revoked = store::revoke_role(&mut tx, LINDEN, who.id(), role, None).await;
            assert!(revoked.unwrap());
        }
    }
    house.commit(tx).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_jobs_stream_ends_with_the_right_to_the_job(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;
    let mut admins = open(&house, get(&path("")).by(Who::Admin), None).await;
    admins.take(4).await;

    for (who, loss, code) in [
        (Who::Requester, Loss::SignOut, (401, "session_over")),
        (Who::Operator, Loss::Token, (401, "token_unknown")),
        // Who asked for the job, and somebody who sees it by a role at its site.
        (Who::Requester, Loss::Role, (404, "not_found")),
        (Who::WingA, Loss::Role, (404, "not_found")),
    ] {
        let cookie = house.cookie(who).await;
        let asking = || match loss {
            Loss::SignOut => get(&path("")).on_page(&cookie),
            Loss::Token | Loss::Role => get(&path("")).by(who),
        };
        let mut stream = open(&house, asking(), None).await;
        stream.take(4).await;

        lose(&house, who, &cookie, loss).await;

        soon("the stream's end", stream.end()).await;
        let again = house.ask(streaming(asking(), Some("4"))).await;
        let (status, code) = code;
        assert_eq!(
            again.problem(),
            (status, code.to_owned()),
            "{who:?} {loss:?}"
        );
    }
    // Nobody else's ended with them.
    does(
        &house,
        Who::Admin,
        serde_json::json!({"kind": "job.cancelled"}),
    )
    .await;
    assert_eq!(said(&[admins.next().await]), [("5", "job.cancelled")]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_jobs_stream_ends_when_the_gateway_goes_down(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;
    let mut stream = open(&house, get(&path("")).by(Who::Requester), None).await;
    stream.take(4).await;

    house.app.stopping.cancel();

    soon("the stream's end", stream.end()).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn beyond_as_many_streams_as_are_kept_open_there_are_pages_until_one_is_closed(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    under_way(&house).await;
    let most = u32::try_from(EVENT_STREAMS).unwrap();
    let taken = Arc::clone(&house.app.event_streams);
    let others = taken.try_acquire_many_owned(most - 1).unwrap();
    let asking = || streaming(get(&path("")).by(Who::Requester), None);

    let last = Stream::open(&house, asking()).await;
    let full = house.ask(asking()).await;
    let still = page(&house, "").await.items;
    drop(last);
    let mut next = Stream::open(&house, asking()).await;

    assert_eq!(full.problem(), (503, "too_many_streams".to_owned()));
    assert_eq!(full.header(header::RETRY_AFTER), "10");
    assert_eq!(still.len(), 4);
    assert_eq!(next.take(4).await.len(), 4);
    drop(others);
}
