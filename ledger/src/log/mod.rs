//! The log: what one entry is, how it is named by its hash, and how the entries of a stream hang together.

mod chain;
mod entry;

pub use chain::{BrokenChain, ChainFault, Head, check_chain};
pub use entry::{Entry, entry_hash, hash_of_actor_bytes};
