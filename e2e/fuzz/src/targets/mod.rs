//! One file for each kind of thing that comes in.

pub(crate) mod bodies;
pub(crate) mod bundle;
pub(crate) mod cbor;
pub(crate) mod envelope;
pub(crate) mod frames;
pub(crate) mod ground;
pub(crate) mod media;
pub(crate) mod orders;
pub(crate) mod passkey;
pub(crate) mod policy;
pub(crate) mod proofs;
pub(crate) mod sealed;
pub(crate) mod signed;
pub(crate) mod words;
