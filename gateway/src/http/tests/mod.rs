//! Claims about the HTTP edge: the real router, a real Postgres as the application's role, and no Redis unless a test starts one.

mod again;
pub(crate) mod answer;
mod bundle;
mod cases;
mod cast;
mod commands;
mod control;
mod deadlines;
mod events;
mod evidence;
mod files_and_health;
mod grants;
pub(crate) mod house;
mod job_events;
mod jobs;
mod log;
mod people;
mod problems;
mod rights;
mod session;
mod shared_counts;
mod sse;
pub(crate) mod steering;
mod stopped;
mod superuser;
pub(crate) mod until;
pub(crate) mod work;
