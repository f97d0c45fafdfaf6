//! Why a store did not do what it was asked.

use crate::Refusal;

/// A refusal for the caller, or a failure of ours.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The caller can act on it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A row that we never write.
    #[error("the tables hold what was never written: {0}")]
    Corrupt(&'static str),
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Turns the violation of a named constraint into the refusal that it stands for.
pub(crate) fn refuse(constraints: &[(&str, Refusal)]) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| {
        let violated = error
            .as_database_error()
            .and_then(|error| error.constraint());
        constraints
            .iter()
            .find(|(name, _)| violated == Some(*name))
            .map_or_else(
                || StoreError::Database(error),
                |(_, refusal)| StoreError::Refused(*refusal),
            )
    }
}
