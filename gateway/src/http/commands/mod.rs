//! `/api/v1/robots/{robot}/commands` and `/api/v1/commands/{command}`

pub(super) mod issue;
pub(super) mod list;
pub(super) mod read;
