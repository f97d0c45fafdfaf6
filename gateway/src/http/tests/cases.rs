//! Claims about complaints over the API: who may file and judge, that evidence is frozen, and where the words are.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use protocol::{
    CaseId,
    case::{CaseEvent, CasePhase, case_stream},
    event::Payload,
    views::{CaseView, Page, Role},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, get, post},
    house::{House, Who},
    jobs::bind,
    work::{JOB, Pen, ask_for_work, completed, job, keyed},
};

const CASE: CaseId = CaseId(Uuid::from_u128(9_100));
const PICTURE: Uuid = Uuid::from_u128(9_101);
const WORDS: &str = "The mug came back chipped on the rim.";

fn complaint() -> Value {
    json!({
        "case": CASE,
        "about": "property_damage",
        "severity": 3,
        "words": WORDS,
        "salt": "11".repeat(32),
        "pictures": [{
            "evidence": PICTURE,
            "media_type": "image/jpeg",
            "salt": "22".repeat(32),
            "content": BASE64_STANDARD.encode([0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3]),
        }],
    })
}

async fn file(house: &House, who: Who, body: &Value) -> Answer {
    let path = format!("/api/v1/jobs/{JOB}/cases");
    house.ask(keyed(post(&path).by(who)).json(body)).await
}

async fn act(house: &House, who: Who, body: Value) -> Answer {
    let path = format!("/api/v1/cases/{CASE}/events");
    house.ask(keyed(post(&path).by(who)).json(&body)).await
}

fn view(answer: &Answer) -> CaseView {
    assert!(answer.status < 300, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_complaint_freezes_what_the_jobs_record_held_and_is_ruled_on_with_a_reason(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    completed(&house).await;
    let entries = job(&house).await.version;

    let filed = view(&file(&house, Who::Requester, &complaint()).await);
    let triaged = act(
        &house,
        Who::Operator,
        json!({"event": {"kind": "case.triaged", "severity": 4}}),
    )
    .await;
    act(
        &house,
        Who::Admin,
        json!({"event": {"kind": "case.review_started"}}),
    )
    .await;
    let ruling = json!({
        "event": {"kind": "case.ruled", "ruling": "partly_upheld", "reason": "00".repeat(32)},
        "reason": {"words": "It was chipped before, but not so much.", "salt": "33".repeat(32)},
    });
    let too_grave = act(&house, Who::Operator, ruling.clone()).await;
    let ruled = view(&act(&house, Who::Admin, ruling).await);

    assert_eq!(filed.phase, CasePhase::EvidenceFrozen);
    assert_eq!(filed.frozen_entries, Some(entries));
    assert_eq!(filed.words.as_deref(), Some(WORDS));
    assert_eq!(view(&triaged).triaged_severity, Some(4));
    assert_eq!(too_grave.problem().0, 409);
    assert_eq!(ruled.phase, CasePhase::PartlyUpheld);
    assert!(ruled.reason.unwrap().starts_with("It was chipped"));
    assert_eq!(
        house.events(&case_stream(CASE)).await,
        [
            "case.opened",
            "case.evidence_frozen",
            "case.triaged",
            "case.review_started",
            "case.ruled"
        ]
    );
    assert_eq!(job(&house).await.cases, [CASE]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn words_and_pictures_are_never_in_the_log(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    file(&house, Who::Requester, &complaint()).await;

    let entries: Vec<Vec<u8>> = sqlx::query_scalar("SELECT entry FROM spine.event")
        .fetch_all(&house.owner)
        .await
        .unwrap();
    let payloads: Vec<Value> = sqlx::query_scalar("SELECT payload FROM spine.event")
        .fetch_all(&house.owner)
        .await
        .unwrap();

    let has_words = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"chippe");
    assert!(entries.iter().all(|entry| !has_words(entry)));
    assert!(
        payloads
            .iter()
            .all(|payload| !has_words(payload.to_string().as_bytes()))
    );
    let path = format!("/api/v1/cases/{CASE}/pictures/{PICTURE}");
    let picture = house.ask(get(&path).by(Who::Operator).empty()).await;
    assert_eq!(
        picture.header(axum::http::header::CONTENT_TYPE),
        "image/jpeg"
    );
    let stranger = house.ask(get(&path).by(Who::Stranger).empty()).await;
    assert_eq!(stranger.problem(), (404, "not_found".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn only_who_asked_for_a_finished_job_complains_about_it(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;

    let early = file(&house, Who::Requester, &complaint()).await;
    let other = file(&house, Who::Operator, &complaint()).await;
    let stranger = file(&house, Who::Stranger, &complaint()).await;

    assert_eq!(early.problem(), (409, "job_not_over".to_owned()));
    assert!([403, 409].contains(&other.status), "{}", other.text());
    assert_eq!(stranger.problem(), (404, "not_found".to_owned()));
    assert_eq!(house.recorded("case.opened").await, 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_complaint_that_is_sent_twice_is_one(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    let key = Uuid::now_v7().to_string();
    let path = format!("/api/v1/jobs/{JOB}/cases");
    let send = async || {
        let asking = post(&path)
            .by(Who::Requester)
            .header("idempotency-key", &key);
        house.ask(asking.json(&complaint())).await
    };

    let first = send().await;
    let again = send().await;

    assert_eq!(view(&first), view(&again));
    assert_eq!(house.recorded("case.opened").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn reviewers_see_every_case_and_requesters_their_own(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    file(&house, Who::Requester, &complaint()).await;
    let count = async |who: Who| {
        let answer = house.ask(get("/api/v1/cases").by(who).empty()).await;
        let page: Page<CaseView> = serde_json::from_slice(&answer.body).unwrap();
        page.items.len()
    };

    assert_eq!(count(Who::Operator).await, 1);
    assert_eq!(count(Who::Requester).await, 1);
    assert_eq!(count(Who::Stranger).await, 0);
    let owner_of_robots = house.ask(get("/api/v1/cases").by(Who::Owner).empty()).await;
    assert_eq!(owner_of_robots.problem(), (403, "role_missing".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_signed_act_that_is_sent_again_is_answered_and_has_its_effect_once(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    file(&house, Who::Requester, &complaint()).await;
    let triage = json!({"event": {"kind": "case.triaged", "severity": 4}});
    view(&act(&house, Who::Operator, triage).await);
    let cookie = house.cookie(Who::Admin).await;
    let mut pen = Pen::new(SigningKey::from_bytes(&[83; 32]));
    bind(&house, &cookie, &pen, Who::Admin).await;
    let begun = pen.seal(
        case_stream(CASE),
        Some(Role::Admin),
        Payload::Case(CaseEvent::ReviewStarted {}),
    );
    pen.moved(&begun);
    let anew = pen.seal(
        case_stream(CASE),
        Some(Role::Admin),
        Payload::Case(CaseEvent::ReviewStarted {}),
    );
    let path = format!("/api/v1/cases/{CASE}/events");

    let mut answers = Vec::new();
    for sealed in [&begun, &begun, &anew] {
        let body = json!({"sealed": BASE64_STANDARD.encode(sealed)});
        let asked = keyed(post(&path).on_page(&cookie)).json(&body);
        answers.push(house.ask(asked).await);
    }

    assert_eq!(view(&answers[0]), view(&answers[1]));
    assert_eq!(answers[2].problem().0, 409);
    assert_eq!(house.recorded("case.review_started").await, 1);
}
