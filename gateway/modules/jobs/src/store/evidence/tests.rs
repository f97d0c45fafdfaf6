//! Pictures against a real Postgres, as the application's role.

use sqlx::PgPool;

use super::*;
use crate::store::{
    peek,
    tests::{as_app, job, keep},
};

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_picture_stays_what_it_was_until_it_is_forgotten(owner: PgPool) {
    let app = as_app(&owner).await;
    let job = job(1, 0);
    keep(&app, &job).await;
    let file = EvidenceFile {
        evidence: EvidenceId(Uuid::from_u128(7)),
        media_type: "image/jpeg".to_owned(),
        salt: [3; 32],
        content: b"a picture".to_vec(),
    };
    let other = EvidenceFile {
        content: b"another".to_vec(),
        ..file.clone()
    };

    put_evidence(&app, job.id(), &file).await.unwrap();
    put_evidence(&app, job.id(), &other).await.unwrap();
    let kept = all_evidence(&app, job.id()).await.unwrap();
    let changed = sqlx::query("UPDATE jobs.evidence SET content = content")
        .execute(&app)
        .await
        .unwrap_err();
    forget_evidence(&app, job.id()).await.unwrap();

    assert_eq!(kept, [file]);
    let denied = changed.as_database_error().unwrap();
    assert_eq!(denied.code().as_deref(), Some("42501"));
    assert!(evidence_here(&app, job.id()).await.unwrap().is_empty());
    assert_eq!(peek(&app, job.id()).await.unwrap().unwrap().job, job);
}
