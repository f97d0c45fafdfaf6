//! `/api/v1/robots/{robot}/grants` and `/api/v1/roster`: leave to steer, and who may ever get it.

pub(super) mod issue;
pub(super) mod present;
pub(super) mod roster;
