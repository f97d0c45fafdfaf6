//! The log refuses every change: to the application by privilege, and to its owner by trigger.

use super::{as_app, commit_one};
use sqlx::{Executor as _, PgPool};

const PRIVILEGE: &str = "42501";
const TRIGGER: &str = "23000";

const CHANGES: [&str; 4] = [
    "UPDATE spine.event SET kind = 'forged'",
    "DELETE FROM spine.event",
    "TRUNCATE spine.event",
    "TRUNCATE spine.event CASCADE",
];

/// The same of the tree. What was signed must not be lost either.
const CHANGES_OF_THE_TREE: [&str; 9] = [
    "UPDATE spine.leaf SET leaf_index = 7",
    "DELETE FROM spine.leaf",
    "TRUNCATE spine.leaf",
    "UPDATE spine.tile SET tile_index = 7",
    "DELETE FROM spine.tile",
    "TRUNCATE spine.tile",
    "UPDATE spine.checkpoint SET size = 7",
    "DELETE FROM spine.checkpoint",
    "TRUNCATE spine.checkpoint",
];

const DEFINITIONS: [&str; 15] = [
    "DROP TABLE spine.event",
    "DROP TABLE spine.leaf",
    "DROP TABLE spine.tile",
    "DROP TABLE spine.checkpoint",
    "DROP SCHEMA spine CASCADE",
    "ALTER TABLE spine.event DISABLE TRIGGER event_never_changes",
    "ALTER TABLE spine.event ADD COLUMN forged TEXT",
    "DROP TRIGGER event_never_changes ON spine.event",
    "CREATE OR REPLACE FUNCTION spine.refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
    "CREATE RULE quiet AS ON DELETE TO spine.event DO INSTEAD NOTHING",
    "CREATE TABLE spine.other (id INTEGER)",
    "CREATE TABLE public.other (id INTEGER)",
    "CREATE TEMPORARY TABLE other (id INTEGER)",
    "CREATE SCHEMA other",
    "SET session_replication_role = 'replica'",
];

async fn sqlstate_of(pool: &PgPool, statement: &'static str) -> String {
    let refused = pool.execute(statement).await.expect_err(statement);
    let database = refused.as_database_error().expect(statement);
    database.code().expect(statement).into_owned()
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM spine.event WHERE kind = 'command.unanswered'")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_application_has_no_privilege_to_change_an_event(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/1", None, 1).await;

    for change in CHANGES.iter().chain(&CHANGES_OF_THE_TREE) {
        assert_eq!(sqlstate_of(&app, change).await, PRIVILEGE, "{change}");
    }

    assert_eq!(count(&app).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_trigger_refuses_the_owner_too_even_as_replica(owner: PgPool) {
    commit_one(&owner, "robot/1", None, 1).await;

    for change in CHANGES.iter().chain(&CHANGES_OF_THE_TREE) {
        assert_eq!(sqlstate_of(&owner, change).await, TRIGGER, "{change}");
    }
    let mut replica = owner.acquire().await.unwrap();
    replica
        .execute("SET session_replication_role = 'replica'")
        .await
        .unwrap();
    let as_replica = replica.execute(CHANGES[1]).await;
    replica.close().await.unwrap();

    assert!(as_replica.is_err());
    assert_eq!(count(&owner).await, 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_application_defines_and_drops_nothing(owner: PgPool) {
    let app = as_app(&owner).await;

    for definition in DEFINITIONS {
        assert_eq!(
            sqlstate_of(&app, definition).await,
            PRIVILEGE,
            "{definition}"
        );
    }
    let owned: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = $1)",
    )
    .bind(crate::APP_ROLE)
    .fetch_one(&owner)
    .await
    .unwrap();

    assert_eq!(owned, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_application_cannot_choose_a_sequence_number(owner: PgPool) {
    let app = as_app(&owner).await;

    let state = sqlstate_of(
        &app,
        "INSERT INTO spine.event (sequence, organisation_id, stream, stream_number, kind, actor_key, actor_hash,
                                  recorded_at, entry, entry_hash, payload)
         VALUES (1, gen_random_uuid(), 's', 1, 'k', decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'),
                 now(), '', decode(repeat('00', 32), 'hex'), '{}')",
    )
    .await;

    // "generated always": only OVERRIDING SYSTEM VALUE could, and nothing of ours says that.
    assert_eq!(state, "428C9");
}
