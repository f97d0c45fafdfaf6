//! Commands to robots and their fates: what may be asked, what can become of it, and the rows that remember it.
//!
//! Pure by default; the feature `store` adds the table. Sends nothing and reads no clock.

mod command;
mod machine;
mod request;
#[cfg(feature = "store")]
pub mod store;

pub use command::{Command, Issue};
pub use machine::{ANSWER_WITHIN, Event, Input, apply, decide};
pub use request::{MAX_REACH_M, Refusal, check};
