//! The pages: each takes from the live side what its panels draw, and passes their wishes on.

mod answering;
mod calls;
pub(crate) mod cases;
mod driving;
mod evidence;
pub(crate) mod fleet;
mod helping;
pub(crate) mod job;
mod job_side;
pub(crate) mod jobs;
mod keys;
pub(crate) mod live;
mod live_faces;
pub(crate) mod not_found;
pub(crate) mod parts;
mod reading;
mod receipts;
pub(crate) mod request;
mod served_code;
pub(crate) mod shell;
mod shell_faces;
pub(crate) mod sign_in;
mod steering;
pub(crate) mod verify;
mod watch;
