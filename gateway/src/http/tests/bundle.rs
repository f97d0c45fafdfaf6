//! Claims about evidence bundles as they are exported: they verify with the gateway's keys, and what was changed in the
//! database by whoever may do anything there is found.

use ledger::verify::{Report, StepName, Trust, Verdict, verify};
use protocol::views::LogKeysView;
use spine::sequencer::lead;
use sqlx::PgPool;

use super::{
    answer::{Asking as _, get},
    evidence::{JPEG, PICTURE, brought, photographed},
    house::{House, Who},
    work::{JOB, completed},
};

/// Gives every event that there is its leaf.
pub(super) async fn sequence(house: &House) {
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM spine.event")
        .fetch_one(&house.owner)
        .await
        .unwrap();
    let mut leader = lead(&house.app.pool, house.app.log.key())
        .await
        .unwrap()
        .unwrap();
    while leader.size() < u64::try_from(all).unwrap() {
        leader.next().await.unwrap();
    }
}

pub(super) async fn bundle(house: &House) -> Vec<u8> {
    bundle_with(house, "").await
}

async fn bundle_with(house: &House, query: &str) -> Vec<u8> {
    let path = format!("/api/v1/jobs/{JOB}/bundle{query}");
    let answer = house.ask(get(&path).by(Who::Requester).empty()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.body
}

pub(super) async fn trust(house: &House) -> Trust {
    let answer = house.ask(get("/api/v1/log/keys").empty()).await;
    let keys: LogKeysView = serde_json::from_slice(&answer.body).unwrap();
    Trust {
        gateway: vec![house.app.signer.verifying_key()],
        log: vec![keys.log.parse().unwrap()],
        ..Trust::default()
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_bundle_of_a_finished_job_verifies_without_the_gateway(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    sequence(&house).await;

    let file = bundle(&house).await;
    let trust = trust(&house).await;
    drop(house);

    let report = verify(&file, &trust, &mut []);
    assert_eq!(report.verdict, Verdict::Intact, "{report:#?}");
}

fn summary(report: &Report, name: StepName) -> &str {
    let step = report.steps.iter().find(|step| step.name == name).unwrap();
    &step.summary
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_a_robot_photographed_is_in_the_bundle_and_a_flipped_byte_of_it_is_named(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    photographed(&house).await;
    sequence(&house).await;
    let trust = trust(&house).await;

    let early = verify(&bundle(&house).await, &trust, &mut []);
    brought(&house).await;
    let mut file = bundle(&house).await;
    let whole = verify(&file, &trust, &mut []);
    let without = verify(
        &bundle_with(&house, "?attachments=false").await,
        &trust,
        &mut [],
    );

    assert_eq!(early.verdict, Verdict::Intact, "{early:#?}");
    assert_eq!(summary(&early, StepName::PrivacyDeletions), "1 not here");
    assert_eq!(whole.verdict, Verdict::Intact, "{whole:#?}");
    assert_eq!(summary(&whole, StepName::Attachments), "1 of 1");
    assert_eq!(summary(&whole, StepName::PrivacyDeletions), "None");
    assert_eq!(without.verdict, Verdict::Intact, "{without:#?}");
    assert_eq!(summary(&without, StepName::PrivacyDeletions), "1 not here");

    let is_picture = |window: &[u8]| window == JPEG;
    let at = file.windows(JPEG.len()).position(is_picture).unwrap();
    file[at + JPEG.len() - 1] ^= 1;
    let broken = verify(&file, &trust, &mut []);

    assert_eq!(broken.verdict, Verdict::NotIntact);
    let (_, failure) = broken.first_failure().unwrap();
    let said = failure.to_string();
    assert!(said.contains(&format!("evidence/{PICTURE}")), "{said}");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_picture_that_a_superuser_put_in_anothers_place_is_named(owner: PgPool) {
    let house = House::new(&owner).await;
    photographed(&house).await;
    brought(&house).await;
    sequence(&house).await;
    sqlx::query("UPDATE jobs.evidence SET content = $1, salted_hash = sha256(salt || $1::bytea)")
        .bind([JPEG, b"!"].concat())
        .execute(&house.owner)
        .await
        .unwrap();

    let report = verify(&bundle(&house).await, &trust(&house).await, &mut []);

    assert_eq!(report.verdict, Verdict::NotIntact);
    let (step, failure) = report.first_failure().unwrap();
    assert_eq!(step.name, StepName::Attachments);
    let said = failure.to_string();
    assert!(said.contains(&format!("evidence/{PICTURE}")), "{said}");
}
