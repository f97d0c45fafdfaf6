//! `/api/v1/session/person-keys`: the keys that bind what lets the caller steer.

pub(super) mod list;
pub(super) mod offer;
pub(super) mod remove;
