//! The books. Here is the log of events; pure, so that the gateway, the agent, a verifier and the browser agree on it.

pub mod log;
