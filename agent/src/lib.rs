//! placeholder

pub mod cameras;
pub mod driver;
