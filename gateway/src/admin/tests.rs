//! Administrators' wishes against a real Postgres, as the application's role, read from the command line as people type it.

mod trust;

use std::path::Path;

use clap::Parser;
use ed25519_dalek::SigningKey;
use identity::{Permission, SecretHash, SecretKind, store};
use serde_json::Value;
use spine::Signer;
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};
use time::Duration;

use super::{Admin, AdminError, demo, desk::Desk, perform};
use crate::app::Clock;

#[derive(Debug, Parser)]
struct Typed {
    #[command(flatten)]
    admin: Admin,
}

async fn desk(owner: &PgPool, data_dir: &Path) -> Desk {
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET ROLE nooterra_app").await?;
                Ok(())
            })
        })
        .connect_with(owner.connect_options().as_ref().clone())
        .await
        .unwrap();
    Desk {
        pool,
        signer: Signer::new(SigningKey::from_bytes(&[1; 32])),
        clock: Clock::default(),
        public_url: "https://localhost:8420".to_owned(),
        data_dir: data_dir.to_owned(),
    }
}

async fn type_in(desk: &Desk, words: &[&str]) -> Result<String, AdminError> {
    let typed = Typed::try_parse_from(["nooterra"].iter().chain(words)).unwrap();
    perform(desk, typed.admin.task).await
}

