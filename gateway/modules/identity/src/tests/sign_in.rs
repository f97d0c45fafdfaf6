//! Links, sessions, API tokens.

use protocol::event::person_stream;
use time::Duration;

use super::*;
use crate::{LinkUses, Refusal, SESSION_IDLE, SESSION_LASTS};

const A_DAY: Duration = Duration::DAY;

async fn link(app: &PgPool, byte: u8, uses: LinkUses) -> SecretHash {
    let link = secret(SecretKind::Link, byte);
    let mira = mira(app).await;
    let mut tx = Tx::begin(app);
    store::issue_link(&mut tx, &mira, link, uses, T0 + A_DAY, T0)
        .await
        .unwrap();
    commit(tx).await;
    link
}

async fn use_link(
    app: &PgPool,
    link: SecretHash,
    now: OffsetDateTime,
) -> Result<Person, StoreError> {
    let mut tx = Tx::begin(app);
    let person = store::use_link(&mut tx, link, now).await?;
    commit(tx).await;
    Ok(person)
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_link_for_one_use_signs_in_once_and_a_reusable_one_until_it_expires(owner: PgPool) {
    let app = house(&owner).await;
    let once = link(&app, 1, LinkUses::Limited(1)).await;
    let often = link(&app, 2, LinkUses::Reusable).await;

    assert_eq!(use_link(&app, once, T0).await.unwrap().person, MIRA);
    assert_eq!(refusal(use_link(&app, once, T0).await), Refusal::LinkSpent);
    for _ in 0..3 {
        assert!(use_link(&app, often, T0).await.is_ok());
    }
    let last_moment = T0 + A_DAY - Duration::MICROSECOND;
    assert!(use_link(&app, often, last_moment).await.is_ok());
    assert_eq!(
        refusal(use_link(&app, often, T0 + A_DAY).await),
        Refusal::LinkExpired
    );
    let nobodys = secret(SecretKind::Link, 9);
    assert_eq!(
        refusal(use_link(&app, nobodys, T0).await),
        Refusal::LinkUnknown
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_many_who_use_a_link_for_one_at_once_one_gets_in(owner: PgPool) {
    let app = house(&owner).await;
    let once = link(&app, 1, LinkUses::Limited(1)).await;
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { use_link(&app, once, T0).await.is_ok() })
        })
        .collect();

    let mut let_in = 0;
    for one in tries {
        let_in += usize::from(one.await.unwrap());
    }

    assert_eq!(let_in, 1);
}

