//! What can go wrong in the spine: failures of ours, and refusals that a robot has to hear.

use std::sync::Arc;

use protocol::sealed::SealFailure;

/// A failure of ours.
#[derive(Debug, thiserror::Error)]
pub enum SpineError {
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The same, for several who were written together.
    #[error("the database failed")]
    Shared(#[from] Arc<sqlx::Error>),
    /// An event could not be sealed.
    #[error("an event could not be sealed")]
    Seal(#[from] SealFailure),
    /// An event has no JSON view.
    #[error("an event could not be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The database holds what we never write.
    #[error("the log holds what was never written: {0}")]
    Corrupt(&'static str),
}

/// Whether the database says that the connection ends or is broken: by a server that goes down or takes no sessions yet, or by somebody in
/// between, who does not know what the server did. The next connection may be well. SQLSTATEs of class 08, and of operators' interventions.
pub fn ends_connection(failure: &dyn sqlx::error::DatabaseError) -> bool {
    failure.code().is_some_and(|code| {
        code.starts_with("08") || matches!(code.as_ref(), "57P01" | "57P02" | "57P03")
    })
}

/// Why an actor's own event was not taken into the log. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An event before this one is missing.
    #[error("event {found} came while {held} is the last one held")]
    Gap {
        /// Highest number held.
        held: u64,
        /// The number that came.
        found: u64,
    },
    /// The actor has told two stories: another event stands under this number, or under the one before it.
    #[error("event {number} contradicts what is held")]
    Forked {
        /// The number that came.
        number: u64,
    },
    /// The event has no place in its actor's chain.
    #[error("the event carries no number of its actor")]
    Unnumbered,
}

impl Refusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Gap { .. } => "gap",
            Self::Forked { .. } => "forked",
            Self::Unnumbered => "unnumbered",
        }
    }
}

/// Why [`crate::Tx::record_sealed`] did not take an event.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The actor must act.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// We must.
    #[error(transparent)]
    Failed(#[from] SpineError),
}

impl From<sqlx::Error> for RecordError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}
