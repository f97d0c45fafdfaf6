//! Does the job that the robot holds.

pub mod said;
