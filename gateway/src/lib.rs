//! The one server process of Nooterra: edges, use cases, followers of the log, live fan-out.
//!
//! `http`, `ws` and `rtc` parse and prove who; `flows` are the use cases, one file and one transaction each; `reactors`
//! follow the log; `live` holds what is true just now. The rules are in the modules beneath, which know nothing of this crate.

pub mod admin;
pub mod app;
pub mod config;
pub mod console_bundle;
pub mod embedded;
pub mod error;
pub mod flows;
pub mod http;
pub mod listen;
pub mod live;
pub mod metrics;
pub mod reactors;
pub mod rtc;
pub mod serve;
pub mod verify;
pub mod ws;
