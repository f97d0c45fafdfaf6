//! Session keys: whoever signs with one is believed exactly until its end stands in the log.

use protocol::sealed::KeyId;

use super::*;

/// A key that Mira's sign-in bound, and the sign-in.
async fn bound(app: &PgPool) -> (KeyId, SecretHash) {
    let session = secret(SecretKind::Session, 1);
    let public = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
    let mira = mira(app).await;
    let mut tx = Tx::begin(app);
    store::open_session(&mut tx, &mira, session, None, T0)
        .await
        .unwrap();
    let bound = store::bind_session_key(
        &mut tx,
        &mira,
        session,
        public,
        T0 + time::Duration::HOUR,
        T0,
    )
    .await
    .unwrap();
    commit(tx).await;
    (bound.key, session)
}

fn micros(at: OffsetDateTime) -> UnixMicros {
    UnixMicros(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap())
}

async fn is_held(app: &PgPool, key: KeyId, at: OffsetDateTime) -> bool {
    let mut tx = Tx::begin(app);
    let is_held = store::hold_session_key(&mut tx, key, micros(at))
        .await
        .unwrap();
    // One that is only dropped may hold its lock for a moment longer.
    commit(tx).await;
    is_held
}

/// Whether somebody could end the key right now without waiting.
async fn can_be_ended(owner: &PgPool, key: KeyId) -> bool {
    let mut transaction = owner.begin().await.unwrap();
    let locked =
        sqlx::query("SELECT FROM identity.session_key WHERE key_id = $1 FOR UPDATE NOWAIT")
            .bind(key.0.as_slice())
            .execute(&mut *transaction)
            .await;
    transaction.rollback().await.unwrap();
    locked.is_ok()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_that_signs_does_not_end_before_what_it_signed_is_recorded(owner: PgPool) {
    let app = house(&owner).await;
    let (key, _session) = bound(&app).await;
    let mut tx = Tx::begin(&app);
    assert!(can_be_ended(&owner, key).await);

    let held = store::hold_session_key(&mut tx, key, micros(T0))
        .await
        .unwrap();

    assert!(held);
    assert!(!can_be_ended(&owner, key).await);
    assert!(is_held(&app, key, T0).await, "two acts don't wait");
    commit(tx).await;
    assert!(can_be_ended(&owner, key).await);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_that_has_ended_is_not_held(owner: PgPool) {
    let app = house(&owner).await;
    let (key, session) = bound(&app).await;
    let an_hour = T0 + time::Duration::HOUR;

    assert!(is_held(&app, key, an_hour - time::Duration::MICROSECOND).await);
    assert!(!is_held(&app, key, an_hour).await, "expired");
    let mut tx = Tx::begin(&app);
    store::close_session(&mut tx, session, T0).await.unwrap();
    commit(tx).await;
    assert!(!is_held(&app, key, T0).await, "signed out");
}
