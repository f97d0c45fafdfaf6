//! The real system for tests and measurements: gateway, Postgres, Redis, agents and Chromium as processes of their own.

pub mod api;
pub mod authenticator;
pub mod browser;
pub mod durability;
pub mod events;
pub mod evidence;
pub mod film;
pub mod foreign_page;
pub mod hand;
pub mod helping;
pub mod link;
pub mod operator;
pub mod pen;
pub mod process;
pub mod relay;
pub mod requester;
pub mod reviewer;
pub mod stack;
pub mod tampering;
pub mod until;
