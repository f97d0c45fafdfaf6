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
mod problems;
mod rights;
mod session;
mod shared_counts;
pub(crate) mod until;
mod work;
