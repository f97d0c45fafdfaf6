//! Passkeys: added by whoever showed just now who they are, used to sign in, listed, removed as every key of a person's is.

pub mod add;
pub mod begin_adding;
pub mod begin_sign_in;
pub mod fresh;
pub mod list;
pub mod prove;
pub mod sign_in;
pub mod site;
pub mod used;
