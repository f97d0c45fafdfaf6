//! What happens to jobs: asked for, steered by people, reported by robots, moved by time.

pub mod act_on_job;
pub mod calls;
pub mod evidence;
pub mod export_bundle;
pub mod happen;
pub mod lapse;
pub mod people;
pub mod request_job;
pub mod robot_event;
pub mod tell;
mod undamaged;
pub mod views;
pub mod watch_beats;
pub mod watch_right;
pub mod word;
