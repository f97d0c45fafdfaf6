//! What a fresh cluster needs before anything can be migrated into it: the database and the application's role.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};

use super::{passwords::Passwords, postgres::DATABASE};

/// A local socket answers at once; while the server recovers it refuses at once.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Whether the server takes connections.
pub(super) async fn connects(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    connect(options).await?.close().await
}

/// Makes the database and the application's role, and sets the role's password to the one in the file.
///
/// The first migration makes the role too, where somebody else runs the cluster; here it must be there with a password
/// before the application connects. Names are constants of ours and passwords are letters and digits: neither can be
/// bound as a parameter in these statements.
pub(super) async fn prepare(
    options: &PgConnectOptions,
    passwords: &Passwords,
) -> Result<(), sqlx::Error> {
    let mut connection = connect(options).await?;
    let role = spine::APP_ROLE;
    if !exists(
        &mut connection,
        "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1",
        DATABASE,
    )
    .await?
    {
        run(&mut connection, format!("CREATE DATABASE {DATABASE}")).await?;
    }
    if !exists(
        &mut connection,
        "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1",
        role,
    )
    .await?
    {
        run(&mut connection, format!("CREATE ROLE {role}")).await?;
    }
    let password = &passwords.app;
    run(
        &mut connection,
        format!(
            "ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '{password}'"
        ),
    )
    .await?;
    connection.close().await
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    tokio::time::timeout(CONNECT_WITHIN, options.connect())
        .await
        .map_err(|_elapsed| sqlx::Error::PoolTimedOut)?
}

async fn exists(
    connection: &mut PgConnection,
    question: &'static str,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(question)
        .bind(name)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(drop)
}
