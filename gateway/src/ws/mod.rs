//! Sockets of robots and consoles: bounded both ways, every refusal with a last word.

mod bounds;
pub mod console;
mod console_views;
mod last_word;
pub mod robot;
mod robot_events;
mod robot_media;
#[cfg(test)]
mod tests;

use std::time::Duration;

/// One write may take this long before the peer counts as gone: TCP alone would wait for minutes.
const WRITE_WITHIN: Duration = Duration::from_secs(5);
