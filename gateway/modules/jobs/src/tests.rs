//! Tests of the machine as a whole.

mod approvals;
pub(crate) mod fixtures;
mod matrix;
mod model;
mod replays;
mod rules;
mod stops;
mod walks;
