//! One transaction, its events, the tail that follows them and the tree over them. Knows streams and keys, never what an event means.

mod error;
pub mod evidence;
mod heads;
pub mod idempotency;
pub mod log;
mod log_key;
mod position;
mod row;
pub mod sequencer;
mod signer;
pub mod tail;
#[cfg(test)]
mod tests;
mod transaction;

pub use error::{RecordError, Refusal, SpineError, ends_connection};
pub use log_key::{LogKey, LogKeyError};
pub use position::{Position, UnreadablePosition};
pub use row::Damage;
pub use signer::{Signer, SignerError};
pub use tail::ping;
pub use transaction::{Recorded, Recording, Tx, actor_held, stream_head};

/// Every migration of every module. Run by the role that owns the schemas, never by the application's.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// The role that the application connects as: reads and writes rows, owns nothing, defines nothing.
pub const APP_ROLE: &str = "nooterra_app";
