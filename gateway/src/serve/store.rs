//! The database at the start: brought up to date by its owner, used by the role that owns nothing.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::ServeError;
use crate::config::SecretUrl;

/// Connections of one process to Postgres: more than there are cores on a database server only queue there instead of here.
const CONNECTIONS: u32 = 16;

/// A request waits this long for a connection; then the database counts as not answering.
const CONNECTION_WITHIN: Duration = Duration::from_secs(2);

/// A connection that rested so long is asked whether it is still there before it is used: a server that was started anew
/// closed it.
const ASKED_AFTER: Duration = Duration::from_millis(500);

/// No statement of ours takes a second; one that takes ten holds locks for nothing.
const STATEMENT_WITHIN_MS: &str = "10000";

/// A transaction of ours goes on within milliseconds; one that rests so long belongs to a process that hangs.
const IDLE_WITHIN_MS: &str = "10000";

/// Migrating happens once; a database across the world may take its time to let us in.
const OWNER_WITHIN: Duration = Duration::from_secs(10);

/// Brings the schemas up to date as their owner.
pub async fn migrate(owner: &SecretUrl) -> Result<(), ServeError> {
    let refused = |source| ServeError::Database {
        role: "owner",
        variable: "DATABASE_OWNER_URL",
        source,
    };
    let options: PgConnectOptions = owner.expose().parse().map_err(refused)?;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(OWNER_WITHIN)
        .connect_with(options)
        .await
        .map_err(refused)?;
    spine::MIGRATOR
        .run(&pool)
        .await
        .map_err(ServeError::Migrate)?;
    // So that a gateway without the owner's address can tell whether somebody migrated.
    let role = spine::APP_ROLE;
    sqlx::raw_sql(AssertSqlSafe(format!(
        "GRANT SELECT ON TABLE _sqlx_migrations TO {role}"
    )))
    .execute(&pool)
    .await
    .map_err(ServeError::Tell)?;
    pool.close().await;
    Ok(())
}

/// Connections as the application's role, to a database that knows everything that we know.
pub(super) async fn connect(url: &SecretUrl) -> Result<PgPool, ServeError> {
    let refused = |source| ServeError::Database {
        role: "application",
        variable: "DATABASE_URL",
        source,
    };
    let options: PgConnectOptions = url.expose().parse().map_err(refused)?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECTION_WITHIN)
        // A connection that was just used is there; asking it each time would be a way to the server more for every use.
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                Ok(metadata.idle_for < ASKED_AFTER || connection.ping().await.is_ok())
            })
        })
        .connect_with(options.options([
            ("statement_timeout", STATEMENT_WITHIN_MS),
            // A transaction that nobody goes on with would hold every follower of the log back.
            ("idle_in_transaction_session_timeout", IDLE_WITHIN_MS),
        ]))
        .await
        .map_err(refused)?;
    let applied: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&pool)
            .await
            .or_else(|error| {
                if was_never_migrated(&error) {
                    Ok(Vec::new())
                } else {
                    Err(error)
                }
            })
            .map_err(refused)?;
    let missing = spine::MIGRATOR
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .count();
    if missing > 0 {
        return Err(ServeError::NotMigrated { missing });
    }
    Ok(pool)
}

/// SQLSTATEs of a table that is not there, and of one that was made without us.
fn was_never_migrated(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| matches!(code.as_ref(), "42P01" | "42501"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[sqlx::test(migrations = false)]
    async fn a_database_that_nobody_migrated_is_refused_with_how_to_mend_it(pool: PgPool) {
        let url = address_of(&pool);

        let refused = connect(&url).await.unwrap_err();

        let all = spine::MIGRATOR.iter().count();
        assert!(matches!(refused, ServeError::NotMigrated { missing } if missing == all));
        assert!(refused.to_string().contains("nooterra migrate"));
    }

    #[sqlx::test(migrations = false)]
    async fn migrating_is_done_once_and_the_application_sees_it(pool: PgPool) {
        let url = address_of(&pool);

        migrate(&url).await.unwrap();
        migrate(&url).await.unwrap();

        let mut connection = pool.acquire().await.unwrap();
        sqlx::raw_sql("SET ROLE nooterra_app")
            .execute(&mut *connection)
            .await
            .unwrap();
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(
            usize::try_from(seen).unwrap(),
            spine::MIGRATOR.iter().count()
        );
        assert!(connect(&url).await.is_ok());
    }

    #[sqlx::test(migrations = false)]
    async fn a_database_that_is_not_there_is_named_by_its_variable(pool: PgPool) {
        let url = address_of(&pool).expose().replace("_sqlx_test", "no_such");

        let refused = connect(&SecretUrl::new(url)).await.unwrap_err().to_string();

        assert!(refused.contains("DATABASE_URL"), "{refused}");
    }

    /// The test's own database, by address.
    fn address_of(pool: &PgPool) -> SecretUrl {
        let options = pool.connect_options();
        let database = options.get_database().unwrap();
        let socket = options.get_socket().map_or_else(
            || options.get_host().to_owned(),
            |folder| folder.display().to_string(),
        );
        let user = options.get_username();
        let port = options.get_port();
        SecretUrl::new(format!(
            "postgres://{user}@localhost:{port}/{database}?host={socket}"
        ))
    }
}
