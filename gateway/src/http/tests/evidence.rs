//! Claims about the pictures that prove a job's steps: who brings which, what is taken for one, and who sees it.

use axum::{
    body::Body,
    http::{Method, header},
};
use protocol::{
    EvidenceId, JobId,
    case::SaltedHash,
    job::{EvidenceHash, JobEvent},
    limits::{MAX_EVIDENCE_BYTES, SALT_BYTES},
    views::{EvidenceView, Page},
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, asking, get},
    house::{FOREIGN, House, JUNIPER, ROWAN, Who},
    work::{JOB, Worker, assign, does, job, under_way},
};

pub(super) const PICTURE: EvidenceId = EvidenceId(Uuid::from_u128(9_300));
const SALT: [u8; SALT_BYTES] = [5; SALT_BYTES];

/// What a file of this kind begins with, and some more.
pub(super) const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3, 4, 5, 6, 7, 8];

fn hash(evidence: EvidenceId, media_type: &str, content: &[u8]) -> EvidenceHash {
    EvidenceHash {
        evidence,
        media_type: media_type.to_owned(),
        salted_sha256: SaltedHash::of(&SALT, content).0,
    }
}

fn step_done(epoch: u64, number: u32, evidence: Vec<EvidenceHash>) -> JobEvent {
    JobEvent::CheckpointDone {
        epoch,
        number,
        left_out: false,
        evidence,
    }
}

/// At its first step the robot says that it took the picture.
pub(super) async fn photographed(house: &House) -> Worker {
    let mut juniper = under_way(house).await;
    let epoch = job(house).await.epoch;
    let named = vec![hash(PICTURE, "image/jpeg", JPEG)];
    juniper.says(house, step_done(epoch, 1, named)).await;
    juniper
}

fn path(job: JobId, evidence: EvidenceId) -> String {
    format!("/api/v1/jobs/{job}/evidence/{evidence}")
}

async fn bring(house: &House, path: &str, token: &str, content: &[u8]) -> Answer {
    let kept = [SALT.as_slice(), content].concat();
    let request = asking(Method::PUT, path).bearing(token);
    house.ask(request.body(Body::from(kept)).unwrap()).await
}

/// The robot brings what it took.
pub(super) async fn brought(house: &House) {
    let answer = bring(house, &path(JOB, PICTURE), &JUNIPER.token(), JPEG).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}