async fn session(app: &PgPool) -> SecretHash {
    let session = secret(SecretKind::Session, 1);
    let mira = mira(app).await;
    let mut tx = Tx::begin(app);
    store::open_session(&mut tx, &mira, session, None, T0)
        .await
        .unwrap();
    commit(tx).await;
    session
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_session_ends_when_nobody_uses_it(owner: PgPool) {
    let app = house(&owner).await;
    let session = session(&app).await;
    let at = async |now| {
        store::person_by_session(&app, session, now)
            .await
            .unwrap()
            .is_some()
    };

    let still_there = at(T0 + SESSION_IDLE - Duration::MINUTE).await;
    let thanks_to_that_use = at(T0 + SESSION_IDLE + Duration::MINUTE).await;
    let after_a_pause = at(T0 + SESSION_IDLE * 2 + Duration::MINUTE).await;

    assert!(still_there);
    assert!(thanks_to_that_use);
    assert!(!after_a_pause);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_busy_session_ends_all_the_same_after_its_time(owner: PgPool) {
    let app = house(&owner).await;
    let session = session(&app).await;
    let mut now = T0;
    while now + Duration::HOUR < T0 + SESSION_LASTS {
        now += Duration::HOUR;
        let signed_in = store::person_by_session(&app, session, now).await.unwrap();
        assert_eq!(signed_in.unwrap().expires_at, T0 + SESSION_LASTS);
    }

    let after = store::person_by_session(&app, session, T0 + SESSION_LASTS)
        .await
        .unwrap();

    assert_eq!(after, None);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_closed_session_opens_nothing_and_both_ends_are_recorded(owner: PgPool) {
    let app = house(&owner).await;
    let session = session(&app).await;

    let mut tx = Tx::begin(&app);
    let first = store::close_session(&mut tx, session, T0).await.unwrap();
    let second = store::close_session(&mut tx, session, T0).await.unwrap();
    commit(tx).await;

    assert_eq!((first, second), (true, false));
    assert_eq!(
        store::person_by_session(&app, session, T0).await.unwrap(),
        None
    );
    assert_eq!(
        events(&app, &person_stream(MIRA)).await,
        ["person.added", "session.opened", "session.closed"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn only_what_is_over_is_forgotten(owner: PgPool) {
    let app = house(&owner).await;
    let session = session(&app).await;
    link(&app, 1, LinkUses::Reusable).await;

    let too_early = store::forget_expired(&app, T0 + Duration::HOUR)
        .await
        .unwrap();
    let session_gone = store::forget_expired(&app, T0 + SESSION_IDLE)
        .await
        .unwrap();
    let link_gone = store::forget_expired(&app, T0 + A_DAY + SESSION_LASTS)
        .await
        .unwrap();

    assert_eq!((too_early, session_gone, link_gone), (0, 1, 1));
    assert_eq!(
        store::person_by_session(&app, session, T0).await.unwrap(),
        None
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_revoked_api_token_opens_nothing(owner: PgPool) {
    let app = house(&owner).await;
    let hash = secret(SecretKind::Api, 1);
    let mira = mira(&app).await;
    let mut tx = Tx::begin(&app);
    store::issue_api_token(&mut tx, &mira, token(41), hash, Some(MIRA), T0)
        .await
        .unwrap();
    commit(tx).await;
    let before = store::person_by_api_token(&app, hash, T0).await.unwrap();

    let mut tx = Tx::begin(&app);
    let first = store::revoke_api_token(&mut tx, &mira, token(41), None, T0)
        .await
        .unwrap();
    let second = store::revoke_api_token(&mut tx, &mira, token(41), None, T0)
        .await
        .unwrap();
    let unknown = store::revoke_api_token(&mut tx, &mira, token(42), None, T0).await;
    commit(tx).await;

    let listed = store::list_api_tokens(&app, MIRA).await.unwrap();
    assert_eq!(before.unwrap().token, token(41));
    assert_eq!((first, second), (true, false));
    assert_eq!(refusal(unknown), Refusal::TokenUnknown);
    assert_eq!(
        store::person_by_api_token(&app, hash, T0).await.unwrap(),
        None
    );
    assert_eq!(
        (listed[0].used_at, listed[0].revoked_at),
        (Some(T0), Some(T0))
    );
    assert_eq!(
        events(&app, &person_stream(MIRA)).await,
        ["person.added", "token.issued", "token.revoked"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn no_table_holds_a_secret_itself(owner: PgPool) {
    let app = house(&owner).await;
    let made = Secret::new(SecretKind::Api, &[1; 32]);
    let mira = mira(&app).await;
    let mut tx = Tx::begin(&app);
    store::issue_api_token(&mut tx, &mira, token(41), made.hash(), None, T0)
        .await
        .unwrap();
    commit(tx).await;

    let row: String = sqlx::query_scalar("SELECT api_token::text FROM identity.api_token")
        .fetch_one(&app)
        .await
        .unwrap();
    let logged: String =
        sqlx::query_scalar("SELECT string_agg(payload::text, '') FROM spine.event")
            .fetch_one(&app)
            .await
            .unwrap();

    assert!(!row.contains(made.expose()));
    assert!(
        !row.contains(&"01".repeat(32)),
        "not the random bytes either"
    );
    assert!(!logged.contains("nt_api_"));
}
