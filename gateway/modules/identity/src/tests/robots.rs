//! Robots, their tokens and keys.

use protocol::{event::robot_stream, sealed::KeyId};

use super::*;
use crate::Refusal;

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_is_found_by_id_by_name_and_by_its_token(owner: PgPool) {
    let app = house(&owner).await;
    let juniper = robot(&app, 31, WING_B, "R-014 Juniper").await;
    let hash = secret(SecretKind::Robot, 1);
    let mut tx = Tx::begin(&app);
    store::issue_robot_token(&mut tx, &juniper, token(41), hash, None, T0)
        .await
        .unwrap();
    commit(tx).await;

    let by_id = store::load_robot(&app, juniper.robot).await.unwrap();
    let by_name = store::find_robot(&app, LINDEN, "R-014 Juniper")
        .await
        .unwrap();
    let elsewhere = store::find_robot(&app, OTHER, "R-014 Juniper")
        .await
        .unwrap();
    let by_token = store::robot_by_token(&app, hash, T0)
        .await
        .unwrap()
        .unwrap();

    assert_eq!(juniper.site_name, "Wing B");
    assert_eq!(by_id.as_ref(), Some(&juniper));
    assert_eq!(by_name.as_ref(), Some(&juniper));
    assert_eq!(elsewhere, None);
    assert_eq!(
        (by_token.robot, by_token.token),
        (juniper.clone(), token(41))
    );
    assert_eq!(
        events(&app, &robot_stream(juniper.robot)).await,
        ["robot.added", "robot.token_issued"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_revoked_robot_token_opens_nothing_and_the_other_one_still_does(owner: PgPool) {
    let app = house(&owner).await;
    let juniper = robot(&app, 31, WING_B, "R-014 Juniper").await;
    let (old, new) = (secret(SecretKind::Robot, 1), secret(SecretKind::Robot, 2));
    let mut tx = Tx::begin(&app);
    store::issue_robot_token(&mut tx, &juniper, token(41), old, None, T0)
        .await
        .unwrap();
    store::issue_robot_token(&mut tx, &juniper, token(42), new, None, T0)
        .await
        .unwrap();
    let first = store::revoke_robot_token(&mut tx, &juniper, token(41), None, T0)
        .await
        .unwrap();
    let second = store::revoke_robot_token(&mut tx, &juniper, token(41), None, T0)
        .await
        .unwrap();
    commit(tx).await;

    assert_eq!((first, second), (true, false));
    assert_eq!(store::robot_by_token(&app, old, T0).await.unwrap(), None);
    assert!(
        store::robot_by_token(&app, new, T0)
            .await
            .unwrap()
            .is_some()
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn another_robots_token_cannot_be_revoked_by_its_id(owner: PgPool) {
    let app = house(&owner).await;
    let juniper = robot(&app, 31, WING_B, "R-014 Juniper").await;
    let rowan = robot(&app, 32, WING_B, "R-021 Rowan").await;
    let hash = secret(SecretKind::Robot, 1);
    let mut tx = Tx::begin(&app);
    store::issue_robot_token(&mut tx, &juniper, token(41), hash, None, T0)
        .await
        .unwrap();

    let refused = store::revoke_robot_token(&mut tx, &rowan, token(41), None, T0).await;

    assert_eq!(refusal(refused), Refusal::TokenUnknown);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robots_key_is_bound_once_may_be_replaced_and_is_nobody_elses(owner: PgPool) {
    let app = house(&owner).await;
    let juniper = robot(&app, 31, WING_B, "R-014 Juniper").await;
    let rowan = robot(&app, 32, WING_B, "R-021 Rowan").await;
    let key = |byte| SigningKey::from_bytes(&[byte; 32]).verifying_key();
    let bind = async |robot: &Robot, byte| {
        let mut tx = Tx::begin(&app);
        let bound = store::bind_robot_key(&mut tx, robot, key(byte).to_bytes(), T0).await;
        if bound.is_ok() {
            commit(tx).await;
        }
        bound
    };

    let first = bind(&juniper, 5).await.unwrap();
    let again = bind(&juniper, 5).await.unwrap();
    let taken = bind(&rowan, 5).await;
    let replaced = bind(&juniper, 6).await.unwrap();

    let now = store::load_robot(&app, juniper.robot)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((first, again, replaced), (true, false, true));
    assert_eq!(refusal(taken), Refusal::KeyTaken);
    assert_eq!(now.key_id(), Some(KeyId::of(&key(6))));
    assert_eq!(
        events(&app, &robot_stream(juniper.robot)).await,
        ["robot.added", "robot.key_bound", "robot.key_bound"]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_list_pages_by_name_inside_the_organisation_and_the_sites(owner: PgPool) {
    let app = house(&owner).await;
    for (number, site, called) in [
        (33, WING_B, "c"),
        (31, WING_A, "a"),
        (32, WING_B, "b"),
        (34, WING_B, "d"),
    ] {
        robot(&app, number, site, called).await;
    }
    let walk = async |sites: Option<&[SiteId]>| {
        let (mut names, mut cursor) = (Vec::new(), None);
        loop {
            let page = store::list_robots(&app, LINDEN, sites, cursor, 2)
                .await
                .unwrap();
            assert!(page.items.len() <= 2);
            names.extend(page.items.into_iter().map(|robot| robot.name));
            match page.next {
                Some(next) => cursor = Some(next.parse().unwrap()),
                None => return names,
            }
        }
    };

    assert_eq!(walk(None).await, ["a", "b", "c", "d"]);
    assert_eq!(walk(Some(&[WING_B])).await, ["b", "c", "d"]);
    assert!(walk(Some(&[])).await.is_empty());
    let other = store::list_robots(&app, OTHER, None, None, 10)
        .await
        .unwrap();
    let bad_cursor = store::list_robots(&app, LINDEN, None, Some(RobotId(Uuid::nil())), 10)
        .await
        .unwrap();
    assert!(other.items.is_empty());
    assert!(bad_cursor.items.is_empty());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_last_sighting_never_goes_back(owner: PgPool) {
    let app = house(&owner).await;
    let juniper = robot(&app, 31, WING_B, "R-014 Juniper").await;

    store::saw_robot(&app, juniper.robot, T0 + time::Duration::HOUR)
        .await
        .unwrap();
    store::saw_robot(&app, juniper.robot, T0).await.unwrap();

    let now = store::load_robot(&app, juniper.robot)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(juniper.seen_at, None);
    assert_eq!(now.seen_at, Some(T0 + time::Duration::HOUR));
}
