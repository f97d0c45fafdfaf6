//! Claims about the names of those who did something to a job.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use protocol::{
    event::Payload,
    job::{JobEvent, job_stream},
    views::{Page, PersonName, Role},
};
use serde_json::json;
use sqlx::PgPool;

use super::{
    answer::{Asking as _, get, post},
    house::{House, JUNIPER, Who},
    jobs::bind,
    work::{JOB, Pen, ask_for_work, keyed},
};

/// The operator gives the job to a robot under a key of their own browser.
async fn assign_by_own_hand(house: &House) {
    let cookie = house.cookie(Who::Operator).await;
    let pen = Pen::new(SigningKey::from_bytes(&[81; 32]));
    bind(house, &cookie, &pen, Who::Operator).await;
    let event = Payload::Job(JobEvent::Assigned {
        robot: JUNIPER.id(),
    });
    let sealed = pen.seal(job_stream(JOB), Some(Role::Operator), event);
    let body = json!({"sealed": BASE64_STANDARD.encode(sealed)});
    let path = format!("/api/v1/jobs/{JOB}/events");
    let answer = house
        .ask(keyed(post(&path).on_page(&cookie)).json(&body))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_acted_on_a_job_is_told_by_name_to_those_who_see_it_and_to_nobody_else(owner: PgPool) {
    let house = House::new(&owner).await;
    assert_eq!(ask_for_work(&house).await.status, 201);
    assign_by_own_hand(&house).await;
    let path = format!("/api/v1/jobs/{JOB}/people");

    for who in [Who::Requester, Who::Admin, Who::WingA] {
        let answer = house.ask(get(&path).by(who).empty()).await;
        let page: Page<PersonName> = serde_json::from_slice(&answer.body).unwrap();
        let told: Vec<_> = page
            .items
            .iter()
            .map(|one| (one.person, one.name.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (Who::Operator.id(), "Operator"),
                (Who::Requester.id(), "Requester")
            ],
            "{who:?}"
        );
    }
    for who in [Who::Stranger, Who::Roleless] {
        let answer = house.ask(get(&path).by(who).empty()).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{who:?}");
    }
}