async fn house(owner: &PgPool) -> Desk {
    let desk = desk(owner, Path::new("/nowhere")).await;
    type_in(&desk, &["organisation", "add", "Linden"])
        .await
        .unwrap();
    type_in(&desk, &["site", "add", "Wing B"]).await.unwrap();
    desk
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_was_added_signs_in_with_the_token_that_was_printed(owner: PgPool) {
    let desk = house(&owner).await;

    let printed = type_in(
        &desk,
        &["robot", "add", "R-014 Juniper", "--site", "Wing B"],
    )
    .await
    .unwrap();
    let listed = type_in(&desk, &["robot", "list"]).await.unwrap();

    let hash = SecretHash::of(SecretKind::Robot, printed.trim()).unwrap();
    let signed_in = store::robot_by_token(&desk.pool, hash, desk.now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(signed_in.robot.name, "R-014 Juniper");
    assert!(listed.contains("R-014 Juniper  Wing B  no"), "{listed}");

    let (robot, token) = (
        signed_in.robot.robot.to_string(),
        signed_in.token.to_string(),
    );
    type_in(&desk, &["robot", "token-revoke", &robot, &token])
        .await
        .unwrap();
    assert_eq!(
        store::robot_by_token(&desk.pool, hash, desk.now())
            .await
            .unwrap(),
        None
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_person_gets_a_role_a_link_for_one_use_and_a_token(owner: PgPool) {
    let desk = house(&owner).await;
    type_in(&desk, &["person", "add", "Mira Kovač"])
        .await
        .unwrap();

    let granted = type_in(
        &desk,
        &[
            "person",
            "grant",
            "Mira Kovač",
            "operator",
            "--site",
            "Wing B",
        ],
    )
    .await
    .unwrap();
    let again = type_in(
        &desk,
        &[
            "person",
            "grant",
            "Mira Kovač",
            "operator",
            "--site",
            "Wing B",
        ],
    )
    .await
    .unwrap();
    let link = type_in(&desk, &["person", "link", "Mira Kovač"])
        .await
        .unwrap();
    let token = type_in(&desk, &["person", "token", "Mira Kovač"])
        .await
        .unwrap();
    let listed = type_in(&desk, &["person", "list"]).await.unwrap();

    assert_eq!(granted, "Mira Kovač is now operator\n");
    assert_eq!(again, "Mira Kovač was already operator\n");
    assert!(listed.contains("operator at Wing B"), "{listed}");
    let secret = link
        .trim()
        .strip_prefix("https://localhost:8420/sign-in#link=")
        .unwrap();
    let link = SecretHash::of(SecretKind::Link, secret).unwrap();
    let mut tx = desk.begin();
    assert!(store::use_link(&mut tx, link, desk.now()).await.is_ok());
    assert!(store::use_link(&mut tx, link, desk.now()).await.is_err());
    let token = SecretHash::of(SecretKind::Api, token.trim()).unwrap();
    let signed_in = store::person_by_api_token(&desk.pool, token, desk.now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(signed_in.person.name, "Mira Kovač");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_unclear_is_refused_with_the_way_out(owner: PgPool) {
    let desk = desk(&owner, Path::new("/nowhere")).await;
    let mut said = Vec::new();
    let mut refused = async |words: &[&str]| {
        said.push(type_in(&desk, words).await.unwrap_err().to_string());
    };

    refused(&["site", "add", "Wing B"]).await;
    type_in(&desk, &["organisation", "add", "Linden"])
        .await
        .unwrap();
    refused(&["organisation", "add", "Linden"]).await;
    refused(&["robot", "add", "R-1", "--site", "Wing B"]).await;
    refused(&["person", "link", "Mira"]).await;
    refused(&["site", "add", "  "]).await;
    type_in(&desk, &["person", "add", "Mira"]).await.unwrap();
    type_in(&desk, &["person", "add", "Mira"]).await.unwrap();
    refused(&["person", "link", "Mira"]).await;
    type_in(&desk, &["organisation", "add", "Other"])
        .await
        .unwrap();
    refused(&["site", "add", "Wing B"]).await;

    let expected = [
        "there is no organisation yet",
        "organisation Linden: the name is taken",
        "Linden has no site \"Wing B\"",
        "Linden has nobody called \"Mira\"",
        "the name is empty",
        "several people are called \"Mira\"",
        "there are several organisations",
    ];
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said:?} instead of {expected:?}");
    }
    assert_eq!(said.len(), expected.len());
}

async fn seed(desk: &Desk, robots: &str) -> Value {
    let printed = type_in(desk, &["demo-seed", "--robots", robots])
        .await
        .unwrap();
    serde_json::from_str(&printed).unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn seeding_twice_gives_the_same_demo_and_records_nothing_new(owner: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    demo::mark_demo(folder.path()).unwrap();
    let desk = desk(&owner, folder.path()).await;
    let events = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM spine.event")
            .fetch_one(&desk.pool)
            .await
            .unwrap()
    };

    let first = seed(&desk, "3").await;
    let after_first = events().await;
    let again = seed(&desk, "3").await;
    let after_second = events().await;
    let more = seed(&desk, "14").await;

    assert_eq!(again, first);
    assert_eq!(after_second, after_first);
    assert_eq!(more["sign_in"], first["sign_in"]);
    assert_eq!(
        more["robots"].as_array().unwrap()[..3],
        first["robots"].as_array().unwrap()[..]
    );
    assert_eq!(more["robots"].as_array().unwrap().len(), 14);
    assert_eq!(first["robots"][0]["name"], "R-014 Juniper");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn each_person_of_the_demo_may_do_what_their_role_says(owner: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    demo::mark_demo(folder.path()).unwrap();
    let desk = desk(&owner, folder.path()).await;

    let seeded = seed(&desk, "1").await;

    let robot = seeded["robots"][0]["id"].as_str().unwrap().parse().unwrap();
    let site = store::load_robot(&desk.pool, robot)
        .await
        .unwrap()
        .unwrap()
        .site;
    for (role, commands, administers) in [
        ("operator", true, false),
        ("second_operator", true, false),
        ("supervisor", true, false),
        ("requester", false, false),
        ("owner", false, false),
        ("admin", false, true),
    ] {
        let token = seeded["tokens"][role].as_str().unwrap();
        let hash = SecretHash::of(SecretKind::Api, token).unwrap();
        let person = store::person_by_api_token(&desk.pool, hash, desk.now())
            .await
            .unwrap()
            .unwrap()
            .person;
        let link = seeded["sign_in"][role]
            .as_str()
            .unwrap()
            .split_once("#link=")
            .unwrap()
            .1;
        let link = SecretHash::of(SecretKind::Link, link).unwrap();
        let mut tx = desk.begin();
        let by_link = store::use_link(&mut tx, link, desk.now() + Duration::hours(23))
            .await
            .unwrap();
        assert_eq!(by_link, person);
        assert_eq!(
            identity::allows(&person.roles, Permission::Command, Some(site)),
            commands,
            "{role}"
        );
        assert_eq!(
            identity::allows(&person.roles, Permission::Administer, None),
            administers,
            "{role}"
        );
        assert!(
            identity::allows(&person.roles, Permission::SeeFleet, Some(site)),
            "{role}"
        );
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_revoked_demo_token_is_followed_by_another(owner: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    demo::mark_demo(folder.path()).unwrap();
    let desk = desk(&owner, folder.path()).await;
    let first = seed(&desk, "1").await;
    let robot = first["robots"][0]["id"].as_str().unwrap();
    let hash = SecretHash::of(
        SecretKind::Robot,
        first["robots"][0]["token"].as_str().unwrap(),
    )
    .unwrap();
    let token = store::find_robot_token(&desk.pool, hash)
        .await
        .unwrap()
        .unwrap()
        .token
        .to_string();
    type_in(&desk, &["robot", "token-revoke", robot, &token])
        .await
        .unwrap();

    let again = seed(&desk, "1").await;

    let hash = SecretHash::of(
        SecretKind::Robot,
        again["robots"][0]["token"].as_str().unwrap(),
    )
    .unwrap();
    assert_eq!(again["robots"][0]["id"], first["robots"][0]["id"]);
    assert!(
        store::robot_by_token(&desk.pool, hash, desk.now())
            .await
            .unwrap()
            .is_some()
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn demo_users_are_made_nowhere_but_in_a_demo(owner: PgPool) {
    let (unmarked, real) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let desk = desk(&owner, unmarked.path()).await;
    Signer::load_or_create(&real.path().join(Signer::FILE_NAME)).unwrap();

    let seeded = type_in(&desk, &["demo-seed"]).await;
    let marked = demo::mark_demo(real.path());

    assert!(matches!(
        seeded,
        Err(AdminError::NotADemo(demo::NotADemo::Unmarked(_)))
    ));
    assert!(matches!(marked, Err(demo::NotADemo::Installation(_))));
    let people: i64 = sqlx::query_scalar("SELECT count(*) FROM identity.person")
        .fetch_one(&desk.pool)
        .await
        .unwrap();
    assert_eq!(people, 0);
}
