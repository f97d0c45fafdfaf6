//! What lets a person steer: people's keys, the roster, grants, and what is believed no more.

pub mod demo_roster;
pub mod issue_grant;
pub mod offer_key;
pub mod present_grant;
pub mod remove_key;
pub mod revoke;
pub mod roster_view;
pub mod tell;
