//! Sockets of robots and consoles: bounded both ways, every refusal with a last word.

mod allowance;
mod bounds;
mod commands;
pub mod console;
mod console_views;
mod followed_view;
#[cfg(feature = "fuzzed")]
pub mod fuzzed;
mod last_word;
mod present;
pub mod robot;
mod robot_events;
mod robot_media;
mod seats;
#[cfg(test)]
mod tests;

use std::time::Duration;

/// One write may take this long before the peer counts as gone: TCP alone would wait for minutes.
const WRITE_WITHIN: Duration = Duration::from_secs(5);

/// Counts a frame that could be read and was passed over, because its sender or the gateway had too many.
fn dropped(kind: &'static str) {
    metrics::counter!("nooterra_frames_dropped_total", "kind" => kind).increment(1);
}
