//! A database that hangs: whoever asks for a table waits until it is let go.

use sqlx::{Postgres, Transaction};

use crate::http::tests::{house::House, until::until};

/// Where people's tokens are: read for every command.
pub(super) const PEOPLE: &str = "identity.api_token";

/// Where robots are: read for every event.
pub(super) const ROBOTS: &str = "identity.robot";

/// The tables, held until this is dropped or let go.
pub(super) struct Held(Transaction<'static, Postgres>);

impl Held {
    pub(super) async fn hold(house: &House) -> Self {
        let mut transaction = house.owner.begin().await.unwrap();
        sqlx::query("LOCK TABLE identity.api_token, identity.robot IN ACCESS EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await
            .unwrap();
        Self(transaction)
    }

    /// Waits until somebody waits for the table.
    pub(super) async fn is_felt_at(house: &House, table: &str) {
        until("somebody who waits for the database", async || {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass",
            )
            .bind(table)
            .fetch_one(&house.owner)
            .await
            .unwrap();
            (waiting > 0).then_some(())
        })
        .await;
    }

    pub(super) async fn let_go(self) {
        self.0.rollback().await.unwrap();
    }
}
