//! Claims about the HTTP edge: the real router, a real Postgres as the application's role, and no Redis unless a test starts one.

pub(crate) mod answer;
mod bundle;
mod cases;
mod cast;
mod commands;
mod events;
mod evidence;
mod files_and_health;
pub(crate) mod house;
mod jobs;
mod log;
mod people;
mod problems;
mod rights;
mod session;
mod shared_counts;
mod stopped;
pub(crate) mod until;
pub(crate) mod work;
