//! `/api/v1/events`: the log, as pages and as a stream.

pub(super) mod list;
