//! The agent beside a robot: it moves what its driver moves, shows what its cameras see, and signs what it says.
//!
//! `control` steps the driver and needs no network; `link` talks to the gateway and moves nothing.

pub mod authority;
pub mod cameras;
pub mod control;
pub mod desk;
pub mod digits;
pub mod driver;
pub mod driving;
pub mod enrol;
pub mod evidence;
pub mod gallery;
pub mod journal;
pub mod link;
pub mod orders;
pub mod publish;
pub mod receipts;
pub mod run;
pub mod safety;
pub mod settings;
pub mod sights;
pub mod streams;
pub mod tls;
pub mod trust;
pub mod work;
