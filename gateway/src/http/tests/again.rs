//! Claims about requests that are sent again under their key: the first answer is given again, and a refusal is none to
//! keep.

use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, post},
    house::{House, JUNIPER, ROWAN, Who},
    work::{JOB, ask_for_work, assign, finishes, keyed, under_way},
};

/// A request and the key that its sender chose for it.
struct Request {
    who: Who,
    path: String,
    body: Value,
    key: String,
}

impl Request {
    fn new(who: Who, path: String, body: Value) -> Self {
        let key = Uuid::now_v7().to_string();
        Self {
            who,
            path,
            body,
            key,
        }
    }

    async fn send(&self, house: &House) -> Answer {
        self.send_with(house, &self.body).await
    }

    async fn send_with(&self, house: &House, body: &Value) -> Answer {
        let asking = post(&self.path).by(self.who);
        let asking = asking.header("idempotency-key", &self.key);
        house.ask(asking.json(body)).await
    }

    /// Is refused, twice; and nothing of this kind is recorded.
    async fn is_refused(&self, house: &House, code: &str, kind: &str) {
        for _ in 0..2 {
            let refused = self.send(house).await;
            assert_eq!(refused.problem(), (409, code.to_owned()), "{}", self.path);
        }
        assert_eq!(house.recorded(kind).await, 0);
    }

    /// Has its effect, once.
    async fn happens(&self, house: &House, status: u16, kind: &str) {
        let first = self.send(house).await;
        let again = self.send(house).await;
        assert_eq!(first.status, status, "{}: {}", self.path, first.text());
        assert_eq!((again.status, again.json()), (status, first.json()));
        assert_eq!(house.recorded(kind).await, 1);
    }
}

fn job_act(event: &Value) -> Request {
    let path = format!("/api/v1/jobs/{JOB}/events");
    let body = json!({ "event": event });
    Request::new(Who::Requester, path, body)
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_refused_command_may_be_sent_again_under_its_key(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = under_way(&house).await;
    let case = Uuid::from_u128(9_600);
    let accepted = job_act(&json!({"kind": "work.accepted"}));
    let complaint = Request::new(
        Who::Requester,
        format!("/api/v1/jobs/{JOB}/cases"),
        json!({
            "case": case,
            "about": "property_damage",
            "severity": 2,
            "words": "The mug came back chipped on the rim.",
            "salt": "11".repeat(32),
        }),
    );
    let review = Request::new(
        Who::Operator,
        format!("/api/v1/cases/{case}/events"),
        json!({"event": {"kind": "case.review_started"}}),
    );
    let stop = Request::new(
        Who::Operator,
        format!("/api/v1/robots/{}/commands", JUNIPER.id()),
        json!({"verb": "stop"}),
    );

    accepted
        .is_refused(&house, "wrong_phase", "work.accepted")
        .await;
    complaint
        .is_refused(&house, "job_not_over", "case.opened")
        .await;
    stop.is_refused(&house, "robot_offline", "command.issued")
        .await;
    finishes(&house, &mut juniper).await;
    accepted.happens(&house, 200, "work.accepted").await;
    complaint.happens(&house, 201, "case.opened").await;
    let _attached = house.attach(JUNIPER);
    stop.happens(&house, 202, "command.issued").await;
    review
        .is_refused(&house, "wrong_phase", "case.review_started")
        .await;
    let triaged = json!({"event": {"kind": "case.triaged", "severity": 2}});
    let triaged = keyed(post(&review.path).by(Who::Operator)).json(&triaged);
    assert_eq!(house.ask(triaged).await.status, 200);
    review.happens(&house, 200, "case.review_started").await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_that_was_only_refused_is_free_for_another_request(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;
    let request = job_act(&json!({"kind": "job.paused"}));

    request
        .is_refused(&house, "wrong_phase", "job.paused")
        .await;
    let other = json!({"event": {"kind": "job.cancelled"}});
    let cancelled = request.send_with(&house, &other).await;
    let reused = request.send(&house).await;

    assert_eq!(cancelled.status, 200, "{}", cancelled.text());
    assert_eq!(reused.problem(), (409, "idempotency_key_reused".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_of_one_person_says_nothing_about_the_same_key_of_another(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;
    let mut request = job_act(&assign(JUNIPER));
    request.who = Who::Operator;

    let first = request.send(&house).await;
    request.who = Who::Admin;
    let others = request.send(&house).await;

    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(others.problem(), (409, "wrong_phase".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_same_request_again_gives_the_first_answer_and_another_under_its_key_is_refused(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;
    let key = Uuid::now_v7().to_string();
    let path = format!("/api/v1/jobs/{JOB}/events");
    let send = async |event| {
        let asking = post(&path)
            .by(Who::Operator)
            .header("idempotency-key", &key);
        house.ask(asking.json(&json!({"event": event}))).await
    };

    let first = send(assign(JUNIPER)).await;
    let again = send(assign(JUNIPER)).await;
    let other = send(assign(ROWAN)).await;

    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(other.problem(), (409, "idempotency_key_reused".to_owned()));
    assert_eq!(house.recorded("job.assigned").await, 1);
}
