//! `/api/v1/jobs/{job}/evidence`: the pictures that prove a job's steps. Robots bring them, people look at them.

pub(super) mod bring;
pub(super) mod list;
pub(super) mod read;
