//! `/api/v1/assists`: robots that call for a person's help. Calls are answered by events on their job.

pub(super) mod list;
