//! Tests of the machine as a whole.

mod fixtures;
mod matrix;
mod replays;
mod rules;
mod walks;
