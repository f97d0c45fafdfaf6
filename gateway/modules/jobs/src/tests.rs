//! Tests of the machine as a whole.

pub(crate) mod fixtures;
mod matrix;
mod model;
mod replays;
mod rules;
mod stops;
mod walks;
