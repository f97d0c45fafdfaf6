//! Claims about signing in and out, and about whose page may change anything.

use axum::http::header;
use identity::LinkUses;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;

use super::{
    answer::{Answer, Asking as _, delete, get, post},
    house::{House, JUNIPER, PUBLIC_URL, Who},
};

const SESSION: &str = "/api/v1/session";

async fn sign_in(house: &House, link: &str) -> Answer {
    let request = post(SESSION).header(header::ORIGIN, PUBLIC_URL);
    house.ask(request.json(&json!({ "link": link }))).await
}

/// The cookie that an answer sets, as a browser sends it back.
fn cookie_of(answer: &Answer) -> String {
    let set = answer.header(header::SET_COOKIE);
    set.split(';').next().unwrap().to_owned()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_link_opens_one_session_whose_cookie_no_script_and_no_other_site_can_use(owner: PgPool) {
    let house = House::new(&owner).await;
    let link = house
        .link(Who::Operator, LinkUses::Limited(1), Duration::HOUR)
        .await;

    let opened = sign_in(&house, &link).await;
    let cookie = cookie_of(&opened);
    let read = house.ask(get(SESSION).on_page(&cookie).empty()).await;

    assert_eq!(opened.status, 201);
    let attributes: Vec<_> = opened.header(header::SET_COOKIE).split("; ").collect();
    assert!(attributes[0].starts_with("__Host-nooterra=nt_session_"));
    for wanted in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(attributes.contains(&wanted), "{wanted}: {attributes:?}");
    }
    assert!(!attributes.iter().any(|one| one.starts_with("Domain")));
    assert_eq!(read.status, 200);
    assert_eq!(read.json()["person"], Who::Operator.id().to_string());
    assert_eq!(house.recorded("session.opened").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_spent_expired_or_unknown_link_opens_nothing_and_says_which_it_is(owner: PgPool) {
    let house = House::new(&owner).await;
    let spent = house
        .link(Who::Operator, LinkUses::Limited(1), Duration::HOUR)
        .await;
    assert_eq!(sign_in(&house, &spent).await.status, 201);
    let expired = house
        .link(Who::Admin, LinkUses::Reusable, -Duration::SECOND)
        .await;
    let unknown = format!("nt_link_{}", "A".repeat(43));

    for (link, code) in [
        (spent.as_str(), "link_spent"),
        (&expired, "link_expired"),
        (&unknown, "link_unknown"),
        ("not a link at all", "link_unknown"),
    ] {
        let refused = sign_in(&house, link).await;
        assert_eq!(refused.problem(), (401, code.to_owned()));
        assert!(!refused.headers.contains_key(header::SET_COOKIE));
    }
    assert_eq!(house.recorded("session.opened").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_many_at_once_on_one_link_one_signs_in(owner: PgPool) {
    let house = House::new(&owner).await;
    let link = house
        .link(Who::Operator, LinkUses::Limited(1), Duration::HOUR)
        .await;

    let tries = (0..8).map(|_| sign_in(&house, &link));
    let answers = futures_util::future::join_all(tries).await;

    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401, 401, 401, 401, 401, 401, 401]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_signed_out_cookie_is_refused(owner: PgPool) {
    let house = House::new(&owner).await;
    let cookie = house.cookie(Who::Operator).await;

    let out = house.ask(delete(SESSION).on_page(&cookie).empty()).await;
    let after = house.ask(get(SESSION).on_page(&cookie).empty()).await;

    assert_eq!(out.status, 204);
    assert!(out.header(header::SET_COOKIE).contains("Max-Age=0"));
    assert_eq!(after.problem(), (401, "session_over".to_owned()));
    assert_eq!(house.recorded("session.closed").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_cookie_from_another_sites_page_or_from_nowhere_changes_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let cookie = house.cookie(Who::Operator).await;
    let _juniper = house.attach(JUNIPER);
    let commands = format!("/api/v1/robots/{}/commands", JUNIPER.id());
    let key = uuid::Uuid::from_u128(5).to_string();

    for origin in [
        Some("https://evil.example"),
        Some("http://fleet.example"),
        Some("https://fleet.example.evil.example"),
        Some("null"),
        None,
    ] {
        let command = post(&commands).header("idempotency-key", &key);
        for request in [delete(SESSION), command] {
            let mut request = request.header(header::COOKIE, &cookie);
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            let refused = house.ask(request.json(&json!({ "verb": "stop" }))).await;
            assert_eq!(refused.problem(), (403, "origin_refused".to_owned()));
        }
    }
    let still = house.ask(get(SESSION).on_page(&cookie).empty()).await;
    assert_eq!(still.status, 200);
    assert_eq!(house.recorded("command.issued").await, 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn another_sites_page_can_not_sign_a_visitor_in(owner: PgPool) {
    let house = House::new(&owner).await;
    let link = house
        .link(Who::Operator, LinkUses::Limited(1), Duration::HOUR)
        .await;

    let request = post(SESSION).header(header::ORIGIN, "https://evil.example");
    let refused = house.ask(request.json(&json!({ "link": link }))).await;

    assert_eq!(refused.problem(), (403, "origin_refused".to_owned()));
    assert_eq!(sign_in(&house, &link).await.status, 201);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_bearer_token_needs_no_origin_and_is_not_signed_out(owner: PgPool) {
    let house = House::new(&owner).await;

    let read = house.ask(get(SESSION).by(Who::Operator).empty()).await;
    let out = house.ask(delete(SESSION).by(Who::Operator).empty()).await;

    assert_eq!(read.status, 200);
    assert_eq!(out.problem(), (409, "not_a_session".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_unknown_revoked_or_misplaced_secret_opens_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let person = house.person(Who::Owner).await;
    let mut tx = house.begin();
    let token = Who::Owner.token_id();
    identity::store::revoke_api_token(&mut tx, &person, token, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;
    let cookie = house.cookie(Who::Operator).await;
    let session_secret = cookie.split_once('=').unwrap().1;

    for secret in [
        &Who::Owner.token(),
        &JUNIPER.token(),
        session_secret,
        "nt_api_",
        "",
    ] {
        let refused = house.ask(get(SESSION).bearing(secret).empty()).await;
        assert_eq!(refused.problem(), (401, "token_unknown".to_owned()));
    }
    let nobody = house.ask(get(SESSION).empty()).await;
    assert_eq!(nobody.problem(), (401, "signed_out".to_owned()));
    let as_cookie = format!("__Host-nooterra={}", Who::Operator.token());
    let misplaced = house.ask(get(SESSION).on_page(&as_cookie).empty()).await;
    assert_eq!(misplaced.problem(), (401, "session_over".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn guessing_links_is_stopped_with_a_time_to_wait_also_without_redis(owner: PgPool) {
    let house = House::new(&owner).await;

    let mut refused = Vec::new();
    for _ in 0..=2 * crate::live::rate_limit::SIGN_IN.tries {
        let answer = sign_in(&house, "nt_link_guess").await;
        if answer.status == 429 {
            refused.push(answer);
        }
    }

    // Twice the limit: the minute may turn once while this runs.
    let answer = refused.first().expect("guessing was never stopped");
    assert_eq!(answer.problem(), (429, "too_many_requests".to_owned()));
    let wait_s: u32 = answer.header(header::RETRY_AFTER).parse().unwrap();
    assert!((1..=60).contains(&wait_s), "{wait_s}");
}
