//! Complaints: filed by requesters, looked into and ruled on by people of the organisation.

pub mod act_on_case;
pub mod file_complaint;
pub mod views;
