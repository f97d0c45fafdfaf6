//! Use cases: one file, one function, one transaction.

pub mod bind_session_key;
pub mod carried;
pub mod cases;
pub mod command_views;
pub mod control;
pub mod enrol_robot;
pub mod grants;
pub mod issue_command;
pub mod jobs;
pub mod once;
pub mod passkeys;
pub mod proven;
pub mod receipts;
pub mod record_robot_event;
pub mod revoke_robot_token;
pub mod say_started;
pub mod sign_in;
pub mod sign_out;
pub mod stop_robot;
pub mod stop_site;
pub mod time_out_commands;