async fn listed(house: &House) -> Vec<EvidenceView> {
    let path = format!("/api/v1/jobs/{JOB}/evidence");
    let answer = house.ask(get(&path).by(Who::Requester).empty()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let page: Page<EvidenceView> = serde_json::from_slice(&answer.body).unwrap();
    page.items
}

async fn bytes_here(house: &House) -> i64 {
    sqlx::query_scalar("SELECT COALESCE(sum(octet_length(content)), 0) FROM jobs.evidence")
        .fetch_one(&house.owner)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_picture_is_named_at_once_and_seen_by_who_sees_the_job_once_the_robot_brought_it(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    photographed(&house).await;
    let path = path(JOB, PICTURE);

    let early = house.ask(get(&path).by(Who::Requester).empty()).await;
    let before = listed(&house).await;
    brought(&house).await;
    let after = listed(&house).await;

    assert_eq!(early.problem(), (404, "not_found".to_owned()));
    assert_eq!((before.len(), before[0].is_here), (1, false));
    assert_eq!((after.len(), after[0].is_here), (1, true));
    assert_eq!((after[0].evidence, after[0].step), (PICTURE, 1));
    let title = &job(&house).await.plan.steps[0].title;
    assert_eq!(&after[0].title, title);
    for who in [Who::Requester, Who::Operator, Who::WingA] {
        let seen = house.ask(get(&path).by(who).empty()).await;
        assert_eq!((seen.status, &seen.body[..]), (200, JPEG), "{who:?}");
        assert_eq!(seen.header(header::CONTENT_TYPE), "image/jpeg");
        assert_eq!(seen.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        let policy = seen.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.ends_with("; sandbox"), "{policy}");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
    }
    // Who only owns robots sees the job, and no room.
    let unshown = house.ask(get(&path).by(Who::Owner).empty()).await;
    assert_eq!(unshown.problem(), (403, "role_missing".to_owned()));
    for who in [Who::Roleless, Who::Stranger] {
        for path in [&path, &format!("/api/v1/jobs/{JOB}/evidence")] {
            let hidden = house.ask(get(path).by(who).empty()).await;
            assert_eq!(hidden.problem(), (404, "not_found".to_owned()), "{who:?}");
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn only_what_the_robots_recorded_word_names_is_taken_and_from_that_robot_alone(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut juniper = photographed(&house).await;
    let epoch = job(&house).await.epoch;
    let [film, disguised] = [9_301, 9_302].map(|id| EvidenceId(Uuid::from_u128(id)));
    let named = vec![
        hash(film, "video/mp4", JPEG),
        hash(disguised, "image/png", JPEG),
    ];
    juniper.says(&house, step_done(epoch, 2, named)).await;
    let (own, rowans, foreign) = (JUNIPER.token(), ROWAN.token(), FOREIGN.token());
    let nobodys = EvidenceId(Uuid::from_u128(9_399));
    let elsewhere = JobId(Uuid::from_u128(9_398));
    let other = [JPEG, b"!"].concat();
    let large = [JPEG, &vec![0; MAX_EVIDENCE_BYTES]].concat();

    for (case, path, token, content, status, code) in [
        (
            "another robot",
            path(JOB, PICTURE),
            &rowans,
            JPEG,
            409,
            "not_the_holder",
        ),
        (
            "another organisation's",
            path(JOB, PICTURE),
            &foreign,
            JPEG,
            404,
            "not_found",
        ),
        (
            "a person",
            path(JOB, PICTURE),
            &Who::Operator.token(),
            JPEG,
            401,
            "robot_token_unknown",
        ),
        (
            "no such picture",
            path(JOB, nobodys),
            &own,
            JPEG,
            409,
            "evidence_unknown",
        ),
        (
            "no such job",
            path(elsewhere, PICTURE),
            &own,
            JPEG,
            404,
            "not_found",
        ),
        (
            "another picture",
            path(JOB, PICTURE),
            &own,
            &other,
            409,
            "pictures_do_not_match",
        ),
        (
            "too large",
            path(JOB, PICTURE),
            &own,
            &large,
            413,
            "body_too_large",
        ),
        (
            "no picture's kind",
            path(JOB, film),
            &own,
            JPEG,
            409,
            "media_type_unknown",
        ),
        (
            "another kind",
            path(JOB, disguised),
            &own,
            JPEG,
            409,
            "picture_not_its_type",
        ),
    ] {
        let answer = bring(&house, &path, token, content).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{case}");
    }

    let request = asking(Method::PUT, &path(JOB, PICTURE)).bearing(&own);
    let short = house.ask(request.body(Body::from("salt")).unwrap()).await;
    assert_eq!(short.problem(), (400, "salt_malformed".to_owned()));
    assert_eq!(bytes_here(&house).await, 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_picture_that_is_brought_again_is_held_once(owner: PgPool) {
    let house = House::new(&owner).await;
    photographed(&house).await;

    brought(&house).await;
    brought(&house).await;

    assert_eq!(usize::try_from(bytes_here(&house).await), Ok(JPEG.len()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_lost_the_job_still_brings_what_it_photographed_for_it(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = under_way(&house).await;
    let epoch = job(&house).await.epoch;
    does(
        &house,
        Who::Operator,
        json!({"kind": "robot.lost", "epoch": epoch}),
    )
    .await;
    does(&house, Who::Operator, assign(ROWAN)).await;

    // Heard late: recorded, and it moves nothing.
    let named = vec![hash(PICTURE, "image/jpeg", JPEG)];
    juniper.says(&house, step_done(epoch, 1, named)).await;
    brought(&house).await;

    assert_eq!(job(&house).await.checkpoint, 0);
    assert!(listed(&house).await[0].is_here);
}
