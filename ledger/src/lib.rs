//! The books. Here are the log of events, the bundle that takes a job's part of it out of the house, and the check that
//! anybody makes of such a bundle; pure, so that the gateway, the agent, a verifier and the browser agree on it.

pub mod bundle;
pub mod log;
pub mod verify;
