//! People's keys: nobody else's, never again once they are gone, and no more than may be.

use super::*;

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_of_somebody_else_is_not_taken(owner: PgPool) {
    let app = house(&owner).await;
    let (mira, tobi) = (mira(&app).await, add(&app, TOBI, &[]).await);

    let offered = offer(&app, &mira, 1, T0).await.unwrap();
    let again = offer(&app, &mira, 1, T0 + Duration::HOUR).await.unwrap();
    let stolen = offer(&app, &tobi, 1, T0).await;
    let no_key = {
        let mut tx = Tx::begin(&app);
        store::offer_person_key(&mut tx, &mira, [2; 32], T0).await
    };

    assert_eq!(offered.key, name_of(1));
    assert_eq!(offered.person, MIRA);
    assert_eq!(again, offered);
    assert_eq!(refusal(stolen), Refusal::KeyTaken);
    assert_eq!(refusal(no_key), Refusal::NotAKey);
    assert_eq!(store::person_keys(&app, MIRA).await.unwrap(), [offered]);
    assert_eq!(store::person_keys(&app, TOBI).await.unwrap(), []);
    assert_eq!(
        events(&app, &person_stream(MIRA)).await,
        ["person.added", "person.key_offered"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_that_was_removed_never_comes_back(owner: PgPool) {
    let app = house(&owner).await;
    let mira = mira(&app).await;
    add(&app, TOBI, &[]).await;
    offer(&app, &mira, 1, T0).await.unwrap();

    let of_another = remove(&app, TOBI, 1).await;
    let removed = remove(&app, MIRA, 1).await.unwrap();
    let again = remove(&app, MIRA, 1).await.unwrap();
    let offered = offer(&app, &mira, 1, T0).await;
    let restored = sqlx::query("UPDATE identity.person_key SET removed_at = NULL")
        .execute(&owner)
        .await;

    assert_eq!(refusal(of_another), Refusal::KeyUnknown);
    assert!(removed && !again);
    assert_eq!(refusal(offered), Refusal::KeyTaken);
    assert!(restored.is_err());
    assert_eq!(store::person_keys(&app, MIRA).await.unwrap(), []);
    assert_eq!(
        store::removed_person_keys(&app, LINDEN, &[name_of(1), name_of(2)])
            .await
            .unwrap(),
        [name_of(1)]
    );
    let elsewhere = store::removed_person_keys(&app, OTHER, &[name_of(1)]).await;
    assert_eq!(elsewhere.unwrap(), []);
    let listed = store::list_person_keys(&app, MIRA).await.unwrap();
    assert_eq!(listed[0].removed_at, Some(T0));
    assert_eq!(
        events(&app, &person_stream(MIRA)).await,
        ["person.added", "person.key_offered", "person.key_removed"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_too_many_puts_out_the_oldest_and_never_the_new_one(owner: PgPool) {
    let app = house(&owner).await;
    let mira = mira(&app).await;
    let most = u8::try_from(MAX_KEYS_OF_PERSON).unwrap();
    for seed in 1..=most {
        let at = T0 + Duration::minutes(i64::from(seed));
        offer(&app, &mira, seed, at).await.unwrap();
    }

    // As if the clock had been set back.
    offer(&app, &mira, most + 1, T0).await.unwrap();

    let kept = store::person_keys(&app, MIRA).await.unwrap();
    let kept: Vec<KeyId> = kept.iter().map(|key| key.key).collect();
    let expected: Vec<KeyId> = [most + 1]
        .into_iter()
        .chain(2..=most)
        .map(name_of)
        .collect();
    assert_eq!(kept, expected);
    let stream = events(&app, &person_stream(MIRA)).await;
    assert_eq!(
        stream[stream.len() - 2..],
        ["person.key_offered", "person.key_removed"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_many_keys_at_once_no_more_are_kept_than_may_be(owner: PgPool) {
    let app = house(&owner).await;
    let mira = mira(&app).await;
    let most = u8::try_from(MAX_KEYS_OF_PERSON).unwrap();

    let mut offers = tokio::task::JoinSet::new();
    for seed in 1..=2 * most {
        let (app, mira) = (app.clone(), mira.clone());
        offers.spawn(async move { offer(&app, &mira, seed, T0).await.map(|key| key.key) });
    }
    let offered = offers.join_all().await;

    assert!(offered.iter().all(Result::is_ok), "{offered:?}");
    let kept = store::person_keys(&app, MIRA).await.unwrap();
    let all: Vec<_> = (1..=2 * most).map(name_of).collect();
    let removed = store::removed_person_keys(&app, LINDEN, &all)
        .await
        .unwrap();
    assert_eq!(kept.len(), MAX_KEYS_OF_PERSON);
    assert_eq!(removed.len(), MAX_KEYS_OF_PERSON);
}
