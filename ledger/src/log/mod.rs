//! The log: what one entry is, how the entries of a stream hang together, and the one tree over all of them with its proofs.

mod chain;
mod checkpoint;
mod entry;
mod logged;
mod note;
mod proof;
mod tile;
mod tree;

pub use chain::{BrokenChain, ChainFault, Head, check_chain};
pub use checkpoint::{Checkpoint, CheckpointFault, Witnessed};
pub use entry::{Entry, entry_hash, hash_of_actor_bytes};
pub use logged::{LoggedFault, LoggedProof};
pub use note::{KeyFault, MOST_NOTE_BYTES, NoteFault, NoteKey, SignedNote, signature_line};
pub use proof::{
    ProofFailure, TreeHead, consistency_nodes, inclusion_nodes, prove_consistency, prove_inclusion,
    verify_consistency, verify_inclusion,
};
pub use tile::{NoTile, RightEdge, TILE_WIDTH, Tile, TileId, WrongEdge};
pub use tree::{Frontier, Hash, Node, WrongPeaks, empty_root, node_hash, root_of};
