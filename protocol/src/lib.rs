//! The words that cross a wire: ids, views, socket frames and signed envelopes. No I/O, no clock, builds for wasm32.

pub mod assist;
pub mod case;
pub mod command;
pub mod console_code;
pub mod console_socket;
pub mod control;
pub mod deterministic;
pub mod drive;
pub mod event;
#[cfg(test)]
mod golden_tests;
pub mod grant;
pub mod ids;
pub mod job;
pub mod ladder;
pub mod limits;
pub mod passkey;
pub mod picture;
pub mod robot;
pub mod robot_socket;
pub mod roster;
pub mod safety;
pub mod sealed;
pub mod signature;
pub mod thumbnail;
pub mod time;
pub mod views;

pub use ids::{
    AccessId, ApprovalId, AssistId, CaseId, CommandId, EvidenceId, GrantId, JobId, OrganisationId,
    PersonId, RobotId, SiteId, TokenId,
};
pub use time::UnixMicros;
