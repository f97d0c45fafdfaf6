//! `/api/v1/robots/{robot}/control`: who steers a robot.

pub(super) mod act;
pub(super) mod present;
pub(super) mod read;
